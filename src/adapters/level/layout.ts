// Where things lie in the LevelDB of a store, and how its values look.
//
//   00             identity: application, partition and format version, as JSON
//   01             position in the changelog, as JSON
//   02 number(6)   a link (links.ts): bytes(4) of its batch
//   03 key…        a value by its UTF-8 key
//
// LevelDB does not verify checksums when it reads (classic-level has no option for it), so each value is sealed:
// version(1), CRC-32 over key and content(4), content.
import { crc32 } from 'node:zlib'
import { StoreCorrupted } from '../../base/errors.ts'

const formatVersion = 1
const head = 5

export const identityKey = Buffer.of(0)
export const positionKey = Buffer.of(1)
export const linkRange = { gte: Buffer.of(2), lt: Buffer.of(3) }
const valueFamily = 3

export function linkKey(number: number): Buffer {
  const key = Buffer.allocUnsafe(7)
  key[0] = 2
  key.writeUIntBE(number, 1, 6)
  return key
}

export function linkNumber(key: Buffer): number {
  return key.readUIntBE(1, 6)
}

export function valueKey(text: string): Buffer {
  const length = Buffer.byteLength(text)
  const key = Buffer.allocUnsafe(1 + length)
  key[0] = valueFamily
  key.write(text, 1, length, 'utf8')
  return key
}

export function textOf(key: Buffer): string {
  return key.toString('utf8', 1)
}

export function seal(key: Buffer, content: Uint8Array): Buffer {
  const entry = Buffer.allocUnsafe(head + content.length)
  entry[0] = formatVersion
  entry.writeUInt32LE(crc32(content, crc32(key)), 1)
  entry.set(content, head)
  return entry
}

/** The content of an entry, not copied. @throws {StoreCorrupted} */
export function unseal(key: Buffer, entry: Buffer): Buffer {
  const content = entry.subarray(head)
  if (entry.length < head || entry[0] !== formatVersion || entry.readUInt32LE(1) !== crc32(content, crc32(key))) {
    throw new StoreCorrupted(`the entry ${key.subarray(0, 32).toString('hex')} fails its checksum`)
  }
  return content
}

/** A kind of small entry of the store's own: JSON, sealed. */
export function jsonEntry<Content extends object>() {
  return {
    encode: (key: Buffer, content: Content): Buffer => seal(key, Buffer.from(JSON.stringify(content))),
    /** @throws {StoreCorrupted} */
    decode: (key: Buffer, entry: Buffer): Content => JSON.parse(unseal(key, entry).toString('utf8')),
  }
}
