// A worker on Kafka ends within its bound, whether the brokers answer or not.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Daemon, Site } from '../support/daemon.ts'
import { startBroker, type KafkaBroker } from '../support/kafka/broker.ts'

let broker: KafkaBroker
before(async () => {
  broker = await startBroker()
})
after(() => broker.dispose())

const isAtWork = (daemon: Daemon) =>
  daemon.instance('hangs', 'h', ({ tasks }) => tasks.some(({ status }) => status === 'EXECUTING'))

test('SIGTERM ends a worker whose handler hears nothing, and one whose brokers are away; the next one goes on', async (t) => {
  const site = Site.of(t, {
    'handlers/hangs.ts': `export default () => new Promise(() => {})`,
    'workflows/hangs.yaml': `
workflow: hangs
tasks: [{ name: work, type: hangs }]
`,
  })
  const flags = ['--brokers', broker.address, '--app', 'stop', '--partitions', '2', '--stop-timeout', '6s']
  const first = await site.start(...flags)
  await first.client.startInstance({ workflow: 'hangs', key: 'h', input: null }, 'h')
  await isAtWork(first)
  first.signal('SIGTERM')
  assert.equal(await first.ended(), 0)

  const second = await site.start(...flags)
  await isAtWork(second)
  await broker.stop()
  const toldAtMs = performance.now()
  second.signal('SIGTERM')
  const code = await second.ended()
  const tookMs = performance.now() - toldAtMs
  assert.ok((code === 0 || code === 4) && tookMs < 12_000, `${code} after ${tookMs} ms`)

  await broker.start()
  const third = await site.start(...flags)
  await isAtWork(third)
  assert.equal(await third.stop(), 0)
})
