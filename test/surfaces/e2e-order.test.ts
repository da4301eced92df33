// The order workflow from a user's seat: two terminals, a folder of files, and payment's answer typed by hand.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { InstanceView } from '../../src/runtime/face.ts'
import { Site } from '../support/daemon.ts'

const order = readFileSync(new URL('../../workflows/order.yaml', import.meta.url), 'utf8')

test('an order goes from typed commands to its end, and a restart changes nothing about it', async (t) => {
  const site = Site.of(t, { 'workflows/order.yaml': order })
  const daemon = await site.start()
  const type = async (...argv: string[]): Promise<string> => {
    const { code, stdout, stderr } = await site.type(...argv, '--server', daemon.url)
    assert.equal(code, 0, stderr)
    return stdout
  }
  const show = async (): Promise<InstanceView> => JSON.parse(await type('instances', 'show', 'order/o-1', '--json'))

  await type('produce', 'orders', '--key', 'o-1', '--value', '{"orderId":"o-1","amount":12.5}')
  await daemon.instance('order', 'o-1', ({ waitingAt }) => waitingAt.includes('charged'))
  const [command] = (await type('consume', 'payment-commands', '--json')).trim().split('\n')
  assert.deepEqual(JSON.parse(command ?? '').value, { orderId: 'o-1', amount: 12.5 })
  assert.deepEqual((await show()).waitingAt, ['charged'])

  await type('produce', 'payment-events', '--key', 'p-7', '--value', '{"orderId":"o-1","status":"paid"}')
  await daemon.instance('order', 'o-1', ({ waitingAt }) => waitingAt.includes('shipped'))
  assert.match(await type('instances', 'show', 'order/o-1'), /EXECUTING[^]*charged +kafka-listener +COMPLETED/)
  await type('produce', 'warehouse-events', '--key', 'o-1', '--value', '{"orderId":"o-1","tracking":"T-9"}')
  assert.match(await type('instances', 'show', 'order/o-1', '--follow'), /COMPLETED in /)
  const ended = await show()
  assert.equal(ended.status, 'COMPLETED')
  assert.deepEqual(ended.output, { orderId: 'o-1', paymentStatus: 'paid', tracking: 'T-9' })

  assert.equal(await daemon.stop(), 0)
  const again = await site.start()
  assert.deepEqual(await again.client.findInstanceByKey('order', 'o-1'), ended)
  assert.deepEqual((await again.health()).workflows, daemon.report.workflows)
  assert.equal((await again.records('payment-commands')).length, 1)
})

test('a declined payment becomes an incident, and the orders around it go on', async (t) => {
  const site = Site.of(t, { 'workflows/order.yaml': order })
  const daemon = await site.start()
  for (const orderId of ['o-1', 'o-2']) await daemon.produce('orders', orderId, { orderId, amount: 1 })
  await daemon.produce('payment-events', 'o-1', { orderId: 'o-1', status: 'declined' })
  await daemon.produce('payment-events', 'o-2', { orderId: 'o-2', status: 'paid' })
  await daemon.produce('warehouse-events', 'o-2', { orderId: 'o-2', tracking: 'T' })
  const declined = await daemon.instance('order', 'o-1')
  assert.deepEqual([declined.status, declined.incidents], ['EXECUTING', 1])
  assert.equal(declined.tasks.find(({ name }) => name === 'approved')?.error?.code, 'no-case')
  assert.equal((await daemon.instance('order', 'o-2')).status, 'COMPLETED')
  const { items } = await daemon.client.listInstances({ incident: true, limit: 10 })
  assert.deepEqual(
    items.map(({ key }) => key),
    ['o-1'],
  )
})

test('run starts an instance by call and follows it to its end', async (t) => {
  const site = Site.of(t, { 'workflows/greet.yaml': greet('hello') })
  const daemon = await site.start()
  const { code, stdout } = await site.type('run', 'greet', '--key', 'g', '--json', '--server', daemon.url)
  assert.equal(code, 0)
  assert.equal(JSON.parse(stdout).output, 'hello')
})

const greet = (word: string): string => `
workflow: greet
start: [{ topic: greetings }]
tasks: [{ name: wait, type: trigger, delay: 10ms }]
output: ${word}
`

test('a file dropped into the folder is picked up, an edit serves new instances only, a bad edit nobody', async (t) => {
  const site = Site.of(t)
  const daemon = await site.start()
  assert.deepEqual(daemon.report.workflows, [])

  site.write('workflows/greet.yaml', greet('hello'))
  const version = async (): Promise<string | undefined> => (await daemon.health()).workflows[0]?.version
  const first = await daemon.until(version)
  await daemon.produce('greetings', 'g-1', {})
  assert.equal((await daemon.instance('greet', 'g-1')).output, 'hello')

  site.write('workflows/greet.yaml', greet('good day'))
  await daemon.until(async () => ((await version()) === first ? undefined : true))
  await daemon.produce('greetings', 'g-2', {})
  assert.equal((await daemon.instance('greet', 'g-2')).output, 'good day')

  site.write('workflows/greet.yaml', greet('${ nobody }'))
  const [problem] = await daemon.until(async () => {
    const { definitionProblems } = await daemon.health()
    return definitionProblems.length > 0 ? definitionProblems : undefined
  })
  assert.equal(problem?.code, 'DW_UNKNOWN_ROOT')
  assert.equal(problem?.place?.line, 5)
  assert.equal(daemon.log.filter(({ level, msg }) => level === 'error' && msg.includes('greet.yaml:5')).length, 1)
  await daemon.produce('greetings', 'g-3', {})
  assert.equal((await daemon.instance('greet', 'g-3')).output, 'good day')

  // The bad file is still there: what it was before serves on after a restart too.
  await daemon.stop()
  const again = await site.start()
  assert.equal(again.report.definitionProblems[0]?.code, 'DW_UNKNOWN_ROOT')
  await again.produce('greetings', 'g-4', {})
  assert.equal((await again.instance('greet', 'g-4')).output, 'good day')

  site.remove('workflows/greet.yaml')
  await again.until(async () => ((await again.health()).workflows.length === 0 ? true : undefined))
  const { code } = await site.type('run', 'greet', '--key', 'g-5', '--server', again.url)
  assert.equal(code, 1)
  await again.produce('greetings', 'g-6', {})
  await again.until(async () => ((await again.counter('record_unmatched')) === 1 ? true : undefined))
  assert.equal(await again.client.findInstanceByKey('greet', 'g-6'), undefined)
  assert.equal((await again.client.findInstanceByKey('greet', 'g-1'))?.output, 'hello')
})

test('what runs when its file is removed or edited, runs on as it began', async (t) => {
  const waiting = (word: string): string => `
workflow: wait
start: [{ topic: waits }]
tasks:
  - { name: told, type: kafka-listener, topic: words, correlate: { message: message.key, instance: instance.key } }
output: ${word}
`
  const site = Site.of(t, { 'workflows/wait.yaml': waiting('first') })
  const daemon = await site.start()
  await daemon.produce('waits', 'w-1', {})
  await daemon.instance('wait', 'w-1', ({ waitingAt }) => waitingAt.length > 0)
  site.write('workflows/wait.yaml', waiting('second'))
  const first = daemon.report.workflows[0]?.version
  await daemon.until(async () => ((await daemon.health()).workflows[0]?.version === first ? undefined : true))
  await daemon.produce('waits', 'w-2', {})
  await daemon.instance('wait', 'w-2', ({ waitingAt }) => waitingAt.length > 0)
  site.remove('workflows/wait.yaml')
  await daemon.until(async () => ((await daemon.health()).workflows.length === 0 ? true : undefined))
  await daemon.kill()

  const again = await site.start()
  for (const key of ['w-1', 'w-2']) await again.produce('words', key, {})
  assert.equal((await again.instance('wait', 'w-1')).output, 'first')
  assert.equal((await again.instance('wait', 'w-2')).output, 'second')
})
