// explain, status and the lists on the command line, against a worker that is told what to say.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type {
  Durability,
  IncidentGroup,
  InstanceExplanation,
  PartitionStanding,
  TaskExplanation,
  TimerView,
  WorkerStanding,
} from '../../src/runtime/face.ts'
import { commandLine } from '../support/command-line.ts'
import { serve } from '../support/http.ts'

const time = '2026-01-01T00:00:00.000Z'

async function servedCommandLine(t: TestContext) {
  const { worker, url } = await serve(t)
  return { worker, url, ...commandLine(t, { env: { DAGGER_WORKER_SERVER: url } }) }
}

const task = (change: Partial<TaskExplanation>): TaskExplanation => ({
  task: 'paid',
  type: 'kafka-listener',
  kind: 'record',
  waitsFor: "a record of payments for 'o-1'",
  since: time,
  attempt: 1,
  attemptsMax: 1,
  help: [],
  ...change,
})

const explanation = (tasks: readonly TaskExplanation[]): InstanceExplanation => ({
  ...{ id: 'i-1', workflow: 'order', version: 'order@3f9c2a1b', key: 'o-1', status: 'EXECUTING', incidents: 0 },
  ...{ summary: 'order/o-1 waits', tasks, tasksLeftOut: 0, queued: [], help: [] },
})

test('explain shows each open task, the records that came near, and commands that are ready to be copied', async (t) => {
  const { worker, type } = await servedCommandLine(t)
  worker.change('i-1', { key: 'o-1' })
  const nearMiss = {
    partition: 2,
    offset: 7,
    timestamp: time,
    reason: 'value-differs',
    found: 'O\u001b[2J',
    message: "'O\u001b[2J'",
  } as const
  const looked = { recordsLookedAt: 3, partitionsLookedAt: 1, partitions: 1, others: 2 }
  const listener = {
    topic: 'payments',
    pairs: [{ message: 'message.key', instance: 'instance.key', value: 'o-1' }],
    where: 'message.value.ok',
    match: 'one',
    keepMs: 1_000,
    isAhead: false,
    nearMisses: { items: [nearMiss], ...looked },
  } as const
  const told = explanation([
    task({
      listener,
      until: time,
      afterwards: 'it becomes an incident',
      help: [
        { action: 'complete', task: "it's", why: 'as if' },
        { action: 'signal', name: 'approved', why: 'what it waits for' },
      ],
    }),
    task({
      task: 'ship',
      kind: 'slot',
      handler: { handler: 'ship', worker: 'w-1', state: 'waiting', run: 0, behind: 4, slotsBusy: 8, slots: 8 },
    }),
  ])
  worker.explain = { ...worker.explain, instance: async () => told }
  for (const name of ['order/o-1', 'i-1']) {
    const { code, stdout } = await type('explain', name)
    assert.equal(code, 0)
    for (const expected of [
      'order/o-1 waits',
      "message.key == instance.key, which is 'o-1'",
      'where message.value.ok',
      'then it becomes an incident',
      'of the last 3 records of payments (1 partitions), 1 came near and 2 did not',
      "payments/2@7  2026-01-01T00:00:00.000Z  value-differs  'O\\u001b[2J'",
      String.raw`dagger-worker instances complete i-1 --task 'it'\''s' --output '{}'`,
      'dagger-worker instances signal i-1 approved',
      'waiting in worker w-1, behind 4 others (8 of 8 slots in use)',
    ])
      assert.ok(stdout.includes(expected), `${expected}\n${stdout}`)
    assert.ok(!stdout.includes('\u001b'))
  }
  assert.deepEqual(JSON.parse((await type('explain', 'i-1', '--json')).stdout), told)
})

test('a child that lives in another worker is asked for there', async (t) => {
  const { worker, type } = await servedCommandLine(t)
  worker.change('i-1', { key: 'o-1' })
  worker.change('child-1', { workflow: 'refund', key: 'r-1', status: 'EXECUTING', incidents: 1 })
  const child = { workflow: 'refund', key: 'r-1', partition: 1 }
  worker.explain = { ...worker.explain, instance: async () => explanation([task({ kind: 'child', child })]) }
  const { stdout } = await type('explain', 'i-1')
  assert.match(stdout, /child refund\/r-1: EXECUTING, with an incident/)
})

test('explain record says what became of it; what is no place is a usage error', async (t) => {
  const { worker, type } = await servedCommandLine(t)
  const asked: unknown[] = []
  worker.explain = {
    ...worker.explain,
    record: async (topic, partition, offset) => {
      asked.push([topic, partition, offset])
      return {
        ...{ topic, partition, offset, summary: 'it is a dead letter', state: 'there', reading: 'read', key: null },
        uses: [
          {
            ...{ workflow: 'order', kind: 'start', value: 'o-1', partition: 0, outcome: 'refused', message: 'no' },
            instances: [],
            violations: [{ pointer: '/id', message: 'must be string' }],
          },
        ],
        letters: [
          { partition: 1, offset: 4, reason: 'input-invalid', message: '', workflows: ['order'], redriven: true },
        ],
      }
    },
  }
  const { code, stdout } = await type('explain', 'record', 'orders/2@17')
  assert.equal(code, 0)
  assert.deepEqual(asked, [['orders', 2, 17]])
  for (const expected of [
    'orders/2@17  key none',
    "starts by the key 'o-1'  refused",
    '/id  must be string',
    'dead letter 1@4  input-invalid  redriven since',
  ])
    assert.ok(stdout.includes(expected), `${expected}\n${stdout}`)
  for (const place of ['orders', 'orders/2', '2@17', 'orders/x@1'])
    assert.equal((await type('explain', 'record', place)).code, 2, place)
  assert.equal((await type('explain')).code, 2)
})

const timer = (number: number): TimerView => ({
  ...{ cursor: `${number}@t`, partition: 0, dueAt: time, kind: 'timeout', what: 'its wait ends' },
  ...{ workflow: 'order', key: `o-${number}`, instanceId: `i-${number}`, task: 'paid' },
})

test('lists go on page by page up to their limit, as a table or as JSON lines', async (t) => {
  const { worker, type } = await servedCommandLine(t)
  worker.lists = {
    ...worker.lists,
    timers: async ({ limit, cursor = '0@t' }) => {
      const from = Number.parseInt(cursor, 10) + 1
      const items = Array.from({ length: Math.min(limit, 2) }, (_, at) => timer(from + at))
      return { items, partitions: [0, 1], next: items.at(-1)!.cursor }
    },
    kept: async () => ({
      items: [
        {
          ...{ cursor: '1@k', partition: 0, workflow: 'order', value: 'o-1', key: 'k', bytes: 97, onExpired: 'drop' },
          source: { topic: 'payments', partition: 1, offset: 5, timestamp: time },
          ...{ arrivedAt: time, expiresAt: time, record: { ok: true } },
        },
      ],
      partitions: [0, 1],
    }),
  }
  const table = await type('timers', '--limit', '5')
  assert.deepEqual(
    [...table.stdout.matchAll(/order\/o-(\d)/g)].map(([, number]) => number),
    ['1', '2', '3', '4', '5'],
  )
  assert.match(table.stderr, /the first 5 timers/)
  const lines = (await type('timers', '--limit', '3', '--json')).stdout.trim().split('\n')
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    [timer(1), timer(2), timer(3)],
  )
  assert.equal((await type('timers', '--kind', 'coffee')).code, 2)
  const kept = await type('kept', '--with-record')
  assert.match(kept.stdout, /order +o-1 .*payments\/1@5 .*97 B {2}\{"ok":true\}/)
  const none = await type('subscriptions')
  assert.deepEqual([none.code, none.stdout, none.stderr], [0, '', 'No subscriptions.\n'])
})

const standing = (partition: number, change: Partial<PartitionStanding> = {}): PartitionStanding => ({
  ...{ partition, phase: 'running', restoreLeft: 0, worker: 'w-1', sources: [], copies: [] },
  ...{ kept: { records: 0, bytes: 0 }, timersOverdue: 0, ...change },
})

test('partitions are a table with how far each is; those that nobody owns are told', async (t) => {
  const { worker, type } = await servedCommandLine(t)
  const source = { topic: 'orders', partition: 0, position: 3, end: 10, behind: 7 }
  const copies = [{ worker: 'w-2', position: 90, behind: 10 }]
  const changelog = { position: 100, end: 100 }
  worker.standing = {
    ...worker.standing,
    partitions: async () => [standing(0, { sources: [source], copies, changelog })],
  }
  const { code, stdout } = await type('partitions')
  assert.equal(code, 0)
  assert.match(stdout, /\n0 +running +w-1 +7 +100 of 100 +w-2 \(10 behind\) +0 +0\n/)
  assert.match(stdout, /No worker that answers owns 1\./)
})

async function statusWith(t: TestContext, change: Partial<WorkerStanding>, partitions = [standing(0), standing(1)]) {
  const { worker, type } = await servedCommandLine(t)
  const durability: Durability = { kind: 'memory' }
  const incidents = { groups: [], instancesLookedAt: 0, isCut: false }
  worker.standing = {
    ...worker.standing,
    worker: async () => ({
      ...{ worker: 'w-1', problems: [], definitionProblems: [], partitions, incidents, durability },
      ...change,
    }),
  }
  return type('status')
}

test('status ends with 0 where all is well, 1 where something needs a person, 3 where it cannot be told', async (t) => {
  const well = await statusWith(t, {})
  assert.deepEqual([well.code, well.stderr], [0, ''])
  assert.match(well.stdout, /^All is well\.\n/)
  const group: IncidentGroup = {
    workflow: 'order',
    task: 'ship',
    code: 'x',
    count: 2,
    instanceId: 'i-1',
    message: 'no',
  }
  const incidents = { groups: [group], instancesLookedAt: 9, isCut: true }
  const stuck = await statusWith(t, { incidents })
  assert.deepEqual([stuck.code, stuck.stderr], [1, ''])
  for (const expected of [
    'Something needs a person:\n  2 incidents of order at ship: x\n',
    'dagger-worker explain i-1',
    'dagger-worker instances list --incident --workflow order',
    'incidents of older instances were not counted',
  ])
    assert.ok(stuck.stdout.includes(expected), `${expected}\n${stuck.stdout}`)
  const restoring = [standing(0), standing(1, { phase: 'restoring', restoreLeft: 500, restoreSecondsLeft: 3 })]
  const unknown = await statusWith(t, {}, restoring)
  assert.equal(unknown.code, 3)
  assert.match(unknown.stdout, /1 are restored: 500 records left, about 3 s/)
  assert.equal((await statusWith(t, { problems: ['the disk is full'] }, restoring)).code, 1)
})

test('status says plainly what would be lost', async (t) => {
  const brokers = { kind: 'brokers', changelog: 'dagger.changelog' } as const
  const losses: readonly [Durability, RegExp][] = [
    [{ kind: 'memory' }, /everything: it is in memory only/],
    [
      { kind: 'this-disk', directory: '/data/log', bytes: 5 * 1_048_576 },
      /everything: it lies on this disk only, 5\.0 MiB in \/data\/log\. Back it up/,
    ],
    [{ ...brokers, replicas: 3, minInsyncReplicas: 2 }, /nothing .*replication factor 3, min\.insync\.replicas 2/],
    [{ ...brokers, replicas: 1 }, /dagger\.changelog has one replica: the disk of its broker is the only copy/],
    [brokers, /whose replicas may not be read/],
  ]
  for (const [durability, words] of losses) assert.match((await statusWith(t, { durability })).stdout, words)
  const copied = [0, 1].map((partition) =>
    standing(partition, { copies: [{ worker: 'w-2', position: 1, behind: 30 }] }),
  )
  const warm = await statusWith(t, { durability: { ...brokers, replicas: 3 } }, copied)
  assert.match(warm.stdout, /every partition has a copy in another worker, at most 30 records behind/)
  const cold = await statusWith(t, { durability: { ...brokers, replicas: 3 } })
  assert.match(cold.stdout, /no worker keeps a copy/)
})
