// What handler modules export beside their function, through the daemon: schemas, and what cleans up after a stop.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Site } from '../support/daemon.ts'

test('an input or output that does not fit its schema fails the task at once, and says where', async (t) => {
  const site = Site.of(t, {
    'handlers/charge.ts': `
export const input = { type: 'object', required: ['amount'], properties: { amount: { type: 'number' } } }
export const output = { type: 'object', required: ['receipt'] }
export default async (task: { input: { amount: number } }) => (task.input.amount > 10 ? {} : { receipt: 'r1' })
`,
    'workflows/pay.yaml': `
workflow: pay
start: [{ topic: pays }]
tasks:
  - { name: text, type: charge, dependsOn: [], with: { amount: "12" } }
  - { name: much, type: charge, dependsOn: [], with: { amount: 12 } }
  - { name: little, type: charge, dependsOn: [], with: { amount: 2 } }
`,
  })
  const daemon = await site.start()
  await daemon.produce('pays', 'p', {})
  const { tasks } = await daemon.instance('pay', 'p', ({ incidents }) => incidents === 2)
  const results = Object.fromEntries(tasks.map((task) => [task.name, [task.status, task.error?.code, task.attempt]]))
  assert.deepEqual(results, {
    text: ['FAILED', 'input-invalid', 1],
    much: ['FAILED', 'output-invalid', 1],
    little: ['COMPLETED', undefined, 1],
  })
  assert.match(tasks.find(({ name }) => name === 'text')?.error?.message ?? '', /\/amount must be number/)
})

test('a handler that is stopped cleans up before its instance ends, also where its worker died over it', async (t) => {
  const site = Site.of(t, {
    'handlers/ship.ts': `
import { appendFileSync, existsSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import type { Handler, HandlerStop } from 'dagger-worker'
const begun = new Set<unknown>()
export default (async (task) => {
  begun.add(task)
  await pause(600_000, undefined, { signal: task.signal })
}) satisfies Handler
export const stop = (async (task) => {
  const { signal, idempotencyKey, input } = task
  appendFileSync('stops', JSON.stringify([signal.aborted, begun.has(task), idempotencyKey, input]) + '\\n')
  while (!existsSync('open')) await pause(20)
}) satisfies HandlerStop
`,
    'workflows/ship.yaml': `
workflow: ship
start: [{ topic: ships }]
tasks:
  - { name: ship, type: ship, dependsOn: [], with: { parcel: 7 } }
  - { name: withdrawn, type: kafka-listener, topic: withdrawals, correlate: { message: message.key, instance: instance.key }, dependsOn: [] }
  - { name: end, type: stop, reason: withdrawn }
`,
  })
  const stops = (): readonly unknown[] => {
    const file = join(site.directory, 'stops')
    if (!existsSync(file)) return []
    return readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
  }
  const daemon = await site.start()
  await daemon.produce('ships', 's', {})
  const { id } = await daemon.instance('ship', 's', ({ tasks }) => tasks[0]?.status === 'EXECUTING')
  await daemon.produce('withdrawals', 's', {})
  await daemon.until(async () => (stops().length === 1 ? true : undefined))
  assert.equal((await daemon.instance('ship', 's', () => true)).status, 'EXECUTING')
  await daemon.kill()
  const second = await site.start()
  await second.until(async () => (stops().length === 2 ? true : undefined))
  site.write('open', '')
  const instance = await second.instance('ship', 's', ({ status }) => status === 'STOPPED')
  assert.equal(instance.tasks[0]?.status, 'STOPPED')
  assert.deepEqual(stops(), [
    [true, true, `${id}/ship`, { parcel: 7 }],
    [true, false, `${id}/ship`, { parcel: 7 }],
  ])
})

test('a handler in a thread computes without an end, and everything else goes on', async (t) => {
  const site = Site.of(t, {
    'handlers/burn.ts': `
import { isMainThread } from 'node:worker_threads'
import type { Handler } from 'dagger-worker'
export default ((task) => {
  task.heartbeat({ isMainThread })
  if (task.attempt === 1) for (;;);
  return { isMainThread }
}) satisfies Handler
`,
    'handlers/quick.ts': `export default () => 1`,
    'workflows/work.yaml': `
workflow: work
start: [{ topic: works }]
tasks:
  - { name: burn, type: burn, execution: thread, timeout: 2s, retry: { maxAttempts: 2, initialInterval: 10ms } }
output: \${ tasks.burn.output }
---
workflow: other
start: [{ topic: others }]
tasks: [{ name: quick, type: quick }]
`,
  })
  const daemon = await site.start()
  await daemon.produce('works', 'w', {})
  await daemon.instance('work', 'w', ({ tasks }) => JSON.stringify(tasks).includes('isMainThread'))
  const startedAtMs = Date.now()
  await daemon.produce('others', 'o', {})
  await daemon.instance('other', 'o', ({ status }) => status === 'COMPLETED')
  assert.ok(Date.now() - startedAtMs < 1_500, 'nothing waits for it')
  const instance = await daemon.instance('work', 'w', ({ status }) => status === 'COMPLETED')
  assert.deepEqual([instance.output, instance.tasks[0]?.attempt], [{ isMainThread: false }, 2])
})
