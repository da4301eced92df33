// A level store of keys that come, change and go, with all its states known.
import assert from 'node:assert/strict'
import { openLevelStore } from '../../src/adapters/level/store.ts'
import { StoreCorrupted } from '../../src/base/errors.ts'
import type { Store, StoreChange } from '../../src/runtime/ports.ts'
import type { Random } from '../simulation/random.ts'
import type { Subject } from './specimen.ts'
import { expectSame, keysOf, randomValue, type Extent } from './specimen-value.ts'

const everything = { from: '', to: '~', limit: 1_000 }
const openIn = (directory: string) => openLevelStore({ directory, app: 'broken', partition: 3 })
const at = (offset: number) => ({ topicId: 'T', offset })

export class LevelSubject implements Subject {
  readonly name = 'level store'
  /** Its position goes back with it, and the changelog has the rest (P3). */
  readonly mayGoBack = true
  readonly #random: Random
  readonly #extent: Extent
  readonly #keys: readonly string[]
  /** By the number of batches. */
  readonly #states: ReadonlyMap<string, Uint8Array>[] = [new Map()]
  #store: Store | undefined

  constructor(random: Random, extent: Extent) {
    this.#random = random
    this.#extent = extent
    this.#keys = keysOf(extent)
  }

  get batches(): number {
    return this.#states.length - 1
  }

  async open(directory: string): Promise<void> {
    this.#store = await openIn(directory)
  }

  async write(): Promise<void> {
    const state = new Map(this.#states.at(-1))
    const changes: StoreChange[] = []
    for (let left = 1 + this.#random.int(6); left > 0; left--) {
      const key = this.#random.pick(this.#keys)
      const value = this.#random.chance(0.25) ? null : randomValue(this.#random, this.#extent)
      changes.push({ key, value })
      if (value === null) state.delete(key)
      else state.set(key, value)
    }
    this.#states.push(state)
    await this.#store!.apply(changes, at(this.batches))
  }

  async close(): Promise<void> {
    await this.#store?.close()
  }

  async read(directory: string): Promise<number> {
    const store = await openIn(directory)
    try {
      const batches = store.position?.offset ?? 0
      const state = this.#states[batches]
      assert.ok(state !== undefined, `a position of ${batches} batches was never written`)
      await this.#expect(store, state)
      return batches
    } finally {
      await store.close()
    }
  }

  async goOn(directory: string, batches: number): Promise<void> {
    const key = this.#keys[0]!
    const value = Buffer.from('written afterwards')
    const store = await openIn(directory)
    await store.apply([{ key, value }], at(batches + 1))
    await store.close()
    const again = await openIn(directory)
    try {
      assert.equal(again.position?.offset, batches + 1)
      await this.#expect(again, new Map(this.#states[batches]).set(key, value))
    } finally {
      await again.close()
    }
  }

  isRefusal(error: unknown): boolean {
    return error instanceof StoreCorrupted
  }

  /** By `get` of every key there ever was, and by `list`, both ways. */
  async #expect(store: Store, state: ReadonlyMap<string, Uint8Array>): Promise<void> {
    for (const key of this.#keys) expectSame(store.get(key), state.get(key), `get ${key}`)
    const expected = [...state.keys()].sort()
    for (const reverse of [false, true]) {
      const listed = await store.list({ ...everything, reverse })
      if (reverse) expected.reverse()
      assert.deepEqual(
        listed.map(({ key }) => key),
        expected,
      )
      for (const { key, value } of listed) expectSame(value, state.get(key), `list ${key}`)
    }
  }
}
