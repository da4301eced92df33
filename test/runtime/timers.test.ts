// The due times of a partition: the earliest in memory, the rest in the store, none missed (I7).
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { limits } from '../../src/base/limits.ts'
import { timerKey } from '../../src/engine/state.ts'
import { prefixes } from '../../src/records/keys.ts'
import { Timers } from '../../src/runtime/timers.ts'
import { MapStore } from '../support/map-store.ts'

const keyAt = (dueAtMs: number, id = 0): string => timerKey(dueAtMs, { kind: 'expire-kept', number: id })

/** A store that holds these timers. */
function storeOf(keys: readonly string[]): MapStore {
  const store = new MapStore()
  for (const key of keys) store.values.set(prefixes.timers + key, new Uint8Array([1]))
  return store
}

/** Takes all that are due, again and again, as the loop does; what is taken is gone from the store. */
async function drain(timers: Timers, store: MapStore, nowMs: number): Promise<string[]> {
  const taken: string[] = []
  for (;;) {
    const due = timers.takeDue(nowMs, 1_000)
    for (const key of due) store.values.delete(prefixes.timers + key)
    taken.push(...due)
    if (due.length === 0 && !timers.hasRunOut) return taken
    await timers.refill()
  }
}

/** The same numbers in every run, in no order. */
function shuffled(count: number): number[] {
  return Array.from({ length: count }, (_, n) => (n * 7_919) % count)
}

suite('timers', () => {
  test('are taken in the order in which they are due, and none before', async () => {
    const timers = new Timers(new MapStore())
    await timers.refill()
    for (const n of shuffled(500)) timers.add(keyAt(n))
    assert.equal(timers.nextDueAtMs, 0)
    assert.deepEqual(
      timers.takeDue(99, 60),
      Array.from({ length: 60 }, (_, n) => keyAt(n)),
    )
    assert.deepEqual(
      timers.takeDue(99, 1_000),
      Array.from({ length: 40 }, (_, n) => keyAt(60 + n)),
    )
    assert.deepEqual(timers.takeDue(99, 1_000), [])
    assert.equal(timers.nextDueAtMs, 100)
  })

  test('that are due at fractions of a millisecond wait for the whole one', () => {
    assert.ok(keyAt(10.2) === keyAt(11))
  })

  test('of a store are all found, however many, once each', async () => {
    const keys = Array.from({ length: 25_000 }, (_, n) => keyAt(n, n))
    const store = storeOf(keys)
    assert.deepEqual(await drain(new Timers(store), store, 25_000), keys)
  })

  test('that are armed behind the horizon are found in the store in their turn', async () => {
    const atOnce = limits.timersReadAtOnce
    const store = storeOf(Array.from({ length: atOnce + 100 }, (_, n) => keyAt(n, n)))
    const timers = new Timers(store)
    await timers.refill()
    // Behind the horizon, and in the store by then; before it, in memory.
    for (const key of [keyAt(atOnce + 50, 999_999), keyAt(5, 999_999)]) {
      store.values.set(prefixes.timers + key, new Uint8Array([1]))
      timers.add(key)
    }
    const taken = await drain(timers, store, atOnce + 100)
    assert.equal(taken.length, atOnce + 102)
    assert.equal(new Set(taken).size, taken.length)
    assert.deepEqual(taken, taken.toSorted())
  })

  test('that are more than memory takes go back behind the horizon, the latest first', async () => {
    const store = new MapStore()
    const timers = new Timers(store)
    await timers.refill()
    const count = limits.timersInMemoryMax + 1_000
    for (const n of shuffled(count)) {
      const key = keyAt(n, n)
      store.values.set(prefixes.timers + key, new Uint8Array([1]))
      timers.add(key)
    }
    const taken = await drain(timers, store, count)
    assert.deepEqual(
      taken,
      Array.from({ length: count }, (_, n) => keyAt(n, n)),
    )
  })

  test('that are armed while the store is being read are neither missed nor doubled', async () => {
    const atOnce = limits.timersReadAtOnce
    const store = storeOf(Array.from({ length: atOnce - 1 }, (_, n) => keyAt(n, n)))
    const timers = new Timers(store)
    const reading = timers.refill()
    timers.add(keyAt(atOnce + 7, 7))
    await reading
    const taken = await drain(timers, store, 2 * atOnce)
    assert.equal(taken.filter((key) => key === keyAt(atOnce + 7, 7)).length, 1)
  })
})
