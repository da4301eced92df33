// Kafka's own default partitioner for keyed records (org.apache.kafka.common.utils.Utils.murmur2 and
// BuiltInPartitioner.partitionForKey): a plain Java producer and we agree where a key lives.
import { utf8 } from './utf8.ts'

/** murmur2 of the bytes as Kafka computes it: a signed 32-bit integer. */
export function murmur2(data: Uint8Array, length = data.length): number {
  const m = 0x5bd1e995
  let h = 0x9747b28c ^ length
  const blocks = length >> 2
  for (let i = 0; i < blocks; i++) {
    const at = i * 4
    let k = data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16) | (data[at + 3]! << 24)
    k = Math.imul(k, m)
    k ^= k >>> 24
    k = Math.imul(k, m)
    h = Math.imul(h, m)
    h ^= k
  }
  const tail = blocks * 4
  const left = length & 3
  if (left === 3) h ^= data[tail + 2]! << 16
  if (left >= 2) h ^= data[tail + 1]! << 8
  if (left >= 1) {
    h ^= data[tail]!
    h = Math.imul(h, m)
  }
  h ^= h >>> 13
  h = Math.imul(h, m)
  h ^= h >>> 15
  return h
}

/** The partition (from 0) of a key among `count` partitions, as Kafka's default partitioner chooses it. */
export function partitionOf(key: Uint8Array, count: number): number {
  return (murmur2(key) & 0x7fffffff) % count
}

/** The same for a text key, as its UTF-8 bytes. */
export function partitionOfText(key: string, count: number): number {
  const { length } = key
  if (length > scratch.length) return partitionOf(utf8(key), count)
  for (let i = 0; i < length; i++) {
    const code = key.charCodeAt(i)
    if (code > 0x7f) return partitionOf(utf8(key), count)
    scratch[i] = code
  }
  return (murmur2(scratch, length) & 0x7fffffff) % count
}

/** For short keys in ASCII, which nearly all are: their bytes are their characters. */
const scratch = new Uint8Array(128)
