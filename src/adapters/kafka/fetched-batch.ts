// Reads Kafka's record batches, layout 2, as they lie in a fetched buffer: heads at once, records one by one when they are
// asked for. What was fetched ahead is one buffer until then: as objects it would outlive several collections.
import { crc32c } from '@platformatic/kafka'
import { TransientFault } from '../../base/errors.ts'
import type { Header, LogRecord } from '../../runtime/ports.ts'
import { expanded } from './compression.ts'
import { attributeBits, batchHeadBytes, headAt, magic } from './record-batch.ts'

/** What a broker gave is not what a producer wrote, or nothing that can be read here. */
export class UnreadableBatch extends TransientFault {}

/** The batches that lie in the buffer as a whole: a broker cuts the last one off where its answer is full. @throws {UnreadableBatch} */
export function* batchesIn(buffer: Buffer): Generator<FetchedBatch> {
  let at = 0
  while (buffer.length - at >= headAt.leaderEpoch) {
    const end = at + headAt.leaderEpoch + buffer.readInt32BE(at + headAt.length)
    if (end > buffer.length) return
    yield new FetchedBatch(buffer.subarray(at, end))
    at = end
  }
}

export class FetchedBatch {
  readonly firstOffset: number
  readonly lastOffset: number
  readonly producerId: bigint
  readonly isTransactional: boolean
  /** A transaction's marker. */
  readonly isControl: boolean
  readonly #head: Buffer
  readonly #content: Buffer

  /** @throws {UnreadableBatch} */
  constructor(batch: Buffer) {
    this.firstOffset = Number(batch.readBigInt64BE(0))
    const format = batch[headAt.magic]
    if (format !== magic) {
      throw new UnreadableBatch(`${this.#name} has the format ${format}: it was written for Kafka older than 0.11`)
    }
    if (batch.length < batchHeadBytes || crc32c(batch.subarray(headAt.attributes)) !== batch.readUInt32BE(headAt.crc)) {
      throw new UnreadableBatch(`${this.#name} fails its checksum`)
    }
    const attributes = batch.readInt16BE(headAt.attributes)
    this.lastOffset = this.firstOffset + batch.readInt32BE(headAt.lastOffsetDelta)
    this.producerId = batch.readBigInt64BE(headAt.producerId)
    this.isTransactional = (attributes & attributeBits.isTransactional) !== 0
    this.isControl = (attributes & attributeBits.isControl) !== 0
    this.#head = batch
    this.#content = this.#expanded(batch.subarray(batchHeadBytes), attributes & attributeBits.compression)
  }

  get #name(): string {
    return `the batch at offset ${this.firstOffset}`
  }

  /** Of its records. */
  get bytes(): number {
    return this.#content.length
  }

  /** Its records one by one, as records of this partition. */
  records(topic: string, partition: number): RecordCursor {
    const isOfAppend = (this.#head.readInt16BE(headAt.attributes) & attributeBits.isOfAppend) !== 0
    return new RecordCursor(this.#content, {
      topic,
      partition,
      name: this.#name,
      firstOffset: this.firstOffset,
      firstTimestampMs: Number(this.#head.readBigInt64BE(headAt.firstTimestamp)),
      appendedAtMs: isOfAppend ? Number(this.#head.readBigInt64BE(headAt.maxTimestamp)) : undefined,
      count: this.#head.readInt32BE(headAt.count),
    })
  }

  #expanded(content: Buffer, compression: number): Buffer {
    try {
      return expanded(content, compression)
    } catch (error) {
      throw new UnreadableBatch(`${this.#name} cannot be expanded: ${String(error)}`, { cause: error })
    }
  }
}

interface Place {
  readonly topic: string
  readonly partition: number
  readonly name: string
  readonly firstOffset: number
  readonly firstTimestampMs: number
  readonly appendedAtMs: number | undefined
  readonly count: number
}

const noHeaders: readonly Header[] = []
const noBytes = Buffer.alloc(0)

/** Reads records of a batch, one after the other. */
export class RecordCursor {
  readonly #buffer: Buffer
  readonly #place: Place
  #index = 0
  #at = 0

  constructor(buffer: Buffer, place: Place) {
    this.#buffer = buffer
    this.#place = place
  }

  /** undefined: there are no more. @throws {UnreadableBatch} */
  next(): LogRecord | undefined {
    const { topic, partition, firstOffset, firstTimestampMs, appendedAtMs, count } = this.#place
    if (this.#index === count) return undefined
    const length = this.#varint()
    const end = this.#at + length
    this.#at += 1 // attributes, of which there are none
    const timestampMs = firstTimestampMs + this.#varint()
    const offset = firstOffset + this.#varint()
    const key = this.#bytes()
    const value = this.#bytes()
    const headers = this.#headers()
    if (this.#at !== end) throw this.#unreadable()
    this.#index += 1
    return { topic, partition, offset, timestampMs: appendedAtMs ?? timestampMs, key, value, headers }
  }

  #unreadable(): UnreadableBatch {
    const { topic, partition, name } = this.#place
    return new UnreadableBatch(`${topic}/${partition}: record ${this.#index} of ${name} is not as long as it says`)
  }

  /** Up to 2^53: a timestamp's delta is a varlong. */
  #varint(): number {
    const only = this.#buffer[this.#at]
    if (only !== undefined && only < 128) {
      this.#at += 1
      return (only >>> 1) ^ -(only & 1)
    }
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#buffer[this.#at++]
      if (byte === undefined || scale > 2 ** 56) throw this.#unreadable()
      value += (byte & 127) * scale
      if (byte < 128) return value % 2 === 0 ? value / 2 : -(value + 1) / 2
    }
  }

  #bytes(): Buffer | null {
    const length = this.#varint()
    if (length < 0) return null
    const from = this.#at
    this.#at += length
    if (this.#at > this.#buffer.length) throw this.#unreadable()
    return this.#buffer.subarray(from, this.#at)
  }

  #headers(): readonly Header[] {
    const count = this.#varint()
    if (count === 0) return noHeaders
    const headers: Header[] = []
    for (let index = 0; index < count; index++) {
      const key = this.#bytes()
      headers.push({ key: key?.toString() ?? '', value: this.#bytes() ?? noBytes })
    }
    return headers
  }
}
