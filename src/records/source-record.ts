// A source record inside a value: a kept record, or one on its way to another partition.
import type { SourceRecord } from '../engine/message.ts'

export const recordFields = (record: SourceRecord): readonly unknown[] => [
  record.topic,
  record.partition,
  record.offset,
  record.timestampMs,
  record.key,
  record.value,
  record.headers.flatMap(({ key, value }) => [key, value]),
]

export function recordOf(fields: readonly unknown[]): SourceRecord {
  const [topic, partition, offset, timestampMs, key, value, flat] = fields as [
    string,
    number,
    number,
    number,
    Uint8Array | null,
    Uint8Array | null,
    unknown[],
  ]
  const headers: { key: string; value: Uint8Array }[] = []
  for (let i = 0; i < flat.length; i += 2) headers.push({ key: flat[i] as string, value: flat[i + 1] as Uint8Array })
  return { topic, partition, offset, timestampMs, key, value, headers }
}
