// Real stores that were away while their changelog went on, was compacted and forgot its tombstones; drawn from a seed.
//
//   I5  once it is restored, a store holds what was written last
//   I15 what was deleted stays deleted (P8; KAFKA-19943, KIP-1259)
//   P5  a changelog that was made anew, or cut off, is refused; the store is kept as it is
//
// The changelog forgets as Kafka does: a tombstone, no earlier than `tombstonesKeptMs` after it was written.
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { destroyLevelStore, openLevelStore } from '../../src/adapters/level/store.ts'
import { MemoryBroker } from '../../src/adapters/memory/broker.ts'
import { ManualClock } from '../../src/adapters/memory/clock.ts'
import { createMemoryLog } from '../../src/adapters/memory/log.ts'
import { ChangelogReplaced, StoreCorrupted } from '../../src/base/errors.ts'
import type { Log, Store } from '../../src/runtime/ports.ts'
import { restore } from '../../src/runtime/restore.ts'
import { createRandom, type Random } from '../simulation/random.ts'
import type { CampaignOptions, CampaignResult } from './campaign.ts'

export interface OldStoresOptions extends CampaignOptions {
  readonly rounds: number
  readonly seed: number
}

const topic = 'changelog'
const partition = 0
/** More than a reader gives at a time, so that a restore can end in the middle. */
const keysMax = 1_500
const writesMax = 1_500
const hourMs = 3_600_000
const tombstonesKeptMs = 7 * 24 * hourMs
/** A store is away for this long at the most. */
const awayMaxMs = 2 * tombstonesKeptMs

/** One store in one life after another: each round the changelog goes on without it, then it comes back. */
export async function oldStores({ rounds, seed, onProgress = () => {} }: OldStoresOptions): Promise<CampaignResult> {
  const scene = new Scene(createRandom(seed))
  const violations: string[] = []
  try {
    for (let round = 0; round < rounds; round++) {
      const found = await scene.round()
      violations.push(...found.map((what) => `seed ${seed}, round ${round}: ${what}`))
      if (round % 100 === 99) onProgress(`${round + 1} of ${rounds} returns of old stores`)
    }
    for (const how of ['made anew', 'cut off'] as const) violations.push(...(await scene.replaced(how)))
  } finally {
    scene.end()
  }
  return { runs: rounds + 2, faults: scene.met.changelogForgot + 2, violations, coverage: scene.met }
}

class Scene {
  /** What happened, and how often. */
  readonly met = {
    changelogForgot: 0,
    oldStoreRebuilt: 0,
    oldStoreCaughtUp: 0,
    restoreInterrupted: 0,
    removalMissed: 0,
    changelogRefused: 0,
  }
  readonly #random: Random
  readonly #broker = new MemoryBroker()
  readonly #clock = new ManualClock()
  readonly #log: Log = createMemoryLog(this.#broker, { nowMs: () => this.#clock.nowMs() })
  readonly #root = mkdtempSync(join(tmpdir(), 'dw-old-'))
  readonly #directory = join(this.#root, 'store')
  /** Copies of it, as a person might put them back. */
  readonly #copies: string[] = []
  /** What was written last, by key. */
  readonly #truth = new Map<string, string>()
  #tombstoneAtMs = 0

  constructor(random: Random) {
    this.#random = random
    this.#create()
  }

  /** What was found to be wrong. */
  async round(): Promise<readonly string[]> {
    const random = this.#random
    await this.#write()
    this.#clock.advance(random.int(random.chance(0.5) ? awayMaxMs : 24 * hourMs))
    this.#forget()
    await this.#write()
    if (random.chance(0.2) && this.#copies.length > 0) this.#putBack(random.pick(this.#copies))
    const store = await this.#comeBack()
    const violations = await this.#compare(store)
    await store.close()
    if (random.chance(0.1)) this.#copy()
    return violations
  }

  /** The changelog is not the one that the store was written from any more. */
  async replaced(how: 'made anew' | 'cut off'): Promise<readonly string[]> {
    await destroyLevelStore(this.#directory)
    await this.#write()
    await (await this.#comeBack()).close()
    if (how === 'made anew') {
      this.#broker.deleteTopic(topic)
      this.#create()
    } else {
      this.#broker.truncate(topic, partition, this.#broker.offsets(topic, partition).end - 1)
    }
    const store = await this.#open()
    const before = await valuesIn(store)
    const error = await this.#restore(store).catch((reason: unknown) => reason)
    const after = await valuesIn(store)
    await store.close()
    if (!(error instanceof ChangelogReplaced))
      return [`P5: a changelog that was ${how} was answered by ${String(error)}`]
    this.met.changelogRefused += 1
    return JSON.stringify(before) === JSON.stringify(after) ? [] : [`P5: the store was changed, its changelog ${how}`]
  }

  end(): void {
    rmSync(this.#root, { recursive: true, force: true })
  }

  #create(): void {
    this.#truth.clear()
    this.#broker.createTopic({ name: topic, partitions: 1, cleanup: 'compacted', tombstonesKeptMs })
  }

  async #write(): Promise<void> {
    const random = this.#random
    for (let left = random.int(writesMax); left > 0; left--) {
      const key = `k-${random.int(keysMax)}`
      const value = random.chance(0.4) ? null : String(random.next())
      if (value === null) this.#truth.delete(key)
      else this.#truth.set(key, value)
      if (value === null) this.#tombstoneAtMs = this.#clock.nowMs()
      const bytes = { key: Buffer.from(key), value: value === null ? null : Buffer.from(value) }
      await this.#log.produce([{ topic, partition, ...bytes }])
    }
  }

  /** Compaction, and what it forgets. */
  #forget(): void {
    this.#broker.compact(topic)
    if (this.#clock.nowMs() - this.#tombstoneAtMs <= tombstonesKeptMs) return
    this.#broker.dropTombstones(topic)
    this.met.changelogForgot += 1
  }

  /** As a partition does it: what cannot be trusted is destroyed, and restored from nothing. */
  async #comeBack(): Promise<Store> {
    if (this.#random.chance(0.2)) await this.#interrupted()
    const store = await this.#open()
    const { position } = store
    const gone = (await valuesIn(store)).filter(([key]) => !this.#truth.has(key))
    const told = new Set(this.#tombstonesFrom(position?.offset ?? 0))
    if (gone.some(([key]) => !told.has(key))) this.met.removalMissed += 1
    try {
      await this.#restore(store)
      this.met.oldStoreCaughtUp += 1
      return store
    } catch (error) {
      if (!(error instanceof StoreCorrupted)) throw error
      this.met.oldStoreRebuilt += 1
      await store.destroy()
      const anew = await this.#open()
      await this.#restore(anew)
      return anew
    }
  }

  /** A restore that ends in the middle, some time before the next one. */
  async #interrupted(): Promise<void> {
    await destroyLevelStore(this.#directory)
    const store = await this.#open()
    const { end } = this.#broker.offsets(topic, partition)
    const cancelAt = this.#random.int(end + 1)
    await this.#restore(store, () => (store.position?.offset ?? 0) >= cancelAt)
    if ((store.position?.offset ?? 0) < end) this.met.restoreInterrupted += 1
    await store.close()
    this.#clock.advance(this.#random.int(awayMaxMs))
    this.#forget()
  }

  #tombstonesFrom(offset: number): readonly string[] {
    const { records } = this.#broker.fetch(topic, partition, offset, Number.MAX_SAFE_INTEGER)
    return records.filter(({ value }) => value === null).map(({ key }) => Buffer.from(key ?? []).toString())
  }

  async #restore(store: Store, isCancelled = (): boolean => false): Promise<void> {
    await restore({ log: this.#log, store, topic, partition, clock: this.#clock, isCancelled })
  }

  async #compare(store: Store): Promise<readonly string[]> {
    const stored = new Map(await valuesIn(store))
    const wrong: string[] = []
    for (const [key, value] of this.#truth)
      if (stored.get(key) !== value) wrong.push(`I5: ${key} is ${stored.get(key) ?? 'missing'}`)
    for (const key of stored.keys()) if (!this.#truth.has(key)) wrong.push(`I15: ${key} has come back`)
    return wrong
  }

  #open(): Promise<Store> {
    return openLevelStore({ directory: this.#directory, app: 'old', partition })
  }

  #copy(): void {
    const copy = join(this.#root, `copy-${this.#copies.length}`)
    cpSync(this.#directory, copy, { recursive: true })
    this.#copies.push(copy)
  }

  #putBack(copy: string): void {
    rmSync(this.#directory, { recursive: true, force: true })
    cpSync(copy, this.#directory, { recursive: true })
  }
}

async function valuesIn(store: Store): Promise<readonly (readonly [string, string])[]> {
  const entries = await store.list({ from: '', to: '~', limit: Number.MAX_SAFE_INTEGER })
  return entries.map(({ key, value }) => [key, Buffer.from(value).toString()] as const)
}
