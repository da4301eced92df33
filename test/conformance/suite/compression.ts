// What we write compressed, as the broker and Kafka's own consumer see it. That we read what others compress stands in
// other-clients.ts.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { before, suite } from 'node:test'
import { compressions, type Compression } from '../../../src/adapters/kafka/compression.ts'
import type { OutgoingRecord } from '../../../src/runtime/ports.ts'
import { createTopicWith } from '../../support/kafka/admin.ts'
import { committedWithJava } from '../../support/kafka/java-consumer.ts'
import { readFrom, valuesOf } from '../../support/kafka/kafka-world.ts'
import { casesOf } from './adapter.ts'
import type { Adapter } from './adapter.ts'

/** More than a topic of these tests takes in one batch, unless it is compressed. */
const long = 'order '.repeat(10_000)
const batchBytesMax = 20_000
const values = [...Array.from({ length: 200 }, (_, i) => `{"orderId":"o-${i}","status":"paid"}`), '', 'ünï 😀']
const headers = [{ key: 'h', value: Buffer.from('v') }]

export function compressionCases(adapter: Adapter, brokers: () => readonly string[]): void {
  const rule = casesOf(adapter)
  suite('what is produced with compression', () => {
    const topics = new Map<Compression, string>()
    const found = new Map<string, string[]>()

    before(async () => {
      for (const compression of compressions) {
        const topic = `compressed-${compression}-${randomUUID()}`
        topics.set(compression, topic)
        await createTopicWith(brokers(), topic, { 'max.message.bytes': String(batchBytesMax) })
        const log = await adapter.openLog(brokers(), compression)
        const record = (value: string): OutgoingRecord => ({
          topic,
          key: Buffer.from('k'),
          value: Buffer.from(value),
          headers,
        })
        const producer = await log.openProducer(`of-${topic}`)
        await producer.transact(values.map(record))
        const [plain] = await log.produce([record('plain')])
        const [large] = await log.produce([record(long)])
        assert.ok(plain !== undefined && 'offset' in plain)
        assert.equal(large !== undefined && 'offset' in large, compression !== 'none', compression)
        await log.close()
        found.set(topic, [])
      }
      for await (const { topic, value } of committedWithJava(brokers(), [...topics.values()]))
        found.get(topic)?.push(Buffer.from(value ?? []).toString())
    })

    for (const compression of compressions) {
      const expected = [...values, 'plain', ...(compression === 'none' ? [] : [long])]

      rule(
        `writes-${compression}`,
        `what is written with compression ${compression} is what Kafka's own consumer reads`,
        async () => {
          assert.deepEqual(found.get(topics.get(compression)!), expected)
        },
      )

      rule(
        `reads-own-${compression}`,
        `what is written with compression ${compression} is what we read, whatever we write ourselves`,
        async () => {
          const log = await adapter.openLog(brokers())
          const read = await readFrom(log, topics.get(compression)!)
          assert.deepEqual(valuesOf(read), expected)
          assert.deepEqual(
            read.map((record) => record.headers.map(({ key, value }) => [key, Buffer.from(value).toString()])),
            expected.map(() => [['h', 'v']]),
          )
          await log.close()
        },
      )
    }
  })
}
