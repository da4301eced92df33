// What must hold of a partition's committed state after every input, read back from its bytes.
//
//   T3  a timer of a task is there exactly as long as the task's open work names it
//   T4  a handler task is in `work` exactly as long as it waits for a slot, runs or cleans up
//   T5  the tasks of a scope that are not settled are counted
//   C4  a channel with no waiter and nothing kept has no row
//   C7  who does not stand in a channel's row is linked behind those who do, in the order in which they wait
//   C5  the totals count exactly what is kept, and nothing kept lies below `oldest`
//   I1  a key that is open names an instance that runs
//   O1  a payload that is a value of its own belongs to an instance that names it
//   Z4  an entry of a schedule has exactly one timer, for its next due time; a workflow with none has no row
//   Q3  the row of a key lists exactly the starts that wait for it, and none where its instance has ended
//   N1  incidents count the tasks that wait for a person, and the instance where it does
//   N2  `stopping` counts the handlers that clean up
//   X1  `attributes` has a row for each search attribute of each instance, and no other
//   A1  a listener that is subscribed before its turn has not begun, in an instance that goes on
import assert from 'node:assert/strict'
import { nodesOf, ownerOf, rowAt, slotOf, spansOf, taskAt } from '../../src/engine/nodes.ts'
import { attributeId } from '../../src/engine/attribute-row.ts'
import { crowdId, placeOf, waitersOf, waitingIn } from '../../src/engine/crowd-row.ts'
import {
  isSettled,
  keyId,
  keptTotalsId,
  queuedId,
  scheduleTimer,
  workId,
  type ChannelRow,
  type Deadlines,
  type InstanceRow,
} from '../../src/engine/state.ts'
import type { Catalogue } from '../../src/engine/world.ts'
import { prefixes } from '../../src/records/keys.ts'
import type { CommittedRows } from '../../src/runtime/rows.ts'
import type { MapStore } from './map-store.ts'

/** Asserts the invariants of one partition. */
export function checkInvariants(store: MapStore, rows: CommittedRows, catalogue: Pick<Catalogue, 'find'>): void {
  const timers = new Set<string>()
  const work = new Set<string>()
  const payloads = new Set<string>()
  const attributes: string[] = []
  for (const id of store.keys(prefixes.instances)) {
    const instance = rows.find('instances', id)
    assert.ok(instance !== undefined)
    checkInstance(instance, rows, catalogue, { timers, work, payloads })
    for (const key of instance.stored) payloads.add(key)
    for (const [name, value] of instance.attributes) attributes.push(attributeId(name, value, instance.id))
  }
  for (const id of store.keys(prefixes.blocks))
    for (const key of rows.find('blocks', id)?.stored ?? []) payloads.add(key)
  checkSchedules(store, rows, timers)
  checkTimers(store, rows, timers)
  assert.deepEqual(store.keys(prefixes.work), [...work].sort(), 'T4')
  assert.deepEqual([...store.values.keys()].filter((key) => key.startsWith('o/')).sort(), [...payloads].sort(), 'O1')
  checkChannels(store, rows)
  assert.deepEqual(store.keys(prefixes.attributes), attributes.sort(), 'X1')
  const queued: string[] = []
  for (const id of store.keys(prefixes.keys)) {
    const key = rows.find('keys', id)
    queued.push(...(key?.queue ?? []).map((number) => queuedId(id, number)))
    const instance = key === undefined ? undefined : rows.find('instances', key.instanceId)
    assert.ok(instance !== undefined && keyId(instance.workflow, instance.key) === id, 'I1')
    const isOpen = ['EXECUTING', 'SUSPENDED', 'COMPENSATING'].includes(instance.status)
    assert.ok(isOpen || key?.queue.length === 0, 'Q3')
    assert.equal(instance.endedAtMs === undefined, isOpen, 'I1')
  }
  assert.deepEqual(store.keys(prefixes.queued), queued.sort(), 'Q3')
}

function checkInstance(
  instance: InstanceRow,
  rows: CommittedRows,
  catalogue: Pick<Catalogue, 'find'>,
  found: { readonly timers: Set<string>; readonly work: Set<string>; readonly payloads: Set<string> },
): void {
  const workflow = catalogue.find(instance.version)
  assert.ok(workflow !== undefined)
  const tables = { blocks: { find: (id: string) => rows.find('blocks', id) } }
  const isOpen = ['EXECUTING', 'SUSPENDED', 'COMPENSATING'].includes(instance.status)
  let incidents = isOpen && instance.error !== undefined ? 1 : 0
  let stopping = 0
  const waitsFor = (timer: string | undefined): void => {
    if (timer === undefined) return
    assert.ok(rows.find('timers', timer) !== undefined, 'T3')
    found.timers.add(timer)
  }
  const waitsForAll = (deadlines: Deadlines | undefined): void => {
    for (const timer of Object.values(deadlines ?? {})) waitsFor(timer)
  }
  waitsForAll(instance.deadlines)
  const unsettled = new Map<number, number>()
  const items = new Map<number, number>()
  for (const { first } of spansOf(tables, instance, workflow))
    if (first > 0) items.set(slotOf(workflow, first), taskAt(workflow, first).index)
  for (const node of nodesOf(tables, instance, workflow)) {
    const task = rowAt(tables, instance, node)
    const owner = ownerOf(tables, instance, workflow, node)
    const is = taskAt(workflow, node)
    // What lies in the items of a for-each runs in their slots, and in no other.
    const around = items.get(slotOf(workflow, node))
    const isElsewhere = is.type === 'item' ? is.index !== around : is.item !== around
    const isCounted = !isElsewhere && (is.aside === undefined || (is.aside === 'monitor' && task !== undefined))
    if (isCounted && !isSettled(task)) unsettled.set(owner ?? -1, (unsettled.get(owner ?? -1) ?? 0) + 1)
    if (task === undefined) continue
    waitsForAll(task.deadlines)
    if (task.hasIncident) incidents += 1
    const { open } = task
    assert.equal(
      open !== undefined,
      task.status === 'SUBMITTED' || task.status === 'EXECUTING',
      'open work of the open',
    )
    if (open === undefined) continue
    assert.ok(isOpen, 'nothing is open in an instance that has ended')
    if (open.kind === 'stopping') stopping += 1
    else if (owner !== undefined && is.aside !== 'compensation')
      assert.ok(rowAt(tables, instance, owner)?.open !== undefined, 'nothing is open in a scope that has ended')
    waitsFor('timer' in open ? open.timer : undefined)
    if (open.kind === 'slot' || open.kind === 'handler' || open.kind === 'stopping')
      found.work.add(workId(instance.id, node))
  }
  for (const node of nodesOf(tables, instance, workflow)) {
    const open = rowAt(tables, instance, node)?.open
    if (open?.kind === 'scope') assert.equal(open.unsettled, unsettled.get(node) ?? 0, 'T5')
  }
  if (instance.status === 'EXECUTING') assert.equal(instance.unsettled, unsettled.get(-1) ?? 0, 'T5')
  assert.equal(instance.incidents, incidents, 'N1')
  assert.equal(instance.stopping, stopping, 'N2')
  for (const { task } of instance.ahead) assert.ok(isOpen && rowAt(tables, instance, task) === undefined, 'A1')
}

function checkSchedules(store: MapStore, rows: CommittedRows, timers: Set<string>): void {
  for (const workflow of store.keys(prefixes.schedules)) {
    const entries = rows.find('schedules', workflow)?.entries ?? []
    assert.ok(entries.length > 0, 'Z4')
    for (const entry of entries) {
      const timer = scheduleTimer(workflow, entry)
      assert.equal(rows.find('timers', timer)?.dueAtMs, entry.nextMs, 'Z4')
      timers.add(timer)
    }
  }
}

function checkTimers(store: MapStore, rows: CommittedRows, ofTasks: ReadonlySet<string>): void {
  for (const key of store.keys(prefixes.timers)) {
    const target = rows.find('timers', key)?.target
    assert.ok(target !== undefined)
    if (target.kind !== 'forget-instance' && target.kind !== 'expire-kept' && target.kind !== 'forget-answer')
      assert.ok(ofTasks.has(key), 'T3')
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
  const crowd: string[] = []
  for (const id of store.keys(prefixes.channels)) {
    const channel = rows.find('channels', id)
    assert.ok(channel !== undefined && waitingIn(channel) + channel.kept.length > 0, 'C4')
    marked += channel.kept.length
    crowd.push(...checkCrowd(id, channel, rows))
  }
  assert.deepEqual(store.keys(prefixes.crowd), crowd.sort(), 'C7')
  assert.equal(marked, count, 'C5')
}

/** The rows that it must have. */
function checkCrowd(channel: string, row: ChannelRow, rows: CommittedRows): readonly string[] {
  const waiters = [...waitersOf(channel, row, (id) => rows.find('crowd', id))]
  const since = waiters.map(({ sinceMs }) => sinceMs)
  assert.deepEqual(
    since,
    [...since].sort((a, b) => a - b),
    'C7',
  )
  const places = waiters.slice(row.waiters.length).map(placeOf)
  assert.equal(places.length, row.crowd?.length ?? 0, 'C7')
  assert.deepEqual([row.crowd?.first, row.crowd?.last], [places[0], places.at(-1)], 'C7')
  const ids = places.map((place) => crowdId(channel, place))
  for (const [at, id] of ids.entries()) {
    const { before, after } = rows.find('crowd', id)!
    assert.deepEqual([before, after], [places[at - 1], places[at + 1]], 'C7')
  }
  return ids
}
