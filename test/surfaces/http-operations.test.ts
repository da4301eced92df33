// One action on many instances, over HTTP.
import assert from 'node:assert/strict'
import { suite, test, type TestContext } from 'node:test'
import { silentLogger } from '../../src/base/logger.ts'
import type { OperationView } from '../../src/runtime/face.ts'
import { Operations, type OperationRequest } from '../../src/http/operations.ts'
import { createApp } from '../../src/http/app.ts'
import { startHttpServer } from '../../src/http/server.ts'
import { Unavailable, type ActionAnswer } from '../../src/runtime/face.ts'
import { FakeWorker } from '../support/fake-worker.ts'
import { serve, until } from '../support/http.ts'
import { startMemoryWorker } from '../support/worker.ts'

async function served(t: TestContext, instances: number) {
  const server = await serve(t)
  for (let n = 0; n < instances; n++) server.worker.change(`i-${n}`, { incidents: 1 })
  const start = async (body: object) => (await server.call<OperationView>('/operations', { body })).body
  const end = async (id: string) => (await server.call<OperationView>(`/operations/${id}?waitMs=15000`)).body
  return { ...server, start, end, run: async (body: object) => end((await start(body)).id) }
}

const refused: ActionAnswer = { outcome: 'refused', code: 'not-now', message: 'no' }
/** B1 */
function checkCounts({ counts }: OperationView): void {
  const { matched, done, refused: no, failed, doneBefore, left } = counts
  assert.equal(matched, done + no + failed + doneBefore + left)
}

suite('POST /operations', () => {
  test('acts on what the filter wants, once each, and says what became of it', async (t) => {
    const { worker, call, end } = await served(t, 5)
    worker.change('other', { incidents: 0 })
    worker.actionAnswers.push({ outcome: 'done' }, refused)
    const body = { action: 'retry', task: 'pay', filter: { incident: true }, by: 'ann' }
    const answer = await call<OperationView>('/operations', { body })
    assert.equal(answer.status, 202)
    assert.equal(answer.headers.get('location'), `/operations/${answer.body.id}`)
    const over = await end(answer.body.id)
    assert.deepEqual([over.status, over.codes, over.refusals.length], ['completed', { 'not-now': 1 }, 1])
    assert.deepEqual(over.counts, { matched: 5, done: 4, refused: 1, failed: 0, doneBefore: 0, left: 0 })
    // The oldest first.
    assert.deepEqual(
      worker.actions.map(({ id }) => id),
      ['i-0', 'i-1', 'i-2', 'i-3', 'i-4'],
    )
    assert.equal(over.refusals[0]?.instanceId, 'i-1')
    const [{ action, by } = assert.fail()] = worker.actions
    assert.deepEqual(action, { kind: 'retry', task: 'pay', input: undefined })
    assert.equal(by, `ann, operation ${over.id}`)
  })

  test('hands each action what it takes', async (t) => {
    const { worker, run } = await served(t, 1)
    await run({ action: 'signal', name: 'go', payload: [1], all: true })
    await run({ action: 'set', vars: { a: 1 }, filter: { workflow: 'order' } })
    await run({ action: 'fail', reason: 'why', filter: { keyPrefix: 'i' } })
    assert.deepEqual(
      worker.actions.map(({ action }) => action),
      [
        { kind: 'signal', name: 'go', payload: [1] },
        { kind: 'set', vars: { a: 1 } },
        { kind: 'fail', reason: 'why' },
      ],
    )
  })

  test('refuses a filter that leaves nothing out, unless all are meant', async (t) => {
    const { worker, problem } = await served(t, 1)
    const empty = [{}, { status: [] }, { attribute: [] }, { incident: false }, { keyPrefix: '' }]
    for (const filter of empty) {
      const { body } = await problem('/operations', 400, 'request-invalid', { body: { action: 'stop', filter } })
      assert.equal(body.violations?.[0]?.pointer, '/filter')
    }
    for (const body of [{ action: 'stop' }, { action: 'stop', all: true, filter: { incident: true } }])
      await problem('/operations', 400, 'request-invalid', { body })
    assert.deepEqual(worker.actions, [])
  })

  test('refuses what the action does not take, what it lacks, times that are none, and unknown members', async (t) => {
    const { problem } = await served(t, 1)
    const pointers: (string | undefined)[] = []
    for (const body of [
      { action: 'stop', task: 'pay', all: true },
      { action: 'signal', all: true },
      { action: 'stop', filter: { endedBefore: 'soon' } },
      { action: 'stop', filter: { limit: 1 } },
    ]) {
      const answer = await problem('/operations', 400, 'request-invalid', { body })
      pointers.push(answer.body.violations?.[0]?.pointer)
    }
    assert.deepEqual(pointers, ['/task', '/name', '/filter/endedBefore', '/filter/limit'])
  })

  test('does nothing where it only counts', async (t) => {
    const { worker, run } = await served(t, 5)
    const over = await run({ action: 'stop', all: true, dryRun: true })
    assert.deepEqual([over.status, over.counts.matched, over.counts.left], ['completed', 5, 5])
    assert.deepEqual(worker.actions, [])
  })

  test('takes the newest up to its limit, over pages, and says that there are more', async (t) => {
    const { worker, run } = await served(t, 1_500)
    const over = await run({ action: 'stop', all: true, limit: 1_200 })
    assert.deepEqual([over.counts.done, over.hasMore], [1_200, true])
    assert.deepEqual([worker.actions[0]?.id, worker.actions.at(-1)?.id], ['i-300', 'i-1499'])
    assert.equal((await run({ action: 'stop', all: true, limit: 1_500 })).hasMore, false)
  })

  test('leaves out what the operation of its id has done', async (t) => {
    const { worker, run } = await served(t, 3)
    worker.change('i-1', {}, 'retry by ann, operation op-lost')
    worker.change('i-2', {}, 'retry by ann, operation op-lost2')
    const over = await run({ action: 'retry', all: true, id: 'op-lost' })
    assert.equal(over.id, 'op-lost')
    assert.deepEqual(over.counts, { matched: 3, done: 2, refused: 0, failed: 0, doneBefore: 1, left: 0 })
    assert.deepEqual(
      worker.actions.map(({ id }) => id),
      ['i-0', 'i-2'],
    )
  })
})

/** A worker whose actions wait until they are let go. */
function slow(worker: FakeWorker) {
  const waiting: ((answer: ActionAnswer) => void)[] = []
  worker.instances = { ...worker.instances, operate: () => new Promise((resolve) => waiting.push(resolve)) }
  return { waiting, letGo: () => waiting.splice(0).forEach((resolve) => resolve({ outcome: 'done' })) }
}

suite('an operation', () => {
  test('is seen while it goes on, and cancelled: nothing else is begun', async (t) => {
    const { worker, call, start, end, problem } = await served(t, 200)
    const { waiting, letGo } = slow(worker)
    const { id } = await start({ action: 'stop', all: true })
    await until(() => waiting.length === 64)
    letGo()
    await until(() => waiting.length === 64)
    const { body: seen } = await call<OperationView>(`/operations/${id}`)
    assert.deepEqual([seen.status, seen.counts.done, seen.counts.left], ['running', 64, 136])
    checkCounts(seen)
    await problem('/operations', 409, 'operation-running', { body: { action: 'stop', all: true, id } })
    const { body: cancelled } = await call<OperationView>(`/operations/${id}/cancel`, { body: {} })
    assert.equal(cancelled.status, 'cancelling')
    letGo()
    const over = await end(id)
    assert.deepEqual([over.status, over.counts.done, over.counts.left], ['cancelled', 128, 72])
    const again = await call<OperationView>(`/operations/${id}/cancel`, { body: {} })
    assert.equal(again.body.status, 'cancelled')
    const { body: all } = await call<{ items: readonly OperationView[] }>('/operations')
    assert.deepEqual(all.items, [over])
  })

  test('that nobody has is not found', async (t) => {
    const { problem } = await served(t, 0)
    await problem('/operations/op-1', 404, 'operation-not-found')
    await problem('/operations/op-1/cancel', 404, 'operation-not-found', { body: {} })
  })

  test('tries again what cannot be done now, and tells what may have been done', async () => {
    const worker = new FakeWorker()
    for (const id of ['passes', 'unknown', 'stays']) worker.change(id, {})
    const asked: string[] = []
    worker.instances = {
      ...worker.instances,
      operate: async (id) => {
        asked.push(id)
        if (id === 'unknown') throw new Unavailable('outcome-unknown', 'who knows')
        if (id === 'stays' || asked.filter((each) => each === id).length < 3) throw new Unavailable('not-ready', 'no')
        return { outcome: 'done' }
      },
    }
    const paused: number[] = []
    const operations = new Operations(worker, async (ms) => void paused.push(ms))
    const { id } = operations.start(stopAll)
    const over = await operations.follow(id, 10_000)
    assert.deepEqual(over?.counts, { matched: 3, done: 1, refused: 0, failed: 2, doneBefore: 0, left: 0 })
    assert.deepEqual(over?.codes, { 'outcome-unknown': 1, 'not-ready': 1 })
    assert.equal(asked.filter((each) => each === 'unknown').length, 1)
    assert.equal(asked.filter((each) => each === 'passes').length, 3)
    assert.ok(paused.length >= 30_000 / 500)
  })

  test('fails as a whole where what matches cannot be found out', async () => {
    const worker = new FakeWorker()
    worker.failWith = new Unavailable('not-ready', 'partition 1 is not running here yet')
    const operations = new Operations(worker, async () => {})
    worker.view = () => ({ ...new FakeWorker().view() })
    const { id } = operations.start(stopAll)
    const over = await operations.follow(id, 10_000)
    assert.deepEqual([over?.status, over?.error?.code, over?.counts.matched], ['failed', 'not-ready', 0])
  })

  test('is one of a few at a time', async () => {
    const worker = new FakeWorker()
    worker.change('i', {})
    const { letGo } = slow(worker)
    const operations = new Operations(worker)
    for (let n = 0; n < 8; n++) operations.start(stopAll)
    assert.throws(() => operations.start(stopAll), Unavailable)
    operations.close()
    const [{ id } = assert.fail()] = operations.list()
    letGo()
    assert.equal((await operations.follow(id, 10_000))?.status, 'cancelled')
    operations.start(stopAll)
    letGo()
  })
})

const stopAll: OperationRequest = {
  id: undefined,
  action: { kind: 'stop', reason: 'why' },
  members: { reason: 'why' },
  filter: {},
  isDryRun: false,
  limit: 10,
  by: 'ann',
  // Of a request that was answered; a fake worker runs everything, so nobody else is asked.
  asker: { headers: {}, server: createApp(new FakeWorker(), silentLogger) },
}

suite('any worker', () => {
  async function two(t: TestContext) {
    const [first, second] = [new FakeWorker(), new FakeWorker()]
    const servers = await Promise.all(
      [first, second].map((worker) => startHttpServer({ worker, port: 0, logger: silentLogger })),
    )
    for (const server of servers) t.after(() => server.close())
    const record = (at: number) => ({
      worker: `w-${at}`,
      url: servers[at]!.url,
      startedAt: '2026-01-01T00:00:00.000Z',
      at: '2026-01-01T00:00:00.000Z',
      owned: [{ partition: at, position: 1 }],
      copies: [],
    })
    first.peers.push(record(1))
    second.peers.push(record(0))
    for (const [at, worker] of [first, second].entries()) {
      const own = (id: string) => Number(id.slice(-1)) % 2 === at
      const { list, operate, find } = worker.instances
      const here = async <Answer>(id: string, ask: () => Promise<Answer>): Promise<Answer> => {
        if (!own(id)) throw new Unavailable('not-ready', 'elsewhere', 1 - at)
        return ask()
      }
      worker.instances = {
        ...worker.instances,
        list: async (filter) => ({ ...(await list(filter)), partitions: [at] }),
        operate: (id, action, by) => here(id, () => operate(id, action, by)),
        find: (id) => here(id, () => find(id)),
      }
    }
    for (const id of ['i-0', 'i-2']) first.change(id, {})
    for (const id of ['i-1', 'i-3']) second.change(id, {})
    const ask = async (at: number, path: string, body?: object) => {
      const answer = await fetch(servers[at]!.url + path, {
        ...(body && { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      })
      return { status: answer.status, body: (await answer.json()) as OperationView & { items: OperationView[] } }
    }
    return { first, second, ask }
  }

  test('acts on instances of all, shows what another carries out, and cancels it', async (t) => {
    const { first, second, ask } = await two(t)
    second.actionAnswers.push(refused)
    const { body } = await ask(0, '/operations', { action: 'complete', output: { a: 1 }, all: true, by: 'ann' })
    const over = await ask(1, `/operations/${body.id}?waitMs=15000`)
    assert.deepEqual(over.body.counts, { matched: 4, done: 3, refused: 1, failed: 0, doneBefore: 0, left: 0 })
    assert.deepEqual(first.actions.map(({ id }) => id).sort(), ['i-0', 'i-2'])
    assert.deepEqual(second.actions.map(({ id }) => id).sort(), ['i-1', 'i-3'])
    const told = second.actions[0]
    assert.deepEqual(told?.action, { kind: 'complete', task: undefined, output: { a: 1 } })
    assert.equal(told?.by, first.actions[0]?.by)
    for (const at of [0, 1])
      assert.deepEqual(
        (await ask(at, '/operations')).body.items.map(({ id }) => id),
        [body.id],
      )
    const { letGo } = slow(first)
    const slowly = await ask(0, '/operations', { action: 'stop', all: true })
    const cancelled = await ask(1, `/operations/${slowly.body.id}/cancel`, {})
    assert.deepEqual([cancelled.status, cancelled.body.status], [200, 'cancelling'])
    const again = await ask(1, '/operations', { action: 'stop', all: true, id: slowly.body.id })
    assert.equal(again.status, 409)
    letGo()
  })

  test('knows from the histories of all what an operation did before it was lost', async (t) => {
    const { first, second, ask } = await two(t)
    first.change('i-2', {}, 'signal by ann, operation op-lost')
    second.change('i-1', {}, 'signal by ann, operation op-lost')
    const { body } = await ask(1, '/operations', { action: 'signal', name: 'go', all: true, id: 'op-lost' })
    const over = await ask(0, `/operations/${body.id}?waitMs=15000`)
    assert.deepEqual([over.body.counts.done, over.body.counts.doneBefore], [2, 2])
  })
})

test('every action leaves the id of its operation in the history of the instance', async (t) => {
  const { worker } = await startMemoryWorker(`
workflow: w
vars: { x: 0 }
tasks:
  - { name: a, type: signal, signal: go }
  - { name: b, type: signal, signal: go }
  - { name: c, type: signal, signal: go }
  - { name: sent, type: kafka-command, topic: t, value: "\${ tasks.c.output.x }" }
`)
  t.after(() => worker.stop())
  const started = await worker.instances.start({ workflow: 'w', key: 'k', input: null })
  assert.ok(started.outcome === 'started')
  const actions: readonly OperationRequest['action'][] = [
    { kind: 'signal', name: 'go', payload: null },
    { kind: 'set', vars: { x: 1 } },
    { kind: 'suspend' },
    { kind: 'resume' },
    { kind: 'skip', task: 'b' },
    { kind: 'signal', name: 'other', payload: null },
    { kind: 'complete', task: 'c', output: {} },
    { kind: 'retry', task: undefined, input: undefined },
    { kind: 'fail', reason: 'no' },
    { kind: 'retry', task: undefined, input: undefined },
    { kind: 'stop', reason: 'no' },
  ]
  for (const [at, action] of actions.entries()) {
    const answer = await worker.instances.operate(started.instanceId, action, `ann, operation op-${at}`)
    assert.deepEqual(answer, { outcome: 'done' }, action.kind)
    const { timeline = [] } = (await worker.instances.find(started.instanceId)) ?? {}
    assert.ok(
      timeline.some(({ note = '' }) => note.endsWith(`operation op-${at}`)),
      action.kind,
    )
  }
})
