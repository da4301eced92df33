import assert from 'node:assert/strict'
import { cp, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { ClassicLevel } from 'classic-level'
import { valueKey } from '../../src/adapters/level/layout.ts'
import { Links } from '../../src/adapters/level/links.ts'
import { destroyLevelStore, openLevelStore } from '../../src/adapters/level/store.ts'
import { ConfigError, StoreCorrupted } from '../../src/base/errors.ts'
import type { Store } from '../../src/runtime/ports.ts'

const everything = { from: '', to: '~', limit: 1_000 }
const at = (offset: number) => ({ topicId: 'T', offset })

async function folder(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'dw-level-'))
  t.after(() => rm(directory, { recursive: true, force: true }))
  return directory
}

const openIn = (directory: string, app = 'test', partition = 3) => openLevelStore({ directory, app, partition })
const hasCode = (code: string) => (error: unknown) => error instanceof ConfigError && error.code === code

/** Batch n puts key n, and position n + 1. */
async function fill(store: Store, batches: number): Promise<void> {
  for (let n = 0; n < batches; n++) {
    await store.apply([{ key: `k${n}`, value: Buffer.from(`${n}`.padEnd(200)) }], at(n + 1))
  }
}

/** Opens the store and checks that it holds what its position says. Gives the position's offset. */
async function checkPrefix(directory: string): Promise<number> {
  const store = await openIn(directory)
  try {
    const batches = store.position?.offset ?? 0
    const numbers = (await store.list(everything)).map(({ value }) => Number(Buffer.from(value).toString()))
    assert.deepEqual(new Set(numbers), new Set(Array.from({ length: batches }, (_, n) => n)))
    return batches
  } finally {
    await store.close()
  }
}

test('a store belongs to one partition of one application, and to one process', async (t) => {
  const directory = await folder(t)
  const store = await openIn(directory)
  await assert.rejects(openIn(directory), hasCode('DW_DATA_IN_USE'))
  await store.close()
  await assert.rejects(openIn(directory, 'other'), hasCode('DW_STORE_OF_ANOTHER'))
  await assert.rejects(openIn(directory, 'test', 4), hasCode('DW_STORE_OF_ANOTHER'))
  await (await openIn(directory)).close()
})

test('a value that fails its checksum is told as corruption, by get and by list', async (t) => {
  const directory = await folder(t)
  const store = await openIn(directory)
  await fill(store, 3)
  await store.close()
  const level = new ClassicLevel<Buffer, Buffer>(directory, { keyEncoding: 'buffer', valueEncoding: 'buffer' })
  const entry = (await level.get(valueKey('k1')))!
  entry[7] = entry[7]! ^ 1
  await level.put(valueKey('k1'), entry)
  await level.close()
  const again = await openIn(directory)
  t.after(() => again.close())
  assert.equal(Number(Buffer.from(again.get('k0')!).toString()), 0)
  assert.throws(() => again.get('k1'), StoreCorrupted)
  await assert.rejects(again.list(everything), StoreCorrupted)
})

test('a torn tail leaves values and position of the same batch: P3', async (t) => {
  const original = await folder(t)
  const store = await openIn(original)
  await fill(store, 100)
  await store.close()
  const name = (await readdir(original)).find((file) => file.endsWith('.log'))!
  const { size } = await stat(join(original, name))
  let before = 100
  for (let cut = 0; cut < size; cut += 1_313) {
    const copy = await folder(t)
    await cp(original, copy, { recursive: true })
    await truncate(join(copy, name), size - cut)
    const left = await checkPrefix(copy)
    assert.ok(left <= before)
    before = left
  }
  assert.ok(before < 10)
})

test('flipped bits end in corruption or a prefix, and the store can be destroyed and made again', async (t) => {
  const original = await folder(t)
  const store = await openIn(original)
  await fill(store, 400)
  await store.close()
  const name = (await readdir(original)).find((file) => file.endsWith('.log'))!
  let corrupted = 0
  for (let i = 1; i <= 30; i++) {
    const copy = await folder(t)
    await cp(original, copy, { recursive: true })
    const content = await readFile(join(copy, name))
    const place = (i * 7_919) % content.length
    content[place] = content[place]! ^ 4
    await writeFile(join(copy, name), content)
    try {
      await checkPrefix(copy)
    } catch (error) {
      assert.ok(error instanceof StoreCorrupted, String(error))
      corrupted++
      await destroyLevelStore(copy)
      assert.equal(await checkPrefix(copy), 0)
    }
  }
  assert.ok(corrupted > 0)
})

test('a store without its CURRENT is corrupted, not empty', async (t) => {
  const directory = await folder(t)
  const store = await openIn(directory)
  await fill(store, 3)
  await store.close()
  await rm(join(directory, 'CURRENT'))
  await assert.rejects(openIn(directory), StoreCorrupted)
})

test('a store whose tables are not as they were written is corrupted: a bit, a page, another table, none', async (t) => {
  const original = await folder(t)
  for (const session of [1, 2]) {
    const store = await openIn(original)
    await fill(store, session * 40)
    await store.close()
  }
  await (await openIn(original)).close() // both are in tables now
  const [one, other] = (await readdir(original)).filter((file) => file.endsWith('.ldb')).sort()
  const content = await readFile(join(original, one!))
  const flipped = Buffer.from(content)
  flipped[200]! ^= 1
  const damages: ((directory: string) => Promise<void>)[] = [
    (directory) => writeFile(join(directory, one!), flipped),
    (directory) => writeFile(join(directory, one!), content.subarray(0, -1)),
    (directory) => writeFile(join(directory, one!), Buffer.alloc(content.length)),
    (directory) => cp(join(directory, other!), join(directory, one!)),
    (directory) => rm(join(directory, other!)),
  ]
  for (const damage of damages) {
    const copy = await folder(t)
    await cp(original, copy, { recursive: true })
    await damage(copy)
    await assert.rejects(openIn(copy), StoreCorrupted)
  }
  await checkPrefix(original)
})

test('edits that are lost from the end of the MANIFEST show by the write-ahead file that is gone: V3', async (t) => {
  const directory = await folder(t)
  const store = await openIn(directory)
  await fill(store, 40)
  await store.close()
  await (await openIn(directory)).close()
  const manifest = join(directory, (await readFile(join(directory, 'CURRENT'), 'utf8')).trim())
  const content = await readFile(manifest)
  for (let bytes = 0; bytes < content.length; bytes++) {
    await writeFile(manifest, content.subarray(0, bytes))
    await assert.rejects(openIn(directory), StoreCorrupted)
  }
  await writeFile(manifest, content)
  assert.equal(await checkPrefix(directory), 40)
})

test('a store that another has open is in use, however its files look', async (t) => {
  const directory = await folder(t)
  const store = await openIn(directory)
  t.after(() => store.close())
  await writeFile(join(directory, 'CURRENT'), 'nonsense')
  await assert.rejects(openIn(directory), hasCode('DW_DATA_IN_USE'))
})

test('links are kept for as many bytes as told, and one that is missing is noticed', () => {
  const links = new Links(1_000)
  assert.equal(links.isEmpty, true)
  const kept = new Map<number, number>()
  for (let n = 0; n < 5_000; n++) {
    const { added, dropped } = links.extend(100)
    assert.equal(added, n)
    kept.set(added, 100)
    for (const number of dropped) kept.delete(number)
    assert.ok(kept.size <= 12 && kept.size >= Math.min(n + 1, 11))
  }
  const whole = new Links(1_000)
  for (const [number, bytes] of kept) assert.equal(whole.restore(number, bytes), true)
  assert.equal(whole.extend(1).added, 5_000)
  assert.equal(whole.restore(5_002, 1), false)
})
