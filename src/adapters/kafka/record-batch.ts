// Writes Kafka's record batch, layout 2 (https://kafka.apache.org/documentation/#recordbatch), into one buffer of just its
// size. The client's own writer makes a chain of small buffers of each record, which was a third of what a record cost.
//
//   baseOffset(8) length(4) leaderEpoch(4) magic(1) crc(4) | attributes(2) lastOffsetDelta(4) firstTimestamp(8)
//   maxTimestamp(8) producerId(8) producerEpoch(2) baseSequence(4) count(4) records…       the CRC-32C is of what follows it
//   record: length attributes(1) timestampDelta offsetDelta key value headers[key value]   lengths and deltas as varints
import { crc32c } from '@platformatic/kafka'
import type { OutgoingRecord } from '../../runtime/ports.ts'
import { compressed, compressions, type Compression } from './compression.ts'

export const batchHeadBytes = 61
/** Where the fields of the head lie. */
export const headAt = {
  length: 8,
  /** What the length counts begins here. */
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  firstTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  count: 57,
} as const
export const attributeBits = {
  compression: 0b111,
  isOfAppend: 1 << 3,
  isTransactional: 1 << 4,
  isControl: 1 << 5,
} as const
export const magic = 2

/** Of a producer whose batches the broker counts. */
export interface BatchStamp {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
}

/** A transactional batch if there is a stamp. What does not become smaller is not compressed. */
export function encodeBatch(
  records: readonly OutgoingRecord[],
  nowMs: number,
  stamp?: BatchStamp,
  compression: Compression = 'none',
): Buffer {
  const batch = plainBatch(records, nowMs, stamp)
  const whole = compression === 'none' ? batch : shorter(batch, compression)
  whole.writeInt32BE(whole.length - headAt.leaderEpoch, headAt.length)
  whole.writeUInt32BE(crc32c(whole.subarray(headAt.attributes)), headAt.crc)
  return whole
}

function shorter(batch: Buffer, compression: Compression): Buffer {
  const content = compressed(batch.subarray(batchHeadBytes), compression)
  if (content.length >= batch.length - batchHeadBytes) return batch
  const whole = Buffer.concat([batch.subarray(0, batchHeadBytes), content])
  const attributes = whole.readInt16BE(headAt.attributes) | compressions.indexOf(compression)
  whole.writeInt16BE(attributes, headAt.attributes)
  return whole
}

/** All but its length and its checksum. */
function plainBatch(records: readonly OutgoingRecord[], nowMs: number, stamp: BatchStamp | undefined): Buffer {
  const lengths = records.map(lengthOf)
  let size = batchHeadBytes
  for (const length of lengths) size += varintBytes(length) + length
  const buffer = Buffer.allocUnsafe(size)
  const now = BigInt(nowMs)
  buffer.writeBigInt64BE(0n, 0)
  buffer.writeInt32BE(0, headAt.leaderEpoch)
  buffer.writeInt8(magic, headAt.magic)
  buffer.writeInt16BE(stamp === undefined ? 0 : attributeBits.isTransactional, headAt.attributes)
  buffer.writeInt32BE(records.length - 1, headAt.lastOffsetDelta)
  buffer.writeBigInt64BE(now, headAt.firstTimestamp)
  buffer.writeBigInt64BE(now, headAt.maxTimestamp)
  buffer.writeBigInt64BE(stamp?.producerId ?? -1n, headAt.producerId)
  buffer.writeInt16BE(stamp?.producerEpoch ?? -1, headAt.producerEpoch)
  buffer.writeInt32BE(stamp?.baseSequence ?? -1, headAt.baseSequence)
  buffer.writeInt32BE(records.length, headAt.count)
  let at = batchHeadBytes
  for (const [index, record] of records.entries()) at = writeRecord(buffer, at, record, index, lengths[index]!)
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
