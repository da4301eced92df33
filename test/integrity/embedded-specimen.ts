// An embedded log with a topic of each kind, with all that it held after each of its groups known.
import assert from 'node:assert/strict'
import { openEmbeddedLog, type EmbeddedLog } from '../../src/adapters/embedded/log.ts'
import { ManualClock } from '../../src/adapters/memory/clock.ts'
import { ConfigError } from '../../src/base/errors.ts'
import { silentLogger } from '../../src/base/logger.ts'
import type { OutgoingRecord, Producer, TopicSpec } from '../../src/runtime/ports.ts'
import type { Random } from '../simulation/random.ts'
import { recordsOf } from './embedded-evidence.ts'
import { expectSame, keysOf, randomValue, type Extent } from './specimen-value.ts'
import type { Subject } from './specimen.ts'

const topics: readonly TopicSpec[] = [
  { name: 'kept', partitions: 2, cleanup: 'unlimited' },
  { name: 'aged', partitions: 1, cleanup: 'retained' },
  { name: 'state', partitions: 1, cleanup: 'compacted' },
]
const appended = [
  { topic: 'kept', partition: 0 },
  { topic: 'kept', partition: 1 },
  { topic: 'aged', partition: 0 },
] as const
/** Its value is the number of the last batch. */
const countKey = 'count'

/** What there was after a batch; of appended partitions where they begin and end. */
interface Truth {
  readonly partitions: readonly { readonly earliest: number; readonly end: number }[]
  readonly state: ReadonlyMap<string, Uint8Array>
}

export class EmbeddedSubject implements Subject {
  readonly name = 'embedded log'
  readonly mayGoBack = false
  readonly #random: Random
  readonly #extent: Extent
  readonly #keys: readonly string[]
  readonly #hasTrims: boolean
  /** All there ever was in each appended partition. */
  readonly #records: Uint8Array[][] = appended.map(() => [])
  readonly #truths: Truth[] = [{ partitions: appended.map(() => ({ earliest: 0, end: 0 })), state: new Map() }]
  #log: EmbeddedLog | undefined
  #producer: Producer | undefined

  /** `hasTrims`: now and then records are deleted; what deletes them on the disk has a pace of its own. */
  constructor(random: Random, extent: Extent, hasTrims: boolean) {
    this.#random = random
    this.#extent = extent
    this.#keys = keysOf(extent)
    this.#hasTrims = hasTrims
  }

  get batches(): number {
    return this.#truths.length - 1
  }

  async open(directory: string): Promise<void> {
    this.#log = await openIn(directory)
    await this.#log.createTopics(topics)
    this.#producer = await this.#log.openProducer('p')
  }

  async write(): Promise<void> {
    const { partitions, state } = this.#truths.at(-1)!
    const next = { partitions: partitions.map((partition) => ({ ...partition })), state: new Map(state) }
    if (this.#hasTrims && this.#random.chance(0.1)) {
      const [index, trimmed] = [1, next.partitions[1]!]
      trimmed.earliest += this.#random.int(trimmed.end - trimmed.earliest + 1)
      await this.#log!.deleteRecords(appended[index]!.topic, appended[index]!.partition, trimmed.earliest)
    }
    const records: OutgoingRecord[] = []
    for (let left = 1 + this.#random.int(4); left > 0; left--) {
      const index = this.#random.int(appended.length)
      const value = randomValue(this.#random, this.#extent)
      records.push({ ...appended[index]!, key: null, value })
      this.#records[index]!.push(value)
      next.partitions[index]!.end++
    }
    for (let left = this.#random.int(4); left > 0; left--) {
      const key = this.#random.pick(this.#keys)
      const value = this.#random.chance(0.25) ? null : randomValue(this.#random, this.#extent)
      records.push(stateRecord(key, value))
      if (value === null) next.state.delete(key)
      else next.state.set(key, value)
    }
    const count = Buffer.from(String(this.batches + 1))
    next.state.set(countKey, count)
    this.#truths.push(next)
    await this.#producer!.transact([...records, stateRecord(countKey, count)])
  }

  async close(): Promise<void> {
    await this.#log?.close()
  }

  async read(directory: string): Promise<number> {
    const log = await openIn(directory)
    try {
      return await this.#compare(log)
    } finally {
      await log.close()
    }
  }

  async goOn(directory: string, batches: number): Promise<void> {
    const log = await openIn(directory)
    await log.createTopics(topics)
    const outcomes = await log.produce([{ topic: 'kept', partition: 0, key: null, value: Buffer.from('afterwards') }])
    await log.close()
    const again = await openIn(directory)
    try {
      const { end } = this.#truths[batches]!.partitions[0]!
      assert.deepEqual(outcomes, [{ partition: 0, offset: end }])
      const [record] = await recordsOf(again, { topic: 'kept', partition: 0 }, end)
      assert.equal(Buffer.from(record!.value!).toString(), 'afterwards')
    } finally {
      await again.close()
    }
  }

  isRefusal(error: unknown): boolean {
    return error instanceof ConfigError && error.code === 'DW_DATA_CORRUPTED'
  }

  async #compare(log: EmbeddedLog): Promise<number> {
    if ((await log.describeTopics(topics.map(({ name }) => name))).size === 0) return 0
    const store = await log.openStoreOf('state', 0)
    const batches = Number(Buffer.from(store.get(countKey) ?? '0').toString())
    const truth = this.#truths[batches]
    assert.ok(truth !== undefined, `batch ${batches} was never written`)
    for (const [index, place] of appended.entries()) {
      const { earliest, end } = await log.offsets(place.topic, place.partition)
      assert.deepEqual({ earliest, end }, truth.partitions[index], `${place.topic}/${place.partition}`)
      const records = await recordsOf(log, place, earliest)
      assert.equal(records.length, end - earliest)
      for (const { offset, value } of records)
        expectSame(value ?? undefined, this.#records[index]![offset], `record ${offset}`)
    }
    for (const key of [...this.#keys, countKey]) expectSame(store.get(key), truth.state.get(key), `get ${key}`)
    const listed = await store.list({ from: '', to: '~', limit: 1_000 })
    assert.deepEqual(
      listed.map(({ key }) => key),
      [...truth.state.keys()].sort(),
    )
    for (const { key, value } of listed) expectSame(value, truth.state.get(key), `list ${key}`)
    return batches
  }
}

function openIn(directory: string): Promise<EmbeddedLog> {
  return openEmbeddedLog({ directory, app: 'broken', clock: new ManualClock(1_000), logger: silentLogger })
}

function stateRecord(key: string, value: Uint8Array | null): OutgoingRecord {
  return { topic: 'state', partition: 0, key: Buffer.from(key), value }
}
