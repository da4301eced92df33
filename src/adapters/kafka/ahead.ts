// What was fetched ahead of a reader: batches in order, of which one is being read.
//   F2. A batch may begin before the offset that was asked for: what is below it was had before.
import type { LogRecord } from '../../runtime/ports.ts'
import type { FetchedBatch, RecordCursor } from './fetched-batch.ts'

export class Ahead {
  readonly #topic: string
  readonly #partition: number
  #batches: { readonly batch: FetchedBatch; readonly from: number }[] = []
  #cursor: RecordCursor | undefined
  #next: LogRecord | undefined
  /** Of the batches that were not read to their end. */
  bytes = 0

  constructor(topic: string, partition: number) {
    this.#topic = topic
    this.#partition = partition
  }

  /** @param from the offset that they were fetched from */
  add(batches: readonly FetchedBatch[], from: number): void {
    for (const batch of batches) {
      this.#batches.push({ batch, from })
      this.bytes += batch.bytes
    }
  }

  /** The record that `take` gives next. @throws {UnreadableBatch} */
  peek(): LogRecord | undefined {
    while (this.#next === undefined) {
      const [reading] = this.#batches
      if (reading === undefined) return undefined
      this.#cursor ??= reading.batch.records(this.#topic, this.#partition)
      const record = this.#cursor.next()
      if (record === undefined) {
        this.#batches.shift()
        this.#cursor = undefined
        this.bytes -= reading.batch.bytes
      } else if (record.offset >= reading.from) this.#next = record // F2
    }
    return this.#next
  }

  /** Up to `max` records, in order. @throws {UnreadableBatch} */
  take(max: number): readonly LogRecord[] {
    const records: LogRecord[] = []
    while (records.length < max) {
      const record = this.peek()
      if (record === undefined) break
      this.#next = undefined
      records.push(record)
    }
    return records
  }

  clear(): void {
    this.#batches = []
    this.#cursor = undefined
    this.#next = undefined
    this.bytes = 0
  }
}
