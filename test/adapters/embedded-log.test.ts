import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { openLevel, type LevelHandle } from '../../src/adapters/embedded/database.ts'
import { openEmbeddedLog, type EmbeddedLog, type EmbeddedLogOptions } from '../../src/adapters/embedded/log.ts'
import { ManualClock } from '../../src/adapters/memory/clock.ts'
import { ConfigError, InvariantViolation, OutcomeUnknown, TransientFault } from '../../src/base/errors.ts'
import { silentLogger } from '../../src/base/logger.ts'
import type { LogRecord, OutgoingRecord, TopicSpec } from '../../src/runtime/ports.ts'

const bytes = (text: string) => Buffer.from(text)
const record = (topic: string, value: string, partition = 0, key = value): OutgoingRecord => ({
  topic,
  partition,
  key: bytes(key),
  value: bytes(value),
})
const valuesOf = (records: readonly LogRecord[]) => records.map(({ value }) => Buffer.from(value!).toString())

async function folder(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'dw-embedded-'))
  t.after(() => rm(directory, { recursive: true, force: true }))
  return directory
}

async function openIn(directory: string, options: Partial<EmbeddedLogOptions> = {}): Promise<EmbeddedLog> {
  return openEmbeddedLog({ directory, app: 'test', clock: new ManualClock(1_000), logger: silentLogger, ...options })
}

/** A log of its own with topics `a` (unlimited), `s` (compacted) and `r` (retained). */
async function openLog(t: TestContext, options: Partial<EmbeddedLogOptions> = {}, partitions = 2) {
  const directory = await folder(t)
  const log = await openIn(directory, options)
  t.after(() => log.close())
  const cleanups: Record<string, TopicSpec['cleanup']> = { a: 'unlimited', s: 'compacted', r: 'retained' }
  await log.createTopics(Object.entries(cleanups).map(([name, cleanup]) => ({ name, partitions, cleanup })))
  return { log, directory }
}

/** Everything of a partition from an offset on, as a reader gives it. */
async function read(log: EmbeddedLog, topic: string, offset = 0, partition = 0): Promise<LogRecord[]> {
  const { end } = await log.offsets(topic, partition)
  const taken: LogRecord[] = []
  let wake = () => {}
  const reader = log.openReader({ topic, partition, offset, onReady: () => wake() })
  while (reader.position < end) {
    const arrival = new Promise<void>((resolve) => (wake = resolve))
    const some = reader.take(100)
    taken.push(...some)
    if (some.length === 0) await arrival
  }
  reader.close()
  return taken
}

const hasCode = (code: string) => (error: unknown) => error instanceof ConfigError && error.code === code

/** A disk that counts the writes, and fails them while it is told to. */
function createDisk() {
  const disk = {
    synced: 0,
    failure: undefined as string | undefined,
    opens: 0,
    open: async (directory: string): Promise<LevelHandle> => {
      disk.opens++
      const level = await openLevel(directory)
      const batchOf = level.batch.bind(level) as () => ReturnType<LevelHandle['batch']>
      const intercepted = () => {
        const batch = batchOf()
        const write = batch.write.bind(batch)
        const counted = async (options: { sync?: boolean | undefined } = {}) => {
          if (disk.failure !== undefined) throw new Error(`IO error: 000003.log: ${disk.failure}`)
          if (options.sync === true) disk.synced++
          return write(options)
        }
        return Object.assign(batch, { write: counted })
      }
      return Object.assign(level, { batch: intercepted })
    },
  }
  return disk
}

test('transactions that wait for the disk share one synced write, and each hears of its own offsets', async (t) => {
  const disk = createDisk()
  const { log } = await openLog(t, { openLevel: disk.open })
  const producers = await Promise.all(Array.from({ length: 20 }, (_, p) => log.openProducer(`p${p}`)))
  const before = disk.synced
  const ends = await Promise.all(
    producers.map((producer, p) => producer.transact([record('a', `${p}`), record('a', `${p}`, 1)])),
  )
  assert.equal(disk.synced - before, 1)
  assert.deepEqual(ends[7], [
    { topic: 'a', partition: 0, lastOffset: 7 },
    { topic: 'a', partition: 1, lastOffset: 7 },
  ])
})

test('what arrives during a write is the next group', async (t) => {
  const disk = createDisk()
  const { log } = await openLog(t, { openLevel: disk.open })
  const producers = await Promise.all(['p', 'q', 'r'].map((id) => log.openProducer(id)))
  const before = disk.synced
  const first = producers[0]!.transact([record('a', '1')])
  await Promise.resolve() // the first write has begun
  await Promise.resolve()
  await Promise.all([first, producers[1]!.transact([record('a', '2')]), log.produce([record('a', '3')])])
  assert.equal(disk.synced - before, 2)
  assert.deepEqual(valuesOf(await read(log, 'a')), ['1', '2', '3'])
})

test('a producer with a transaction under way takes no other', async (t) => {
  const { log } = await openLog(t)
  const producer = await log.openProducer('p')
  const first = producer.transact([record('a', '1')])
  await assert.rejects(producer.transact([record('a', '2')]), InvariantViolation)
  await first
})

test('a reader sees nothing before the write is durable', async (t) => {
  const { log } = await openLog(t)
  let isDurable = false
  const seen: boolean[] = []
  const reader = log.openReader({ topic: 'a', partition: 0, offset: 0, onReady: () => seen.push(isDurable) })
  const producer = await log.openProducer('p')
  const done = producer.transact([record('a', '1')]).then(() => (isDurable = true))
  assert.equal(reader.take(1).length, 0)
  await done
  assert.deepEqual(valuesOf(reader.take(9)), ['1'])
  assert.equal(seen.length, 1)
})

test('a reader that is not emptied falls behind and catches up from the disk, in order', async (t) => {
  const { log } = await openLog(t)
  const reader = log.openReader({ topic: 'a', partition: 0, offset: 0, onReady: () => wake() })
  let wake = () => {}
  const value = Buffer.alloc(400_000, 'x')
  for (let i = 0; i < 40; i++) {
    await log.produce([{ topic: 'a', partition: 0, key: bytes(`${i}`), value }])
  }
  const offsets: number[] = []
  while (offsets.length < 40) {
    const arrival = new Promise<void>((resolve) => (wake = resolve))
    const taken = reader.take(3)
    assert.ok(reader.position >= (taken.at(-1)?.offset ?? -1) + 1)
    offsets.push(...taken.map(({ offset }) => offset))
    if (taken.length === 0) await arrival
  }
  assert.deepEqual(
    offsets,
    Array.from({ length: 40 }, (_, i) => i),
  )
})

test('producing tells each record where it went, or why not', async (t) => {
  const { log } = await openLog(t)
  const outcomes = await log.produce([
    record('a', '1'),
    record('nowhere', '2'),
    { topic: 'a', key: null, value: Buffer.alloc(2_000_000) },
    { topic: 's', key: null, value: bytes('no key') },
    record('a', '3', 9),
    record('a', '4'),
  ])
  assert.deepEqual(
    outcomes.map((outcome) => ('error' in outcome ? outcome.error : outcome)),
    [
      { partition: 0, offset: 0 },
      'unknown-topic',
      'record-too-large',
      'key-missing',
      'bad-partition',
      { partition: 0, offset: 1 },
    ],
  )
})

test('the store of a changelog is as far as the log: P3', async (t) => {
  const { log } = await openLog(t)
  const store = await log.openStoreOf('s', 0)
  const producer = await log.openProducer('p')
  await producer.transact([record('s', 'v', 0, 'k')])
  assert.equal(store.position?.offset, 1)
  const topicId = store.position.topicId
  await store.apply([], { topicId, offset: 1 })
  for (const position of [
    { topicId, offset: 0 },
    { topicId, offset: 2 },
    { topicId: 'other', offset: 1 },
  ]) {
    assert.throws(() => store.apply([], position), InvariantViolation)
  }
  await assert.rejects(store.destroy(), hasCode('DW_DATA_CORRUPTED'))
  assert.equal(Buffer.from(store.get('k')!).toString(), 'v')
  await assert.rejects(log.openStoreOf('a', 0), InvariantViolation)
})

test('a failed write leaves its group unknown and what waits undone, and the log recovers by itself', async (t) => {
  const disk = createDisk()
  const clock = new ManualClock(1_000)
  const { log } = await openLog(t, { openLevel: disk.open, clock })
  const [p, q] = [await log.openProducer('p'), await log.openProducer('q')]
  await p.transact([record('a', 'before'), record('s', 'before')])
  const reader = log.openReader({ topic: 'a', partition: 0, offset: 1, onReady: () => {} })

  disk.failure = 'No space left on device'
  const unknown = p.transact([record('a', 'lost')])
  await Promise.resolve()
  await Promise.resolve()
  const undone = q.transact([record('a', 'waiting')])
  await assert.rejects(unknown, OutcomeUnknown)
  await assert.rejects(undone, TransientFault)
  await assert.rejects(log.produce([record('a', 'refused')]), /disk full/)
  await assert.rejects(log.openProducer('p'), TransientFault)
  await assert.rejects(log.offsets('a', 0), TransientFault)
  assert.match(log.problems()[0]!, /disk full/)
  assert.equal(Buffer.from((await log.openStoreOf('s', 0)).get('before')!).toString(), 'before')

  const recovered = async (isRecovered: () => boolean) => {
    // LevelDB opens at its own pace; only the waiting in between is the clock's.
    for (const givenUpAt = Date.now() + 10_000; !isRecovered() && Date.now() < givenUpAt;) {
      clock.advance(10_000)
      await new Promise((resolve) => setImmediate(resolve))
    }
    assert.ok(isRecovered())
  }
  await recovered(() => disk.opens >= 3) // tried again, in vain
  assert.equal(log.problems().length, 1)
  disk.failure = undefined
  await recovered(() => log.problems().length === 0)

  await assert.rejects(p.transact([record('a', 'x')]), OutcomeUnknown) // until it is opened again
  await (await log.openProducer('p')).transact([record('a', 'after')])
  await q.transact([record('a', 'q')])
  assert.deepEqual(valuesOf(await read(log, 'a')), ['before', 'after', 'q'])
  assert.deepEqual(valuesOf(reader.take(9)), ['after', 'q'])
})

test('with little room left producing is refused, transactions pass, and it goes on by itself', async (t) => {
  let free = 1_000_000_000
  const { log } = await openLog(t, { freeBytes: () => Promise.resolve(free) })
  const producer = await log.openProducer('p')
  free = 10_000_000
  // What was written since the last look is what makes the log look again.
  const big = Array.from({ length: 6 }, (_, i) => ({ ...record('a', `${i}`), value: Buffer.alloc(900_000) }))
  await log.produce(big)
  await new Promise((resolve) => setImmediate(resolve))
  await assert.rejects(log.produce([record('a', '1')]), TransientFault)
  assert.match(log.problems()[0]!, /disk full/)
  await producer.transact([record('a', '2')])
  free = 1_000_000_000
  assert.equal((await log.produce([record('a', '3')])).length, 1)
  assert.deepEqual(log.problems(), [])
})

test('retained topics lose their oldest records by size, and know after reopening what they hold', async (t) => {
  const directory = await folder(t)
  const retention = { ageMs: 1e12, bytes: 400_000 }
  const log = await openIn(directory, { retention })
  await log.createTopics([{ name: 'r', partitions: 2, cleanup: 'retained' }])
  for (let i = 0; i < 300; i++) {
    await log.produce(
      [0, 1].map((partition) => ({ ...record('r', `${i}`, partition), value: Buffer.alloc(5_000, `${i}`) })),
    )
  }
  const held = await log.offsets('r', 0)
  assert.ok(held.earliest >= 240 && held.earliest <= 275, `${held.earliest}`)
  assert.equal((await read(log, 'r', held.earliest)).length, 300 - held.earliest)
  await log.close()

  const again = await openIn(directory, { retention })
  t.after(() => again.close())
  assert.deepEqual(await again.offsets('r', 0), held)
  await again.createTopics([{ name: 'r', partitions: 2, cleanup: 'retained' }])
  for (let i = 0; i < 100; i++) {
    await again.produce([{ ...record('r', `${i}`), value: Buffer.alloc(5_000) }])
  }
  const { earliest, end } = await again.offsets('r', 0)
  assert.equal(end, 400)
  assert.ok((end - earliest) * 5_000 <= 400_000 && earliest > held.earliest)
})

test('retained topics lose records that are too old, written to or not', async (t) => {
  const clock = new ManualClock(0)
  const { log } = await openLog(t, { clock, retention: { ageMs: 86_400_000, bytes: 1e9 } })
  await log.produce([record('r', 'old'), record('a', 'old')])
  clock.advance(80_000_000)
  await log.produce([record('r', 'young')])
  clock.advance(10_000_000)
  await log.produce([record('a', 'x')]) // any write: the hourly look waits for the one under way
  assert.equal((await log.offsets('r', 0)).earliest, 1)
  assert.deepEqual(valuesOf(await read(log, 'r', 1)), ['young'])
  clock.advance(86_400_000)
  await log.produce([record('a', 'x')])
  assert.deepEqual(await log.offsets('r', 0), { earliest: 2, committedEnd: 2, end: 2 })
  assert.equal((await log.offsets('a', 0)).earliest, 0)
})

test('records that were deleted stay deleted, on the disk too', async (t) => {
  const { log, directory } = await openLog(t)
  for (let i = 0; i < 20; i++) {
    await log.produce(Array.from({ length: 100 }, (_, n) => record('a', `${i * 100 + n}`)))
    await log.deleteRecords('a', 0, i * 100 + 50)
  }
  assert.equal((await log.offsets('a', 0)).earliest, 1_950)
  await log.close()
  const again = await openIn(directory)
  assert.deepEqual(await again.offsets('a', 0), { earliest: 1_950, committedEnd: 2_000, end: 2_000 })
  assert.equal((await read(again, 'a', 1_950)).length, 50)
  await again.close()
  const level = await openLevel(directory)
  const chunks = await level.keys({ gte: Buffer.of(4), lt: Buffer.of(5) }).all()
  await level.close()
  assert.equal(chunks.length, 1)
})

test('a directory is one process’s, one application’s and one format’s', async (t) => {
  const { log, directory } = await openLog(t)
  await assert.rejects(openIn(directory), hasCode('DW_DATA_IN_USE'))
  await log.close()
  await assert.rejects(openIn(directory, { app: 'other' }), hasCode('DW_DATA_OF_ANOTHER_APP'))
  await (await openIn(directory)).close()
})

test('data of a newer format is refused, whoever’s it is', async (t) => {
  const { jsonEntry } = await import('../../src/adapters/embedded/codec.ts')
  const { log, directory } = await openLog(t)
  await log.close()
  const level = await openLevel(directory)
  const key = Buffer.of(0)
  await level.put(key, jsonEntry<object>().encode(key, { app: 'test', format: 2 }))
  await level.close()
  await assert.rejects(openIn(directory), hasCode('DW_DATA_NEWER'))
})

test('a closed log refuses, and closing it twice is no harm', async (t) => {
  const { log } = await openLog(t)
  const producer = await log.openProducer('p')
  await log.close()
  await log.close()
  await assert.rejects(producer.transact([record('a', '1')]), TransientFault)
  await assert.rejects(log.produce([record('a', '1')]), TransientFault)
})
