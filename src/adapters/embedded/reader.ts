// Reads one partition. Two ways, one position:
//
//   live     at the end: the committer hands over each group's records as they become durable; LevelDB is not asked
//   behind   fetches pages from LevelDB, one at a time, until it has caught up; then live
//
//              queue full                      fetched up to the end
//     live ───────────────▶ behind ──▶ fetching ───────────────▶ live
//
// A reader that is not emptied holds a bounded queue and falls behind. One that falls behind on a compacted topic sees
// what is left of it, as with any compacted log: removals that happened meanwhile are not told.
import { StoreCorrupted, TransientFault } from '../../base/errors.ts'
import { OffsetGone, type Behind, type LogRecord, type Reader, type ReaderOptions } from '../../runtime/ports.ts'
import { decodeChunk, decodeValue, payloadBytes } from './codec.ts'
import type { Database } from './database.ts'
import { dataCorrupted } from './faults.ts'
import { partitionRange } from './layout.ts'
import type { Follower, PartitionLog } from './partition-log.ts'

/** What a reader holds before it falls behind: some of the largest records, or a few batches of small ones. */
const queuedBytesMax = 4 * 1_048_576
const queuedRecordsMax = 20_000
/** Chunks fetched at a time; one holds up to `chunkBytesMax`, or one larger record. */
const pageChunks = 8

interface Fetched {
  readonly records: LogRecord[]
  /** The next offset to be fetched: after the records, and after what was compacted away behind them. */
  readonly fetchedTo: number
}

export class EmbeddedReader implements Reader, Follower {
  readonly #partition: PartitionLog
  readonly #database: Database
  readonly #onReady: () => void
  #queue: LogRecord[] = []
  #queuedBytes = 0
  /** The next offset to enter the queue. */
  #fetchedTo: number
  #position: number
  #isFetching = false
  #isClosed = false
  #failure: Error | undefined

  constructor(partition: PartitionLog, database: Database, options: ReaderOptions) {
    this.#partition = partition
    this.#database = database
    this.#onReady = options.onReady
    this.#fetchedTo = options.offset
    this.#position = options.offset
    partition.readers.add(this)
    if (options.offset < partition.earliest || options.offset > partition.end) this.#fail(this.#gone())
    else this.wake()
  }

  get position(): number {
    return this.#position
  }

  get behind(): Behind {
    return { records: this.#partition.end - this.#position, sinceMs: this.#queue[0]?.timestampMs }
  }

  take(max: number): readonly LogRecord[] {
    if (this.#isClosed) return []
    if (this.#queue.length === 0 && this.#failure !== undefined) throw this.#failure
    const taken = this.#queue.length <= max ? this.#queue : this.#queue.slice(0, max)
    this.#queue = taken === this.#queue ? [] : this.#queue.slice(max)
    if (this.#queue.length === 0) this.#queuedBytes = 0
    else for (const record of taken) this.#queuedBytes -= payloadBytes(record)
    const last = taken.at(-1)
    this.#position = this.#queue.length === 0 ? this.#fetchedTo : last === undefined ? this.#position : last.offset + 1
    if (this.#failure === undefined) this.wake()
    else queueMicrotask(() => this.announce()) // the next call throws
    return taken
  }

  close(): void {
    this.#isClosed = true
    this.#queue = []
    this.#partition.readers.delete(this)
  }

  offer(first: number, records: readonly LogRecord[], bytes: number): boolean {
    if (this.#fetchedTo !== first || this.#isFetching || this.#failure !== undefined) return false
    if (this.#queue.length > 0 && !this.#hasRoomFor(bytes, records.length)) return false
    this.#enqueue(records, bytes)
    this.#fetchedTo = first + records.length
    return true
  }

  announce(): void {
    if (!this.#isClosed) this.#onReady()
  }

  wake(): void {
    const isBehind = this.#fetchedTo < this.#partition.end
    if (!isBehind || this.#isFetching || this.#isClosed || this.#failure !== undefined) return
    if (this.#queue.length > 0 && !this.#hasRoomFor(queuedBytesMax / 2, queuedRecordsMax / 2)) return
    this.#isFetching = true
    void this.#fetch()
  }

  async #fetch(): Promise<void> {
    try {
      const { records, fetchedTo } = await (this.#partition.cleanup === 'compacted' ? this.#values() : this.#chunks())
      this.#isFetching = false
      if (this.#isClosed) return
      this.#fetchedTo = fetchedTo
      let bytes = 0
      for (const record of records) bytes += payloadBytes(record)
      this.#enqueue(records, bytes)
      // Nothing left of what was compacted away: the position moves on all the same.
      if (this.#queue.length === 0) this.#position = this.#fetchedTo
      if (records.length > 0) this.announce()
      this.wake()
    } catch (error) {
      this.#isFetching = false
      if (this.#isClosed || error instanceof TransientFault) return // woken again once the log can be read
      this.#fail(error instanceof StoreCorrupted ? dataCorrupted(this.#database.directory, error.message) : error)
    }
  }

  async #chunks(): Promise<Fetched> {
    const { topic, topicNumber, index } = this.#partition
    const range = partitionRange('chunk', topicNumber, index)
    const from = this.#partition.chunkKey(this.#fetchedTo)
    const chunks = await this.#database.list({ gte: from, lt: range.lt }, pageChunks)
    if (this.#fetchedTo < this.#partition.earliest) throw this.#gone()
    const records: LogRecord[] = []
    let fetchedTo = this.#fetchedTo
    for (const [key, chunk] of chunks) {
      for (const record of decodeChunk(key, chunk, topic, index)) {
        // Durable, but not published yet: it will be offered.
        if (record.offset < fetchedTo || record.offset >= this.#partition.end) continue
        if (record.offset > fetchedTo) throw new StoreCorrupted(`${topic}/${index} has no record ${fetchedTo}`)
        records.push(record)
        fetchedTo++
      }
    }
    if (records.length === 0) throw new StoreCorrupted(`${topic}/${index} has no record ${fetchedTo}`)
    return { records, fetchedTo }
  }

  /** All that is left of a compacted topic: such topics that are read at all are small. */
  async #values(): Promise<Fetched> {
    const { topic, topicNumber, index, end } = this.#partition
    const records: LogRecord[] = []
    for await (const page of this.#database.pages(partitionRange('value', topicNumber, index), 1_000)) {
      for (const [key, entry] of page) {
        const record = decodeValue(key, entry, topic, index)
        // What is newer than `end` as it was is fetched, or offered, in its turn.
        if (record.offset >= this.#fetchedTo && record.offset < end) records.push(record)
      }
    }
    return { records: records.sort((a, b) => a.offset - b.offset), fetchedTo: end }
  }

  #enqueue(records: readonly LogRecord[], bytes: number): void {
    if (this.#queue.length === 0) this.#queue = [...records]
    else for (const record of records) this.#queue.push(record)
    this.#queuedBytes += bytes
  }

  #hasRoomFor(bytes: number, records: number): boolean {
    return this.#queuedBytes + bytes <= queuedBytesMax && this.#queue.length + records <= queuedRecordsMax
  }

  #gone(): OffsetGone {
    const { topic, index, earliest, end } = this.#partition
    return new OffsetGone(`${topic}/${index} holds ${earliest} to ${end}, not ${this.#fetchedTo}`, earliest, end)
  }

  #fail(failure: unknown): void {
    this.#failure = failure instanceof Error ? failure : new Error(String(failure))
    queueMicrotask(() => this.announce())
  }
}
