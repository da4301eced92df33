// How a worker ends, and what its probes say, with real processes and signals.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { type Daemon, Site } from '../support/daemon.ts'

const workflow = (type: string): string => `
workflow: ${type}
start: [{ topic: ${type} }]
tasks: [{ name: work, type: ${type} }]
output: \${ tasks.work.output }
`

function siteOf(t: TestContext): Site {
  return Site.of(t, {
    // Neither hears that it is to stop.
    'handlers/hangs.ts': `export default () => new Promise(() => {})`,
    'handlers/blocks.ts': `export default () => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 6_000)
  return 'done'
}`,
    'workflows/hangs.yaml': workflow('hangs'),
    'workflows/blocks.yaml': workflow('blocks'),
  })
}

const statusOf = async (daemon: Daemon, path: string, options: RequestInit = {}): Promise<number | undefined> =>
  fetch(daemon.url + path, options).then(
    ({ status }) => status,
    () => undefined,
  )

const isAtWork = (daemon: Daemon, key: string) =>
  daemon.instance('hangs', key, ({ tasks }) => tasks.some(({ status }) => status === 'EXECUTING'))

test('at SIGTERM readiness goes first, all else goes on for a while, and then all ends, whatever hangs', async (t) => {
  const site = siteOf(t)
  const daemon = await site.start('--stop-delay', '2s')
  await daemon.produce('hangs', 'h', {})
  const { id, timeline } = await isAtWork(daemon, 'h')
  const waiting = statusOf(daemon, `/instances/${id}?waitMs=30000&seen=${timeline.length}`)
  assert.equal(await statusOf(daemon, '/service/ready'), 200)
  daemon.signal('SIGTERM')
  await daemon.until(async () => ((await statusOf(daemon, '/service/ready')) === 503 ? true : undefined))
  assert.equal(await statusOf(daemon, '/service/live'), 200)
  const started = await daemon.client.startInstance({ workflow: 'hangs', key: 'late', input: null }, 'late')
  assert.equal(started.outcome, 'started')
  assert.equal(await waiting, 200, 'what waited for news is answered')
  assert.equal(await daemon.ended(), 0)

  const next = await site.start()
  for (const key of ['h', 'late']) await isAtWork(next, key)
  assert.equal(await next.stop(), 0)
})

test('a stop that takes longer than it may is ended with a code of its own, and nothing is lost', async (t) => {
  const site = siteOf(t)
  const daemon = await site.start('--stop-timeout', '1ms')
  await daemon.produce('hangs', 'h', {})
  await isAtWork(daemon, 'h')
  daemon.signal('SIGTERM')
  assert.equal(await daemon.ended(), 4)
  const next = await site.start()
  await isAtWork(next, 'h')
})

test('a handler that blocks the event loop is noticed by the time that a probe waits', async (t) => {
  const daemon = await siteOf(t).start()
  const live = () => statusOf(daemon, '/service/live', { signal: AbortSignal.timeout(1_000) })
  assert.equal(await live(), 200)
  await daemon.produce('blocks', 'b', {})
  await daemon.until(async () => ((await live()) === undefined ? true : undefined))
  const { output } = await daemon.instance('blocks', 'b')
  assert.deepEqual([output, await live()], ['done', 200])
})
