import { runJava } from './java.ts'

export interface CommittedRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
}

/** Every record of the topics up to their ends of now, as Kafka's own read-committed consumer sees them; in order within a partition. */
export async function* committedWithJava(
  brokers: readonly string[],
  topics: readonly string[],
): AsyncGenerator<CommittedRecord> {
  for await (const line of runJava('Committed.java', [brokers.join(','), ...topics])) {
    const [topic = '', partition, offset, key = '-', value = '-'] = line.split(' ')
    yield { topic, partition: Number(partition), offset: Number(offset), key: bytesOf(key), value: bytesOf(value) }
  }
}

const bytesOf = (text: string): Uint8Array | null => (text === '-' ? null : Buffer.from(text, 'base64'))
