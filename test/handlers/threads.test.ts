// Handlers in threads: as in the main thread, and ended whatever they compute.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { Json } from '../../src/base/json.ts'
import { silentLogger } from '../../src/base/logger.ts'
import { retryHintsOf } from '../../src/base/thrown.ts'
import type { HandlerModule, HandlerTaskInput } from '../../src/handlers/contract.ts'
import { loadHandlers } from '../../src/handlers/registry.ts'
import { HandlerThreads } from '../../src/handlers/threads.ts'

const root = mkdtempSync(join(tmpdir(), 'dw-threads-'))
const threads = new HandlerThreads({ graceMs: 100, idleMax: 1 })
after(async () => {
  await threads.close()
  rmSync(root, { recursive: true })
})

const modules = {
  identity: `import { threadId } from 'node:worker_threads'
export default (task) => ({ threadId, input: task.input, key: task.idempotencyKey, at: new Date(0) })`,
  nothing: `export default async () => {}`,
  cyclic: `export default () => { const it = {}; it.self = it; return it }`,
  code: `export default () => ({ call: () => 1 })`,
  throws: `export default () => { throw Object.assign(new Error('no'), { code: 'gone', retryable: false, retryAfterMs: 7 }) }`,
  strange: `export default () => { throw { get code() { throw new Error('even to ask throws') } } }`,
  talks: `export default async (task) => {
  task.heartbeat({ done: 1 })
  task.logger.child({ of: 'child' }).warn({ error: new Error('inner'), big: 1n }, 'too big')
  task.logger.info({ error: new Error('inner') }, 'hello')
}`,
  obeys: `export default (task) => new Promise((resolve, reject) => task.signal.addEventListener('abort', () => reject(task.signal.reason)))`,
  burns: `export default () => { for (;;); }`,
  exits: `export default () => process.exit(3)`,
  forgets: `export default async () => { void Promise.reject(new Error('forgotten')); await new Promise((r) => setTimeout(r, 20)); return 1 }`,
  stops: `let begun
export default (task) => { begun = task; return new Promise((resolve) => task.signal.addEventListener('abort', () => resolve('late'))) }
export const stop = (task, signal) => task.logger.info({ isSame: task === begun, isAborted: task.signal.aborted, isOver: signal.aborted }, 'stop')`,
  clings: `export default () => new Promise(() => {})
export const stop = (task, signal) => new Promise((resolve) => signal.addEventListener('abort', resolve))`,
}
for (const [name, text] of Object.entries(modules)) writeFileSync(join(root, `${name}.mjs`), text)
const handlers = await loadHandlers(root, threads)

interface Given {
  readonly task: HandlerTaskInput
  readonly abort: AbortController
  readonly lines: { readonly message: string; readonly fields: object }[]
  readonly progress: Json[]
}

function given(input: Json = null): Given {
  const abort = new AbortController()
  const lines: Given['lines'] = []
  const progress: Json[] = []
  const line = (fields: object, message: string): void => void lines.push({ fields, message })
  const task: HandlerTaskInput = {
    ...{ input, instance: { id: 'i', key: 'k', workflow: 'w', version: 'w@1' }, name: 'h', attempt: 1 },
    ...{ idempotencyKey: 'i/h', signal: abort.signal },
    logger: { ...silentLogger, info: line, warn: line, error: line },
    heartbeat: (value = null) => void progress.push(value),
  }
  return { task, abort, lines, progress }
}

function hosted(name: keyof typeof modules): HandlerModule {
  return handlers.find(name, 'thread') ?? assert.fail(`there is ${name}`)
}

const runIn = async (name: keyof typeof modules, { task }: Given = given()): Promise<unknown> => hosted(name).run(task)
const thrownBy = (name: keyof typeof modules): Promise<unknown> =>
  runIn(name).then(
    () => assert.fail(`${name} throws`),
    (error: unknown) => error,
  )

test('a module runs in another thread, is given what it is told and gives what JSON has of its output', async () => {
  const { threadId, ...rest } = (await runIn('identity', given({ a: 1 }))) as { threadId: number }
  assert.notEqual(threadId, 0)
  assert.deepEqual(rest, { input: { a: 1 }, key: 'i/h', at: '1970-01-01T00:00:00.000Z' })
  assert.equal(await runIn('nothing'), undefined)
})

test('a thread is used again, and two tasks at once have one each', async () => {
  const threadOf = async (): Promise<number> => ((await runIn('identity')) as { threadId: number }).threadId
  const first = await threadOf()
  assert.equal(await threadOf(), first)
  const [one, two] = await Promise.all([threadOf(), threadOf()])
  assert.notEqual(one, two)
})

test('what a module throws, and what JSON cannot hold, fails as in the main thread', async () => {
  const thrown = await thrownBy('throws')
  assert.equal(thrown instanceof Error && thrown.message, 'no')
  assert.deepEqual(retryHintsOf(thrown), { code: 'gone', retryable: false, retryAfterMs: 7 })
  for (const name of ['cyclic', 'code'] as const) {
    assert.deepEqual(retryHintsOf(await thrownBy(name)), { code: 'output-not-json', retryable: false })
  }
  assert.match(String(await thrownBy('strange')), /not an Error/)
})

test('heartbeats and log lines come through', async () => {
  const at = given()
  await runIn('talks', at)
  assert.deepEqual(at.progress, [{ done: 1 }])
  const [big, hello] = at.lines
  assert.deepEqual([big?.message, big?.fields], ['too big', {}])
  assert.equal(hello?.message, 'hello')
  assert.match(JSON.stringify(hello?.fields), /inner/)
})

test('a handler that obeys its signal ends by itself, and keeps its thread', async () => {
  const at = given()
  const run = runIn('obeys', at)
  await pause(50)
  at.abort.abort(new Error('stopped for a test'))
  await assert.rejects(run, /stopped for a test/)
})

test('one that computes without an end is terminated after a grace', async () => {
  const at = given()
  const run = runIn('burns', at)
  await pause(50)
  at.abort.abort(new Error('over'))
  await assert.rejects(run, /has ended/)
  assert.equal(typeof ((await runIn('identity')) as { threadId: number }).threadId, 'number')
})

test('a thread that dies fails its run, and the next one has another', async () => {
  await assert.rejects(runIn('exits'), /code 3/)
  assert.ok(await runIn('identity'))
})

test('a promise that a handler forgot is told, and fails nothing', async () => {
  const at = given()
  assert.equal(await runIn('forgets', at), 1)
  assert.match(JSON.stringify(at.lines), /forgotten/)
})

test('`stop` is given the task of its run; with no run beside it, one whose signal is aborted', async () => {
  for (const hasRun of [true, false]) {
    const at = given()
    const run = hasRun ? runIn('stops', at) : undefined
    if (hasRun) await pause(50)
    at.abort.abort(new Error('the task was stopped'))
    await hosted('stops').stop?.(at.task, new AbortController().signal)
    assert.deepEqual(
      at.lines.map(({ fields }) => fields),
      [{ isSame: hasRun, isAborted: true, isOver: false }],
    )
    assert.equal(await run, hasRun ? 'late' : undefined)
  }
})

test('a stop has its own time, and when that is over the thread is terminated', async () => {
  const at = given()
  const run = runIn('clings', at)
  await pause(50)
  at.abort.abort(new Error('the task was stopped'))
  const timeUp = new AbortController()
  const stop = hosted('clings').stop?.(at.task, timeUp.signal)
  await pause(200)
  const settled = run.then(
    () => 'returned',
    () => 'rejected',
  )
  assert.equal(await Promise.race([settled, pause(10, 'runs')]), 'runs')
  timeUp.abort()
  await stop
  assert.equal(await settled, 'rejected')
})

test('a module whose run was aborted before it began is not begun', async () => {
  const at = given()
  at.abort.abort(new Error('over'))
  await assert.rejects(runIn('identity', at), /over/)
})
