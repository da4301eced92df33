// The same on Kafka, where Kafka's own serializers write and its own consumer reads.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { Site } from '../support/daemon.ts'
import { formatCourse } from '../support/format-course.ts'
import { committedWithJava } from '../support/kafka/java-consumer.ts'
import { produceTypedWithJava } from '../support/kafka/java-producer.ts'
import { useKafka } from '../support/kafka/use-kafka.ts'

const brokers = useKafka()

test("what Kafka's LongSerializer and others write is read, and written as its own consumer expects it", async (t) => {
  const { expectedScan, key, number, picture, scan, workflow } = formatCourse
  const app = `formats-${randomUUID().slice(0, 8)}`
  const topic = (name: string): string => `${app}-${name}`
  const site = Site.of(t, {
    'workflows/parcel.yaml': workflow(topic).replace(', station: "${ message.headers.station }"', ''),
  })
  const daemon = await site.start('--brokers', brokers().join(','), '--app', app, '--compression', 'zstd')
  await produceTypedWithJava(brokers(), [
    { topic: topic('scans'), key: ['long', number], value: ['none', ''] },
    { topic: topic('pictures'), key: ['long', number], value: ['bytes', picture.toString('base64')] },
    { topic: topic('scans'), key: ['long', number], value: ['string', scan] },
    { topic: topic('scans'), key: ['string', 'no long'], value: ['string', scan] },
  ])
  const instance = await daemon.instance('parcel', number)
  assert.deepEqual([instance.status, instance.output], ['COMPLETED', expectedScan])

  const found: [string, Buffer | null, Buffer | null][] = []
  const topics = ['scans', 'labels', 'events'].map(topic)
  for await (const record of committedWithJava(brokers(), topics))
    found.push([record.topic, record.key && Buffer.from(record.key), record.value && Buffer.from(record.value)])
  const produced = (name: string) => found.filter(([of]) => of === topic(name)).map(([, of, value]) => [of, value])
  assert.deepEqual(produced('labels'), [[Buffer.from([0, 0, 0, 7]), picture]])
  assert.deepEqual(produced('events'), [[key, Buffer.from(JSON.stringify({ gate: expectedScan }))]])
  // Two tombstones: the one that was read and started nothing, and the one that was written.
  assert.deepEqual(
    produced('scans').filter(([, value]) => value === null),
    [
      [key, null],
      [key, null],
    ],
  )
  const [letter] = await daemon.records(`${app}.dead-letter`)
  assert.deepEqual([letter?.headers['dw-reason'], letter?.key, letter?.value], ['key-not-integer', 'no long', scan])
})
