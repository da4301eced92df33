// What other clients write and do, as the log sees it.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { TransientFault } from '../../src/base/errors.ts'
import { partitionOfText } from '../../src/base/partitioner.ts'
import { OffsetGone } from '../../src/runtime/ports.ts'
import type { Log, LogRecord, Reader } from '../../src/runtime/ports.ts'
import { produceWithJava } from '../support/kafka/java-producer.ts'
import type { Compression } from '../support/kafka/java-producer.ts'
import {
  createTopic,
  deleteTopic,
  openLog,
  otherProducer,
  pause,
  readFrom,
  record,
  sendIn,
  valuesOf,
} from '../support/kafka/kafka-world.ts'
import { useKafka } from '../support/kafka/use-kafka.ts'

const brokers = useKafka()
let log: Log

const compressions = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
const keys = [...Array.from({ length: 150 }, (_, i) => 'k'.repeat(i % 9) + i), 'ünï', '注文-7', '😀', ' ']
const partitions = 12
/** What Kafka's own producer did, all in one start of Java. */
const javaTopics = new Map<Compression, string>()
let javaPartitions: ReadonlyMap<string, readonly number[]>

before(async () => {
  log = await openLog(brokers())
  for (const compression of compressions) javaTopics.set(compression, await createTopic(log, partitions))
  const topics = new Map([...javaTopics].map(([compression, topic]) => [topic, compression]))
  javaPartitions = await produceWithJava(brokers(), topics, keys)
})
after(() => log.close())

test("keys go to the partitions that Kafka's own producer sends them to", () => {
  for (const topic of javaTopics.values()) {
    assert.deepEqual(
      javaPartitions.get(topic),
      keys.map((key) => partitionOfText(key, partitions)),
    )
  }
})

for (const compression of compressions) {
  test(`records that Kafka's own producer wrote with compression ${compression} are read`, async () => {
    const topic = javaTopics.get(compression)!
    for (let partition = 0; partition < partitions; partition++) {
      const expected = keys.filter((key) => partitionOfText(key, partitions) === partition)
      const read = await readFrom(log, topic, 0, partition)
      assert.deepEqual(
        read.map(({ key }) => Buffer.from(key!).toString()),
        expected,
      )
      assert.deepEqual(
        valuesOf(read),
        expected.map((key) => `value of ${key}`),
      )
    }
  })

  test(`records that a Node client wrote with compression ${compression} are read from every offset, aborted ones left out`, async () => {
    const topic = await createTopic(log)
    const other = otherProducer(brokers(), { compression })
    const values = Array.from({ length: 20 }, (_, i) => `${i} ${'abc'.repeat(100)}`)
    const aborted = await other.begin()
    await sendIn(aborted, topic, ['aborted', 'aborted too'])
    await aborted.abort()
    const transaction = await other.begin()
    await sendIn(transaction, topic, values)
    await transaction.commit()
    const committed = await readAtLeast(topic, values.length)
    assert.deepEqual(valuesOf(committed), values)
    for (const { offset } of committed) {
      const wanted = committed.filter((one) => one.offset >= offset)
      assert.deepEqual(valuesOf(await readFrom(log, topic, offset)), valuesOf(wanted))
    }
    await other.close()
  })
}

async function readAtLeast(topic: string, count: number): Promise<readonly LogRecord[]> {
  for (;;) {
    const read = await readFrom(log, topic)
    if (read.length >= count) return read
    await pause(20)
  }
}

test('a reader of a topic that is deleted is told so, and of another creation of it that its offset is gone', async () => {
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
})

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
