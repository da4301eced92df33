// A source record inside a value: a kept record, or one on its way to another partition.
import type { DecodedPart } from '../engine/format.ts'
import type { SourceRecord } from '../engine/message.ts'
import { bytes, list, number, optional, text } from './fields.ts'

export const recordFields = (record: SourceRecord): readonly unknown[] => [
  record.topic,
  record.partition,
  record.offset,
  record.timestampMs,
  record.key,
  record.value,
  record.headers.flatMap(({ key, value }) => [key, value]),
  // What could not be decoded has a dead letter, and goes on for those that read its bytes.
  ...(record.decoded === undefined ? [] : [[jsonOf(record.decoded.key), jsonOf(record.decoded.value)]]),
]

const jsonOf = (part: DecodedPart | undefined): Uint8Array | null =>
  part !== undefined && 'json' in part ? part.json : null

const partOf = (field: unknown): DecodedPart | undefined => {
  const json = optional(bytes)(field)
  return json && { json }
}

export function recordOf(fields: readonly unknown[]): SourceRecord {
  const flat = list(fields[6])
  const headers: { key: string; value: Uint8Array }[] = []
  for (let i = 0; i < flat.length; i += 2) headers.push({ key: text(flat[i]), value: bytes(flat[i + 1]) })
  const decoded = optional(list)(fields[7])
  return {
    topic: text(fields[0]),
    partition: number(fields[1]),
    offset: number(fields[2]),
    timestampMs: number(fields[3]),
    key: optional(bytes)(fields[4]) ?? null,
    value: optional(bytes)(fields[5]) ?? null,
    headers,
    ...(decoded === undefined ? {} : { decoded: { key: partOf(decoded[0]), value: partOf(decoded[1]) } }),
  }
}
