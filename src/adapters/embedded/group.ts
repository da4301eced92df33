// One group: the transactions of one write, the offsets they get, and what memory becomes once it is durable.
// Forming it changes nothing but itself, so that a write that fails leaves no trace in memory.
import type { LogRecord, OutgoingRecord } from '../../runtime/ports.ts'
import { encodeChunk, encodeValue, payloadBytes } from './codec.ts'
import type { Database, WriteBatch } from './database.ts'
import { valueKey } from './layout.ts'
import {
  headEntry,
  segmentEntry,
  type ClosedSegment,
  type Follower,
  type Head,
  type PartitionLog,
  type Segment,
} from './partition-log.ts'
import type { Retention } from './retention.ts'
import type { WriteChain } from './write-chain.ts'

/** A chunk ends at this size: what one fetch of a reader decodes for one record. */
const chunkBytesMax = 262_144

export interface RoutedRecord {
  readonly partition: PartitionLog
  readonly record: OutgoingRecord
}

/** What waits to be written, and what becomes of it. */
export interface Transaction {
  readonly records: readonly RoutedRecord[]
  /** Entries of the log's own, such as a new topic. */
  readonly entries?: readonly { readonly key: Buffer; readonly value: Buffer }[]
  readonly bytes: number
  /** Called in commit order, with the offset of each record. */
  readonly resolve: (offsets: readonly number[]) => void
  readonly reject: (error: Error) => void
}

/** What a group adds to one partition. */
interface Addition {
  readonly first: number
  readonly records: LogRecord[]
  bytes: number
  segment: Segment | undefined
  closed: ClosedSegment | undefined
}

export class Group {
  readonly transactions: readonly Transaction[]
  readonly trimmed: readonly PartitionLog[]
  readonly #nowMs: number
  readonly #retention: Retention
  readonly #additions = new Map<PartitionLog, Addition>()
  readonly #offsets: (readonly number[])[] = []
  /** The earliest offsets that this group makes durable. */
  readonly #earliest = new Map<PartitionLog, number>()
  /** Of the transactions, as submitted. */
  submittedBytes = 0
  /** Of keys and values handed to LevelDB. */
  writtenBytes = 0

  constructor(
    transactions: readonly Transaction[],
    trimmed: readonly PartitionLog[],
    nowMs: number,
    retention: Retention,
  ) {
    this.transactions = transactions
    this.trimmed = trimmed
    this.#nowMs = nowMs
    this.#retention = retention
    for (const transaction of transactions) {
      this.submittedBytes += transaction.bytes
      this.#offsets.push(transaction.records.map(({ partition, record }) => this.#append(partition, record)))
    }
  }

  /** One batch, synced where it holds anything but trims. */
  async write(database: Database, chain: WriteChain): Promise<void> {
    const batch = database.batch()
    for (const { entries } of this.transactions) {
      if (entries !== undefined) for (const { key, value } of entries) this.#put(batch, key, value)
    }
    for (const [partition, addition] of this.#additions) {
      if (partition.cleanup === 'compacted') this.#putValues(batch, partition, addition.records)
      else this.#putChunks(batch, partition, addition.records)
      if (partition.cleanup === 'retained') this.#putSegment(batch, partition, addition)
      this.#putHead(batch, partition, this.#headAfter(partition, addition))
    }
    for (const partition of this.trimmed) {
      if (!this.#additions.has(partition)) this.#putHead(batch, partition, partition.head())
    }
    chain.extend(batch, this.writtenBytes)
    const isSynced = this.transactions.length > 0 || this.trimmed.length === 0
    await batch.write({ sync: isSynced })
    database.expectInPlace()
    if (isSynced) chain.confirm(database)
  }

  /** Moves the ends, hands the records to the readers that are up to date; returns the readers that have news. */
  advance(): Follower[] {
    const ready: Follower[] = []
    for (const [partition, earliest] of this.#earliest) partition.durableEarliest = earliest
    for (const [partition, { first, records, bytes, segment, closed }] of this.#additions) {
      partition.end = first + records.length
      partition.segment = segment
      if (closed !== undefined) partition.segments.push(closed)
      partition.bytesSinceSweep += bytes
      for (const reader of partition.readers) {
        if (reader.offer(first, records, bytes)) ready.push(reader)
        else reader.wake()
      }
    }
    return ready
  }

  /** Each transaction with the offsets of its records. */
  *outcomes(): Generator<[Transaction, readonly number[]]> {
    for (const [index, transaction] of this.transactions.entries()) yield [transaction, this.#offsets[index]!]
  }

  /** Numbers of the topics in which a segment was closed: there may be something to expire. */
  topicsWithClosedSegment(): ReadonlySet<number> {
    const topics = new Set<number>()
    for (const [partition, { closed }] of this.#additions) if (closed !== undefined) topics.add(partition.topicNumber)
    return topics
  }

  #append(partition: PartitionLog, record: OutgoingRecord): number {
    let addition = this.#additions.get(partition)
    if (addition === undefined) {
      addition = { first: partition.end, records: [], bytes: 0, segment: undefined, closed: undefined }
      this.#additions.set(partition, addition)
    }
    const offset = addition.first + addition.records.length
    addition.records.push({
      topic: partition.topic,
      partition: partition.index,
      offset,
      timestampMs: this.#nowMs,
      key: record.key,
      value: record.value,
      headers: record.headers ?? [],
    })
    addition.bytes += payloadBytes(record)
    return offset
  }

  #putValues(batch: WriteBatch, partition: PartitionLog, records: readonly LogRecord[]): void {
    for (const record of records) {
      // Records without a key were refused: there is nothing to compact them by.
      const key = valueKey(partition.valuePrefix, record.key!)
      if (record.value === null) batch.del(key)
      else this.#put(batch, key, encodeValue(key, record, record.value))
    }
  }

  #putChunks(batch: WriteBatch, partition: PartitionLog, records: readonly LogRecord[]): void {
    let from = 0
    let bytes = 0
    for (const [index, record] of records.entries()) {
      bytes += payloadBytes(record)
      if (bytes < chunkBytesMax && index < records.length - 1) continue
      const key = partition.chunkKey(record.offset)
      this.#put(batch, key, encodeChunk(key, records.slice(from, index + 1)))
      from = index + 1
      bytes = 0
    }
  }

  #putSegment(batch: WriteBatch, partition: PartitionLog, addition: Addition): void {
    const { segment, closed } = this.#retention.grow(partition, addition.bytes, this.#nowMs)
    addition.segment = segment
    addition.closed = closed
    if (closed !== undefined) {
      const key = partition.segmentKey(closed.lastOffset)
      this.#put(batch, key, segmentEntry.encode(key, closed))
    }
  }

  #headAfter(partition: PartitionLog, { first, records, segment }: Addition): Head {
    const head = { earliest: partition.earliest, end: first + records.length }
    return segment === undefined ? head : { ...head, segment }
  }

  #putHead(batch: WriteBatch, partition: PartitionLog, head: Head): void {
    this.#earliest.set(partition, head.earliest)
    this.#put(batch, partition.headKey, headEntry.encode(partition.headKey, head))
  }

  #put(batch: WriteBatch, key: Buffer, value: Buffer): void {
    this.writtenBytes += key.length + value.length
    batch.put(key, value)
  }
}
