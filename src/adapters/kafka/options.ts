import type { ConnectionOptions } from 'node:tls'

/** How the brokers are reached. */
export interface KafkaConnection {
  /** "host:port" of one or more brokers; the others are learnt from them. */
  readonly brokers: readonly string[]
  /** What brokers log and meter this worker by. */
  readonly clientId: string
  /** Absent: no TLS. Asked for when a connection is made. @throws {ConfigError} */
  readonly tls?: () => ConnectionOptions
  readonly sasl?: KafkaSasl
}

/** Resolved at use: a secret is asked for when a connection is made or has to prove itself again, and never kept. */
export interface KafkaSasl {
  readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512' | 'OAUTHBEARER'
  readonly username?: () => string | Promise<string>
  readonly password?: () => string | Promise<string>
  readonly token?: () => string | Promise<string>
}

/** Every wait and size of the adapter, with its reason. */
export const bounds = {
  connectTimeoutMs: 5_000,
  /** A broker that says nothing for so long is taken for gone: longer than its own wait for replicas. */
  requestTimeoutMs: 15_000,
  /** How long a broker waits for replicas, or for a topic to be made. */
  brokerTimeoutMs: 10_000,
  /** Passing refusals (a leader moves, a coordinator loads) are asked again for so long. */
  retryForMs: 20_000,
  /** The broker aborts what is open for longer, and fences the producer; above all that one transaction may wait for. */
  transactionTimeoutMs: 60_000,
  /** Between two tries: the first is short, since the markers of the transaction before take a few milliseconds. */
  retryDelayMs: { first: 2, max: 250 },
  /** A poll that nobody is kept waiting by. */
  fetchWaitMs: 500,
  /** A poll beside a long one, for readers that came later; short, so that they soon join the others. */
  fetchBesideWaitMs: 20,
  fetchBytesMax: 8 * 1_048_576,
  fetchPartitionBytesMax: 1_048_576,
  /** A reader that has so much ahead is not fetched for. */
  readAheadBytes: 1_048_576,
  /**
   * All readers together, each with its part, but not less than the second: a worker may read a thousand partitions. Half of
   * a part is what may be ahead when more is fetched, the other half is what is fetched then.
   */
  readAheadBytesInAll: 96 * 1_048_576,
  readAheadBytesMin: 65_536,
  /** Between two tries to fetch what cannot be fetched now. */
  fetchRetryMs: 250,
  /** One produce request; a broker's socket.request.max.bytes is 100 MiB by default. */
  produceRequestBytesMax: 16 * 1_048_576,
  /** Kafka's default `max.message.bytes`, where the topic's own may not be read. */
  batchBytesDefault: 1_048_588,
  /** Markers follow a commit within milliseconds; longer means that another's open transaction is in the way. */
  markersWaitMs: 1_000,
  sessionTimeoutMs: 10_000,
  heartbeatMs: 1_000,
  /** How long the others wait for a member to join again. */
  rebalanceTimeoutMs: 15_000,
  /** Between two tries to join a group that gives no answer, and between two words about it. */
  joinRetryMs: 1_000,
  joinToldMs: 30_000,
  /** Between two looks at how near copies are that are warmed up. */
  warmingLookMs: 1_000,
  /** How long those that are near wait for others that are not. */
  warmingWaitMs: 30_000,
  /** How long a join waits for an answer to how near the copies are; the others wait meanwhile. */
  lacksWithinMs: 3_000,
  /** How long it is told that a topic may not be seen: those that are needed are looked at again before. */
  hiddenToldMs: 60_000,
  /** How long `confirms` waits for a rebalance that is under way. */
  confirmWithinMs: 20_000,
} as const
