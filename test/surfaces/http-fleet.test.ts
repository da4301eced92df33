// Workers that answer for each other, each with an HTTP server of its own.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { silentLogger } from '../../src/base/logger.ts'
import { startHttpServer, type HttpServer } from '../../src/http/server.ts'
import { Unavailable, type InstancePage, type InstanceSummary, type WorkerRecord } from '../../src/runtime/face.ts'
import { FakeWorker } from '../support/fake-worker.ts'

const partitions = 4

interface Member {
  readonly worker: FakeWorker
  readonly server: HttpServer
  readonly page: { page: InstancePage }
}

/** Each runs the partitions given. */
async function fleetOf(t: TestContext, ...owned: readonly (readonly number[])[]): Promise<readonly Member[]> {
  const members: Member[] = []
  for (const own of owned) {
    const worker = new FakeWorker()
    worker.partitionsInAll = partitions
    const page = { page: { items: [], partitions: own } as InstancePage }
    worker.instances = { ...worker.instances, list: async () => page.page }
    const server = await startHttpServer({ worker, port: 0, logger: silentLogger })
    t.after(() => server.close())
    members.push({ worker, server, page })
  }
  const records = members.map(({ server }, at) => recordOf(`w-${at}`, server.url, owned[at]!))
  for (const [at, { worker }] of members.entries()) worker.peers.push(...records.filter((_, other) => other !== at))
  return members
}

const recordOf = (worker: string, url: string, owned: readonly number[]): WorkerRecord => ({
  worker,
  url,
  startedAt: '2026-01-01T00:00:00.000Z',
  at: '2026-01-01T00:00:00.000Z',
  owned: owned.map((partition) => ({ partition, position: 1 })),
  copies: [],
})
const summary = (id: string): InstanceSummary => ({
  id,
  workflow: 'order',
  version: 'order@3f9c2a1b',
  key: id,
  status: 'EXECUTING',
  incidents: 0,
  startedAt: '2026-01-01T00:00:00.000Z',
  waitingAt: [],
})
const page = (ids: readonly string[], own: readonly number[], next?: string): InstancePage => ({
  items: ids.map(summary),
  partitions: own,
  ...(next === undefined ? {} : { next }),
})
const idsOf = (body: { items: readonly InstanceSummary[] }) => body.items.map(({ id }) => id)

async function get(url: string): Promise<{ status: number; body: any; headers: Headers }> {
  const answer = await fetch(url)
  return { status: answer.status, body: await answer.json(), headers: answer.headers }
}

test('what another worker runs is asked there, and its answer given as it is', async (t) => {
  const [first, second] = (await fleetOf(t, [0, 1], [2, 3])) as [Member, Member]
  first.worker.failWith = new Unavailable('not-ready', 'partition 2 is not running here yet', 2)
  second.worker.known.set('i-1', { ...summary('i-1'), partition: 2 } as never)
  const found = await get(`${first.server.url}/instances/i-1`)
  assert.deepEqual([found.status, found.body.id, found.body.partition], [200, 'i-1', 2])
  const missing = await get(`${first.server.url}/instances/i-2`)
  assert.deepEqual([missing.status, missing.body.code], [404, 'instance-not-found'])
  const trace = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', tracestate: 'a=1' }
  const started = await fetch(`${first.server.url}/instances`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': 'call-1', ...trace },
    body: JSON.stringify({ workflow: 'order', key: 'o-1', input: { n: 1 } }),
  })
  assert.equal(started.status, 201)
  assert.match(started.headers.get('location') ?? '', /^\/instances\//)
  assert.deepEqual(second.worker.startRequests, [
    { workflow: 'order', key: 'o-1', input: { n: 1 }, idempotencyKey: 'call-1', trace },
  ])
})

test('a request that was passed on is not passed on again', async (t) => {
  const [first, second] = (await fleetOf(t, [0, 1], [2, 3])) as [Member, Member]
  for (const { worker } of [first, second]) worker.failWith = new Unavailable('not-ready', 'not here', 2)
  first.worker.peers[0] = recordOf('w-1', second.server.url, [2])
  second.worker.peers[0] = recordOf('w-0', first.server.url, [2])
  const { status, body } = await get(`${first.server.url}/instances/i-1`)
  assert.deepEqual([status, body.code, body.detail], [503, 'not-ready', 'not here'])
})

test('a worker that does not answer: nothing was done where nothing can have been', async (t) => {
  const [first, gone] = (await fleetOf(t, [0, 1], [2, 3])) as [Member, Member]
  first.worker.failWith = new Unavailable('not-ready', 'not here', 2)
  await gone.server.close()
  const headers = { 'content-type': 'application/json' }
  for (const request of [
    new Request(`${first.server.url}/instances/i-1`),
    new Request(`${first.server.url}/instances/i-1/suspend`, { method: 'POST', body: '{}', headers }),
  ]) {
    const answer = await fetch(request)
    const body = (await answer.json()) as { code: string; detail: string }
    assert.deepEqual([answer.status, body.code], [503, 'not-ready'])
    assert.ok(body.detail.includes(gone.server.url))
  }
})

test('a list has the newest of all, and goes on only from where all were looked at', async (t) => {
  const [first, second, third] = (await fleetOf(t, [0, 1], [2], [3])) as [Member, Member, Member]
  first.page.page = page(['i-9', 'i-5'], [0, 1], 'i-4')
  second.page.page = page(['i-8', 'i-7', 'i-3'], [2])
  third.page.page = page(['i-6', 'i-2'], [3], 'i-2')
  const found = await get(`${first.server.url}/instances?limit=3`)
  assert.deepEqual([idsOf(found.body), found.body.next], [['i-9', 'i-8', 'i-7'], 'i-7'])
  assert.equal(found.headers.get('dagger-worker-partitions'), null)
  const more = await get(`${first.server.url}/instances?limit=10`)
  assert.deepEqual([idsOf(more.body), more.body.next], [['i-9', 'i-8', 'i-7', 'i-6', 'i-5'], 'i-4'])
  first.page.page = page([], [0, 1])
  third.page.page = page([], [3])
  const last = await get(`${first.server.url}/instances?limit=10`)
  assert.deepEqual([idsOf(last.body), last.body.next], [['i-8', 'i-7', 'i-3'], undefined])
})

test('a list that would leave a partition out is refused, with the partition', async (t) => {
  const [first, second] = (await fleetOf(t, [0, 1], [3])) as [Member, Member]
  second.page.page = page(['i-1'], [3])
  const { status, body } = await get(`${first.server.url}/instances`)
  assert.deepEqual([status, body.code], [503, 'not-ready'])
  assert.match(body.detail, /partition 2/)
})

test('instances of workflows are counted in all workers; what is counted by none is told', async (t) => {
  const [first, second] = (await fleetOf(t, [0, 1], [2])) as [Member, Member]
  const counts = (member: Member, open: number, partitionsHere: number): void => {
    const version = {
      name: 'order',
      version: 'order@1',
      startTopics: [],
      isCurrent: true,
      publishedAt: '2026-01-01T00:00:00.000Z',
      instances: { open, kept: 2 * open },
    }
    const counted = { isComplete: false, instances: 2 * open, partitions: partitionsHere, partitionsInAll: partitions }
    Object.assign(member.worker.workflows, {
      list: async () => ({ items: [{ ...version, versions: 1, instancesInAll: version.instances }], counted }),
      find: async () => ({ workflow: { ...version, definition: {} }, counted }),
      versions: async () => ({ items: [version], total: 1, counted }),
    })
  }
  counts(first, 3, 2)
  counts(second, 4, 1)
  const counted = { isComplete: false, instances: 14, partitions: 3, partitionsInAll: 4 }
  const listed = await get(`${first.server.url}/workflows`)
  assert.deepEqual(
    [listed.body.items[0].instances, listed.body.items[0].instancesInAll],
    [
      { open: 7, kept: 14 },
      { open: 7, kept: 14 },
    ],
  )
  assert.deepEqual(listed.body.counted, counted)
  counts(second, 4, 2)
  for (const path of ['/workflows/order', '/workflows/order/versions']) {
    const { body } = await get(`${first.server.url}${path}`)
    assert.deepEqual((body.workflow ?? body.items[0]).instances, { open: 7, kept: 14 })
    assert.deepEqual(body.counted, { ...counted, isComplete: true, partitions: 4 })
  }
})
