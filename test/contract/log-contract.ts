// What every Log must do; memory, embedded and Kafka run the same. Offsets may have gaps (Kafka's markers take some),
// records may arrive late, and nothing is asked that only one adapter can do.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { OutcomeUnknown, PartitionFenced, RecordRefused, TransientFault } from '../../src/base/errors.ts'
import { partitionOfText } from '../../src/base/partitioner.ts'
import type { Log, LogRecord, OutgoingRecord, Reader, TopicSpec } from '../../src/runtime/ports.ts'
import { OffsetGone } from '../../src/runtime/ports.ts'

export interface OpenedLog {
  readonly log: Log
  /** Closes the log and opens it again; asked for by the rules of durable logs. */
  readonly reopen?: () => Promise<Log>
  readonly dispose: () => Promise<void>
}

const arrivalMs = 30_000
const lookAgainMs = 20

const bytes = (text: string) => Buffer.from(text)
const textOf = (part: Uint8Array | null) => (part === null ? null : Buffer.from(part).toString())
const valuesOf = (records: readonly LogRecord[]) => records.map(({ value }) => textOf(value))
const topicName = () => `t-${randomUUID()}`

function record(topic: string, value: string | null, more: { key?: string; partition?: number } = {}): OutgoingRecord {
  const { key, partition } = more
  return {
    topic,
    key: key === undefined ? null : bytes(key),
    value: value === null ? null : bytes(value),
    ...(partition === undefined ? {} : { partition }),
  }
}

/** A reader that can be waited for. */
function watch(log: Log, topic: string, partition: number, offset: number) {
  let wake = () => {}
  const reader: Reader = log.openReader({ topic, partition, offset, onReady: () => wake() })
  const news = () =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, lookAgainMs)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  return {
    reader,
    /** Takes until `isEnough`; fails when that does not come. */
    async until(isEnough: (taken: readonly LogRecord[]) => boolean, max = 1_000): Promise<LogRecord[]> {
      const taken: LogRecord[] = []
      const givenUpAt = Date.now() + arrivalMs
      for (;;) {
        const arrival = news()
        const some = reader.take(max)
        assert.ok(some.length <= max)
        taken.push(...some)
        if (isEnough(taken)) return taken
        assert.ok(Date.now() < givenUpAt, `only ${taken.length} records of ${topic}/${partition} arrived`)
        if (some.length === 0) await arrival
      }
    },
  }
}

async function readAll(log: Log, topic: string, partition = 0, from?: number): Promise<LogRecord[]> {
  const { earliest, committedEnd } = await log.offsets(topic, partition)
  const watched = watch(log, topic, partition, from ?? earliest)
  try {
    return await watched.until(() => watched.reader.position >= committedEnd)
  } finally {
    watched.reader.close()
  }
}

async function failureOf(reader: Reader): Promise<unknown> {
  const givenUpAt = Date.now() + arrivalMs
  while (Date.now() < givenUpAt) {
    try {
      assert.deepEqual(reader.take(10), [])
    } catch (error) {
      return error
    }
    await new Promise((resolve) => setTimeout(resolve, lookAgainMs))
  }
  return undefined
}

async function createTopic(log: Log, cleanup: TopicSpec['cleanup'] = 'unlimited', partitions = 1): Promise<string> {
  const name = topicName()
  await log.createTopics([{ name, partitions, cleanup }])
  return name
}

/** Registers the rules; those of a log that outlives its process where it `isDurable`. */
export function logContract(
  name: string,
  open: () => Promise<OpenedLog>,
  { isDurable = true }: { readonly isDurable?: boolean } = {},
): void {
  function rule(title: string, body: (log: Log) => Promise<void>): void {
    test(`${name}: ${title}`, async () => {
      const opened = await open()
      try {
        await body(opened.log)
      } finally {
        await opened.dispose()
      }
    })
  }

  rule('topics are described with their partitions and an id of their own', async (log) => {
    const [a, b, absent] = [await createTopic(log, 'unlimited', 3), await createTopic(log), topicName()]
    const found = await log.describeTopics([a, b, absent])
    assert.deepEqual([...found.keys()].sort(), [a, b].sort())
    assert.equal(found.get(a)?.partitions, 3)
    assert.ok(found.get(a)!.recordBytesMax >= 1_000_000)
    assert.notEqual(found.get(a)?.id, found.get(b)?.id)
    const listed = (await log.listTopics()).map((topic) => topic.name).filter((topic) => found.has(topic))
    assert.deepEqual(listed, [a, b].sort())
  })

  rule('creating topics leaves alone what exists', async (log) => {
    const topic = await createTopic(log, 'unlimited', 2)
    const before = (await log.describeTopics([topic])).get(topic)
    const other = topicName()
    await log.createTopics([
      { name: topic, partitions: 5, cleanup: 'compacted' },
      { name: other, partitions: 1, cleanup: 'unlimited' },
    ])
    assert.deepEqual((await log.describeTopics([topic])).get(topic), before)
    assert.equal((await log.describeTopics([other])).size, 1)
  })

  rule('two calls that create one topic at the same time agree on it', async (log) => {
    const spec: TopicSpec = { name: topicName(), partitions: 2, cleanup: 'unlimited' }
    await Promise.all([log.createTopics([spec]), log.createTopics([spec])])
    assert.equal((await log.listTopics()).filter((topic) => topic.name === spec.name).length, 1)
  })

  rule('records of a partition are read in the order they were produced in, over many transactions', async (log) => {
    const topic = await createTopic(log)
    const producer = await log.openProducer(randomUUID())
    const expected: string[] = []
    for (let i = 0; i < 30; i++) {
      const values = [`${i}-a`, `${i}-b`, `${i}-c`]
      expected.push(...values)
      await producer.transact(values.map((value) => record(topic, value)))
    }
    const read = await readAll(log, topic)
    assert.deepEqual(valuesOf(read), expected)
    for (const [index, { offset }] of read.entries()) {
      if (index > 0) assert.ok(offset > read[index - 1]!.offset)
    }
  })

  rule('a transaction tells where it ended in each partition', async (log) => {
    const [a, b] = [await createTopic(log, 'unlimited', 2), await createTopic(log)]
    const producer = await log.openProducer(randomUUID())
    const ends = await producer.transact([
      record(a, '1', { partition: 0 }),
      record(b, '2'),
      record(a, '3', { partition: 0 }),
      record(a, '4', { partition: 1 }),
    ])
    assert.equal(ends.length, 3)
    for (const { topic, partition, lastOffset } of ends) {
      assert.equal((await readAll(log, topic, partition)).at(-1)?.offset, lastOffset)
      const { committedEnd, end } = await log.offsets(topic, partition)
      assert.ok(committedEnd > lastOffset && end >= committedEnd)
    }
  })

  rule('an empty transaction produces nothing', async (log) => {
    const topic = await createTopic(log)
    const producer = await log.openProducer(randomUUID())
    assert.deepEqual(await producer.transact([]), [])
    assert.equal((await log.offsets(topic, 0)).end, 0)
  })

  rule('once a transaction is answered, all of it can be read, in every topic and partition', async (log) => {
    const topics = [await createTopic(log, 'unlimited', 2), await createTopic(log), await createTopic(log, 'compacted')]
    const producer = await log.openProducer(randomUUID())
    for (let i = 0; i < 5; i++) {
      await producer.transact([
        record(topics[0]!, `${i}`, { partition: 0 }),
        record(topics[0]!, `${i}`, { partition: 1 }),
        record(topics[1]!, `${i}`),
        record(topics[2]!, `${i}`, { key: `k${i}` }),
      ])
      for (const [topic, partition] of [
        [0, 0],
        [0, 1],
        [1, 0],
        [2, 0],
      ] as const) {
        const read = await readAll(log, topics[topic]!, partition)
        assert.deepEqual(
          valuesOf(read),
          Array.from({ length: i + 1 }, (_, n) => `${n}`),
        )
      }
    }
  })

  rule('a waiting reader is told of what arrives, and its position follows what it took', async (log) => {
    const topic = await createTopic(log)
    const watched = watch(log, topic, 0, 0)
    assert.deepEqual(watched.reader.take(10), [])
    assert.equal(watched.reader.position, 0)
    const producer = await log.openProducer(randomUUID())
    await producer.transact(['a', 'b', 'c', 'd', 'e'].map((value) => record(topic, value)))
    const first = await watched.until((taken) => taken.length > 0, 2)
    assert.ok(watched.reader.position > first.at(-1)!.offset)
    const { committedEnd } = await log.offsets(topic, 0)
    const rest = await watched.until(() => watched.reader.position >= committedEnd, 2)
    assert.deepEqual(valuesOf([...first, ...rest]), ['a', 'b', 'c', 'd', 'e'])
    assert.deepEqual(watched.reader.take(10), [])
    watched.reader.close()
  })

  rule('a reader begins at any offset', async (log) => {
    const topic = await createTopic(log)
    const producer = await log.openProducer(randomUUID())
    for (const value of ['a', 'b', 'c']) await producer.transact([record(topic, value), record(topic, value + value)])
    const all = await readAll(log, topic)
    for (const [index, { offset }] of all.entries()) {
      assert.deepEqual(valuesOf(await readAll(log, topic, 0, offset)), valuesOf(all.slice(index)))
    }
    const { committedEnd } = await log.offsets(topic, 0)
    assert.deepEqual(await readAll(log, topic, 0, committedEnd), [])
  })

  rule('several readers of a partition each get everything', async (log) => {
    const topic = await createTopic(log)
    const watched = [watch(log, topic, 0, 0), watch(log, topic, 0, 0)]
    const producer = await log.openProducer(randomUUID())
    await producer.transact(['a', 'b'].map((value) => record(topic, value)))
    for (const each of watched) {
      assert.deepEqual(valuesOf(await each.until((taken) => taken.length >= 2)), ['a', 'b'])
      each.reader.close()
    }
  })

  rule('a reader tells how far it is behind what is committed, and since when', async (log) => {
    const topic = await createTopic(log)
    const producer = await log.openProducer(randomUUID())
    const beganMs = Date.now()
    for (const value of ['a', 'b', 'c']) await producer.transact([record(topic, value)])
    const { committedEnd } = await log.offsets(topic, 0)
    // Opened after all is committed: a reader knows what there was when it last asked, and one that was opened before
    // may have been answered before the last marker was written.
    const { reader, until } = watch(log, topic, 0, 0)
    await until((taken) => taken.length === 1, 1)
    // The markers of transactions count until they are passed.
    assert.equal(reader.behind?.records, committedEnd - reader.position)
    assert.ok(reader.behind.records >= 2)
    const { sinceMs } = reader.behind
    assert.ok(sinceMs === undefined || Math.abs(sinceMs - beganMs) < 60_000)
    await until(() => reader.position >= committedEnd)
    assert.deepEqual(reader.behind, { records: 0, sinceMs: undefined })
    await producer.transact([record(topic, 'd')])
    const after = await log.offsets(topic, 0)
    await until(() => reader.position >= after.committedEnd)
    assert.equal(reader.behind.records, 0)
    reader.close()
  })

  rule('a closed reader gives nothing and is told nothing', async (log) => {
    const topic = await createTopic(log)
    let told = 0
    const reader = log.openReader({ topic, partition: 0, offset: 0, onReady: () => told++ })
    reader.close()
    const producer = await log.openProducer(randomUUID())
    await producer.transact([record(topic, 'a')])
    await readAll(log, topic)
    assert.equal(told, 0)
  })

  rule('keys, values, headers and times come back as they went in, absent and empty ones too', async (log) => {
    const topic = await createTopic(log)
    const producer = await log.openProducer(randomUUID())
    const headers = [
      { key: 'traceparent', value: bytes('00-1') },
      { key: 'ünïcode', value: new Uint8Array(0) },
      { key: 'traceparent', value: Buffer.of(0, 255) },
    ]
    await producer.transact([
      { topic, key: null, value: bytes('no key') },
      { topic, key: bytes('tombstone'), value: null },
      { topic, key: bytes(''), value: bytes('') },
      { topic, key: Buffer.of(0, 255, 10), value: Buffer.of(255, 0), headers },
    ])
    const read = await readAll(log, topic)
    const plain = read.map(({ key, value }) => [key && [...key], value && [...value]])
    assert.deepEqual(plain, [
      [null, [...bytes('no key')]],
      [[...bytes('tombstone')], null],
      [[], []],
      [
        [0, 255, 10],
        [255, 0],
      ],
    ])
    assert.deepEqual(
      read[3]!.headers.map(({ key, value }) => [key, ...value]),
      headers.map(({ key, value }) => [key, ...value]),
    )
    assert.deepEqual(
      read.map((taken) => taken.headers.length),
      [0, 0, 0, 3],
    )
    for (const { timestampMs, topic: from, partition } of read) {
      assert.deepEqual([from, partition], [topic, 0])
      assert.ok(Number.isFinite(timestampMs))
    }
  })

  rule('a record of nearly a megabyte passes', async (log) => {
    const topic = await createTopic(log)
    const producer = await log.openProducer(randomUUID())
    const large = Buffer.alloc(1_000_000, 'x')
    await producer.transact([record(topic, 'before'), { topic, key: null, value: large }, record(topic, 'after')])
    const read = await readAll(log, topic)
    assert.equal(read.length, 3)
    assert.ok(large.equals(read[1]!.value!))
  })

  rule('a record without a partition goes where its key hashes to; without a key, anywhere', async (log) => {
    const topic = await createTopic(log, 'unlimited', 5)
    const producer = await log.openProducer(randomUUID())
    const keys = Array.from({ length: 20 }, (_, i) => `order-${i}`)
    await producer.transact([...keys.map((key) => record(topic, key, { key })), record(topic, 'keyless')])
    let keyless = 0
    for (let partition = 0; partition < 5; partition++) {
      for (const { key, value } of await readAll(log, topic, partition)) {
        if (key === null) keyless++
        else assert.equal(partitionOfText(textOf(value)!, 5), partition)
      }
    }
    assert.equal(keyless, 1)
  })

  const refusals: [string, string, (topic: string) => OutgoingRecord][] = [
    ['too large', 'record-too-large', (topic) => ({ topic, key: null, value: Buffer.alloc(3_000_000) })],
    ['for an unknown topic', 'unknown-topic', () => record(topicName(), 'x')],
    ['for a partition that does not exist', 'bad-partition', (topic) => record(topic, 'x', { partition: 99 })],
  ]
  for (const [what, reason, refused] of refusals) {
    rule(`of a transaction with a record ${what}, nothing is produced and the producer goes on`, async (log) => {
      const topic = await createTopic(log)
      const producer = await log.openProducer(randomUUID())
      await assert.rejects(producer.transact([record(topic, 'a'), refused(topic), record(topic, 'b')]), (error) => {
        assert.ok(error instanceof RecordRefused)
        assert.deepEqual([error.index, error.reason], [1, reason])
        return true
      })
      await producer.transact([record(topic, 'next')])
      assert.deepEqual(valuesOf(await readAll(log, topic)), ['next'])
    })
  }

  rule('opening a transactional id again fences the producer before', async (log) => {
    const topic = await createTopic(log)
    const id = randomUUID()
    const older = await log.openProducer(id)
    await older.transact([record(topic, 'older')])
    const newer = await log.openProducer(id)
    await assert.rejects(older.transact([record(topic, 'zombie')]), PartitionFenced)
    await newer.transact([record(topic, 'newer')])
    await assert.rejects(older.transact([record(topic, 'zombie')]), PartitionFenced)
    assert.deepEqual(valuesOf(await readAll(log, topic)), ['older', 'newer'])
  })

  rule('what a fenced producer had under way is decided before its successor is opened', async (log) => {
    const topic = await createTopic(log)
    const id = randomUUID()
    const older = await log.openProducer(id)
    const underWay = older.transact([record(topic, 'under way')]).then(
      () => true,
      (error: unknown) => {
        assert.ok(error instanceof PartitionFenced || error instanceof OutcomeUnknown, String(error))
        return false
      },
    )
    const newer = await log.openProducer(id)
    const { committedEnd, end } = await log.offsets(topic, 0)
    assert.equal(committedEnd, end)
    const before = valuesOf(await readAll(log, topic))
    await newer.transact([record(topic, 'newer')])
    if (await underWay) assert.deepEqual(before, ['under way'])
    assert.deepEqual(valuesOf(await readAll(log, topic)), [...before, 'newer'])
  })

  rule('producers of other ids are not disturbed, and a closed one can be opened again', async (log) => {
    const topic = await createTopic(log)
    const [a, b] = [randomUUID(), randomUUID()]
    const other = await log.openProducer(b)
    const closed = await log.openProducer(a)
    await closed.close()
    const again = await log.openProducer(a)
    await again.transact([record(topic, '1')])
    await other.transact([record(topic, '2')])
    assert.deepEqual(valuesOf(await readAll(log, topic)), ['1', '2'])
  })

  rule('many producers at once lose and repeat nothing, and each keeps its order', async (log) => {
    const topic = await createTopic(log, 'unlimited', 4)
    const rounds = 25
    await Promise.all(
      Array.from({ length: 8 }, async (_, p) => {
        const producer = await log.openProducer(randomUUID())
        for (let i = 0; i < rounds; i++) {
          // One record to each partition: a transaction that is seen in part would show.
          const values = [0, 1, 2, 3].map((partition) => record(topic, `${p}:${i}`, { partition }))
          await producer.transact(values)
        }
      }),
    )
    for (let partition = 0; partition < 4; partition++) {
      const values = valuesOf(await readAll(log, topic, partition))
      assert.equal(values.length, 8 * rounds)
      for (let p = 0; p < 8; p++) {
        const own = values.filter((value) => value!.startsWith(`${p}:`))
        assert.deepEqual(
          own,
          Array.from({ length: rounds }, (_, i) => `${p}:${i}`),
        )
      }
    }
  })

  rule('records below an offset are forgotten, and the rest stays', async (log) => {
    const topic = await createTopic(log)
    const producer = await log.openProducer(randomUUID())
    for (const value of ['a', 'b', 'c', 'd']) await producer.transact([record(topic, value)])
    const all = await readAll(log, topic)
    await log.deleteRecords(topic, 0, all[2]!.offset)
    assert.equal((await log.offsets(topic, 0)).earliest, all[2]!.offset)
    assert.deepEqual(valuesOf(await readAll(log, topic)), ['c', 'd'])
    await producer.transact([record(topic, 'e')])
    assert.deepEqual(valuesOf(await readAll(log, topic)), ['c', 'd', 'e'])
  })

  rule('a partition that was emptied goes on at the offset where it was', async (log) => {
    const topic = await createTopic(log)
    const producer = await log.openProducer(randomUUID())
    await producer.transact([record(topic, 'a')])
    const { committedEnd } = await log.offsets(topic, 0)
    await log.deleteRecords(topic, 0, committedEnd)
    assert.deepEqual((await log.offsets(topic, 0)).earliest, committedEnd)
    assert.deepEqual(await readAll(log, topic), [])
    await producer.transact([record(topic, 'b')])
    const [next] = await readAll(log, topic)
    assert.ok(next!.offset >= committedEnd)
  })

  rule('a reader below the earliest or beyond the end is told where the log begins and ends', async (log) => {
    const topic = await createTopic(log)
    const producer = await log.openProducer(randomUUID())
    for (const value of ['a', 'b', 'c']) await producer.transact([record(topic, value)])
    const all = await readAll(log, topic)
    await log.deleteRecords(topic, 0, all[1]!.offset)
    const { earliest, end } = await log.offsets(topic, 0)
    for (const offset of [0, end + 100]) {
      const reader = log.openReader({ topic, partition: 0, offset, onReady: () => {} })
      const failure = await failureOf(reader)
      assert.ok(failure instanceof OffsetGone, String(failure))
      assert.deepEqual([failure.earliest, failure.end], [earliest, end])
      assert.throws(() => reader.take(1), OffsetGone)
      reader.close()
    }
  })

  rule('asking for the offsets of what does not exist is a transient fault', async (log) => {
    const topic = await createTopic(log)
    await assert.rejects(log.offsets(topicName(), 0), TransientFault)
    await assert.rejects(log.offsets(topic, 7), TransientFault)
  })

  rule('a compacted topic gives at least the last record of each key, in order of offsets', async (log) => {
    const topic = await createTopic(log, 'compacted')
    const producer = await log.openProducer(randomUUID())
    await producer.transact([
      record(topic, 'a1', { key: 'a' }),
      record(topic, 'b1', { key: 'b' }),
      record(topic, 'c1', { key: 'c' }),
    ])
    await producer.transact([
      record(topic, 'a2', { key: 'a' }),
      record(topic, null, { key: 'b' }),
      { ...record(topic, 'd1', { key: 'd' }), headers: [{ key: 'h', value: bytes('v') }] },
    ])
    await producer.transact([record(topic, 'a3', { key: 'a' })])
    const read = await readAll(log, topic)
    const last = new Map<string, string>()
    let before = -1
    for (const { key, value, offset, headers } of read) {
      assert.ok(offset > before)
      before = offset
      if (textOf(value) === 'd1')
        assert.deepEqual(
          headers.map((header) => header.key),
          ['h'],
        )
      if (value === null) last.delete(textOf(key)!)
      else last.set(textOf(key)!, textOf(value)!)
    }
    assert.deepEqual(Object.fromEntries(last), { a: 'a3', c: 'c1', d: 'd1' })
  })

  rule('a reader that waits on a compacted topic sees each record, removals too', async (log) => {
    const topic = await createTopic(log, 'compacted')
    const watched = watch(log, topic, 0, 0)
    const producer = await log.openProducer(randomUUID())
    for (const value of ['1', '2', null]) {
      await producer.transact([record(topic, value, { key: 'k' })])
      const taken = await watched.until((some) => some.length > 0)
      assert.deepEqual(valuesOf(taken), [value])
    }
    watched.reader.close()
  })

  rule('a compacted topic is read to its end even where its last records are gone', async (log) => {
    const topic = await createTopic(log, 'compacted')
    const producer = await log.openProducer(randomUUID())
    await producer.transact([record(topic, '1', { key: 'stays' }), record(topic, '2', { key: 'goes' })])
    await producer.transact([record(topic, null, { key: 'goes' })])
    const read = await readAll(log, topic) // ends by its position having reached the end
    assert.equal(textOf(read[0]!.key), 'stays')
  })

  rule('closing the log while readers and producers are open is quiet', async (log) => {
    const topic = await createTopic(log)
    const watched = watch(log, topic, 0, 0)
    const producer = await log.openProducer(randomUUID())
    await producer.transact([record(topic, 'a')])
    await log.close()
    assert.doesNotThrow(() => watched.reader.take(10))
  })

  if (!isDurable) return
  test(`${name}: what was answered is there after the log is opened again`, async () => {
    const opened = await open()
    try {
      assert.ok(opened.reopen !== undefined, 'a durable log can be opened again')
      const [topic, state] = [await createTopic(opened.log, 'unlimited', 2), await createTopic(opened.log, 'compacted')]
      const id = randomUUID()
      const producer = await opened.log.openProducer(id)
      for (const value of ['a', 'b', 'c', 'd']) {
        await producer.transact([
          record(topic, value, { partition: 1 }),
          record(state, value, { key: value < 'c' ? 'k' : value }),
        ])
      }
      const all = await readAll(opened.log, topic, 1)
      await opened.log.deleteRecords(topic, 1, all[1]!.offset)
      const before = await opened.log.describeTopics([topic, state])
      const ends = [await opened.log.offsets(topic, 1), await opened.log.offsets(state, 0)]

      const log = await opened.reopen()
      assert.deepEqual(await log.describeTopics([topic, state]), before)
      assert.deepEqual([await log.offsets(topic, 1), await log.offsets(state, 0)], ends)
      assert.deepEqual(valuesOf(await readAll(log, topic, 1)), ['b', 'c', 'd'])
      const again = await log.openProducer(id)
      await again.transact([record(topic, 'e', { partition: 1 })])
      const read = await readAll(log, topic, 1)
      assert.deepEqual(valuesOf(read), ['b', 'c', 'd', 'e'])
      assert.ok(read.at(-1)!.offset >= ends[0]!.end)
    } finally {
      await opened.dispose()
    }
  })
}
