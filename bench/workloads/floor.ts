// floor: what the log alone costs, with no engine. Reads a batch, parses each record, and produces one 200-byte
// changelog record for each record and two commands for three records, in one transaction for each partition and batch.
import { limits } from '../../src/base/limits.ts'
import type { Log, LogRecord, OutgoingRecord, Producer, Reader } from '../../src/runtime/ports.ts'
import { withLog, partitions } from '../engine.ts'
import { feed, keyedRecord } from '../feed.ts'
import type { ThroughputOptions } from './order.ts'

const topics = { input: 'floor-input', changelog: 'floor-changelog', commands: 'floor-commands' } as const
const decoder = new TextDecoder()

export interface FloorOptions extends Omit<ThroughputOptions, 'instances' | 'warmUp'> {
  readonly records: number
  readonly warmUpRecords: number
}

/** Runs the floor; every record has been piped when it resolves. */
export function runFloor(options: FloorOptions): Promise<{ readonly records: number; readonly seconds: number }> {
  return withLog(options.openLog, async (log) => {
    await log.createTopics([
      { name: topics.input, partitions, cleanup: 'retained' },
      { name: topics.changelog, partitions, cleanup: 'compacted' },
      { name: topics.commands, partitions, cleanup: 'retained' },
    ])
    const pipes = await Promise.all(Array.from({ length: partitions }, (_, partition) => Pipe.open(log, partition)))
    const runAll = async (count: number): Promise<number> => {
      const goal = pipedBy(pipes) + count
      const done = new Promise<void>((resolve, reject) => {
        const onProgress = (): void => void (pipedBy(pipes) >= goal && resolve())
        for (const pipe of pipes) pipe.follow(onProgress, reject)
      })
      const startedAtMs = performance.now()
      await feed(log, count, inputRecord)
      await done
      return (performance.now() - startedAtMs) / 1_000
    }
    try {
      await runAll(options.warmUpRecords)
      const { measure = (run) => run() } = options
      const seconds = await measure(() => runAll(options.records))
      return { records: pipedBy(pipes) - options.warmUpRecords, seconds }
    } finally {
      for (const pipe of pipes) await pipe.close()
    }
  })
}

const inputRecord = (index: number) =>
  keyedRecord(topics.input, `o-${index}`, { orderId: `o-${index}`, amount: 120.5, currency: 'EUR' })
const pipedBy = (pipes: readonly Pipe[]): number => pipes.reduce((sum, { piped }) => sum + piped, 0)

/** One partition: one transaction after another, as the engine's partitions have it. */
class Pipe {
  readonly #producer: Producer
  readonly #reader: Reader
  readonly #partition: number
  #isBusy = false
  #onProgress = (): void => {}
  #onFailure: (error: unknown) => void = () => {}
  /** Records whose transaction is committed. */
  piped = 0

  private constructor(log: Log, producer: Producer, partition: number) {
    this.#producer = producer
    this.#partition = partition
    this.#reader = log.openReader({ topic: topics.input, partition, offset: 0, onReady: () => void this.#run() })
  }

  static async open(log: Log, partition: number): Promise<Pipe> {
    return new Pipe(log, await log.openProducer(`floor-${partition}`), partition)
  }

  follow(onProgress: () => void, onFailure: (error: unknown) => void): void {
    this.#onProgress = onProgress
    this.#onFailure = onFailure
  }

  async close(): Promise<void> {
    this.#reader.close()
    await this.#producer.close()
  }

  async #run(): Promise<void> {
    if (this.#isBusy) return
    this.#isBusy = true
    try {
      for (;;) {
        const records = this.#reader.take(limits.batchInputsMax)
        if (records.length === 0) break
        await this.#producer.transact(this.#outputOf(records))
        this.piped += records.length
        this.#onProgress()
      }
    } catch (error) {
      this.#onFailure(error)
    }
    this.#isBusy = false
  }

  #outputOf(records: readonly LogRecord[]): readonly OutgoingRecord[] {
    const output: OutgoingRecord[] = []
    for (const [index, { key, value }] of records.entries()) {
      const fields: object = JSON.parse(decoder.decode(value ?? new Uint8Array()))
      const state = keyedRecord(topics.changelog, key ?? '', fields)
      output.push({ ...state, partition: this.#partition })
      if (index % 3 < 2) output.push(keyedRecord(topics.commands, key ?? '', fields))
    }
    return output
  }
}
