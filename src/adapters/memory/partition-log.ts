// One partition of a topic as a Kafka broker keeps it.
//
//   earliest            committedEnd (last stable offset)      end (high watermark)
//      |  decided records  |  first open transaction and after  |
//
// It owns: offsets (records and markers take one each), the sequence check of producers, and which transaction a
// record belongs to. Whether a transaction may go on at all is the coordinator's matter (transactions.ts).
//   L1. An offset is given once; compaction and deletion leave holes, never move a record.
//   L2. A committed read gives only records below the last stable offset whose transaction was committed here.
import type { Header } from '../../runtime/ports.ts'
import { BrokerError } from './broker-error.ts'

/** A record on its way in; `timestampMs` is the producer's. */
export interface BrokerRecord {
  readonly timestampMs: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly Header[]
}

export interface StoredRecord extends BrokerRecord {
  readonly offset: number
}

export interface CommittedRead {
  readonly records: readonly StoredRecord[]
  /** Where to read on: after the last record given, and after markers and aborted records that follow it. */
  readonly nextOffset: number
}

/** Who produces: the coordinator's answer to an initialisation, repeated in every request. */
export interface ProducerSession {
  readonly transactionalId: string
  readonly producerId: number
  readonly epoch: number
}

export type Outcome = 'committed' | 'aborted'

interface TransactionPart {
  readonly writer: ProducerSession
  readonly firstOffset: number
  outcome: Outcome | 'open'
}

type Entry =
  | { readonly kind: 'record'; readonly offset: number; readonly record: StoredRecord; readonly part?: TransactionPart }
  | { readonly kind: 'marker'; readonly offset: number }

interface SequenceState {
  readonly epoch: number
  readonly sequence: number
  readonly count: number
  readonly firstOffset: number
}

export class PartitionLog {
  readonly topic: string
  readonly partition: number
  readonly #onDecided: () => void
  #entries: Entry[] = []
  #earliest = 0
  #end = 0
  readonly #open = new Map<number, TransactionPart>()
  readonly #lastBatches = new Map<number, SequenceState>()
  /** When a compaction first came across a tombstone, by its offset. */
  readonly #tombstonesSeenMs = new Map<number, number>()

  /** `onDecided` is called when committed reading may see something new. */
  constructor(topic: string, partition: number, onDecided: () => void) {
    this.topic = topic
    this.partition = partition
    this.#onDecided = onDecided
  }

  get earliest(): number {
    return this.#earliest
  }

  get end(): number {
    return this.#end
  }

  get committedEnd(): number {
    let firstOpen = this.#end
    for (const part of this.#open.values()) firstOpen = Math.min(firstOpen, part.firstOffset)
    return Math.max(firstOpen, this.#earliest)
  }

  /** Appends records outside of any transaction; gives the offset of the first. */
  append(records: readonly BrokerRecord[]): number {
    const firstOffset = this.#push(records, undefined)
    this.#onDecided()
    return firstOffset
  }

  /**
   * Appends records of an open transaction; gives the offset of the first. A batch that was taken before is answered
   * as it was then. @throws {BrokerError} OUT_OF_ORDER_SEQUENCE_NUMBER
   */
  appendPending(session: ProducerSession, sequence: number, records: readonly BrokerRecord[]): number {
    const last = this.#lastBatches.get(session.producerId)
    const isSameEpoch = last?.epoch === session.epoch
    if (isSameEpoch && last.sequence === sequence && last.count === records.length) return last.firstOffset
    const expected = isSameEpoch ? last.sequence + last.count : 0
    if (sequence !== expected) {
      throw new BrokerError('OUT_OF_ORDER_SEQUENCE_NUMBER', `sequence ${sequence} where ${expected} was expected`)
    }
    const part = this.#open.get(session.producerId) ?? { writer: session, firstOffset: this.#end, outcome: 'open' }
    this.#open.set(session.producerId, part)
    const firstOffset = this.#push(records, part)
    this.#lastBatches.set(session.producerId, { epoch: session.epoch, sequence, count: records.length, firstOffset })
    return firstOffset
  }

  /** Writes the marker that decides the producer's transaction in this partition; it takes an offset. */
  writeMarker(producerId: number, outcome: Outcome): void {
    const part = this.#open.get(producerId)
    if (part !== undefined) part.outcome = outcome
    this.#open.delete(producerId)
    this.#entries.push({ kind: 'marker', offset: this.#end++ })
    this.#onDecided()
  }

  /** Committed records from `offset` on, at most `max`. @throws {BrokerError} OFFSET_OUT_OF_RANGE */
  readCommitted(offset: number, max: number): CommittedRead {
    if (offset < this.#earliest || offset > this.#end) {
      throw new BrokerError('OFFSET_OUT_OF_RANGE', `offset ${offset} is outside of ${this.#earliest}..${this.#end}`)
    }
    const until = this.committedEnd
    const records: StoredRecord[] = []
    for (let at = this.#indexOf(offset); at < this.#entries.length; at++) {
      const entry = this.#entries[at]!
      if (entry.offset >= until) break
      if (entry.kind === 'marker' || entry.part?.outcome === 'aborted') continue
      if (records.length === max) return { records, nextOffset: entry.offset }
      records.push(entry.record)
    }
    return { records, nextOffset: Math.max(offset, until) }
  }

  /** Forgets what lies below `before`. @throws {BrokerError} OFFSET_OUT_OF_RANGE beyond the end */
  deleteRecords(before: number): void {
    if (before > this.#end) throw new BrokerError('OFFSET_OUT_OF_RANGE', `offset ${before} is beyond the end`)
    if (before <= this.#earliest) return
    this.#entries = this.#entries.slice(this.#indexOf(before))
    this.#earliest = before
    this.#onDecided()
  }

  /** Loses everything from `offset` on, as a leader elected uncleanly does. */
  truncate(offset: number): void {
    this.#entries = this.#entries.slice(0, this.#indexOf(offset))
    this.#end = Math.min(this.#end, offset)
    this.#earliest = Math.min(this.#earliest, this.#end)
    for (const [producerId, part] of this.#open) if (part.firstOffset >= offset) this.#open.delete(producerId)
    this.#onDecided()
  }

  /** Keeps, of what is decided, the last committed record of each key; tombstones stay. */
  compact(): void {
    const until = this.committedEnd
    const latest = new Map<string, number>()
    for (const entry of this.#entries) {
      if (entry.offset < until && isCommitted(entry)) latest.set(keyText(entry.record), entry.offset)
    }
    this.#entries = this.#entries.filter(
      (entry) => entry.offset >= until || (isCommitted(entry) && latest.get(keyText(entry.record)) === entry.offset),
    )
  }

  /** Removes the tombstones that a compaction came across so long ago; remembers those that it comes across now. */
  forgetTombstones(nowMs: number, keptMs: number): void {
    const until = this.committedEnd
    this.#entries = this.#entries.filter((entry) => {
      if (entry.offset >= until || !isTombstone(entry)) return true
      const seenMs = this.#tombstonesSeenMs.get(entry.offset) ?? nowMs
      this.#tombstonesSeenMs.set(entry.offset, seenMs)
      return nowMs - seenMs < keptMs
    })
  }

  /** Removes the tombstones among what is decided: from now on a reader cannot learn of those removals. */
  dropTombstones(): void {
    const until = this.committedEnd
    this.#entries = this.#entries.filter((entry) => entry.offset >= until || !isTombstone(entry))
  }

  /** Who wrote the record at an offset; undefined outside of transactions. For checkers. */
  writerOf(offset: number): ProducerSession | undefined {
    const entry = this.#entries[this.#indexOf(offset)]
    return entry?.kind === 'record' && entry.offset === offset ? entry.part?.writer : undefined
  }

  #push(records: readonly BrokerRecord[], part: TransactionPart | undefined): number {
    const firstOffset = this.#end
    for (const record of records) {
      const offset = this.#end++
      const entry = { kind: 'record', offset, record: { ...record, offset } } as const
      this.#entries.push(part === undefined ? entry : { ...entry, part })
    }
    return firstOffset
  }

  /** The index of the first entry at or after an offset. */
  #indexOf(offset: number): number {
    let low = 0
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#entries[middle]!.offset < offset) low = middle + 1
      else high = middle
    }
    return low
  }
}

function isCommitted(entry: Entry): entry is Entry & { kind: 'record' } {
  return entry.kind === 'record' && (entry.part === undefined || entry.part.outcome === 'committed')
}

function isTombstone(entry: Entry): boolean {
  return isCommitted(entry) && entry.record.value === null
}

function keyText(record: StoredRecord): string {
  return Buffer.from(record.key ?? []).toString('latin1')
}
