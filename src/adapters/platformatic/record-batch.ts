// Kafka's record batch, layout 2 (https://kafka.apache.org/documentation/#recordbatch): written into one buffer of just
// its size, and read without a copy of the records. The client's own writer makes a chain of small buffers of each record,
// which was a third of what a record cost.
//
//   baseOffset(8) length(4) leaderEpoch(4) magic(1) crc(4) | attributes(2) lastOffsetDelta(4) firstTimestamp(8)
//   maxTimestamp(8) producerId(8) producerEpoch(2) baseSequence(4) count(4) records…       the CRC-32C is of what follows it
//   record: length attributes(1) timestampDelta offsetDelta key value headers[key value]   lengths and deltas as varints
import { compressionsAlgorithmsByBitmask, crc32c } from '@platformatic/kafka'
import type { Header, OutgoingRecord } from '../../runtime/ports.ts'

export const batchHeadBytes = 61
const lengthAt = 8
const magicAt = 16
const crcAt = 17
const attributesAt = 21
/** A batch's length counts from here. */
const lengthFrom = 12
const magic = 2

const isCompressed = 0b111
const timestampIsOfAppend = 1 << 3
const isTransactional = 1 << 4
const isControl = 1 << 5

/** Of a producer whose batches the broker counts. */
export interface BatchStamp {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
}

/** A transactional batch if there is a stamp. */
export function encodeBatch(records: readonly OutgoingRecord[], nowMs: number, stamp?: BatchStamp): Buffer {
  const lengths = records.map(lengthOf)
  let size = batchHeadBytes
  for (const length of lengths) size += varintBytes(length) + length
  const buffer = Buffer.allocUnsafe(size)
  const now = BigInt(nowMs)
  buffer.writeBigInt64BE(0n, 0)
  buffer.writeInt32BE(size - lengthFrom, lengthAt)
  buffer.writeInt32BE(0, 12)
  buffer.writeInt8(magic, magicAt)
  buffer.writeInt16BE(stamp === undefined ? 0 : isTransactional, attributesAt)
  buffer.writeInt32BE(records.length - 1, 23)
  buffer.writeBigInt64BE(now, 27)
  buffer.writeBigInt64BE(now, 35)
  buffer.writeBigInt64BE(stamp?.producerId ?? -1n, 43)
  buffer.writeInt16BE(stamp?.producerEpoch ?? -1, 51)
  buffer.writeInt32BE(stamp?.baseSequence ?? -1, 53)
  buffer.writeInt32BE(records.length, 57)
  let at = batchHeadBytes
  for (const [index, record] of records.entries()) at = writeRecord(buffer, at, record, index, lengths[index]!)
  buffer.writeUInt32BE(crc32c(buffer.subarray(attributesAt)), crcAt)
  return buffer
}

function lengthOf({ key, value, headers = [] }: OutgoingRecord, index: number): number {
  let length =
    2 + varintBytes(index) + fieldBytes(key?.length) + fieldBytes(value?.length) + varintBytes(headers.length)
  for (const header of headers) length += fieldBytes(Buffer.byteLength(header.key)) + fieldBytes(header.value.length)
  return length
}

const fieldBytes = (length: number | undefined): number => (length === undefined ? 1 : varintBytes(length) + length)

/** Of a number that is not negative: zigzag doubles it. */
function varintBytes(value: number): number {
  if (value < 64) return 1
  if (value < 8_192) return 2
  if (value < 1_048_576) return 3
  return value < 134_217_728 ? 4 : 5
}

function writeRecord(buffer: Buffer, from: number, record: OutgoingRecord, index: number, length: number): number {
  const { key, value, headers = [] } = record
  let at = writeVarint(buffer, from, length)
  buffer[at++] = 0
  buffer[at++] = 0 // all have the time of the batch
  at = writeVarint(buffer, at, index)
  at = writeField(buffer, at, key)
  at = writeField(buffer, at, value)
  at = writeVarint(buffer, at, headers.length)
  for (const header of headers) {
    at = writeVarint(buffer, at, Buffer.byteLength(header.key))
    at += buffer.write(header.key, at)
    at = writeField(buffer, at, header.value)
  }
  return at
}

/** @param value not negative */
function writeVarint(buffer: Buffer, from: number, value: number): number {
  let at = from
  let left = value * 2
  for (; left > 127; left = Math.floor(left / 128)) buffer[at++] = (left % 128) | 128
  buffer[at++] = left
  return at
}

function writeField(buffer: Buffer, from: number, bytes: Uint8Array | null): number {
  if (bytes === null) {
    buffer[from] = 1 // -1
    return from + 1
  }
  const at = writeVarint(buffer, from, bytes.length)
  buffer.set(bytes, at)
  return at + bytes.length
}

/** A batch as it lies in a fetched buffer; its records are read when they are asked for. */
export interface FetchedBatch {
  readonly firstOffset: number
  readonly lastOffset: number
  readonly producerId: bigint
  readonly isTransactional: boolean
  /** A transaction's marker. */
  readonly isControl: boolean
  /** @throws {UnreadableBatch} */
  records(): readonly FetchedRecord[]
}

export interface FetchedRecord {
  readonly offset: number
  readonly timestampMs: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly Header[]
}

/** What a broker gave is not what a producer wrote, or nothing that can be read here. */
export class UnreadableBatch extends Error {
  override readonly name = 'UnreadableBatch'
}

/** The batches that lie in the buffer as a whole: a broker cuts the last one off where its answer is full. @throws {UnreadableBatch} */
export function* batchesIn(buffer: Buffer): Generator<FetchedBatch> {
  let at = 0
  while (buffer.length - at >= lengthFrom) {
    const end = at + lengthFrom + buffer.readInt32BE(at + lengthAt)
    if (end > buffer.length) return
    if (end - at < batchHeadBytes && buffer[at + magicAt] === magic) throw new UnreadableBatch('a batch has no head')
    yield fetchedBatch(buffer.subarray(at, end))
    at = end
  }
}

function fetchedBatch(batch: Buffer): FetchedBatch {
  const firstOffset = Number(batch.readBigInt64BE(0))
  const where = `the batch at offset ${firstOffset}`
  if (batch[magicAt] !== magic) {
    throw new UnreadableBatch(`${where} has the format ${batch[magicAt]}: it was written for Kafka older than 0.11`)
  }
  if (crc32c(batch.subarray(attributesAt)) !== batch.readUInt32BE(crcAt)) {
    throw new UnreadableBatch(`${where} fails its checksum`)
  }
  const attributes = batch.readInt16BE(attributesAt)
  return {
    firstOffset,
    lastOffset: firstOffset + batch.readInt32BE(23),
    producerId: batch.readBigInt64BE(43),
    isTransactional: (attributes & isTransactional) !== 0,
    isControl: (attributes & isControl) !== 0,
    records: () => recordsIn(batch, firstOffset, attributes, where),
  }
}

function recordsIn(batch: Buffer, firstOffset: number, attributes: number, where: string): readonly FetchedRecord[] {
  const firstTimestampMs = Number(batch.readBigInt64BE(27))
  const appendedAtMs = (attributes & timestampIsOfAppend) === 0 ? undefined : Number(batch.readBigInt64BE(35))
  const fields = new Fields(contentOf(batch, attributes & isCompressed, where), where)
  const count = batch.readInt32BE(57)
  const records: FetchedRecord[] = []
  for (let index = 0; index < count; index++) {
    const length = fields.varint()
    const end = fields.at + length
    fields.skip(1)
    const timestampDelta = fields.varint()
    const offset = firstOffset + fields.varint()
    const key = fields.bytes()
    const value = fields.bytes()
    const headers = fields.headers()
    if (fields.at !== end) throw new UnreadableBatch(`${where}: record ${index} is not as long as it says`)
    records.push({ offset, timestampMs: appendedAtMs ?? firstTimestampMs + timestampDelta, key, value, headers })
  }
  return records
}

function contentOf(batch: Buffer, compression: number, where: string): Buffer {
  const content = batch.subarray(batchHeadBytes)
  if (compression === 0) return content
  const algorithm = compressionsAlgorithmsByBitmask[compression]
  if (algorithm === undefined) throw new UnreadableBatch(`${where} is compressed in a way that there is not`)
  return algorithm.decompressSync(content)
}

const noHeaders: readonly Header[] = []
const noBytes = Buffer.alloc(0)

/** Reads the fields of records, one after the other. */
class Fields {
  readonly #buffer: Buffer
  readonly #where: string
  at = 0

  constructor(buffer: Buffer, where: string) {
    this.#buffer = buffer
    this.#where = where
  }

  skip(bytes: number): void {
    this.at += bytes
  }

  /** Up to 2^53: a timestamp's delta is a varlong. */
  varint(): number {
    const only = this.#buffer[this.at]
    if (only !== undefined && only < 128) {
      this.at += 1
      return (only >>> 1) ^ -(only & 1)
    }
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#buffer[this.at++]
      if (byte === undefined || scale > 2 ** 56) throw new UnreadableBatch(`${this.#where} ends within a record`)
      value += (byte & 127) * scale
      if (byte < 128) return value % 2 === 0 ? value / 2 : -(value + 1) / 2
    }
  }

  bytes(): Buffer | null {
    const length = this.varint()
    if (length < 0) return null
    const from = this.at
    this.at += length
    if (this.at > this.#buffer.length) throw new UnreadableBatch(`${this.#where} ends within a record`)
    return this.#buffer.subarray(from, this.at)
  }

  headers(): readonly Header[] {
    const count = this.varint()
    if (count === 0) return noHeaders
    const headers: Header[] = []
    for (let index = 0; index < count; index++) {
      const key = this.bytes()
      headers.push({ key: key?.toString() ?? '', value: this.bytes() ?? noBytes })
    }
    return headers
  }
}
