// Reading committed records only, on a real broker: what the log gives of partitions in which others abort.
// The client's own filter is not used, because of what the first three tests are named after.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Log } from '../../src/runtime/ports.ts'
import {
  createTopic,
  openLog,
  otherProducer,
  readFrom,
  record,
  sendIn,
  takeUntil,
  untilDecided,
  valuesOf,
} from '../support/kafka/kafka-world.ts'
import { useKafka } from '../support/kafka/use-kafka.ts'

const brokers = useKafka()
let log: Log

before(async () => {
  log = await openLog(brokers())
})
after(() => log.close())

/** Reads from every offset there is, and finds what all of it and the offset say. */
async function assertFromEveryOffset(topic: string, expected: readonly string[]): Promise<void> {
  const all = await readFrom(log, topic)
  assert.deepEqual(valuesOf(all), expected)
  const { end } = await log.offsets(topic, 0)
  for (let offset = 0; offset <= end; offset++) {
    const wanted = all.filter((one) => one.offset >= offset)
    assert.deepEqual(valuesOf(await readFrom(log, topic, offset)), valuesOf(wanted), `from ${offset}`)
  }
}

test('overlapping aborted transactions are hidden from every offset on (the client drops a range whose marker is not fetched)', async () => {
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
  await assertFromEveryOffset(topic, ['c1', 'c2'])
  await Promise.all([a.close(), b.close(), c.close()])
})

test('one producer that aborts twice in one fetch is hidden twice (the client remembers one range of a producer)', async () => {
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
  await assertFromEveryOffset(topic, ['2', "2'", '5', "5'"])
  await other.close()
})

test('an aborted transaction that is larger than one fetch is hidden (the client lets its first part through)', async () => {
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

test('nothing is given beyond a transaction that is open, and all of it once that is decided', async () => {
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
  await transaction.commit()
  assert.deepEqual(valuesOf(await takeUntil(reader, end)), ['before', 'open', 'after'])
  reader.close()
  await other.close()
})

test('a transaction that the broker times out is aborted, its producer is refused, and reading goes on behind it', async () => {
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
})
