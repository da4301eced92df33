// How long batches take, how large they are, and what becomes of their transactions; for all partitions of a worker.
import { OutcomeUnknown, PartitionFenced, RecordRefused } from '../../base/errors.ts'
import type { Catalogue } from '../../engine/world.ts'
import { Batch, type Input } from '../batch.ts'
import type { Count, Histogram, Metrics } from './metrics.ts'
import type { CommittedEnd, OutgoingRecord, Producer } from '../ports.ts'
import type { Staging } from '../staging.ts'
import { Tally, TallyBook } from './tally.ts'
import type { BatchUpdates } from '../updates.ts'

export class BatchMeasures {
  readonly #metrics: Metrics
  readonly #book: TallyBook
  readonly #decideSeconds: Histogram
  readonly #commitSeconds: Histogram
  readonly #storeSeconds: Histogram
  readonly #inputs: Histogram
  readonly #records: Histogram
  readonly #committed: Count
  readonly #read = new Map<string, Count>()

  constructor(metrics: Metrics, catalogue: Pick<Catalogue, 'find'>) {
    this.#metrics = metrics
    this.#book = new TallyBook(metrics, catalogue)
    this.#decideSeconds = metrics.histogram('decideSeconds')
    this.#commitSeconds = metrics.histogram('commitSeconds')
    this.#storeSeconds = metrics.histogram('storeSeconds')
    this.#inputs = metrics.histogram('batchInputs')
    this.#records = metrics.histogram('batchRecords')
    this.#committed = metrics.count('transactions', 'committed')
  }

  /** A batch that is about to be decided. */
  batch(inputs: readonly Input[], staging: Staging, nowMs: number, updates?: BatchUpdates): Batch {
    return new Batch(inputs, staging, new Tally(this.#book, staging.instances, nowMs), updates)
  }

  decide(decide: () => void): void {
    const beganMs = this.#metrics.nowMs()
    decide()
    this.#decideSeconds.record(this.#secondsSince(beganMs))
  }

  /** The same producer, of which it is known how long its transactions take and what becomes of them. */
  producer(producer: Producer): Producer {
    return { transact: (records) => this.#transact(producer, records), close: () => producer.close() }
  }

  async #transact(producer: Producer, records: readonly OutgoingRecord[]): Promise<readonly CommittedEnd[]> {
    const beganMs = this.#metrics.nowMs()
    try {
      const ends = await producer.transact(records)
      this.#commitSeconds.record(this.#secondsSince(beganMs))
      this.#records.record(records.length)
      this.#committed.value += 1
      return ends
    } catch (error) {
      this.#metrics.count('transactions', outcomeOf(error)).value += 1
      throw error
    }
  }

  /** A batch is about to be written to the store; the result is called once it is. */
  storing(): () => void {
    const beganMs = this.#metrics.nowMs()
    return () => this.#storeSeconds.record(this.#secondsSince(beganMs))
  }

  /** The batch is committed: what it did counts. */
  settle({ inputs, tally }: Batch): void {
    tally.settle()
    this.#inputs.record(inputs.length)
    for (const { from, command } of inputs)
      if (from !== undefined && command !== undefined) this.#readFrom(from.source.topic).value += 1
  }

  #readFrom(topic: string): Count {
    let count = this.#read.get(topic)
    if (count === undefined) this.#read.set(topic, (count = this.#metrics.count('sourceRecords', topic)))
    return count
  }

  #secondsSince(beganMs: number): number {
    return (this.#metrics.nowMs() - beganMs) / 1_000
  }
}

function outcomeOf(error: unknown): string {
  if (error instanceof RecordRefused) return 'refused'
  if (error instanceof PartitionFenced) return 'fenced'
  return error instanceof OutcomeUnknown ? 'unknown' : 'failed'
}
