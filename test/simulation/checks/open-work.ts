// T3, T4 (src/engine/appliers/task.ts): what stands beside an instance for its open tasks (timers, work under way) is
// there after each transaction exactly as long as an open task names it; and whatever else has to agree between the
// tables of a partition agrees at rest.
import { AssertionError } from 'node:assert/strict'
import { workId, type InstanceRow, type TableName, type TimerRow, type WorkRow } from '../../../src/engine/state.ts'
import { prefixes } from '../../../src/records/keys.ts'
import { CommittedRows } from '../../../src/runtime/rows.ts'
import { checkInvariants } from '../../support/engine-invariants.ts'
import { MapStore } from '../../support/map-store.ts'
import type { Life } from '../committed.ts'
import { hasEnded, nameOf, type Evidence } from './finished.ts'

/** T3: a timer of a task is armed exactly as long as its open work names it. */
export function* timersAreNamed({ committed, instances, workflows }: Evidence): Generator<string> {
  const timers = new Map<string, Life<TimerRow>[]>()
  for (const life of committed.lives('timers')) {
    const { target } = life.last
    if (target.kind === 'task') timers.set(target.instanceId, [...(timers.get(target.instanceId) ?? []), life])
  }
  for (const { id, last, versions } of instances) {
    const own = timers.get(id) ?? []
    const known = new Set(own.map((timer) => timer.id))
    for (const { batch, row, atMs } of versions) {
      const named = timersOf(row)
      for (const timer of own)
        if (isThere(timer, batch) !== named.has(timer.id))
          yield `T3: timer ${timer.id} of ${nameOf(last)} is ${named.has(timer.id) ? 'not armed' : 'armed for nothing'} at ${atMs}`
      for (const [timer, task] of named)
        if (!known.has(timer))
          yield `T3: ${workflows.get(last.version)?.tasks[task]?.name} of ${nameOf(last)} waits for ${timer}, which never was`
    }
  }
}

/** T4: a handler task is in `work` exactly as long as it waits for a slot or runs. */
export function* workIsOpen({ committed, instances }: Evidence): Generator<string> {
  const work = new Map<string, Life<WorkRow>[]>()
  for (const life of committed.lives('work'))
    work.set(life.last.instanceId, [...(work.get(life.last.instanceId) ?? []), life])
  for (const { id, last, versions } of instances) {
    const own = work.get(id) ?? []
    const known = new Set(own.map((each) => each.id))
    for (const { batch, row, atMs } of versions) {
      const open = workOf(row)
      for (const each of own)
        if (isThere(each, batch) !== open.has(each.id))
          yield `T4: work ${each.id} of ${nameOf(last)} is ${open.has(each.id) ? 'not there' : 'there for nothing'} at ${atMs}`
      for (const each of open)
        if (!known.has(each)) yield `T4: ${nameOf(last)} has the open work ${each}, which never was`
    }
  }
}

/** S3: nothing is open in an instance or a scope that has ended. */
export function* nothingOpenOutside({ instances, workflows }: Evidence): Generator<string> {
  for (const { last, versions } of instances) {
    const workflow = workflows.get(last.version)
    if (workflow === undefined) continue
    for (const { row, atMs } of versions) {
      for (const task of row === undefined ? [] : workflow.tasks) {
        if (row?.tasks[task.index]?.open === undefined) continue
        const owner = task.scope === undefined ? undefined : workflow.taskNamed.get(task.scope)
        const isLeft = row.tasks[task.index]?.open?.kind === 'stopping'
        if (owner !== undefined && !isLeft && row.tasks[owner.index]?.open === undefined)
          yield `S3: ${task.name} of ${nameOf(row)} is open at ${atMs}, and ${owner.name} is not`
        else if (hasEnded(row))
          yield `S3: ${task.name} of ${nameOf(row)} is open at ${atMs}, and the instance is ${row.status}`
      }
    }
  }
}

/** I7: a timer that is left is of something that is there: a task, an instance that has ended, a record, an answer. */
export function* timersHaveTargets({ committed, instances }: Evidence): Generator<string> {
  const living = (lives: readonly Life<unknown>[]): ReadonlySet<string> =>
    new Set(lives.flatMap(({ id, isRemoved }) => (isRemoved ? [] : [id])))
  const ended = living(instances.filter(({ last }) => hasEnded(last)))
  const answers = living(committed.lives('answers'))
  for (const { id, last, isRemoved } of committed.lives('timers')) {
    if (isRemoved) continue
    const { target } = last
    if (target.kind === 'forget-instance' && !ended.has(target.instanceId))
      yield `I7: timer ${id} is to forget ${target.instanceId}, which is not there or has not ended`
    if (target.kind === 'forget-answer' && !answers.has(target.answer))
      yield `I7: timer ${id} is to forget an answer that is not there`
  }
}

/** All that has to agree within a partition agrees at rest (test/support/engine-invariants.ts). */
export function* tablesAgree({ committed, workflows }: Evidence): Generator<string> {
  const catalogue = { find: (version: string) => workflows.get(version) }
  for (const changelog of committed.changelogs) {
    const store = new MapStore()
    for (const [key, value] of changelog.foldAt()) store.values.set(key, value)
    const rows = new CommittedRows(store)
    // Decoded already, by others.
    for (const table of Object.keys(prefixes) as TableName[])
      for (const { id, last, isRemoved } of changelog.lives(table)) if (!isRemoved) rows.put(table, id, last)
    try {
      checkInvariants(store, rows, catalogue)
    } catch (error) {
      if (!(error instanceof AssertionError)) throw error
      yield `${error.message}: partition ${changelog.partition}, at rest`
    }
  }
}

/** Whether a row was there after a transaction. */
const isThere = ({ versions }: Life<unknown>, batch: number): boolean =>
  versions.findLast((version) => version.batch <= batch)?.row !== undefined

/** The timers that open tasks name, with the task. */
function timersOf(row: InstanceRow | undefined): ReadonlyMap<string, number> {
  const timers = new Map<string, number>()
  for (const [index, task] of row?.tasks.entries() ?? [])
    if (task?.open !== undefined && 'timer' in task.open && task.open.timer !== undefined)
      timers.set(task.open.timer, index)
  return timers
}

function workOf(row: InstanceRow | undefined): ReadonlySet<string> {
  const work = new Set<string>()
  for (const [index, task] of row?.tasks.entries() ?? [])
    if (row !== undefined && ['slot', 'handler', 'stopping'].includes(task?.open?.kind ?? ''))
      work.add(workId(row.id, index))
  return work
}
