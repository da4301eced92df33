// What the log on Kafka needs of a client: connections that carry requests, and answers as data. A client is no more than
// that here, so that what is claimed of the log (fencing, aborted records, outcomes) does not hang on whose it is.
//
// What a failure means for the one who asked:
//   an answer with error codes is an answer, handed over as data: each caller knows which codes it lives with;
//   NoAnswer says whether the request may have been carried out; nothing is asked again by a client.
import type { Problem } from '../../base/errors.ts'
import type { Guarantee } from '../../base/kafka-settings.ts'
import type { Logger } from '../../base/logger.ts'
import type { Clock } from '../../runtime/ports.ts'
import type { Compression } from './compression.ts'
import type { KafkaConnection } from './options.ts'

export interface Broker {
  readonly host: string
  readonly port: number
}

/** What the log and the group stand on. */
export interface KafkaOptions extends KafkaConnection {
  readonly client: Client
  readonly clock: Clock
  readonly logger: Logger
  /** Of what is produced; absent: none. */
  readonly compression?: Compression
}

export interface Client {
  /** As people know it. */
  readonly name: string
  /** What it may claim: test/conformance decides. */
  readonly guarantee: Guarantee
  /**
   * Connections of one purpose. A broker answers the requests of a connection one after the other, so a purpose that waits
   * (a long poll, a join) or that must end by itself (a producer) has connections of its own.
   */
  connect(connection: KafkaConnection, requestTimeoutMs: number): Wire
}

export interface Wire {
  /** The broker's answer, error codes included. @throws {NoAnswer} */
  ask<Name extends keyof Requests>(
    broker: Broker,
    request: Name,
    ...parameters: Parameters<Requests[Name]>
  ): Promise<ReturnType<Requests[Name]>>
  close(): Promise<void>
}

/** How a client makes each request: what it asks by (`Ask`) is its own. */
export type Translated<Ask> = {
  readonly [Name in keyof Requests]: (
    ask: Ask,
    ...parameters: Parameters<Requests[Name]>
  ) => Promise<ReturnType<Requests[Name]>>
}

/** A wire of these requests over connections that ask in the client's way. */
export function wireOf<Ask>(
  requests: Translated<Ask>,
  askAt: (broker: Broker) => Ask,
  close: () => Promise<void>,
): Wire {
  return { ask: (broker, request, ...parameters) => requests[request](askAt(broker), ...parameters), close }
}

/** No broker answered. `mayBeDone`: it was sent, and may have been carried out, now or later. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
  readonly mayBeDone: boolean
  /** Only a person can mend it: TLS that does not fit, an identity that is refused. */
  readonly refusal: Problem | undefined
  constructor(mayBeDone: boolean, cause: unknown, refusal?: Problem) {
    super(refusal?.message ?? (cause instanceof NoAnswer ? cause.message : messageOf(cause)), { cause })
    this.mayBeDone = mayBeDone
    this.refusal = refusal ?? (cause instanceof NoAnswer ? cause.refusal : undefined)
  }
}

/** The requests that there are, with what is asked and what is answered. Times are in milliseconds. */
export interface Requests {
  /** All topics where there are no names. */
  metadata(topics: readonly string[] | null): Metadata
  findCoordinator(kind: 'group' | 'transaction', key: string): Coded & Broker
  listOffset(place: Place, timestamp: 'earliest' | 'latest', isCommitted: boolean): Coded & { readonly offset: number }
  deleteRecords(place: Place, before: number, timeoutMs: number): Coded
  /** All settings where there are no names. */
  describeTopics(topics: readonly string[], settings: readonly string[] | null): readonly TopicSettings[]
  createTopics(topics: readonly NewTopic[], timeoutMs: number): readonly TopicOutcome[]
  deleteTopics(topics: readonly string[], timeoutMs: number): readonly TopicOutcome[]
  /** Takes an id, or with what is held of it raises its epoch. */
  initProducerId(transactionalId: string, timeoutMs: number, held: HeldId | undefined): Coded & HeldId
  /** The coordinator's answer for each partition; `errorCode` is the first of a partition that is not all right. */
  addPartitionsToTxn(transactionalId: string, held: HeldId, partitions: readonly Place[]): AddedPartitions
  endTxn(transactionalId: string, held: HeldId, isCommit: boolean): Coded
  /** How a broker wants to be told who we are: asked on a connection of nobody. */
  saslHandshake(mechanism: string): { readonly mechanisms: readonly string[] }
  produce(transactionalId: string | null, batches: readonly PlacedBatch[], timeoutMs: number): readonly Appended[]
  /** Committed records: what lies below the last stable offset, with what was aborted in it. */
  fetch(partitions: readonly FetchPosition[], bounds: FetchBounds): Fetched
  joinGroup(group: string, memberId: string, joining: Joining): Joined
  syncGroup(
    group: string,
    member: GroupMember,
    assignments: readonly MemberBytes[],
  ): Coded & { readonly assignment: Buffer }
  heartbeat(group: string, member: GroupMember): Coded
  leaveGroup(group: string, memberId: string): Coded
}

export interface Coded {
  /** 0: all is well. */
  readonly errorCode: number
}

export interface Place {
  readonly topic: string
  readonly partition: number
}

export interface Metadata {
  readonly controllerId: number
  readonly brokers: readonly (Broker & { readonly id: number })[]
  readonly topics: readonly (Coded & {
    readonly name: string
    readonly id: string
    readonly isInternal: boolean
    readonly partitions: readonly PartitionMetadata[]
  })[]
}

export interface PartitionMetadata {
  readonly partition: number
  /** -1 where there is none now. */
  readonly leader: number
  /** How many copies it should have. */
  readonly replicas: number
}

export interface TopicSettings extends Coded {
  readonly topic: string
  readonly settings: ReadonlyMap<string, string | null>
}

export interface NewTopic {
  readonly name: string
  readonly partitions: number
  readonly settings: Readonly<Record<string, string>>
}

export interface TopicOutcome extends Coded {
  readonly name: string
  readonly message: string | null
}

/** What a broker knows a producer by. */
export interface HeldId {
  readonly producerId: bigint
  readonly producerEpoch: number
}

export interface AddedPartitions extends Coded {
  readonly partitions: readonly (Place & Coded)[]
}

export interface PlacedBatch extends Place {
  readonly bytes: Buffer
}

export interface Appended extends Place, Coded {
  readonly baseOffset: number
  /** Where in the batch the record is that it was refused for. */
  readonly record: number | undefined
}

export interface FetchPosition extends Place {
  readonly topicId: string
  readonly offset: number
}

export interface FetchBounds {
  readonly waitMs: number
  readonly bytesMax: number
  readonly partitionBytesMax: number
}

export interface Fetched extends Coded {
  readonly partitions: readonly (FetchedPartition & { readonly topicId: string })[]
}

export interface FetchedPartition extends Coded {
  readonly partition: number
  /** Where what is committed ends (Kafka's last stable offset); -1 beside an error. */
  readonly committedEnd: bigint
  readonly abortedTransactions: readonly { readonly producerId: bigint; readonly firstOffset: bigint }[]
  /** Batches, the last one perhaps not whole. */
  readonly batches: Buffer
}

export interface Joining {
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly protocol: string
  readonly metadata: Buffer
}

export interface Joined extends Coded {
  readonly generation: number
  readonly memberId: string
  readonly leader: string
  readonly members: readonly { readonly memberId: string; readonly metadata: Buffer }[]
}

export interface GroupMember {
  readonly generation: number
  readonly memberId: string
  readonly protocol: string
}

export interface MemberBytes {
  readonly memberId: string
  readonly assignment: Buffer
}

/** The error and what it was caused by, the outermost first. */
export function* causesOf(error: unknown): Generator<Error> {
  for (let each = error; each instanceof Error;) {
    yield each
    each = each.cause ?? (each instanceof AggregateError ? each.errors[0] : undefined)
  }
}

/** With the innermost reason: "ECONNREFUSED", not only "failed 1 times". */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return [...new Set([...causesOf(error)].map(({ message }) => message))].join(' ')
}
