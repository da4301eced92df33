import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test, type TestContext } from 'node:test'
import { openEmbeddedLog, type EmbeddedLog } from '../../src/adapters/embedded/log.ts'
import { systemClock } from '../../src/adapters/system/clock.ts'
import { ConfigError, StoreCorrupted } from '../../src/base/errors.ts'
import { silentLogger } from '../../src/base/logger.ts'

const text = (part: Uint8Array | null | undefined) => Buffer.from(part ?? []).toString()

async function folder(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'dw-crash-'))
  t.after(() => rm(directory, { recursive: true, force: true }))
  return directory
}

const openIn = (directory: string) =>
  openEmbeddedLog({ directory, app: 'crash', clock: systemClock, logger: silentLogger })

async function read(log: EmbeddedLog, topic: string, partition: number) {
  const { end, earliest } = await log.offsets(topic, partition)
  const taken: { key: string; value: string }[] = []
  let wake = () => {}
  const reader = log.openReader({ topic, partition, offset: earliest, onReady: () => wake() })
  while (reader.position < end) {
    const arrival = new Promise<void>((resolve) => (wake = resolve))
    const some = reader.take(10_000)
    taken.push(...some.map(({ key, value }) => ({ key: text(key), value: text(value) })))
    if (some.length === 0) await arrival
  }
  reader.close()
  return taken
}

test('kill -9 under load loses nothing acknowledged, and no transaction is there in part', async (t) => {
  const directory = await folder(t)
  const acknowledged = new Map<string, number>()
  for (let cycle = 1; cycle <= 4; cycle++) {
    const worker = spawn(process.execPath, [join(import.meta.dirname, 'embedded-crash-worker.ts'), directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const exited = new Promise((resolve) => worker.once('exit', (_code, signal) => resolve(signal)))
    let lines = 0
    for await (const line of createInterface({ input: worker.stdout })) {
      const [name, count] = line.split(' ')
      acknowledged.set(name!, Number(count))
      if (++lines === 150 * cycle) worker.kill('SIGKILL')
    }
    assert.equal(await exited, 'SIGKILL')

    const log = await openIn(directory)
    const [first, second] = [await read(log, 'a', 0), await read(log, 'a', 1)]
    const state = await log.openStoreOf('s', 0)
    for (const [name, count] of acknowledged) {
      const counts = first.filter(({ key }) => key === name).map(({ value }) => Number(value))
      assert.deepEqual(
        counts,
        Array.from(counts, (_, index) => index),
        'nothing lost, nothing doubled',
      )
      assert.ok(counts.length > count, `${name} was told ${count}`)
      assert.equal(Number(text(state.get(name))), counts.length - 1)
    }
    assert.deepEqual(second, first)
    await log.close()
  }
})

/** A log of 120 groups that each hold the same number three times, and how many there are. */
async function createCounted(directory: string): Promise<number> {
  const log = await openIn(directory)
  await log.createTopics([
    { name: 'a', partitions: 2, cleanup: 'unlimited' },
    { name: 's', partitions: 1, cleanup: 'compacted' },
  ])
  const producer = await log.openProducer('p')
  for (let i = 0; i < 120; i++) {
    const value = Buffer.from(`${i}`)
    await producer.transact([
      { topic: 'a', partition: 0, key: null, value },
      { topic: 'a', partition: 1, key: null, value: Buffer.from(`${i}`.padEnd(300)) },
      { topic: 's', partition: 0, key: Buffer.from(`k${i}`), value },
    ])
  }
  await log.close()
  return 120
}

/** How many whole groups there are; fails where what is there is no prefix. */
async function countPrefix(directory: string): Promise<number> {
  const log = await openIn(directory)
  try {
    if ((await log.describeTopics(['a', 's'])).size === 0) return 0
    const [first, second] = [await read(log, 'a', 0), await read(log, 'a', 1)]
    const state = await (await log.openStoreOf('s', 0)).list({ from: '', to: '~', limit: 1_000 })
    assert.deepEqual(
      first.map(({ value }) => Number(value)),
      Array.from(first, (_, index) => index),
    )
    assert.deepEqual(
      second.map(({ value }) => Number(value)),
      Array.from(first, (_, index) => index),
    )
    assert.deepEqual(new Set(state.map(({ value }) => Number(text(value)))), new Set(Array.from(first, (_, i) => i)))
    return first.length
  } finally {
    await log.close()
  }
}

test('a write-ahead file with a torn tail opens with a prefix of whole groups where nothing says that more was acknowledged', async (t) => {
  const original = await folder(t)
  const groups = await createCounted(original)
  await rm(join(original, 'checkpoint'))
  const name = (await readdir(original)).find((file) => file.endsWith('.log'))!
  const { size } = await stat(join(original, name))
  let before = groups
  for (let cut = 0; cut < size; cut += cut < 40 ? 1 : 1_777) {
    const copy = await folder(t)
    await cp(original, copy, { recursive: true })
    await truncate(join(copy, name), size - cut)
    const left = await countPrefix(copy)
    assert.ok(left <= before, `${left} groups with ${cut} bytes less`)
    before = left
  }
  assert.ok(before < groups / 10)
})

test('an acknowledged end that is missing is refused, until a person takes the checkpoint away', async (t) => {
  const directory = await folder(t)
  const groups = await createCounted(directory)
  const name = (await readdir(directory)).find((file) => file.endsWith('.log'))!
  const { size } = await stat(join(directory, name))
  await truncate(join(directory, name), size - 1)
  await assert.rejects(openIn(directory), { code: 'DW_DATA_CORRUPTED' })
  await assert.rejects(openIn(directory), { code: 'DW_DATA_CORRUPTED' })
  await rm(join(directory, 'checkpoint'))
  assert.equal(await countPrefix(directory), groups - 1)
  assert.equal(await countPrefix(directory), groups - 1)
})

test('a log of which nothing but its checkpoint is left is not taken for a new one', async (t) => {
  const directory = await folder(t)
  await createCounted(directory)
  for (const file of await readdir(directory)) if (file !== 'checkpoint') await rm(join(directory, file))
  await assert.rejects(openIn(directory), { code: 'DW_DATA_CORRUPTED' })
})

test('flipped bits end in a refusal or in all that was written, never in less and never in other data', async (t) => {
  const original = await folder(t)
  const groups = await createCounted(original)
  const outcomes = { refused: 0, whole: 0 }
  let seed = 7
  const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below
  const names = (await readdir(original)).filter((name) => /\.log$|^MANIFEST|^CURRENT$|^checkpoint$/.test(name))
  for (let i = 0; i < 90; i++) {
    const copy = await folder(t)
    await cp(original, copy, { recursive: true })
    const path = join(copy, names[i % names.length]!)
    const content = await readFile(path)
    const at = random(content.length)
    content[at] = content[at]! ^ (1 << random(8))
    await writeFile(path, content)
    try {
      assert.equal(await countPrefix(copy), groups)
      outcomes.whole++
    } catch (error) {
      assert.ok(
        error instanceof ConfigError || error instanceof StoreCorrupted,
        `byte ${at} of ${path}: ${String(error)}`,
      )
      outcomes.refused++
    }
    await rm(copy, { recursive: true })
  }
  assert.ok(outcomes.refused > 30, JSON.stringify(outcomes))
})

test('a lost CURRENT or MANIFEST is refused, and nothing is deleted', async (t) => {
  for (const lost of [/^CURRENT$/, /^MANIFEST/]) {
    const directory = await folder(t)
    await createCounted(directory)
    await rm(
      join(
        directory,
        (await readdir(directory)).find((name) => lost.test(name))!,
      ),
    )
    const files = await readdir(directory)
    await assert.rejects(openIn(directory), { code: 'DW_DATA_CORRUPTED' })
    const kept = await readdir(directory)
    assert.ok(files.filter((name) => /\d/.test(name)).every((name) => kept.includes(name)))
  }
})
