// Reading committed records only: what the log gives of partitions in which others abort, time out, or do what is unusual.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite } from 'node:test'
import { Admin } from '@platformatic/kafka'
import { RecordRefused, TransientFault } from '../../../src/base/errors.ts'
import { OffsetGone } from '../../../src/runtime/ports.ts'
import type { Log, Reader } from '../../../src/runtime/ports.ts'
import { createTopicWith } from '../../support/kafka/admin.ts'
import { produceOddWithJava, transactWithJava } from '../../support/kafka/java-producer.ts'
import {
  createTopic,
  deleteTopic,
  otherProducer,
  pause,
  readFrom,
  record,
  sendIn,
  takeUntil,
  untilDecided,
  valuesOf,
} from '../../support/kafka/kafka-world.ts'
import { casesOf } from './adapter.ts'
import type { Adapter } from './adapter.ts'

/** Reads from every offset there is, and finds what all of it and the offset say. */
export async function assertFromEveryOffset(log: Log, topic: string, expected: readonly string[]): Promise<void> {
  const all = await readFrom(log, topic)
  assert.deepEqual(valuesOf(all), expected)
  const { earliest, end } = await log.offsets(topic, 0)
  for (let offset = earliest; offset <= end; offset++) {
    const wanted = all.filter((one) => one.offset >= offset)
    assert.deepEqual(valuesOf(await readFrom(log, topic, offset)), valuesOf(wanted), `from ${offset}`)
  }
}

export function readingCases(adapter: Adapter, brokers: () => readonly string[]): void {
  const rule = casesOf(adapter)
  suite('reading', () => {
    let log: Log
    before(async () => {
      log = await adapter.openLog(brokers())
      // A new broker makes the topic of its transactions for the first of them; the clients of others wait less long.
      await (await log.openProducer(randomUUID())).close()
    })
    after(() => log.close())

    rule('overlapping-aborts', 'overlapping aborted transactions are hidden from every offset on', async () => {
      const topic = await createTopic(log)
      const [a, b, c] = [otherProducer(brokers()), otherProducer(brokers()), otherProducer(brokers())]
      const [inA, inB, inC] = [await a.begin(), await b.begin(), await c.begin()]
      await sendIn(inA, topic, ['a1'])
      await sendIn(inB, topic, ['b1', 'b2'])
      await sendIn(inC, topic, ['c1'])
      await sendIn(inA, topic, ['a2'])
      await inA.abort()
      await sendIn(inC, topic, ['c2'])
      await sendIn(inB, topic, ['b3'])
      await inC.commit()
      await sendIn(inB, topic, ['b4'])
      await inB.abort()
      await untilDecided(log, topic)
      await assertFromEveryOffset(log, topic, ['c1', 'c2'])
      await Promise.all([a.close(), b.close(), c.close()])
    })

    rule('aborts-twice', 'one producer that aborts twice in one fetch is hidden twice', async () => {
      const topic = await createTopic(log)
      const other = otherProducer(brokers())
      for (const [value, isCommitted] of [
        ['1', false],
        ['2', true],
        ['3', false],
        ['4', false],
        ['5', true],
      ] as const) {
        const transaction = await other.begin()
        await sendIn(transaction, topic, [value, `${value}'`])
        await (isCommitted ? transaction.commit() : transaction.abort())
        await untilDecided(log, topic)
      }
      await assertFromEveryOffset(log, topic, ['2', "2'", '5', "5'"])
      await other.close()
    })

    rule('large-abort', 'an aborted transaction that is larger than one fetch is hidden', async () => {
      const topic = await createTopic(log)
      const other = otherProducer(brokers())
      const large = 'x'.repeat(200_000)
      const transaction = await other.begin()
      for (let i = 0; i < 60; i++) await sendIn(transaction, topic, [`${i}${large}`])
      await transaction.abort()
      await untilDecided(log, topic)
      const producer = await log.openProducer(`after-${topic}`)
      await producer.transact([record(topic, 'after')])
      for (const offset of [0, 1, 30, 59]) {
        assert.deepEqual(valuesOf(await readFrom(log, topic, offset)), ['after'])
      }
      await other.close()
    })

    rule('large-commit', 'a committed transaction that is larger than one fetch comes whole and in order', async () => {
      const topic = await createTopic(log)
      const other = otherProducer(brokers())
      const values = Array.from({ length: 60 }, (_, i) => `${i}${'x'.repeat(200_000)}`)
      const transaction = await other.begin()
      for (const value of values) await sendIn(transaction, topic, [value])
      await transaction.commit()
      await untilDecided(log, topic)
      for (const offset of [0, 31]) {
        assert.deepEqual(valuesOf(await readFrom(log, topic, offset)), values.slice(offset))
      }
      await other.close()
    })

    rule(
      'java-transactions',
      "transactions of Kafka's own producer, aborted and committed in turn, are told apart from every offset on",
      async () => {
        const topic = await createTopic(log)
        const transactions = Array.from({ length: 8 }, (_, at) => ({
          ends: at % 3 === 0 ? ('commit' as const) : ('abort' as const),
          records: [0, 1].map((nth) => ({ partition: 0, key: `k${nth}`, value: `${at}-${nth}` })),
        }))
        await transactWithJava(brokers(), randomUUID(), topic, transactions)
        await untilDecided(log, topic)
        const expected = transactions.flatMap(({ ends, records }) => (ends === 'commit' ? records : []))
        await assertFromEveryOffset(
          log,
          topic,
          expected.map(({ value }) => value),
        )
      },
    )

    rule(
      'open-transaction',
      'nothing is given beyond a transaction that is open, and all of it once decided',
      async () => {
        const topic = await createTopic(log)
        const other = otherProducer(brokers())
        const producer = await log.openProducer(`beside-${topic}`)
        await producer.transact([record(topic, 'before')])
        const transaction = await other.begin()
        await sendIn(transaction, topic, ['open'])
        await producer.transact([record(topic, 'after')])
        assert.deepEqual(valuesOf(await readFrom(log, topic)), ['before'])
        const { committedEnd, end } = await log.offsets(topic, 0)
        assert.ok(committedEnd < end)

        const reader = log.openReader({ topic, partition: 0, offset: 0, onReady: () => {} })
        await pause(300)
        assert.deepEqual(valuesOf(reader.take(10)), ['before'])
        assert.ok(reader.position <= committedEnd)
        await transaction.commit()
        assert.deepEqual(valuesOf(await takeUntil(reader, end)), ['open', 'after'])
        reader.close()
        await other.close()
      },
    )

    rule(
      'timed-out-transaction',
      'a transaction that the broker times out is aborted, its producer is refused, and reading goes on behind it',
      async () => {
        const topic = await createTopic(log)
        const other = otherProducer(brokers(), { timeoutMs: 1_000 })
        const transaction = await other.begin()
        await sendIn(transaction, topic, ['too slow'])
        const producer = await log.openProducer(`behind-${topic}`)
        await producer.transact([record(topic, 'behind')])
        await untilDecided(log, topic)
        await assert.rejects(transaction.commit())
        assert.deepEqual(valuesOf(await readFrom(log, topic)), ['behind'])
        await other.close()
      },
    )

    rule('lone-markers', 'markers of transactions that hold no record are passed over, at the end too', async () => {
      const topic = `t-${randomUUID()}`
      await createTopicWith(brokers(), topic, { 'max.message.bytes': '1000' })
      const producer = await log.openProducer(`marks-${topic}`)
      // The partition joins the transaction, and then the broker refuses its only batch.
      const refused = () => assert.rejects(producer.transact([record(topic, 'x'.repeat(5_000))]), RecordRefused)
      await refused()
      await producer.transact([record(topic, 'a')])
      await refused()
      await refused()
      await producer.transact([record(topic, 'b')])
      await refused()
      await untilDecided(log, topic)
      const { end } = await log.offsets(topic, 0)
      assert.ok(end > 4, `${end}: there are markers`)
      await assertFromEveryOffset(log, topic, ['a', 'b'])
    })

    rule(
      'odd-records',
      'records without key or value, empty ones and headers of bytes come as they were written',
      async () => {
        const topic = await createTopic(log)
        await produceOddWithJava(brokers(), topic)
        const [some, none] = [[0, 255, 10], [] as number[]]
        const read = await readFrom(log, topic)
        const listOf = (bytes: Uint8Array | null) => bytes && [...bytes]
        assert.deepEqual(
          read.map(({ key, value }) => [listOf(key), listOf(value)]),
          [
            [null, some],
            [some, null],
            [null, null],
            [none, none],
            [some, some],
            [some, some],
          ],
        )
        assert.deepEqual(
          read[4]!.headers.map(({ key, value }) => [key, [...value]]),
          [
            ['bytes', some],
            ['none', none],
            ['twice', none],
            ['twice', some],
            ['ünï', some],
          ],
        )
        assert.deepEqual(
          read.map(({ timestampMs }) => timestampMs),
          [...Array.from({ length: 5 }, () => 1_700_000_000_000), 1],
        )
      },
    )

    rule('append-time', "where the topic says so, a record's time is the broker's", async () => {
      const topic = `t-${randomUUID()}`
      await createTopicWith(brokers(), topic, { 'message.timestamp.type': 'LogAppendTime' })
      const before = Date.now()
      await produceOddWithJava(brokers(), topic)
      const read = await readFrom(log, topic)
      assert.equal(read.length, 6)
      for (const { timestampMs } of read) assert.ok(timestampMs >= before && timestampMs <= Date.now())
    })

    rule(
      'deleted-under-reader',
      'a reader is told when what it has not read yet is deleted, and where the log begins',
      async () => {
        const topic = await createTopic(log)
        const producer = await log.openProducer(`of-${topic}`)
        const large = 'x'.repeat(400_000)
        for (let i = 0; i < 8; i++) await producer.transact([record(topic, `${i}${large}`)])
        const { end } = await log.offsets(topic, 0)
        // It has no room for all that there is, and takes nothing yet.
        const reader = log.openReader({ topic, partition: 0, offset: 0, onReady: () => {} })
        await pause(500)
        await log.deleteRecords(topic, 0, end)
        const failure = await failureOf(reader, 0, OffsetGone)
        assert.ok(failure instanceof OffsetGone, String(failure))
        assert.deepEqual([failure.earliest, failure.end], [end, end])
        reader.close()
      },
    )

    rule('deleted-topic', 'a reader of a topic that is deleted is told so', async () => {
      const topic = await createTopic(log)
      const producer = await log.openProducer(`of-${topic}`)
      await producer.transact(['a', 'b'].map((value) => record(topic, value)))
      const reader = log.openReader({ topic, partition: 0, offset: 0, onReady: () => {} })
      assert.ok((await failureOf(reader, 2)) === undefined)
      await deleteTopic(brokers(), topic)
      assert.ok((await failureOf(reader)) instanceof TransientFault)
      reader.close()
    })

    rule(
      'topic-ids',
      'the id of a topic is the one that another client has for it: stores and positions outlive a change of client',
      async () => {
        const topic = await createTopic(log)
        const admin = new Admin({ clientId: 'other', bootstrapBrokers: [...brokers()] })
        const { topics } = await admin.metadata({ topics: [topic] })
        await admin.close()
        assert.equal((await log.describeTopics([topic])).get(topic)?.id, topics.get(topic)?.id)
      },
    )

    rule(
      'topic-made-anew',
      'a topic that is made anew is another one: what was read of it before has no place in it',
      async () => {
        const topic = await createTopic(log)
        const producer = await log.openProducer(`of-${topic}`)
        await producer.transact(['a', 'b'].map((value) => record(topic, value)))
        const first = (await log.describeTopics([topic])).get(topic)!
        const reader = log.openReader({ topic, partition: 0, offset: 0, onReady: () => {} })
        assert.ok((await failureOf(reader, 2)) === undefined)
        await deleteTopic(brokers(), topic)
        assert.ok((await failureOf(reader)) instanceof TransientFault)
        await log.createTopics([{ name: topic, partitions: 1, cleanup: 'unlimited' }])
        const second = (await log.describeTopics([topic])).get(topic)!
        assert.notEqual(second.id, first.id)
        // As many records as the reader had read: by its offset alone nothing would be wrong.
        await producer.transact(['c', 'd', 'e', 'f'].map((value) => record(topic, value)))
        const failure = await failureOf(reader, 0, OffsetGone)
        assert.ok(failure instanceof OffsetGone, String(failure))
        assert.equal(failure.earliest, 0)
        assert.deepEqual(valuesOf(await readFrom(log, topic)), ['c', 'd', 'e', 'f'])
        reader.close()
      },
    )
  })
}

/** Takes `count` records, and then waits for the failure that comes, of a kind; undefined where records were asked for. */
async function failureOf(reader: Reader, count = 0, kind: { prototype: Error } = Error): Promise<unknown> {
  let taken = 0
  for (let givenUpAt = Date.now() + 30_000; Date.now() < givenUpAt; await pause(20)) {
    try {
      taken += reader.take(10).length
      if (count > 0 && taken >= count) return undefined
    } catch (error) {
      if (Object.prototype.isPrototypeOf.call(kind.prototype, error as object)) return error
    }
  }
  return new Error(`only ${taken} records, and no failure`)
}
