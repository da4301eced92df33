// Topics with schemas on Kafka: what another client's serializer wrote comes in, and what goes out is what it would write.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { clientsSerializer } from '../support/clients-registry.ts'
import { Site } from '../support/daemon.ts'
import { committedWithJava } from '../support/kafka/java-consumer.ts'
import { produceTypedWithJava } from '../support/kafka/java-producer.ts'
import { useKafka } from '../support/kafka/use-kafka.ts'
import { useRegistry } from '../support/registry/registry.ts'

const brokers = useKafka()
const registry = useRegistry()

test('Avro records start instances and answer them, over a kill -9, and are written by the latest schema', async (t) => {
  const app = `schemas-${randomUUID().slice(0, 8)}`
  const topic = (name: string): string => `${app}-${name}`
  const { url, register } = registry()
  const record = (...names: readonly string[]): string =>
    JSON.stringify({ type: 'record', name: 'R', fields: names.map((name) => ({ name, type: 'string', default: '-' })) })
  const orderId = await register(`${topic('orders')}-value`, { schema: record('orderId') })
  const answerId = await register(`${topic('answers')}-value`, { schema: record('orderId', 'text') })
  await register(`${topic('commands')}-value`, { schema: record('orderId') })
  const latestId = await register(`${topic('commands')}-value`, { schema: record('orderId', 'text') })
  const site = Site.of(t, {
    'workflows/order.yaml': `
workflow: order
topics: { ${topic('orders')}: { format: avro }, ${topic('answers')}: { format: avro }, ${topic('commands')}: { format: avro } }
start: [{ topic: ${topic('orders')}, key: "\${ message.value.orderId }" }]
tasks:
  - name: answered
    type: kafka-listener
    topic: ${topic('answers')}
    correlate: { message: message.value.orderId, instance: instance.key }
  - { name: send, type: kafka-command, topic: ${topic('commands')}, value: "\${ tasks.answered.output }" }
`,
  })
  const flags = ['--brokers', brokers().join(','), '--app', app, '--schema-registry', url]
  const first = await site.start(...flags)
  const produce = (name: string, value: Buffer): Promise<void> =>
    produceTypedWithJava(brokers(), [
      { topic: topic(name), key: ['none', ''], value: ['bytes', value.toString('base64')] },
    ])
  const keys = ['o-1', 'o-2', 'o-3']
  const [order, answer] = [await clientsSerializer(url, orderId), await clientsSerializer(url, answerId)]
  // One comes before its order, and is kept as what it says.
  await produce('answers', answer({ orderId: 'o-1', text: 'early' }))
  for (const key of keys) await produce('orders', order({ orderId: key }))
  await first.instance('order', 'o-1')
  await first.kill()
  const second = await site.start(...flags)
  for (const key of keys.slice(1)) await produce('answers', answer({ orderId: key, text: 'ü' }))
  for (const key of keys) assert.equal((await second.instance('order', key)).status, 'COMPLETED')

  const written = new Map<string, Buffer>()
  for await (const { key, value } of committedWithJava(brokers(), [topic('commands')]))
    written.set(Buffer.from(key ?? []).toString(), Buffer.from(value ?? []))
  const expected = await clientsSerializer(url, latestId)
  assert.deepEqual([...written.keys()].sort(), keys)
  for (const key of keys)
    assert.deepEqual(written.get(key), expected({ orderId: key, text: key === 'o-1' ? 'early' : 'ü' }))
})
