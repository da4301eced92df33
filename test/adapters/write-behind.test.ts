import assert from 'node:assert/strict'
import { test } from 'node:test'
import { writeBehind } from '../../src/adapters/level/write-behind.ts'
import { TransientFault } from '../../src/base/errors.ts'
import type { ChangelogPosition, Store, StoreChange, StoreEntry } from '../../src/runtime/ports.ts'

const at = (offset: number) => ({ topicId: 'T', offset })
const put = (key: string, value: string): StoreChange => ({ key, value: Buffer.from(value) })
const everything = { from: '', to: '~', limit: 100 }
const never = { delayMs: 1_000_000, pendingBytesMax: 1_000_000 }
const texts = (entries: readonly StoreEntry[]) => entries.map(({ key, value }) => `${key}=${textOf(value)}`)
const textOf = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString()

/** Remembers each write; `gate` holds the next one up, `failure` fails it. */
class Below implements Store {
  readonly writes: { changes: number; offset: number }[] = []
  readonly values = new Map<string, Uint8Array>()
  position: ChangelogPosition | undefined
  gate: Promise<void> | undefined
  failure: Error | undefined

  get(key: string): Uint8Array | undefined {
    return this.values.get(key)
  }

  getMany(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> {
    return Promise.resolve(keys.map((key) => this.values.get(key)))
  }

  list(): Promise<readonly StoreEntry[]> {
    return Promise.resolve(Array.from(this.values, ([key, value]) => ({ key, value })))
  }

  async apply(changes: readonly StoreChange[], position: ChangelogPosition): Promise<void> {
    await this.gate
    if (this.failure !== undefined) throw this.failure
    for (const { key, value } of changes) {
      if (value === null) this.values.delete(key)
      else this.values.set(key, value)
    }
    this.writes.push({ changes: changes.length, offset: position.offset })
    this.position = position
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  destroy(): Promise<void> {
    this.values.clear()
    return Promise.resolve()
  }
}

test('what changes several times is written once, with the position of the last change: B1', async () => {
  const below = new Below()
  const store = writeBehind(below, never)
  for (let offset = 1; offset <= 10; offset++) await store.apply([put('a', `${offset}`), put('b', 'x')], at(offset))
  assert.deepEqual(below.writes, [])
  assert.deepEqual(store.position, at(10))
  assert.equal(textOf(store.get('a')), '10')
  await store.apply([{ key: 'b', value: null }], at(11))
  assert.equal(store.get('b'), undefined)
  assert.deepEqual(texts(await store.list(everything)), ['a=10'])
  assert.deepEqual(below.writes, [{ changes: 2, offset: 11 }])
  await store.close()
  assert.equal(below.writes.length, 1)
})

test('what changes again and again is pending once', async () => {
  const below = new Below()
  const store = writeBehind(below, { ...never, pendingBytesMax: 1_000 })
  for (let offset = 1; offset <= 5; offset++) await store.apply([put('a', `${offset}`.repeat(800))], at(offset))
  assert.deepEqual(below.writes, [])
  await store.apply([put('b', '1')], at(6))
  assert.deepEqual(below.writes, [{ changes: 2, offset: 6 }])
})

test('it is written after a while, and at once when much is pending', async () => {
  const below = new Below()
  const store = writeBehind(below, { delayMs: 5, pendingBytesMax: 1_000 })
  await store.apply([put('a', '1')], at(1))
  while (below.writes.length === 0) await new Promise((resolve) => setTimeout(resolve, 1))
  assert.deepEqual(below.writes, [{ changes: 1, offset: 1 }])
  await store.apply([put('a', '2'.repeat(1_000))], at(2))
  assert.deepEqual(below.writes.at(-1), { changes: 1, offset: 2 })
  await store.apply([], at(3))
  await store.close()
  assert.deepEqual(below.writes.at(-1), { changes: 0, offset: 3 })
})

test('what is being written is read, and so is what comes meanwhile: B2', async () => {
  const below = new Below()
  let open = (): void => {}
  below.gate = new Promise((resolve) => (open = resolve))
  const store = writeBehind(below, never)
  await store.apply([put('a', '1'), put('b', '1')], at(1))
  const listed = store.list(everything)
  await store.apply([put('a', '2')], at(2))
  assert.deepEqual([textOf(store.get('a')), textOf(store.get('b'))], ['2', '1'])
  open()
  assert.deepEqual(texts(await listed), ['a=1', 'b=1'])
  assert.deepEqual(texts(await store.list(everything)), ['a=2', 'b=1'])
})

test('a write that failed is told to whoever comes next, and tried again: B3', async () => {
  const below = new Below()
  below.failure = new TransientFault('disk full')
  const store = writeBehind(below, { ...never, delayMs: 1 })
  await store.apply([put('a', '1')], at(1))
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.equal(textOf(store.get('a')), '1')
  await assert.rejects(store.apply([put('b', '1')], at(2)), TransientFault)
  assert.deepEqual(store.position, at(1))
  below.failure = undefined
  await store.apply([put('b', '1')], at(2))
  assert.deepEqual(texts(await store.list(everything)), ['a=1', 'b=1'])
  assert.deepEqual(below.position, at(2))
})

test('a store that is destroyed forgets what is pending', async () => {
  const below = new Below()
  const store = writeBehind(below, { ...never, delayMs: 1 })
  await store.apply([put('a', '1')], at(1))
  await store.destroy()
  await new Promise((resolve) => setTimeout(resolve, 10))
  assert.deepEqual(below.writes, [])
})
