// One transactional id over its lives, on a real broker: restarts, zombies, what was left open.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { PartitionFenced } from '../../src/base/errors.ts'
import type { Log } from '../../src/runtime/ports.ts'
import {
  createTopic,
  openLog,
  otherProducer,
  readFrom,
  record,
  sendIn,
  valuesOf,
} from '../support/kafka/kafka-world.ts'
import { useKafka } from '../support/kafka/use-kafka.ts'

const brokers = useKafka()
let log: Log

before(async () => {
  log = await openLog(brokers())
})
after(() => log.close())

test('a restart under the same transactional id goes on (the client by itself claims id 0 and epoch 0, and is fenced)', async () => {
  const topic = await createTopic(log)
  const id = randomUUID()
  const expected: string[] = []
  for (let life = 0; life < 5; life++) {
    const restarted = await openLog(brokers())
    const producer = await restarted.openProducer(id)
    for (const value of [`${life}-a`, `${life}-b`]) {
      await producer.transact([record(topic, value)])
      expected.push(value)
    }
    await restarted.close()
  }
  assert.deepEqual(valuesOf(await readFrom(log, topic)), expected)
})

test('a zombie that wakes up after a restart of its id is fenced and commits nothing', async () => {
  const topic = await createTopic(log)
  const id = randomUUID()
  const sleeping = await openLog(brokers())
  const zombie = await sleeping.openProducer(id)
  await zombie.transact([record(topic, 'before')])
  const owner = await log.openProducer(id)
  for (let i = 0; i < 3; i++) {
    await assert.rejects(zombie.transact([record(topic, 'zombie')]), PartitionFenced)
    await owner.transact([record(topic, `owner ${i}`)])
  }
  assert.deepEqual(valuesOf(await readFrom(log, topic)), ['before', 'owner 0', 'owner 1', 'owner 2'])
  await sleeping.close()
})

test('what a dead predecessor left open is aborted by its successor, and cannot be committed any more', async () => {
  const topic = await createTopic(log)
  const id = randomUUID()
  const predecessor = otherProducer(brokers(), { transactionalId: id })
  const transaction = await predecessor.begin()
  await sendIn(transaction, topic, ['left open'])
  const successor = await log.openProducer(id)
  const { committedEnd, end } = await log.offsets(topic, 0)
  assert.equal(committedEnd, end)
  await assert.rejects(transaction.commit())
  await successor.transact([record(topic, 'successor')])
  assert.deepEqual(valuesOf(await readFrom(log, topic)), ['successor'])
  await predecessor.close()
})

test('ids that fence each other in turn commit each record at most once, and the last one wins', async () => {
  const topic = await createTopic(log)
  const id = randomUUID()
  const committed: string[] = []
  await Promise.all(
    Array.from({ length: 4 }, async (_, rival) => {
      for (let round = 0; round < 4; round++) {
        const producer = await log.openProducer(id)
        const value = `${rival}-${round}`
        await producer.transact([record(topic, value)]).then(
          () => committed.push(value),
          (error: unknown) => assert.ok(error instanceof PartitionFenced, String(error)),
        )
        await producer.close()
      }
    }),
  )
  const last = await log.openProducer(id)
  await last.transact([record(topic, 'last')])
  committed.push('last')
  const read = valuesOf(await readFrom(log, topic))
  assert.equal(read.at(-1), 'last')
  assert.equal(read.length, committed.length)
  assert.deepEqual(new Set(read), new Set(committed))
})

test('many small records that are too large together are cut into batches that the topic takes', async () => {
  const topic = await createTopic(log)
  const producer = await log.openProducer(randomUUID())
  const values = Array.from({ length: 300 }, (_, i) => `${i}:${'x'.repeat(10_000)}`)
  await producer.transact(values.map((value) => record(topic, value)))
  assert.deepEqual(valuesOf(await readFrom(log, topic)), values)
})
