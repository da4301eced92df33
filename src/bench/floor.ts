// floor: what the log alone costs, with no engine. Reads a batch, parses each record, and produces one 200-byte
// changelog record for each record and two commands for three records, in one transaction for each partition and batch.
import { limits } from '../base/limits.ts'
import type { LogRecord, OutgoingRecord, Producer, Reader } from '../runtime/ports.ts'
import { untilCounted } from './completion.ts'
import { feed, keyedRecord } from './feed.ts'
import { withSite, type Site } from './site.ts'
import type { ThroughputOptions } from './throughput.ts'

const topicsOf = (app: string) => ({
  input: `${app}-floor-input`,
  changelog: `${app}-floor-changelog`,
  commands: `${app}-floor-commands`,
})
const decoder = new TextDecoder()

export interface FloorOptions extends Omit<ThroughputOptions, 'instances' | 'warmUp'> {
  readonly records: number
  readonly warmUpRecords: number
}

/** Runs the floor; every record has been piped when it resolves. */
export function runFloor(options: FloorOptions): Promise<{ readonly records: number; readonly seconds: number }> {
  return withSite(options.ground, async (site) => {
    const { log, partitions, signal } = site
    const topics = topicsOf(site.app)
    await log.createTopics([
      { name: topics.input, partitions, cleanup: 'retained' },
      { name: topics.changelog, partitions, cleanup: 'compacted' },
      { name: topics.commands, partitions, cleanup: 'retained' },
    ])
    const pipes = await Promise.all(Array.from({ length: partitions }, (_, partition) => Pipe.open(site, partition)))
    const failure = new Promise<never>((_, reject) => {
      for (const pipe of pipes) pipe.onFailure(reject)
    })
    failure.catch(() => {}) // whoever races against it is told
    const runAll = async (records: number): Promise<number> => {
      const count = pipedBy(pipes) + records
      const startedAtMs = performance.now()
      await Promise.race([feed(site, records, (index) => inputRecord(topics.input, index)), failure])
      const explain = (): string => `by partition: ${pipes.map(({ piped }) => piped).join(', ')}`
      const done = untilCounted({ count, of: 'records', signal, completed: () => pipedBy(pipes), explain })
      await Promise.race([done, failure])
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

const inputRecord = (topic: string, index: number) =>
  keyedRecord(topic, `o-${index}`, { orderId: `o-${index}`, amount: 120.5, currency: 'EUR' })
const pipedBy = (pipes: readonly Pipe[]): number => pipes.reduce((sum, { piped }) => sum + piped, 0)

/** One partition: one transaction after another, as the engine's partitions have it. */
class Pipe {
  readonly #topics: ReturnType<typeof topicsOf>
  readonly #producer: Producer
  readonly #reader: Reader
  readonly #partition: number
  #isBusy = false
  #onFailure: (error: unknown) => void = () => {}
  /** Records whose transaction is committed. */
  piped = 0

  private constructor({ log, app }: Site, producer: Producer, partition: number) {
    this.#topics = topicsOf(app)
    this.#producer = producer
    this.#partition = partition
    this.#reader = log.openReader({ topic: this.#topics.input, partition, offset: 0, onReady: () => void this.#run() })
  }

  static async open(site: Site, partition: number): Promise<Pipe> {
    return new Pipe(site, await site.log.openProducer(`${site.app}-floor-${partition}`), partition)
  }

  onFailure(tell: (error: unknown) => void): void {
    this.#onFailure = tell
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
      const state = keyedRecord(this.#topics.changelog, key ?? '', fields)
      output.push({ ...state, partition: this.#partition })
      if (index % 3 < 2) output.push(keyedRecord(this.#topics.commands, key ?? '', fields))
    }
    return output
  }
}
