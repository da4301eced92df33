// Handlers in a directory, through the daemon: what they give, what they do wrong, and what a death in the middle of one
// means.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { NotStarted, Site } from '../support/daemon.ts'

const retryOnce = '{ maxAttempts: 2, initialInterval: 10ms }'

test('a handler that throws, hangs, returns a function or 20 MB fails its task, the others go on', async (t) => {
  const site = Site.of(t, {
    'handlers/billing/charge.ts': `
type Input = { readonly amount: number }
export const input = { type: 'object' }
export default async (task: { input: Input; idempotencyKey: string; attempt: number }) =>
  ({ charged: task.input.amount, key: task.idempotencyKey, attempt: task.attempt })
`,
    'handlers/throws.ts': `export default async () => { throw Object.assign(new Error('no carrier'), { code: 'carrier-down' }) }`,
    'handlers/gives-up.ts': `export default () => { throw Object.assign(new Error('never'), { code: 'gone', retryable: false }) }`,
    'handlers/hangs.ts': `export default () => new Promise(() => {})`,
    'handlers/gives-function.ts': `export default async () => ({ then: undefined, call: () => 1 })`,
    'handlers/gives-20mb.ts': `export default async () => 'x'.repeat(20 * 1_048_576)`,
    'handlers/throws-nothing.ts': `export default async () => { throw undefined }`,
    'workflows/work.yaml': `
workflow: work
start: [{ topic: works }]
tasks:
  - { name: throws, type: throws, dependsOn: [], retry: ${retryOnce} }
  - { name: gives-up, type: gives-up, dependsOn: [] }
  - { name: hangs, type: hangs, dependsOn: [], timeout: 150ms, retry: ${retryOnce} }
  - { name: gives-function, type: gives-function, dependsOn: [] }
  - { name: gives-20mb, type: gives-20mb, dependsOn: [] }
  - { name: throws-nothing, type: throws-nothing, dependsOn: [], retry: ${retryOnce} }
  - { name: charge, type: billing/charge, dependsOn: [], with: { amount: "\${ input.amount }" } }
`,
    'workflows/fine.yaml': `
workflow: fine
start: [{ topic: fines }]
tasks: [{ name: charge, type: billing/charge, with: { amount: 3 } }]
output: \${ tasks.charge.output }
`,
  })
  // Few slots: a handler that hangs gives its slot back when its time is up.
  const daemon = await site.start('--handlers-per-worker', '2')
  await daemon.produce('works', 'w', { amount: 12 })
  await daemon.produce('fines', 'f', {})
  const instance = await daemon.instance(
    'work',
    'w',
    ({ incidents, waitingAt }) => incidents === 6 && waitingAt.length === 0,
  )
  const results = Object.fromEntries(instance.tasks.map((task) => [task.name, [task.error?.code, task.attempt]]))
  assert.deepEqual(results, {
    throws: ['carrier-down', 2],
    'gives-up': ['gone', 1],
    hangs: ['timeout', 2],
    'gives-function': ['output-not-json', 1],
    'gives-20mb': ['payload-too-large', 1],
    'throws-nothing': ['handler', 2],
    charge: [undefined, 1],
  })
  const charged = { charged: 12, key: `${instance.id}/charge`, attempt: 1 }
  assert.deepEqual(instance.tasks.find(({ name }) => name === 'charge')?.output, charged)
  assert.equal((await daemon.instance('fine', 'f')).status, 'COMPLETED')
  assert.deepEqual([(await daemon.health()).isReady, (await daemon.health()).problems], [true, []])
})

test('a handler whose worker dies by kill -9 is run again, as the same attempt and with the same idempotency key', async (t) => {
  const site = Site.of(t, {
    'handlers/book.ts': `
import { appendFileSync, existsSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
export default async (task: { idempotencyKey: string; attempt: number; signal: AbortSignal; input: null }) => {
  appendFileSync('journal', JSON.stringify([task.idempotencyKey, task.attempt]) + '\\n')
  while (!existsSync('open')) await pause(20, undefined, { signal: task.signal })
  return 'booked'
}
`,
    'workflows/book.yaml': `
workflow: book
start: [{ topic: books }]
tasks:
  - { name: book, type: book }
  - { name: tell, type: kafka-command, topic: booked, value: "\${ tasks.book.output }" }
`,
  })
  const journal = (): readonly (readonly [string, number])[] => {
    const file = join(site.directory, 'journal')
    if (!existsSync(file)) return []
    // What stands behind the last line break is being written.
    return readFileSync(file, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line))
  }
  const daemon = await site.start()
  await daemon.produce('books', 'b', {})
  await daemon.until(async () => (journal().length === 1 ? true : undefined))
  await daemon.kill()
  const second = await site.start()
  await second.until(async () => (journal().length === 2 ? true : undefined))
  await second.kill()
  const third = await site.start()
  await third.until(async () => (journal().length === 3 ? true : undefined))
  site.write('open', '')
  const instance = await third.instance('book', 'b')
  assert.equal(instance.status, 'COMPLETED')
  const key = `${instance.id}/book`
  assert.deepEqual(journal(), [
    [key, 1],
    [key, 1],
    [key, 1],
  ])
  assert.match(instance.timeline.find(({ note }) => note?.startsWith('run 3'))?.note ?? '', /cut short/)
  assert.equal((await third.records('booked')).length, 1)
})

test('a stop by Ctrl-C aborts what handlers do, and the next start runs them again', async (t) => {
  const site = Site.of(t, {
    'handlers/waits.ts': `
import { appendFileSync, existsSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
export default async (task: { signal: AbortSignal }) => {
  task.signal.addEventListener('abort', () => appendFileSync('aborted', 'x'))
  if (existsSync('aborted')) return 'second'
  await pause(600_000, undefined, { signal: task.signal })
}
`,
    'workflows/waits.yaml': `
workflow: waits
start: [{ topic: waits }]
tasks: [{ name: waits, type: waits }]
output: \${ tasks.waits.output }
`,
  })
  const daemon = await site.start()
  await daemon.produce('waits', 'w', {})
  await daemon.instance('waits', 'w', ({ tasks }) => tasks[0]?.status === 'EXECUTING')
  assert.equal(await daemon.stop(), 0)
  assert.equal(readFileSync(join(site.directory, 'aborted'), 'utf8'), 'x')
  const again = await site.start()
  assert.equal((await again.instance('waits', 'w')).output, 'second')
})

test('a handler that ignores its signal does not keep the daemon from ending', async (t) => {
  const site = Site.of(t, {
    'handlers/stubborn.ts': `export default () => new Promise((resolve) => setTimeout(resolve, 600_000))`,
    'workflows/stubborn.yaml': `
workflow: stubborn
start: [{ topic: stubborns }]
tasks: [{ name: go, type: stubborn }]
`,
  })
  const daemon = await site.start()
  await daemon.produce('stubborns', 's', {})
  await daemon.instance('stubborn', 's', ({ tasks }) => tasks[0]?.status === 'EXECUTING')
  assert.equal(await daemon.stop(), 0)
})

test('a handler that cannot be loaded, and a workflow that names one that is not there, are told at start', async (t) => {
  const site = Site.of(t, {
    'handlers/charge.ts': 'export default async () => 1',
    'workflows/typo.yaml': 'workflow: typo\ntasks: [{ name: a, type: chrage }]\n',
  })
  const daemon = await site.start()
  const [problem] = daemon.report.definitionProblems
  assert.deepEqual([problem?.code, problem?.suggestion], ['DW_UNKNOWN_TASK_TYPE', 'charge'])
  await daemon.stop()
  site.write('handlers/broken.ts', 'export default = 3')
  const error: unknown = await site.start().catch((error: unknown) => error)
  assert.ok(error instanceof NotStarted)
  assert.equal(error.code, 2)
  assert.match(error.stderr, /broken\.ts/)
})

test('a promise that a handler forgot does not end the daemon, and is told', async (t) => {
  const site = Site.of(t, {
    'handlers/forgets.ts': `export default async () => { void Promise.reject(new Error('forgotten')); return 1 }`,
    'workflows/forget.yaml': `
workflow: forget
start: [{ topic: forgets }]
tasks: [{ name: forget, type: forgets }]
output: \${ tasks.forget.output }
`,
  })
  const daemon = await site.start()
  await daemon.produce('forgets', 'a', {})
  const instance = await daemon.instance('forget', 'a', ({ status }) => status === 'COMPLETED')
  assert.equal(instance.output, 1)
  await daemon.until(async () => daemon.log.find(({ error }) => JSON.stringify(error ?? null).includes('forgotten')))
  await daemon.produce('forgets', 'b', {})
  await daemon.instance('forget', 'b', ({ status }) => status === 'COMPLETED')
})
