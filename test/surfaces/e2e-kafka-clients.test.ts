// Two clients, one application: workers of both share it, and a data directory goes from one to the other.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { Site } from '../support/daemon.ts'
import { orderOf, runOrder } from '../support/kafka/order-example.ts'
import { useKafka } from '../support/kafka/use-kafka.ts'

const brokers = useKafka()

test('a worker that starts again by the other client has all that it had, and workers of both share an application', async (t) => {
  const app = `clients-${randomUUID().slice(0, 8)}`
  const site = Site.of(t, { 'workflows/order.yaml': orderOf(app) })
  const flags = ['--brokers', brokers().join(','), '--app', app, '--partitions', '4']
  for (const [at, client] of ['platformatic', 'kafkajs', 'platformatic'].entries()) {
    const daemon = await site.start(...flags, '--client', client)
    await runOrder(daemon, app, `o-${at}`)
    for (let before = 0; before <= at; before++) {
      assert.equal((await daemon.instance('order', `o-${before}`)).status, 'COMPLETED')
    }
    assert.deepEqual((await daemon.health()).problems, [])
    assert.equal(await daemon.stop(), 0)
  }
  const [one, other] = [
    await site.start(...flags, '--client', 'platformatic', '--data', 'one'),
    await site.start(...flags, '--client', 'kafkajs', '--data', 'other'),
  ]
  await runOrder(one, app, 'o-3')
  await runOrder(other, app, 'o-4')
  for (const daemon of [one, other]) assert.deepEqual((await daemon.health()).problems, [])
})

test('a client that is not known is refused by name', async (t) => {
  const site = Site.of(t, { 'workflows/order.yaml': orderOf('x') })
  const { code, stderr } = await site.type('start', '--brokers', '127.0.0.1:1', '--client', 'kafka-js')
  assert.equal(code, 2)
  assert.match(stderr, /--client.*DW_CONFIG.*platformatic, kafkajs/s)
})
