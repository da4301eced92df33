import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryDisk, compareUtf8 } from '../../src/adapters/memory/disk.ts'
import { openMemoryStore } from '../../src/adapters/memory/store.ts'
import { ConfigError, InvariantViolation, StoreCorrupted, TransientFault } from '../../src/base/errors.ts'
import type { Store } from '../../src/runtime/ports.ts'

const bytes = (text: string) => Buffer.from(text)
const at = (offset: number) => ({ topicId: 't', offset })
const everything = { from: '', to: '\u{10ffff}', limit: 100 }

async function keysOf(store: Store, range: Parameters<Store['list']>[0] = everything): Promise<string[]> {
  return (await store.list(range)).map((entry) => entry.key)
}

test('values and position outlive the process', async () => {
  const disk = new MemoryDisk()
  const store = await openMemoryStore(disk, 3)
  assert.equal(store.position, undefined)
  await store.apply([{ key: 'a', value: bytes('1') }], at(7))
  disk.crash()
  const again = await openMemoryStore(disk, 3)
  assert.deepEqual([again.get('a'), again.get('b'), again.position], [bytes('1'), undefined, at(7)])
  const other = await openMemoryStore(disk, 4)
  assert.equal(other.get('a'), undefined)
})

test('keys are listed in the order of their UTF-8 bytes, within bounds, from either end', async () => {
  const store = await openMemoryStore(new MemoryDisk(), 0)
  const keys = ['b', '\u{ffee}', '\u{1f600}', 'a', 'aa', 'é', '']
  await store.apply(
    keys.map((key) => ({ key, value: bytes(key) })),
    at(1),
  )
  const sorted = keys.toSorted((a, b) => Buffer.compare(bytes(a), bytes(b)))
  assert.deepEqual(keys.toSorted(compareUtf8), sorted)
  assert.deepEqual(await keysOf(store), sorted)
  assert.deepEqual(await keysOf(store, { from: 'a', to: 'b', limit: 10 }), ['a', 'aa'])
  assert.deepEqual(await keysOf(store, { from: 'a', to: '\u{10ffff}', limit: 2 }), ['a', 'aa'])
  assert.deepEqual(await keysOf(store, { from: '', to: 'b', limit: 2, reverse: true }), ['aa', 'a'])
  assert.deepEqual(await keysOf(store, { from: 'b', to: 'a', limit: 2 }), [])
})

test('a key that is removed and written again is listed once', async () => {
  const store = await openMemoryStore(new MemoryDisk(), 0)
  await store.apply([{ key: 'a', value: bytes('1') }], at(1))
  await store.apply([{ key: 'a', value: null }], at(2))
  await store.apply([{ key: 'a', value: bytes('2') }], at(3))
  assert.deepEqual(await store.list(everything), [{ key: 'a', value: bytes('2') }])
})

test('a crash of the machine takes back whole batches from the end, and none that was synced (M1)', async () => {
  const disk = new MemoryDisk()
  const store = await openMemoryStore(disk, 0)
  await store.apply([{ key: 'a', value: bytes('1') }], at(1))
  disk.sync()
  await store.apply(
    [
      { key: 'a', value: bytes('2') },
      { key: 'a', value: bytes('3') },
      { key: 'b', value: bytes('2') },
    ],
    at(2),
  )
  await store.apply([{ key: 'a', value: null }], at(3))
  disk.crash(1)
  const second = await openMemoryStore(disk, 0)
  assert.deepEqual([second.get('a'), second.get('b'), second.position], [bytes('3'), bytes('2'), at(2)])
  disk.crash(9)
  const first = await openMemoryStore(disk, 0)
  assert.deepEqual([await keysOf(first), first.get('a'), first.position], [['a'], bytes('1'), at(1)])
})

test('a store that is corrupted says so to every use, and opens empty after one attempt that fails', async () => {
  const disk = new MemoryDisk()
  const store = await openMemoryStore(disk, 0)
  await store.apply([{ key: 'a', value: bytes('1') }], at(1))
  disk.corrupt(0)
  assert.throws(() => store.get('a'), StoreCorrupted)
  await assert.rejects(store.list(everything), StoreCorrupted)
  await assert.rejects(store.apply([], at(2)), StoreCorrupted)
  await store.close()
  await assert.rejects(openMemoryStore(disk, 0), StoreCorrupted)
  const fresh = await openMemoryStore(disk, 0)
  assert.deepEqual([fresh.position, await keysOf(fresh)], [undefined, []])
})

test('a store that is destroyed leaves nothing', async () => {
  const disk = new MemoryDisk()
  const store = await openMemoryStore(disk, 0)
  await store.apply([{ key: 'a', value: bytes('1') }], at(1))
  await store.destroy()
  assert.equal((await openMemoryStore(disk, 0)).position, undefined)
})

test('a partition is opened by one at a time', async () => {
  const disk = new MemoryDisk()
  const store = await openMemoryStore(disk, 0)
  await assert.rejects(
    openMemoryStore(disk, 0),
    (error) => error instanceof ConfigError && error.code === 'DW_DATA_IN_USE',
  )
  await store.close()
  assert.throws(() => store.get('a'), InvariantViolation)
  assert.equal((await openMemoryStore(disk, 0)).position, undefined)
})

test('a full disk refuses a batch and changes nothing', async () => {
  const disk = new MemoryDisk()
  const store = await openMemoryStore(disk, 0)
  disk.isFull = true
  await assert.rejects(store.apply([{ key: 'a', value: bytes('1') }], at(1)), TransientFault)
  disk.isFull = false
  assert.deepEqual([store.get('a'), store.position], [undefined, undefined])
})
