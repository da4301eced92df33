// Where things lie in the one LevelDB of the embedded log. Every key begins with a byte for its family; prefixes are
// never reused. Numbers are big-endian, so that LevelDB's order is theirs.
//
//   00                                    identity: application and format version, as JSON
//   01 topic(2)                           a topic, as JSON
//   02 topic(2) partition(2)              head: earliest and end offset, the segment being filled
//   03 topic(2) partition(2) last(6)      a closed segment of a retained topic
//   04 topic(2) partition(2) last(6)      a chunk: records of one group, by the offset of its last one
//   05 topic(2) partition(2) key…         the last value of a key of a compacted topic
//   06 number(6)                          a link of the write chain
import { assert } from '../../base/assert.ts'

const familyOf = { identity: 0, topic: 1, head: 2, segment: 3, chunk: 4, value: 5, link: 6 } as const

/** Families of what a partition keeps, one entry after another. */
export type PartitionFamily = 'head' | 'segment' | 'chunk' | 'value'

/** A range of keys: from <= key < to. */
export interface KeyRange {
  readonly gte: Buffer
  readonly lt: Buffer
}

/** Topics and partitions are numbered in two bytes; one number is left over for the end of the last range. */
export const numberMax = 0xfffe
const offsetBytes = 6
/** Bytes before an offset or a record's key. */
export const prefixBytes = 5

export const identityKey = Buffer.from([familyOf.identity])

export function topicKey(topic: number): Buffer {
  return Buffer.from([familyOf.topic, topic >> 8, topic & 0xff])
}

export const topicRange: KeyRange = { gte: Buffer.from([familyOf.topic]), lt: Buffer.from([familyOf.topic + 1]) }

/** The part of a key that every entry of a family and partition has in common. */
export function partitionPrefix(family: PartitionFamily, topic: number, partition: number): Buffer {
  return Buffer.from([familyOf[family], topic >> 8, topic & 0xff, partition >> 8, partition & 0xff])
}

/** Everything of a family in one partition. */
export function partitionRange(family: PartitionFamily, topic: number, partition: number): KeyRange {
  return { gte: partitionPrefix(family, topic, partition), lt: partitionPrefix(family, topic, partition + 1) }
}

/** A prefix followed by an offset. */
export function offsetKey(prefix: Uint8Array, offset: number): Buffer {
  const key = Buffer.allocUnsafe(prefixBytes + offsetBytes)
  key.set(prefix)
  key.writeUIntBE(offset, prefixBytes, offsetBytes)
  return key
}

export function offsetOf(key: Buffer): number {
  return key.readUIntBE(prefixBytes, offsetBytes)
}

/** A prefix followed by the key of a record. */
export function valueKey(prefix: Uint8Array, recordKey: Uint8Array): Buffer {
  const key = Buffer.allocUnsafe(prefixBytes + recordKey.length)
  key.set(prefix)
  key.set(recordKey, prefixBytes)
  return key
}

/** A prefix followed by a text key as UTF-8. */
export function textKey(prefix: Uint8Array, text: string): Buffer {
  const length = Buffer.byteLength(text)
  const key = Buffer.allocUnsafe(prefixBytes + length)
  key.set(prefix)
  key.write(text, prefixBytes, length, 'utf8')
  return key
}

export function linkKey(number: number): Buffer {
  const key = Buffer.allocUnsafe(1 + offsetBytes)
  key[0] = familyOf.link
  key.writeUIntBE(number, 1, offsetBytes)
  return key
}

export function linkNumber(key: Buffer): number {
  assert(key[0] === familyOf.link, 'a link has the key of a link')
  return key.readUIntBE(1, offsetBytes)
}

export const linkRange: KeyRange = { gte: Buffer.from([familyOf.link]), lt: Buffer.from([familyOf.link + 1]) }
