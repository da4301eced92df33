// Snappy's raw format, decoded: LevelDB compresses blocks with it, and Node has no decoder. Only what says where the other
// blocks of a table lie, and its first and last keys, is ever decoded, after its checksum was found right.
//
//   length(varint) element…      an element is a literal, or a copy of what was decoded before
import { StoreCorrupted } from '../../base/errors.ts'
import { Fields } from './fields.ts'

/** No block of ours is larger: a value of the largest size with its key, many times over. */
const decodedBytesMax = 64 * 1_048_576
const literal = 0
const nearCopy = 1
const copy = 2

/** @throws {StoreCorrupted} */
export function decodeSnappy(compressed: Buffer): Buffer {
  const fields = new Fields(compressed)
  const length = fields.varint()
  if (length > decodedBytesMax) throw new StoreCorrupted(`a block claims ${length} bytes`)
  const decoded = Buffer.allocUnsafe(length)
  let at = 0
  while (!fields.isAtEnd) {
    const tag = fields.bytes(1)[0]!
    const kind = tag & 3
    const high = tag >>> 2
    if (kind === literal) {
      const count = (high < 60 ? high : fields.bytes(high - 59).readUIntLE(0, high - 59)) + 1
      if (at + count > length) throw new StoreCorrupted('a compressed block is longer than it says')
      decoded.set(fields.bytes(count), at)
      at += count
      continue
    }
    const count = kind === nearCopy ? (high & 7) + 4 : high + 1
    const distance =
      kind === nearCopy
        ? ((tag >>> 5) << 8) | fields.bytes(1)[0]!
        : kind === copy
          ? fields.bytes(2).readUInt16LE(0)
          : fields.bytes(4).readUInt32LE(0)
    if (distance === 0 || distance > at || at + count > length) {
      throw new StoreCorrupted('a compressed block copies from outside')
    }
    // Byte by byte: a copy may reach into what it writes.
    for (const end = at + count; at < end; at++) decoded[at] = decoded[at - distance]!
  }
  if (at !== length) throw new StoreCorrupted('a compressed block is shorter than it says')
  return decoded
}
