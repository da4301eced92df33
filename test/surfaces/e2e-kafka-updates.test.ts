// Updates on Kafka: in the transaction of the state, so that they are told once whenever the worker is killed; and the topic
// is there only where somebody wants it.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { Site } from '../support/daemon.ts'
import { committedWithJava } from '../support/kafka/java-consumer.ts'
import { useKafka } from '../support/kafka/use-kafka.ts'
import { orderWorkflow, tellThroughKills } from './update-course.ts'

const brokers = useKafka()

/** An application of its own, whose workflow asks for updates. */
function place() {
  const app = `e2e-${randomUUID().slice(0, 8)}`
  const topic = (name: string): string => `${app}-${name}`
  const workflow = `${orderWorkflow.replaceAll(/topic: ([\w-]+)/g, `topic: ${topic('$1')}`)}\nupdates: true\n`
  return { app, topic, workflow, flags: ['--brokers', brokers().join(','), '--app', app] }
}

test('each change of an order is told once and in order, whenever the worker is killed', async (t) => {
  const { app, topic, workflow, flags } = place()
  const site = Site.of(t, { 'workflows/order.yaml': workflow })
  await tellThroughKills(site, { app, topic, flags })
  // As another's client sees it, which knows what is committed by itself.
  const ids: string[] = []
  for await (const { value } of committedWithJava(brokers(), [`${app}.updates`]))
    ids.push((JSON.parse(Buffer.from(value ?? []).toString()) as { readonly id: string }).id)
  assert.ok(ids.length > 200)
  assert.equal(new Set(ids).size, ids.length)
})

test('`topics create` makes the topic of updates where the flag or a workflow asks for it, and only there', async (t) => {
  const { app, workflow, flags } = place()
  const site = Site.of(t, { 'workflows/order.yaml': workflow.replace('updates: true', '') })
  const names = async (...more: readonly string[]): Promise<readonly string[]> => {
    const { code, stdout, stderr } = await site.type(
      'topics',
      'create',
      ...flags,
      '--partitions',
      '2',
      '--json',
      ...more,
    )
    assert.equal(code, 0, stderr)
    return (JSON.parse(stdout) as readonly { readonly name: string }[]).map(({ name }) => name)
  }
  assert.ok(!(await names()).includes(`${app}.updates`))
  assert.ok((await names('--updates', 'true')).includes(`${app}.updates`))
  site.write('workflows/order.yaml', workflow)
  assert.ok((await names()).includes(`${app}.updates`))
  const checked = await site.type('topics', 'check', ...flags, '--partitions', '2')
  assert.equal(checked.code, 0, checked.stdout)
})

test('a topic of updates that nobody made holds nothing up, and is told', async (t) => {
  const { app, topic, workflow, flags } = place()
  const site = Site.of(t, { 'workflows/order.yaml': workflow.replace('updates: true', '') })
  const all = [...flags, '--partitions', '2']
  assert.equal((await site.type('topics', 'create', ...all)).code, 0)
  const daemon = await site.start(...all, '--topics-create', 'false', '--updates', 'true')
  await daemon.produce(topic('orders'), 'o-1', { orderId: 'o-1', amount: 1 })
  await daemon.produce(topic('payment-events'), 'o-1', { orderId: 'o-1', status: 'paid' })
  await daemon.produce(topic('warehouse-events'), 'o-1', { orderId: 'o-1', tracking: 'T' })
  assert.equal((await daemon.instance('order', 'o-1')).status, 'COMPLETED')
  const { isReady, problems, counters } = await daemon.health()
  assert.ok(isReady)
  assert.match(problems.join('\n'), new RegExp(`${app}\\.updates takes no updates of partition \\d .*unknown-topic`))
  assert.ok((counters['updates_held_back'] ?? 0) > 10)
})
