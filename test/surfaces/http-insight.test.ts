// What is asked about why and how things stand, over HTTP: of one worker, and of several that answer for each other.
import assert from 'node:assert/strict'
import { suite, test, type TestContext } from 'node:test'
import { silentLogger } from '../../src/base/logger.ts'
import { startHttpServer } from '../../src/http/server.ts'
import type { StatusView } from '../../src/http/status.ts'
import type {
  InstanceExplanation,
  OrderedPage,
  PartitionStanding,
  RecordExplanation,
  RecordUse,
  SubscriptionView,
  TimerView,
  WorkerRecord,
  WorkerStanding,
} from '../../src/runtime/face.ts'
import { FakeWorker } from '../support/fake-worker.ts'
import { serve } from '../support/http.ts'

const time = '2026-01-01T00:00:00.000Z'

const explanation: InstanceExplanation = {
  id: 'i-1',
  workflow: 'order',
  version: 'order@3f9c2a1b',
  key: 'o-1',
  status: 'EXECUTING',
  incidents: 0,
  summary: 'it waits',
  tasks: [
    {
      task: 'paid',
      type: 'kafka-listener',
      kind: 'record',
      waitsFor: 'a record',
      since: time,
      attempt: 1,
      attemptsMax: 1,
      listener: {
        topic: 'payments',
        pairs: [{ message: 'message.key', instance: 'instance.key', value: 'o-1' }],
        match: 'one',
        keepMs: 1_000,
        isAhead: false,
        nearMisses: {
          items: [{ partition: 0, offset: 3, timestamp: time, reason: 'value-differs', found: 'O-1', message: 'case' }],
          recordsLookedAt: 1,
          partitionsLookedAt: 1,
          partitions: 1,
          others: 0,
        },
      },
      help: [{ action: 'skip', task: 'paid', why: 'it goes on' }],
    },
  ],
  tasksLeftOut: 0,
  queued: [],
  help: [],
}

const recordOf = (uses: readonly RecordUse[], more: Partial<RecordExplanation> = {}): RecordExplanation => ({
  topic: 'orders',
  partition: 0,
  offset: 5,
  summary: 'as it is',
  state: 'there',
  timestamp: time,
  key: 'k',
  valueBytes: 2,
  reading: 'read',
  uses,
  letters: [],
  ...more,
})

const useOf = (outcome: RecordUse['outcome'], ...instances: readonly string[]): RecordUse => ({
  workflow: 'order',
  kind: 'start',
  value: 'o-1',
  partition: 3,
  outcome,
  message: outcome,
  instances,
})

suite('one worker', () => {
  test('the aliases answer as the routes that they are of', async (t) => {
    const { call, problem, worker } = await serve(t)
    for (const id of ['i-1', 'i-2', 'i-3']) worker.change(id, { key: id })
    const pairs = [
      ['/instances?limit=2', '/tasks/instances?limit=2'],
      ['/instances?keyPrefix=i-3', '/tasks/instances?keyPrefix=i-3'],
      ['/instances/i-2', '/tasks/instance/i-2'],
    ]
    for (const [path = '', alias = ''] of pairs) {
      const { status, body } = await call(alias)
      assert.equal(status, 200)
      assert.deepEqual(body, (await call(path)).body)
    }
    await problem('/tasks/instance/i-9', 404, 'instance-not-found')
    await problem('/tasks/instances?limit=0', 400, 'request-invalid')
  })

  test('a timeline comes page by page, numbered as its entries came, with what is not kept counted', async (t) => {
    const { call, problem, worker } = await serve(t)
    for (const note of ['a', 'b', 'c']) worker.change('i-1', { timelineDropped: 4 }, note)
    interface Page {
      items: { number: number; note: string }[]
      dropped: number
      next?: number
    }
    const first = await call<Page>('/instances/i-1/timeline?limit=2')
    assert.deepEqual(
      first.body.items.map(({ number, note }) => [number, note]),
      [
        [5, 'a'],
        [6, 'b'],
      ],
    )
    assert.deepEqual([first.body.dropped, first.body.next], [4, 6])
    const second = await call<Page>('/instances/i-1/timeline?limit=2&after=6')
    assert.deepEqual([second.body.items.map(({ note }) => note), second.body.next], [['c'], undefined])
    assert.deepEqual((await call<Page>('/instances/i-1/timeline?task=x')).body.items, [])
    await problem('/instances/i-2/timeline', 404, 'instance-not-found')
  })

  test('an instance is explained, and one that is not there is 404', async (t) => {
    const { call, problem, worker } = await serve(t)
    worker.explain = { ...worker.explain, instance: async (id) => (id === 'i-1' ? explanation : undefined) }
    assert.deepEqual((await call('/instances/i-1/explain')).body, explanation)
    await problem('/instances/i-2/explain', 404, 'instance-not-found')
  })

  test('a record is explained; a topic or partition that is not there is 404, with the nearest', async (t) => {
    const { call, problem, worker } = await serve(t)
    worker.explain = { ...worker.explain, record: async (topic) => (topic === 'orders' ? recordOf([]) : undefined) }
    const { body } = await call<RecordExplanation>('/topics/orders/partitions/0/records/5/explain')
    assert.equal(body.offset, 5)
    const missing = await problem('/topics/order/partitions/0/records/5/explain', 404, 'topic-not-found')
    assert.equal(missing.body.suggestion, 'orders')
    await problem('/topics/reviews/partitions/7/records/5/explain', 404, 'partition-not-found')
    await problem('/topics/orders/partitions/0/records/x/explain', 400, 'request-invalid')
  })

  test('what would be elsewhere, and no other worker answers, is unknown', async (t) => {
    const { call, worker } = await serve(t)
    worker.explain = { ...worker.explain, record: async () => recordOf([useOf('elsewhere')]) }
    const { body } = await call<RecordExplanation>('/topics/orders/partitions/0/records/5/explain')
    assert.deepEqual(
      [body.uses[0]?.outcome, body.uses[0]?.message],
      ['unknown', 'partition 3 runs in no worker that answers'],
    )
  })

  test('lists are asked with what they are filtered by, and a cursor that is none is refused', async (t) => {
    const { call, problem, worker } = await serve(t)
    const asked: unknown[] = []
    const lists = worker.lists
    worker.lists = {
      timers: (filter) => (asked.push({ ...filter }), lists.timers(filter)),
      subscriptions: (filter) => (asked.push({ ...filter }), lists.subscriptions(filter)),
      kept: (filter) => (asked.push({ ...filter }), lists.kept(filter)),
    }
    await call('/timers?kind=retry&all=true')
    await call('/subscriptions?workflow=order&topic=t&value=v&limit=3')
    await call(`/kept-records?withRecord=true&cursor=${encodeURIComponent('7@order/t/v')}`)
    assert.deepEqual(asked, [
      { kind: 'retry', all: true, limit: 50 },
      { workflow: 'order', topic: 't', value: 'v', limit: 3 },
      { withRecord: true, cursor: '7@order/t/v', limit: 50 },
    ])
    await problem('/timers?cursor=here', 400, 'request-invalid')
    await problem('/timers?kind=coffee', 400, 'request-invalid')
  })
})

const standing = (change: Partial<PartitionStanding> & { readonly partition: number }): PartitionStanding => ({
  phase: 'running',
  restoreLeft: 0,
  worker: 'w-0',
  sources: [],
  copies: [],
  kept: { records: 0, bytes: 0 },
  timersOverdue: 0,
  ...change,
})

const workerOf = (
  worker: string,
  partitions: readonly PartitionStanding[],
  change: Partial<WorkerStanding> = {},
): WorkerStanding => ({
  worker,
  problems: [],
  definitionProblems: [],
  partitions,
  incidents: { groups: [], instancesLookedAt: 0, isCut: false },
  durability: { kind: 'memory' },
  ...change,
})

interface Member {
  readonly worker: FakeWorker
  readonly url: string
  readonly close: () => Promise<void>
}

/** Two workers that know of each other: the first runs partition 0, the other one partition 1. */
async function twoWorkers(t: TestContext): Promise<readonly [Member, Member]> {
  const made: Member[] = []
  for (const name of ['w-0', 'w-1']) {
    const worker = new FakeWorker()
    worker.partitionsInAll = 2
    worker.setView({ workerId: name })
    const server = await startHttpServer({ worker, port: 0, logger: silentLogger })
    t.after(() => server.close())
    made.push({ worker, url: server.url, close: () => server.close() })
  }
  const [first, second] = made as [Member, Member]
  const peer = (worker: string, url: string, partition: number): WorkerRecord => {
    return { worker, url, startedAt: time, at: time, owned: [{ partition, position: 1 }], copies: [] }
  }
  first.worker.peers.push(peer('w-1', second.url, 1))
  second.worker.peers.push(peer('w-0', first.url, 0))
  return [first, second]
}

// eslint-disable-next-line typescript/no-unnecessary-type-parameters -- as `call` of test/support/http.ts
async function get<Body>(url: string): Promise<{ status: number; body: Body }> {
  const answer = await fetch(url)
  return { status: answer.status, body: (await answer.json()) as Body }
}

const timer = (cursor: string): TimerView => ({ cursor, partition: 0, dueAt: time, kind: 'time', what: 'x' })

suite('workers that answer for each other', () => {
  test('a list has all in one order, and goes on only from where all were looked at', async (t) => {
    const [first, second] = await twoWorkers(t)
    const pages = (own: OrderedPage<TimerView>, other: OrderedPage<TimerView>): void => {
      first.worker.lists = { ...first.worker.lists, timers: async () => own }
      second.worker.lists = { ...second.worker.lists, timers: async () => other }
    }
    const cursors = async (): Promise<readonly (string | undefined)[]> => {
      const { body } = await get<OrderedPage<TimerView>>(`${first.url}/timers?limit=3`)
      return [...body.items.map(({ cursor }) => cursor), body.next]
    }
    pages(
      { items: ['0@a', '0@d', '0@e'].map(timer), partitions: [0], next: '0@e' },
      { items: ['1@a', '1@b', '1@c'].map(timer), partitions: [1], next: '1@c' },
    )
    assert.deepEqual(await cursors(), ['0@a', '1@a', '1@b', '1@b'])
    // The other one was looked through up to b only: what it has behind that may come before d.
    pages({ items: ['0@d'].map(timer), partitions: [0] }, { items: ['1@a'].map(timer), partitions: [1], next: '1@b' })
    assert.deepEqual(await cursors(), ['1@a', '1@b'])
    // As the bytes of UTF-8 are ordered, and JavaScript's texts are not.
    pages({ items: ['0@\u{1f600}'].map(timer), partitions: [0] }, { items: ['1@\uffee'].map(timer), partitions: [1] })
    assert.deepEqual(await cursors(), ['1@\uffee', '0@\u{1f600}', undefined])
  })

  test('a list that would leave a partition out is refused', async (t) => {
    const [first, second] = await twoWorkers(t)
    const empty: OrderedPage<SubscriptionView> = { items: [], partitions: [0] }
    first.worker.lists = { ...first.worker.lists, subscriptions: async () => empty }
    await second.close()
    const { status, body } = await get<{ detail: string }>(`${first.url}/subscriptions`)
    assert.equal(status, 503)
    assert.match(body.detail, /partition 1/)
  })

  test('of a record each tells what it knows, and who reads it whether it was read', async (t) => {
    const [first, second] = await twoWorkers(t)
    const told = async (own: RecordExplanation, other: RecordExplanation): Promise<RecordExplanation> => {
      first.worker.explain = { ...first.worker.explain, record: async () => own }
      second.worker.explain = { ...second.worker.explain, record: async () => other }
      return (await get<RecordExplanation>(`${first.url}/topics/orders/partitions/0/records/5/explain`)).body
    }
    const found = await told(
      recordOf([useOf('elsewhere')]),
      recordOf([useOf('started', 'i-1')], { reading: 'unknown' }),
    )
    assert.deepEqual([found.reading, found.uses[0]?.outcome, found.uses[0]?.instances], ['read', 'started', ['i-1']])
    assert.equal(found.summary, 'order started i-1')
    const unread = await told(
      recordOf([useOf('ignored', 'i-1')], { reading: 'unknown' }),
      recordOf([useOf('not-read')], { reading: 'behind', behind: 3 }),
    )
    assert.deepEqual([unread.reading, unread.behind, unread.uses[0]?.outcome], ['behind', 3, 'not-read'])
    const both = await told(recordOf([useOf('taken', 'i-1')]), recordOf([useOf('taken', 'i-2')]))
    assert.deepEqual(both.uses[0]?.instances, ['i-1', 'i-2'])
  })

  test('partitions are those of all, and what nobody tells of is said to be missing', async (t) => {
    const [first, second] = await twoWorkers(t)
    first.worker.standing = { ...first.worker.standing, partitions: async () => [standing({ partition: 0 })] }
    second.worker.standing = {
      ...second.worker.standing,
      partitions: async () => [standing({ partition: 1, worker: 'w-1' })],
    }
    interface Body {
      items: readonly PartitionStanding[]
      missing: readonly number[]
    }
    const all = await get<Body>(`${first.url}/partitions`)
    assert.deepEqual([all.body.items.map(({ worker }) => worker), all.body.missing], [['w-0', 'w-1'], []])
    await second.close()
    const one = await get<Body>(`${first.url}/partitions`)
    assert.deepEqual([one.body.items.map(({ worker }) => worker), one.body.missing], [['w-0'], [1]])
  })

  test('the status is well, needs a person, or cannot be told; each with why', async (t) => {
    const [first, second] = await twoWorkers(t)
    const standings = (own: WorkerStanding, other: WorkerStanding): void => {
      first.worker.standing = { ...first.worker.standing, worker: async () => own }
      second.worker.standing = { ...second.worker.standing, worker: async () => other }
    }
    const status = async (): Promise<StatusView> => (await get<StatusView>(`${first.url}/status`)).body
    const codes = ({ reasons }: StatusView): readonly string[] => reasons.map(({ code }) => code)
    const group = { workflow: 'order', task: 'ship', code: 'x', instanceId: 'i-1', message: 'no' }

    standings(workerOf('w-0', [standing({ partition: 0 })]), workerOf('w-1', [standing({ partition: 1 })]))
    const well = await status()
    assert.deepEqual([well.verdict, well.reasons, well.missing, well.silent], ['well', [], [], []])

    standings(
      workerOf('w-0', [standing({ partition: 0, timersOverdue: 2 })], {
        incidents: { groups: [{ ...group, count: 2 }], instancesLookedAt: 9, isCut: false },
      }),
      workerOf('w-1', [standing({ partition: 1, phase: 'stopped', reason: 'DW_X' })], {
        incidents: { groups: [{ ...group, count: 3 }], instancesLookedAt: 9, isCut: false },
        problems: ['the disk is full'],
      }),
    )
    const bad = await status()
    assert.deepEqual(
      [bad.verdict, codes(bad)],
      ['needs-a-person', ['partition-stopped', 'incidents', 'timers-overdue', 'problem']],
    )
    assert.deepEqual(bad.incidents, [{ ...group, count: 5 }])

    standings(
      workerOf('w-0', [standing({ partition: 0 })]),
      workerOf('w-1', [standing({ partition: 1, phase: 'restoring', restoreSecondsLeft: 4 })]),
    )
    const restoring = await status()
    assert.deepEqual([restoring.verdict, codes(restoring)], ['unknown', ['not-running']])

    await second.close()
    const alone = await status()
    assert.deepEqual([alone.verdict, codes(alone), alone.missing], ['unknown', ['not-running', 'silent'], [1]])
  })

  test('who is far behind, by the age of what is not read, needs a person; who is a little behind does not', async (t) => {
    const { call, worker } = await serve(t)
    const source = { topic: 'orders', partition: 0, position: 3, end: 10, behind: 7 }
    const told = async (oldestUnreadAt: string): Promise<StatusView> => {
      const partitions = [0, 1].map((partition) => standing({ partition, sources: [{ ...source, oldestUnreadAt }] }))
      worker.standing = { ...worker.standing, worker: async () => workerOf('fake-1', partitions) }
      return (await call<StatusView>('/status')).body
    }
    const old = await told(new Date(Date.now() - 3_600_000).toISOString())
    assert.deepEqual([old.verdict, old.behind[0]?.behind], ['needs-a-person', 14])
    assert.equal((await told(new Date(Date.now() - 1_000).toISOString())).verdict, 'well')
  })

  test('dead letters of the last day that nobody redrove are counted by their reasons', async (t) => {
    const { call, worker } = await serve(t)
    const letter = {
      source: { topic: 'orders', partition: 0, offset: 1, timestamp: time },
      at: time,
      message: '',
      key: null,
    }
    const asked: unknown[] = []
    worker.deadLetters = {
      ...worker.deadLetters,
      list: async ({ pending, sinceMs }) => {
        asked.push([pending, Math.round((Date.now() - (sinceMs ?? 0)) / 3_600_000)])
        const items = ['not-json', 'not-json', 'input-invalid'].map((reason) => ({
          ...{ ...letter, reason, partition: 0, offset: 0, workflows: [], isKept: true, redrivenTimes: 0 },
          bytes: { key: 0, value: 0, headers: 0 },
        }))
        return { items }
      },
    }
    const { body } = await call<StatusView>('/status')
    assert.deepEqual(asked, [[true, 24]])
    assert.deepEqual(body.deadLetters.byReason, [
      { reason: 'not-json', count: 2 },
      { reason: 'input-invalid', count: 1 },
    ])
    assert.equal(body.verdict, 'needs-a-person')
  })
})
