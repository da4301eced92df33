// What must hold of a partition's committed state after every input, read back from its bytes.
//
//   T3  a timer of a task is there exactly as long as the task's open work names it
//   T4  a handler task is in `work` exactly as long as it waits for a slot or runs
//   C4  a channel with no waiter and nothing kept has no row
//   C5  the totals count exactly what is kept, and nothing kept lies below `oldest`
//   I1  a key that is open names an instance that runs
//   O1  a payload that is a value of its own belongs to an instance that names it
//   N1  incidents count the tasks that wait for a person, and the instance where it does
import assert from 'node:assert/strict'
import { keyId, keptTotalsId, workId, type InstanceRow } from '../../src/engine/state.ts'
import type { Catalogue } from '../../src/engine/world.ts'
import { prefixes } from '../../src/records/keys.ts'
import type { CommittedRows } from '../../src/runtime/rows.ts'
import type { MapStore } from './map-store.ts'

/** Asserts the invariants of one partition. */
export function checkInvariants(store: MapStore, rows: CommittedRows, catalogue: Pick<Catalogue, 'find'>): void {
  const timers = new Set<string>()
  const work = new Set<string>()
  const payloads = new Set<string>()
  for (const id of store.keys(prefixes.instances)) {
    const instance = rows.find('instances', id)
    assert.ok(instance !== undefined)
    checkInstance(instance, rows, catalogue, { timers, work })
    for (const key of instance.stored) payloads.add(key)
  }
  checkTimers(store, rows, timers)
  assert.deepEqual(store.keys(prefixes.work), [...work].sort(), 'T4')
  assert.deepEqual([...store.values.keys()].filter((key) => key.startsWith('o/')).sort(), [...payloads].sort(), 'O1')
  checkChannels(store, rows)
  for (const id of store.keys(prefixes.keys)) {
    const key = rows.find('keys', id)
    const instance = key === undefined ? undefined : rows.find('instances', key.instanceId)
    assert.ok(instance !== undefined && keyId(instance.workflow, instance.key) === id, 'I1')
    assert.equal(key?.isOpen, instance.status === 'EXECUTING', 'I1')
  }
}

function checkInstance(
  instance: InstanceRow,
  rows: CommittedRows,
  catalogue: Pick<Catalogue, 'find'>,
  found: { readonly timers: Set<string>; readonly work: Set<string> },
): void {
  let incidents = instance.status === 'EXECUTING' && instance.error !== undefined ? 1 : 0
  for (const [index, task] of instance.tasks.entries()) {
    if (task === undefined) continue
    if (task.hasIncident) incidents += 1
    const { open } = task
    assert.equal(
      open !== undefined,
      task.status === 'SUBMITTED' || task.status === 'EXECUTING',
      'open work of the open',
    )
    if (open === undefined) continue
    assert.equal(instance.status, 'EXECUTING', 'nothing is open in an instance that has ended')
    const owner = catalogue.find(instance.version)?.tasks[index]?.scope
    const scope = owner === undefined ? undefined : catalogue.find(instance.version)?.taskNamed.get(owner)
    if (scope !== undefined)
      assert.equal(instance.tasks[scope.index]?.open?.kind, 'scope', 'nothing is open in a scope that has ended')
    if ('timer' in open && open.timer !== undefined) {
      assert.ok(rows.find('timers', open.timer) !== undefined, 'T3')
      found.timers.add(open.timer)
    }
    if (open.kind === 'slot' || open.kind === 'handler') found.work.add(workId(instance.id, index))
  }
  assert.equal(instance.incidents, incidents, 'N1')
}

function checkTimers(store: MapStore, rows: CommittedRows, ofTasks: ReadonlySet<string>): void {
  for (const key of store.keys(prefixes.timers)) {
    const target = rows.find('timers', key)?.target
    assert.ok(target !== undefined)
    if (target.kind === 'task') assert.ok(ofTasks.has(key), 'T3')
  }
}

function checkChannels(store: MapStore, rows: CommittedRows): void {
  const totals = rows.find('keptTotals', keptTotalsId) ?? { next: 0, oldest: 0, count: 0, bytes: 0 }
  let count = 0
  let bytes = 0
  for (const id of store.keys(prefixes.kept)) {
    const kept = rows.find('kept', id)
    assert.ok(kept !== undefined)
    assert.ok(kept.number >= totals.oldest && kept.number < totals.next, 'C5')
    assert.ok(rows.find('timers', kept.timer) !== undefined, 'a kept record expires')
    count += 1
    bytes += kept.bytes
  }
  assert.deepEqual([totals.count, totals.bytes], [count, bytes], 'C5')
  let marked = 0
  for (const id of store.keys(prefixes.channels)) {
    const channel = rows.find('channels', id)
    assert.ok(channel !== undefined && channel.waiters.length + channel.kept.length > 0, 'C4')
    marked += channel.kept.length
  }
  assert.equal(marked, count, 'C5')
}
