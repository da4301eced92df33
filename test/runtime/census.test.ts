// Instances are counted while others are committed: whatever overlaps, the counts are those that there are.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { ManualClock } from '../../src/adapters/memory/clock.ts'
import type { InstanceRow } from '../../src/engine/state.ts'
import { Payload } from '../../src/engine/payload.ts'
import { encodeInstance } from '../../src/records/instance-codec.ts'
import { prefixes } from '../../src/records/keys.ts'
import { Census, sumOf, type InstanceCounts } from '../../src/runtime/metrics/census.ts'
import { CommittedRows } from '../../src/runtime/rows.ts'
import { Staging } from '../../src/runtime/staging.ts'
import { startMemoryWorker } from '../support/worker.ts'
import { createRandom } from '../simulation/random.ts'

const statuses = ['EXECUTING', 'SUSPENDED', 'COMPENSATING', 'COMPLETED', 'FAILED', 'STOPPED'] as const

function rowOf(id: string, workflow: string, status: InstanceRow['status'], incidents: number): InstanceRow {
  return {
    ...{ id, workflow, status, incidents, version: `${workflow}@1`, key: id, origin: 'api', due: undefined },
    ...{ parent: undefined, traceparent: undefined, startedAtMs: 0, input: Payload.of(null), endedAtMs: undefined },
    ...{
      vars: new Map(),
      attributes: new Map(),
      tasks: [],
      unsettled: 0,
      slots: 0,
      ending: undefined,
      stopping: 0,
      undos: 0,
      unknowns: 0,
    },
    ...{ deadlines: undefined, signals: [], deferred: 0, output: undefined, error: undefined, subscriptions: 0 },
    ...{ ahead: [], timeline: [], timelineDropped: 0, stored: [] },
  }
}

/** The counts as they compare; what fell to nothing is left out. */
function plain(counts: ReadonlyMap<string, InstanceCounts>): unknown {
  return Object.fromEntries(
    [...counts].map(([workflow, { open, withIncident, kept }]) => {
      const some = [...open, ['incident', withIncident], ['kept', kept]].filter(([, count]) => count !== 0)
      return [workflow, Object.fromEntries(some)]
    }),
  )
}

function countsOf(rows: Iterable<InstanceRow>): ReadonlyMap<string, InstanceCounts> {
  const counts = new Map<string, InstanceCounts>()
  for (const { workflow, status, incidents } of rows) {
    const count = counts.get(workflow) ?? { open: new Map(), withIncident: 0, kept: 0 }
    counts.set(workflow, count)
    if (incidents > 0) count.withIncident += 1
    if (['COMPLETED', 'FAILED', 'STOPPED'].includes(status)) count.kept += 1
    else count.open.set(status, (count.open.get(status) ?? 0) + 1)
  }
  return counts
}

test('what is committed while instances are counted is counted once, wherever it lies', async () => {
  for (let seed = 0; seed < 60; seed++) {
    const random = createRandom(`census ${seed}`).stream('all')
    const pick = <One>(list: readonly One[]): One => list[Math.floor(random.next() * list.length)]!
    const clock = new ManualClock()
    const values = new Map<string, Uint8Array>()
    const turns = async (): Promise<void> => {
      for (let turn = Math.floor(random.next() * 4); turn > 0; turn--) await setImmediate()
    }
    // A page is read at some time between its request and its answer.
    const reading = {
      async list({ from, to, limit }: { from: string; to: string; limit: number }) {
        await turns()
        const page = [...values].filter(([key]) => key >= from && key < to).sort(([a], [b]) => (a < b ? -1 : 1))
        await turns()
        return page.slice(0, limit).map(([key, value]) => ({ key, value }))
      },
      read: <Result>(make: (rows: never) => Result): Result => make(undefined as never),
    }
    const store = {
      get: (key: string) => values.get(key),
      getMany: async (keys: readonly string[]) => keys.map((key) => values.get(key)),
    }
    const rows = new CommittedRows(store as never, 1_000_000)
    const model = new Map<string, InstanceRow>()
    const census = new Census(reading, clock, () => false)

    async function commit(size: number): Promise<void> {
      const staging = new Staging(rows, undefined)
      for (let index = 0; index < size; index++) {
        const id = `i${Math.floor(random.next() * 2_000)}`
        const row = rowOf(id, pick(['a', 'b']), pick(statuses), random.next() < 0.2 ? 1 : 0)
        if (staging.instances.find(id) === undefined) staging.instances.insert(id, row)
        else if (random.next() < 0.3) staging.instances.remove(id)
        else Object.assign(staging.instances.edit(id), { status: row.status, incidents: row.incidents })
      }
      staging.encode()
      const apply = async (): Promise<void> => {
        await turns()
        for (const [id, { row }] of staging.instances.staged) {
          if (row === null) values.delete(prefixes.instances + id)
          else values.set(prefixes.instances + id, encodeInstance(row).bytes)
          if (row === null) model.delete(id)
          else model.set(id, row)
        }
        await turns()
        staging.settle()
      }
      await census.during(staging, apply())
    }

    for (let batch = 0; batch < 4; batch++) await commit(300)
    while (census.counts === undefined) {
      await commit(1 + Math.floor(random.next() * 40))
      if (random.next() < 0.5) clock.advance(100)
    }
    for (let batch = 0; batch < 3; batch++) {
      assert.deepEqual(plain(census.counts), plain(countsOf(model.values())), `seed ${seed}`)
      await commit(50)
    }
  }
})

test('partitions are added up', () => {
  const one = new Map([['a', { open: new Map([['EXECUTING', 2]] as const), withIncident: 1, kept: 3 }]])
  const two = new Map([['a', { open: new Map([['EXECUTING', 1]] as const), withIncident: 0, kept: 1 }]])
  assert.deepEqual(plain(sumOf([one, two])), { a: { EXECUTING: 3, incident: 1, kept: 4 } })
})

const waiting = `
workflow: waiting
tasks:
  - { name: wait, type: signal, signal: go }
`

test('a worker tells how many instances are open, with an incident and kept, from the first look on', async () => {
  const { worker, until } = await startMemoryWorker(waiting, { partitions: 2 })
  const told = () =>
    Object.fromEntries(
      worker.metrics
        .collect()
        .filter(({ definition: { name } }) => /_instances(?:_kept|_with_incident)?$/.test(name))
        .flatMap(({ definition, samples }) =>
          samples.map(({ labels, value }) => [`${definition.name.slice(14)} ${labels.join(' ')}`, value]),
        ),
    )
  const start = (key: string) => worker.instances.start({ workflow: 'waiting', key, input: null })
  const [first] = await Promise.all(['a', 'b', 'c', 'd'].map(start))
  await until(() => told()['instances waiting EXECUTING'] === 4, 'four are open')
  await start('e')
  assert.ok(first?.outcome === 'started')
  await worker.instances.operate(first.instanceId, { kind: 'suspend' }, 'a test')
  assert.deepEqual(told(), {
    'instances waiting EXECUTING': 4,
    'instances waiting SUSPENDED': 1,
    'instances_with_incident waiting': 0,
    'instances_kept waiting': 0,
  })
  await worker.instances.operate(first.instanceId, { kind: 'stop', reason: 'enough' }, 'a test')
  await until(() => told()['instances_kept waiting'] === 1, 'one has ended and is kept')
  assert.equal(told()['instances waiting SUSPENDED'], 0)
  await worker.stop()
})
