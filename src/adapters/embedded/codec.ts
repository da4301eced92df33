// How records look in bytes. LevelDB does not verify checksums when it reads (classic-level has no option for it), so
// every value carries its own: CRC-32 over the key it lies under and everything behind the checksum.
//
//   chunk   version(1) crc(4) timestamp(8) count(4) record…      records of one partition, offsets without a gap
//   record  flags(1) keyBytes(4) valueBytes(4) headers(4) key value header…
//   value   version(1) crc(4) offset(8) timestamp(8) headers(4) header… value     the last record of a key
//   header  nameBytes(4) valueBytes(4) name value
import { crc32 } from 'node:zlib'
import { StoreCorrupted } from '../../base/errors.ts'
import type { Header, LogRecord } from '../../runtime/ports.ts'
import { offsetOf, prefixBytes } from './layout.ts'

const formatVersion = 1
const checkedFrom = 5
const chunkHead = checkedFrom + 8 + 4
const recordHead = 1 + 4 + 4 + 4
const valueHead = checkedFrom + 8 + 8 + 4
const headerHead = 8
const nullKey = 1
const nullValue = 2
const empty: Uint8Array = new Uint8Array(0)
const noHeaders: readonly Header[] = []

/** A record's key, value and headers in bytes, as limits count them. */
export function payloadBytes(record: {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers?: readonly Header[]
}): number {
  let bytes = (record.key?.length ?? 0) + (record.value?.length ?? 0)
  if (record.headers !== undefined) {
    for (const header of record.headers) bytes += Buffer.byteLength(header.key) + header.value.length
  }
  return bytes
}

/** A chunk of records whose offsets follow one another; `key` is where it will lie. */
export function encodeChunk(key: Buffer, records: readonly LogRecord[]): Buffer {
  let bytes = chunkHead
  for (const record of records) {
    bytes += recordHead + payloadBytes(record) + record.headers.length * headerHead
  }
  const chunk = Buffer.allocUnsafe(bytes)
  chunk.writeDoubleLE(records[0]!.timestampMs, checkedFrom)
  chunk.writeUInt32LE(records.length, checkedFrom + 8)
  let at = chunkHead
  for (const { key: recordKey, value, headers } of records) {
    const keyBytes = recordKey ?? empty
    const valueBytes = value ?? empty
    chunk[at] = (recordKey === null ? nullKey : 0) | (value === null ? nullValue : 0)
    chunk.writeUInt32LE(keyBytes.length, at + 1)
    chunk.writeUInt32LE(valueBytes.length, at + 5)
    chunk.writeUInt32LE(headers.length, at + 9)
    chunk.set(keyBytes, at + recordHead)
    at += recordHead + keyBytes.length
    chunk.set(valueBytes, at)
    at = encodeHeaders(chunk, at + valueBytes.length, headers)
  }
  return seal(key, chunk)
}

/** The records of a chunk, in order. @throws {StoreCorrupted} */
export function decodeChunk(key: Buffer, chunk: Buffer, topic: string, partition: number): LogRecord[] {
  unseal(key, chunk)
  const timestampMs = chunk.readDoubleLE(checkedFrom)
  const count = chunk.readUInt32LE(checkedFrom + 8)
  const records: LogRecord[] = []
  let offset = offsetOf(key) - count + 1
  let at = chunkHead
  for (let i = 0; i < count; i++, offset++) {
    const flags = chunk[at]!
    const keyEnd = at + recordHead + chunk.readUInt32LE(at + 1)
    const valueEnd = keyEnd + chunk.readUInt32LE(at + 5)
    const headers = decodeHeaders(chunk, valueEnd, chunk.readUInt32LE(at + 9))
    records.push({
      topic,
      partition,
      offset,
      timestampMs,
      key: flags & nullKey ? null : chunk.subarray(at + recordHead, keyEnd),
      value: flags & nullValue ? null : chunk.subarray(keyEnd, valueEnd),
      headers: headers.list,
    })
    at = headers.end
  }
  return records
}

/** The entry of a record of a compacted topic; `value` may not be null: that is the absence of an entry. */
export function encodeValue(key: Buffer, record: LogRecord, value: Uint8Array): Buffer {
  const { headers, offset, timestampMs } = record
  let headersEnd = valueHead
  for (const header of headers) headersEnd += headerHead + Buffer.byteLength(header.key) + header.value.length
  const entry = Buffer.allocUnsafe(headersEnd + value.length)
  entry.writeDoubleLE(offset, checkedFrom)
  entry.writeDoubleLE(timestampMs, checkedFrom + 8)
  entry.writeUInt32LE(headers.length, checkedFrom + 16)
  encodeHeaders(entry, valueHead, headers)
  entry.set(value, headersEnd)
  return seal(key, entry)
}

/** The value of an entry alone, not copied. @throws {StoreCorrupted} */
export function valueOf(key: Buffer, entry: Buffer): Uint8Array {
  unseal(key, entry)
  const count = entry.readUInt32LE(checkedFrom + 16)
  return entry.subarray(count === 0 ? valueHead : decodeHeaders(entry, valueHead, count).end)
}

/** An entry as the record that it was. @throws {StoreCorrupted} */
export function decodeValue(key: Buffer, entry: Buffer, topic: string, partition: number): LogRecord {
  unseal(key, entry)
  const headers = decodeHeaders(entry, valueHead, entry.readUInt32LE(checkedFrom + 16))
  return {
    topic,
    partition,
    offset: entry.readDoubleLE(checkedFrom),
    timestampMs: entry.readDoubleLE(checkedFrom + 8),
    key: key.subarray(prefixBytes),
    value: entry.subarray(headers.end),
    headers: headers.list,
  }
}

/** A kind of small entry of the log's own: JSON, sealed in the same way. */
export function jsonEntry<Content extends object>() {
  return {
    encode(key: Buffer, content: Content): Buffer {
      const text = JSON.stringify(content)
      const entry = Buffer.allocUnsafe(checkedFrom + Buffer.byteLength(text))
      entry.write(text, checkedFrom)
      return seal(key, entry)
    },
    /** @throws {StoreCorrupted} */
    decode(key: Buffer, entry: Buffer): Content {
      unseal(key, entry)
      return JSON.parse(entry.toString('utf8', checkedFrom))
    },
  }
}

function encodeHeaders(into: Buffer, start: number, headers: readonly Header[]): number {
  let at = start
  for (const { key, value } of headers) {
    const nameBytes = into.write(key, at + headerHead, 'utf8')
    into.writeUInt32LE(nameBytes, at)
    into.writeUInt32LE(value.length, at + 4)
    into.set(value, at + headerHead + nameBytes)
    at += headerHead + nameBytes + value.length
  }
  return at
}

function decodeHeaders(from: Buffer, start: number, count: number): { list: readonly Header[]; end: number } {
  if (count === 0) return { list: noHeaders, end: start }
  const list: Header[] = []
  let at = start
  for (let i = 0; i < count; i++) {
    const nameEnd = at + headerHead + from.readUInt32LE(at)
    const end = nameEnd + from.readUInt32LE(at + 4)
    list.push({ key: from.toString('utf8', at + headerHead, nameEnd), value: from.subarray(nameEnd, end) })
    at = end
  }
  return { list, end: at }
}

function seal(key: Buffer, entry: Buffer): Buffer {
  entry[0] = formatVersion
  entry.writeUInt32LE(crc32(entry.subarray(checkedFrom), crc32(key)), 1)
  return entry
}

function unseal(key: Buffer, entry: Buffer): void {
  const isWhole =
    entry.length >= checkedFrom &&
    entry[0] === formatVersion &&
    entry.readUInt32LE(1) === crc32(entry.subarray(checkedFrom), crc32(key))
  if (!isWhole) throw new StoreCorrupted(`the entry ${key.subarray(0, 32).toString('hex')} fails its checksum`)
}
