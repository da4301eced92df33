import { linesOfJava } from './java.ts'

export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

/**
 * Produces a record for each key to each topic with Kafka's own Java producer, values "value of <key>"; resolves to the
 * partitions that it chose, by topic, in the order of the keys.
 */
export async function produceWithJava(
  brokers: readonly string[],
  topics: ReadonlyMap<string, Compression>,
  keys: readonly string[],
): Promise<ReadonlyMap<string, readonly number[]>> {
  const how = [...topics].map(([topic, compression]) => `${topic}=${compression}`).join(',')
  const lines = await linesOfJava('Produce.java', [brokers.join(','), how, ...keys])
  return new Map([...topics.keys()].map((topic, at) => [topic, lines[at]!.split(' ').map(Number)]))
}

export interface JavaTransaction {
  readonly ends: 'commit' | 'abort'
  /** Keys and values without tabs and line ends. */
  readonly records: readonly { readonly partition: number; readonly key: string; readonly value: string }[]
}

/** Produces transactions to a topic with Kafka's own Java producer; what is aborted has been in the log before. */
export async function transactWithJava(
  brokers: readonly string[],
  transactionalId: string,
  topic: string,
  transactions: readonly JavaTransaction[],
): Promise<void> {
  const lines = transactions.flatMap(({ ends, records }) => [
    ...records.map(({ partition, key, value }) => `${partition}\t${key}\t${value}`),
    ends,
  ])
  await linesOfJava('Transact.java', [brokers.join(','), transactionalId, topic], `${lines.join('\n')}\n`)
}

/** Produces what is allowed and unusual to partition 0 of a topic: Odd.java says what. */
export async function produceOddWithJava(brokers: readonly string[], topic: string): Promise<void> {
  await linesOfJava('Odd.java', [brokers.join(','), topic])
}

export type JavaKind = 'string' | 'int' | 'long' | 'bytes' | 'none'

/** Produces records by Kafka's own serializers: each key and value as its kind and its text, bytes in base64. */
export async function produceTypedWithJava(
  brokers: readonly string[],
  records: readonly {
    readonly topic: string
    readonly key: readonly [JavaKind, string]
    readonly value: readonly [JavaKind, string]
  }[],
): Promise<void> {
  const lines = records.map(({ topic, key, value }) => [topic, ...key, ...value].join('\t'))
  await linesOfJava('Typed.java', [brokers.join(',')], `${lines.join('\n')}\n`)
}
