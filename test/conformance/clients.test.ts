// What the clients do wrong by themselves, each as they are to be used: why the log takes their connections and little
// more. A case that fails here has been mended in the client, and a reason of ours is gone.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { Consumer, FetchIsolationLevels, Producer } from '@platformatic/kafka'
import { Kafka, logLevel } from 'kafkajs'
import type { Log } from '../../src/runtime/ports.ts'
import { produceWithJava } from '../support/kafka/java-producer.ts'
import {
  createTopic,
  openLog,
  otherProducer,
  pause,
  readFrom,
  sendIn,
  untilDecided,
} from '../support/kafka/kafka-world.ts'
import { useKafka } from '../support/kafka/use-kafka.ts'

const brokers = useKafka()
/** How long a client has to give something, and how long one that gives nothing is watched. */
const withinMs = 30_000
const watchedMs = 3_000
let log: Log

const kafkajs = () => new Kafka({ clientId: 'by-itself', brokers: [...brokers()], logLevel: logLevel.NOTHING })

async function untilGiven(values: readonly string[]): Promise<void> {
  for (const endsAt = Date.now() + withinMs; values.length === 0 && Date.now() < endsAt;) await pause(20)
  // What comes with it.
  await pause(200)
}

/** What kafkajs gives of a topic as committed, from an offset on. */
async function readByKafkajs(topic: string, offset: number, isPatient = true): Promise<readonly string[]> {
  const consumer = kafkajs().consumer({ groupId: randomUUID(), readUncommitted: false, retry: { retries: 0 } })
  const values: string[] = []
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await consumer.run({ eachMessage: async ({ message }) => void values.push(String(message.value)) })
  consumer.seek({ topic, partition: 0, offset: String(offset) })
  await (isPatient ? untilGiven(values) : pause(watchedMs))
  await consumer.disconnect()
  return values
}

/** What `@platformatic/kafka` gives of a topic as committed, from an offset on. */
async function readByPlatformatic(topic: string, offset: number): Promise<readonly string[]> {
  const consumer = new Consumer({
    clientId: 'by-itself',
    groupId: randomUUID(),
    bootstrapBrokers: [...brokers()],
    isolationLevel: FetchIsolationLevels.READ_COMMITTED,
  })
  const stream = await consumer.consume({
    topics: [topic],
    mode: 'manual',
    maxBytes: 1_048_576,
    offsets: [{ topic, partition: 0, offset: BigInt(offset) }],
  })
  const values: string[] = []
  stream.on('data', ({ value }) => values.push(value.toString()))
  await untilGiven(values)
  await stream.close()
  await consumer.close(true)
  return values
}

/** Two transactions that overlap and are aborted, then a committed record. */
async function abortTwo(topic: string): Promise<void> {
  const [a, b, c] = [otherProducer(brokers()), otherProducer(brokers()), otherProducer(brokers())]
  const [inA, inB] = [await a.begin(), await b.begin()]
  await sendIn(inA, topic, ['a1'])
  await sendIn(inB, topic, ['b1'])
  await sendIn(inA, topic, ['a2'])
  await sendIn(inB, topic, ['b2'])
  await inA.abort()
  await sendIn(inB, topic, ['b3'])
  await inB.abort()
  const inC = await c.begin()
  await sendIn(inC, topic, ['c'])
  await inC.commit()
  await untilDecided(log, topic)
  await Promise.all([a.close(), b.close(), c.close()])
}

suite('a client by itself', () => {
  before(async () => {
    log = await openLog(brokers())
  })
  after(() => log.close())

  test('kafkajs gives aborted records when it begins to read inside of two transactions that overlap', async () => {
    const topic = await createTopic(log)
    await abortTwo(topic)
    const seen: string[] = []
    for (const offset of [1, 2, 3]) seen.push(...(await readByKafkajs(topic, offset)).filter((value) => value !== 'c'))
    assert.ok(seen.length > 0)
  })

  test('@platformatic/kafka gives aborted records of a transaction that is larger than one fetch', async () => {
    const topic = await createTopic(log)
    const other = otherProducer(brokers())
    const transaction = await other.begin()
    for (let i = 0; i < 60; i++) await sendIn(transaction, topic, [`${i}${'x'.repeat(200_000)}`])
    await transaction.abort()
    await untilDecided(log, topic)
    await other.close()
    const seen = await readByPlatformatic(topic, 0)
    assert.ok(seen.length > 0)
  })

  test('@platformatic/kafka gives aborted records of a producer that aborts twice in one fetch', async () => {
    const topic = await createTopic(log)
    const other = otherProducer(brokers())
    for (const value of ['1', '2']) {
      const transaction = await other.begin()
      await sendIn(transaction, topic, [value, `${value}'`])
      await transaction.abort()
      await untilDecided(log, topic)
    }
    await other.close()
    const seen = await readByPlatformatic(topic, 0)
    assert.ok(seen.length > 0)
  })

  test('@platformatic/kafka is fenced by itself when it starts again under a transactional id', async () => {
    const topic = await createTopic(log)
    const transactionalId = randomUUID()
    const begin = async () => {
      const producer = new Producer({
        clientId: 'x',
        bootstrapBrokers: [...brokers()],
        idempotent: true,
        transactionalId,
      })
      const transaction = await producer.beginTransaction({})
      await sendIn(transaction, topic, ['x'])
      await transaction.commit()
      await producer.close()
    }
    await begin()
    await assert.rejects(begin())
  })

  for (const compression of ['snappy', 'lz4', 'zstd'] as const) {
    test(`kafkajs cannot read what is compressed with ${compression}`, async () => {
      const topic = await createTopic(log)
      await produceWithJava(brokers(), new Map([[topic, compression]]), ['k'])
      assert.equal((await readFrom(log, topic)).length, 1)
      assert.deepEqual(await readByKafkajs(topic, 0, false), [])
    })
  }

  test('kafkajs waits 100 ms and more for the markers of the transaction before', async () => {
    const topic = await createTopic(log)
    const producer = kafkajs().producer({ transactionalId: randomUUID(), maxInFlightRequests: 1, idempotent: true })
    await producer.connect()
    const began = performance.now()
    for (let i = 0; i < 10; i++) {
      const transaction = await producer.transaction()
      await transaction.send({ topic, messages: [{ value: `${i}` }] })
      await transaction.commit()
    }
    const eachMs = (performance.now() - began) / 10
    await producer.disconnect()
    assert.ok(eachMs > 100, `${eachMs} ms a transaction`)
  })
})
