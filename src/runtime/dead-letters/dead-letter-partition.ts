// One partition of the dead-letter topic as it is read, and which of its letters are known to be redriven.
//
// M1. A mark lies behind its letter, in the same partition. So what is said of a letter holds once everything from it to the
//     end has been read. What was read is one stretch, which grows at both ends as it is asked for: a look at the newest
//     letters costs no more than these do. Marks are kept in memory as long as the topic keeps their letters.
import { readRedriveMark, type RedriveMark } from '../../records/dead-letter.ts'
import type { RedriveView } from '../faces/dead-letter-face.ts'
import { readRange } from '../log-range.ts'
import type { Clock, Log, LogRecord, Offsets } from '../ports.ts'
import { timeView } from '../record-view.ts'

export class DeadLetterPartition {
  readonly topic: string
  readonly number: number
  readonly #log: Log
  readonly #clock: Clock
  readonly #redriven = new Map<number, RedriveView>()
  /** The stretch that was read: from the first to before the second. */
  #read: { from: number; to: number } | undefined
  #earliest = 0

  constructor(log: Log, clock: Clock, topic: string, number: number) {
    this.#log = log
    this.#clock = clock
    this.topic = topic
    this.number = number
  }

  /** @throws {TransientFault} */
  async offsets(): Promise<Offsets> {
    const offsets = await this.#log.offsets(this.topic, this.number)
    if (offsets.earliest > this.#earliest) {
      this.#earliest = offsets.earliest
      for (const letter of this.#redriven.keys()) if (letter < offsets.earliest) this.#redriven.delete(letter)
    }
    return offsets
  }

  /** The records with from <= offset < to, in order; what they say of other letters is taken in. @throws {TransientFault} */
  async *read(from: number, to: number): AsyncGenerator<LogRecord> {
    for await (const record of readRange(this.#log, this.#clock, {
      topic: this.topic,
      partition: this.number,
      from,
      to,
    })) {
      const mark = readRedriveMark(record)
      if (mark !== undefined) this.mark(mark, record.timestampMs)
      yield record
    }
    if (this.#read === undefined) return
    if (to >= this.#read.from) this.#read.from = Math.min(from, this.#read.from)
    if (from <= this.#read.to) this.#read.to = Math.max(to, this.#read.to)
  }

  /** Reads what is not read yet of from <= offset < end. M1 @throws {TransientFault} */
  async learn(from: number, end: number): Promise<void> {
    this.#read ??= { from: end, to: end }
    if (this.#read.to < end) await exhaust(this.read(this.#read.to, end))
    if (this.#read.from > from) await exhaust(this.read(from, this.#read.from))
  }

  /** Where a letter was redriven to last; undefined: nowhere. Holds once it was learnt. M1 */
  redriven(letter: number): RedriveView | undefined {
    return this.#redriven.get(letter)
  }

  /** Takes in that a letter was redriven; of several times the last counts. */
  mark({ letter, topic, partition, by }: RedriveMark, atMs: number): void {
    const at = timeView(atMs) ?? ''
    const known = this.#redriven.get(letter)
    if (known === undefined || known.at <= at)
      this.#redriven.set(letter, { at, topic, partition, ...(by === undefined ? {} : { by }) })
  }
}

async function exhaust(records: AsyncGenerator<LogRecord>): Promise<void> {
  for await (const _ of records);
}
