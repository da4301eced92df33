// The order workflow on Kafka, fed by others' clients alone: Kafka's own Java producer, which aborts a third of its
// transactions, and a Node client that chooses partitions as librdkafka does. Our own code sees the topics only from the
// worker; what it produced is read by Kafka's own consumer.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { crc32 } from 'node:zlib'
import { partitionOfText } from '../../src/base/partitioner.ts'
import type { Json } from '../../src/base/json.ts'
import { Site } from '../support/daemon.ts'
import { committedWithJava } from '../support/kafka/java-consumer.ts'
import { transactWithJava, type JavaTransaction } from '../support/kafka/java-producer.ts'
import { otherProducer } from '../support/kafka/kafka-world.ts'
import { useKafka } from '../support/kafka/use-kafka.ts'

const brokers = useKafka()
const partitions = 5
const order = readFileSync(new URL('../../workflows/order.yaml', import.meta.url), 'utf8')

/** As librdkafka does, and so kcat and most clients that are not Java. */
const partitionOf = (key: string): number => crc32(key) % partitions

/** Two records in each, and every third is aborted: it holds `lie` of the keys that follow, or keys of nobody. */
function transactions(keys: readonly string[], truth: (key: string) => Json, lie: (key: string) => [string, Json]) {
  const record = (key: string, value: Json) => ({ partition: partitionOf(key), key, value: JSON.stringify(value) })
  const all: JavaTransaction[] = []
  for (let i = 0; i < keys.length; i += 2) {
    const two = keys.slice(i, i + 2)
    if (i % 4 === 0) all.push({ ends: 'abort', records: two.map((key) => record(...lie(key))) })
    all.push({ ends: 'commit', records: two.map((key) => record(key, truth(key))) })
  }
  return all
}

for (const client of ['platformatic', 'kafkajs']) {
  test(`orders and answers of others' clients: every committed order completes, no aborted record does anything, by ${client}`, (t) =>
    ordersOfOthers(t, client))
}

async function ordersOfOthers(t: TestContext, client: string): Promise<void> {
  const app = `e2e-${randomUUID().slice(0, 8)}`
  const topic = (name: string): string => `${app}-${name}`
  const site = Site.of(t, { 'workflows/order.yaml': order.replaceAll(/topic: ([\w-]+)/g, `topic: ${topic('$1')}`) })
  const daemon = await site.start(
    ...['--brokers', brokers().join(','), '--app', app, '--partitions', String(partitions), '--client', client],
  )
  const keys = Array.from({ length: 40 }, (_, i) => `o-${i}`)
  assert.ok(keys.some((key) => partitionOf(key) !== partitionOfText(key, partitions)))
  const waitFor = (isSo: (at: readonly string[], status: string) => boolean): Promise<true> =>
    daemon.until(async () => {
      const { items } = await daemon.client.listInstances({ limit: 1_000 })
      return items.filter(({ waitingAt, status }) => isSo(waitingAt, status)).length === keys.length ? true : undefined
    })

  const orders = transactions(
    keys,
    (orderId) => ({ orderId, amount: 1 }),
    (key) => [`aborted-${key}`, { orderId: `aborted-${key}`, amount: 1 }],
  )
  assert.equal(orders.filter(({ ends }) => ends === 'abort').length * 3, orders.length)
  await transactWithJava(brokers(), `${app}-client`, topic('orders'), orders)
  await waitFor((at) => at.includes('charged'))

  // An aborted answer that counted would be an incident.
  const payments = transactions(
    keys,
    (orderId) => ({ orderId, status: 'paid' }),
    (orderId) => [orderId, { orderId, status: 'declined' }],
  )
  await transactWithJava(brokers(), `${app}-client`, topic('payment-events'), payments)
  await waitFor((at) => at.includes('shipped'))

  const warehouse = otherProducer(brokers())
  const ship = async (tracking: string): Promise<Awaited<ReturnType<typeof warehouse.begin>>> => {
    const transaction = await warehouse.begin()
    const messages = keys.map((key) => ({
      topic: topic('warehouse-events'),
      partition: partitionOf(key),
      value: Buffer.from(JSON.stringify({ orderId: key, tracking })),
    }))
    await transaction.send({ messages })
    return transaction
  }
  await (await ship('lost')).abort()
  await (await ship('T')).commit()
  await warehouse.close()
  await waitFor((_, status) => status === 'COMPLETED')

  const { items } = await daemon.client.listInstances({ limit: 1_000 })
  assert.deepEqual(items.map(({ key }) => key).toSorted(), keys.toSorted())
  for (const key of keys) {
    const { output } = await daemon.instance('order', key)
    assert.deepEqual(output, { orderId: key, paymentStatus: 'paid', tracking: 'T' })
  }
  const commands: { [topic: string]: string[] } = { 'payment-commands': [], 'warehouse-commands': [] }
  for (const [name, found] of Object.entries(commands))
    for await (const { key } of committedWithJava(brokers(), [topic(name)]))
      found.push(Buffer.from(key ?? []).toString())
  for (const found of Object.values(commands)) assert.deepEqual(found.toSorted(), keys.toSorted())
  const health = await daemon.health()
  assert.deepEqual(health.problems, [])
  assert.equal(health.counters['record_dead_lettered'] ?? 0, 0)
}
