// What other clients write, as the log sees it: where keys go, and every compression there is.
import assert from 'node:assert/strict'
import { after, before, suite } from 'node:test'
import { partitionOfText } from '../../../src/base/partitioner.ts'
import type { Log } from '../../../src/runtime/ports.ts'
import { produceWithJava } from '../../support/kafka/java-producer.ts'
import type { Compression } from '../../support/kafka/java-producer.ts'
import {
  createTopic,
  otherProducer,
  readFrom,
  sendIn,
  untilDecided,
  valuesOf,
} from '../../support/kafka/kafka-world.ts'
import { casesOf } from './adapter.ts'
import type { Adapter } from './adapter.ts'
import { assertFromEveryOffset } from './reading.ts'

const compressions = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
const keys = [...Array.from({ length: 150 }, (_, i) => 'k'.repeat(i % 9) + i), 'ünï', '注文-7', '😀', ' ']
const partitions = 12

export function otherClientsCases(adapter: Adapter, brokers: () => readonly string[]): void {
  const rule = casesOf(adapter)
  suite('other clients', () => {
    let log: Log
    /** What Kafka's own producer did, all in one start of Java. */
    const javaTopics = new Map<Compression, string>()
    let javaPartitions: ReadonlyMap<string, readonly number[]>

    before(async () => {
      log = await adapter.openLog(brokers())
      for (const compression of compressions) javaTopics.set(compression, await createTopic(log, partitions))
      const topics = new Map([...javaTopics].map(([compression, topic]) => [topic, compression]))
      javaPartitions = await produceWithJava(brokers(), topics, keys)
    })
    after(() => log.close())

    rule('key-partitions', "keys go to the partitions that Kafka's own producer sends them to", async () => {
      for (const topic of javaTopics.values()) {
        assert.deepEqual(
          javaPartitions.get(topic),
          keys.map((key) => partitionOfText(key, partitions)),
        )
      }
      const topic = await createTopic(log, partitions)
      const producer = await log.openProducer(`of-${topic}`)
      await producer.transact(keys.map((key) => ({ topic, key: Buffer.from(key), value: Buffer.from(key) })))
      for (let partition = 0; partition < partitions; partition++) {
        const expected = keys.filter((key) => partitionOfText(key, partitions) === partition)
        assert.deepEqual(valuesOf(await readFrom(log, topic, 0, partition)), expected)
      }
    })

    for (const compression of compressions) {
      rule(
        `java-${compression}`,
        `records that Kafka's own producer wrote with compression ${compression} are read`,
        async () => {
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
        },
      )

      rule(
        `node-${compression}`,
        `records that a Node client wrote with compression ${compression} are read from every offset, aborted ones left out`,
        async () => {
          const topic = await createTopic(log)
          const other = otherProducer(brokers(), { compression })
          const values = Array.from({ length: 20 }, (_, i) => `${i} ${'abc'.repeat(100)}`)
          const aborted = await other.begin()
          await sendIn(aborted, topic, ['aborted', 'aborted too'])
          await aborted.abort()
          const transaction = await other.begin()
          await sendIn(transaction, topic, values)
          await transaction.commit()
          await untilDecided(log, topic)
          await assertFromEveryOffset(log, topic, values)
          await other.close()
        },
      )
    }
  })
}
