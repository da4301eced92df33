// The records of a batch, compressed and expanded: by Node's zlib and the client's snappy and lz4.
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { compressionsAlgorithms } from '@platformatic/kafka'

export const compressions = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
/** By their numbers in a batch's attributes. */
export type Compression = (typeof compressions)[number]

/** What was compressed into one batch: a megabyte can be made to hold a thousand, and would take the memory of all. */
export const expandedBytesMax = 128 * 1_048_576

export const compressed = (content: Buffer, compression: Compression): Buffer =>
  compressionsAlgorithms[compression].compressSync(content)

/** @throws Error It is damaged, compressed in a way that there is not, or larger than anybody can mean. */
export function expanded(content: Buffer, number: number): Buffer {
  const limit = { maxOutputLength: expandedBytesMax }
  const compression = compressions[number]
  if (compression === undefined) throw new Error(`there is no compression ${number}`)
  if (compression === 'none') return content
  if (compression === 'gzip') return gunzipSync(content, limit)
  if (compression === 'zstd') return zstdDecompressSync(content, limit)
  const whole = compressionsAlgorithms[compression].decompressSync(content)
  // These do not expand a megabyte beyond 255.
  if (whole.length > expandedBytesMax) throw new RangeError(`it expands to ${whole.length} bytes`)
  return whole
}
