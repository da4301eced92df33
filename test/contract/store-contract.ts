// What every Store must do.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ChangelogPosition, Store, StoreChange } from '../../src/runtime/ports.ts'

export interface OpenedStore {
  readonly store: Store
  /** Writes changes where that is not the store's own `apply`: through the log that it lies in. */
  readonly write?: (changes: readonly StoreChange[]) => Promise<void>
  /** Closes the store and opens it again. */
  readonly reopen: () => Promise<Store>
  readonly dispose: () => Promise<void>
}

const bytes = (text: string) => Buffer.from(text)
const put = (key: string, value = key): StoreChange => ({ key, value: bytes(value) })
const remove = (key: string): StoreChange => ({ key, value: null })
const at = (offset: number): ChangelogPosition => ({ topicId: 'T', offset })
const everything = { from: '', to: '\u{10ffff}', limit: 1_000_000 }

const textAt = (store: Store, key: string) => {
  const value = store.get(key)
  return value === undefined ? undefined : Buffer.from(value).toString()
}
const keysOf = async (store: Store, range: Partial<Parameters<Store['list']>[0]> = {}) =>
  (await store.list({ ...everything, ...range })).map(({ key }) => key)

export function storeContract(name: string, open: () => Promise<OpenedStore>): void {
  function rule(
    title: string,
    body: (store: Store, write: (...changes: StoreChange[]) => Promise<void>, opened: OpenedStore) => Promise<void>,
  ): void {
    test(`${name}: ${title}`, async () => {
      const opened = await open()
      let offset = 0
      const write = (...changes: StoreChange[]) =>
        opened.write?.(changes) ?? opened.store.apply(changes, at((offset += changes.length)))
      try {
        await body(opened.store, write, opened)
      } finally {
        await opened.dispose()
      }
    })
  }

  rule('a batch is visible whole: what it puts, replaces and removes', async (store, write) => {
    await write(put('a'), put('b'), put('c'))
    await write(put('a', 'new'), remove('b'), put('d'), remove('never there'))
    assert.deepEqual(
      ['a', 'b', 'c', 'd'].map((key) => textAt(store, key)),
      ['new', undefined, 'c', 'd'],
    )
    assert.deepEqual(await keysOf(store), ['a', 'c', 'd'])
  })

  rule('the last change of a key within a batch wins', async (store, write) => {
    await write(put('a', '1'), remove('a'), put('a', '2'), put('b'), remove('b'))
    assert.deepEqual([textAt(store, 'a'), textAt(store, 'b')], ['2', undefined])
  })

  rule('values come back byte by byte, empty and large ones too', async (store, write) => {
    const values = [Buffer.alloc(0), Buffer.of(0, 255, 0), Buffer.alloc(900_000, 'x')]
    await write(...values.map((value, index) => ({ key: `k${index}`, value })))
    const entries = await store.list(everything)
    for (const [index, value] of values.entries()) {
      assert.ok(value.equals(store.get(`k${index}`)!))
      assert.ok(value.equals(entries[index]!.value))
    }
  })

  rule('keys are in the order of their UTF-8 bytes', async (store, write) => {
    // UTF-16 would sort the emoji (a surrogate pair) before the half-width form.
    const keys = ['', 'A', 'a', 'a\u0000', 'aa', 'é', '\uff61', '😀']
    await write(...keys.toReversed().map((key) => put(key)))
    assert.deepEqual(await keysOf(store), keys)
    for (const key of keys) assert.equal(textAt(store, key), key)
  })

  rule('a range has its lower bound and not its upper one, from either end, up to its limit', async (store, write) => {
    await write(...['a', 'b', 'b1', 'b2', 'c', 'd'].map((key) => put(key)))
    assert.deepEqual(await keysOf(store, { from: 'b', to: 'c' }), ['b', 'b1', 'b2'])
    assert.deepEqual(await keysOf(store, { from: 'b', to: 'c', reverse: true }), ['b2', 'b1', 'b'])
    assert.deepEqual(await keysOf(store, { from: 'b', limit: 2 }), ['b', 'b1'])
    assert.deepEqual(await keysOf(store, { to: 'c', limit: 2, reverse: true }), ['b2', 'b1'])
    assert.deepEqual(await keysOf(store, { from: 'x', to: 'y' }), [])
    assert.deepEqual(await keysOf(store, { from: 'd', to: 'a' }), [])
    assert.deepEqual(await keysOf(store, { limit: 0 }), [])
  })

  rule('long ranges are listed completely', async (store, write) => {
    const keys = Array.from({ length: 3_500 }, (_, i) => `k${String(i).padStart(5, '0')}`)
    await write(...keys.map((key) => put(key)))
    assert.deepEqual(await keysOf(store), keys)
    assert.deepEqual(await keysOf(store, { limit: 2_500 }), keys.slice(0, 2_500))
  })

  rule('values and position are there after it is opened again', async (_store, write, { reopen, store }) => {
    await write(put('a'), put('b'))
    await write(remove('a'))
    const { position } = store
    assert.notEqual(position, undefined)
    const again = await reopen()
    assert.deepEqual(again.position, position)
    assert.deepEqual(await keysOf(again), ['b'])
  })
}

/** For stores that can be restored from elsewhere: they take positions as they are given, and can be destroyed. */
export function restorableStoreContract(name: string, open: () => Promise<OpenedStore>): void {
  test(`${name}: a new store has no position, and then the one that was applied last`, async () => {
    const { store, reopen, dispose } = await open()
    try {
      assert.equal(store.position, undefined)
      await store.apply([], at(3))
      await store.apply([put('a')], { topicId: 'U', offset: 9 })
      assert.deepEqual(store.position, { topicId: 'U', offset: 9 })
      assert.deepEqual((await reopen()).position, { topicId: 'U', offset: 9 })
    } finally {
      await dispose()
    }
  })

  test(`${name}: a destroyed store is empty when it is opened again`, async () => {
    const { store, reopen, dispose } = await open()
    try {
      await store.apply([put('a')], at(1))
      await store.destroy()
      const again = await reopen()
      assert.deepEqual([again.position, again.get('a')], [undefined, undefined])
    } finally {
      await dispose()
    }
  })
}
