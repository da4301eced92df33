// T3, T4 (src/engine/appliers/task.ts): what stands beside an instance for its open tasks (timers, work under way) is
// there after each transaction exactly as long as an open task names it; and whatever else has to agree between the
// tables of a partition agrees at rest.
import { AssertionError } from 'node:assert/strict'
import { deadlineKinds, workId, type TableName, type TimerRow, type WorkRow } from '../../../src/engine/state.ts'
import { prefixes } from '../../../src/records/keys.ts'
import { CommittedRows } from '../../../src/runtime/rows.ts'
import { checkInvariants } from '../../support/engine-invariants.ts'
import { MapStore } from '../../support/map-store.ts'
import type { Life } from '../committed.ts'
import { hasEnded, nameOf, type Evidence } from './finished.ts'
import { momentsOf, type Moment } from './nodes.ts'

const kindsOfTasks: readonly string[] = ['task', ...deadlineKinds]

/** T3: a timer of a task, or of the instance itself, is armed exactly as long as its open work or its deadlines name it. */
export function* timersAreNamed(run: Evidence): Generator<string> {
  const timers = new Map<string, Life<TimerRow>[]>()
  for (const life of run.committed.lives('timers')) {
    const { target } = life.last
    if ('instanceId' in target && kindsOfTasks.includes(target.kind))
      timers.set(target.instanceId, [...(timers.get(target.instanceId) ?? []), life])
  }
  for (const life of run.instances) {
    const own = timers.get(life.id) ?? []
    const known = new Set(own.map((timer) => timer.id))
    for (const moment of momentsOf(run, life)) {
      const named = timersOf(moment)
      for (const timer of own)
        if (isThere(timer, moment.batch) !== named.has(timer.id))
          yield `T3: timer ${timer.id} of ${nameOf(life.last)} is ${named.has(timer.id) ? 'not armed' : 'armed for nothing'} at ${moment.atMs}`
      for (const [timer, what] of named)
        if (!known.has(timer)) yield `T3: ${what} of ${nameOf(life.last)} waits for ${timer}, which never was`
    }
  }
}

/** T4: a handler task is in `work` exactly as long as it waits for a slot or runs. */
export function* workIsOpen(run: Evidence): Generator<string> {
  const work = new Map<string, Life<WorkRow>[]>()
  for (const life of run.committed.lives('work'))
    work.set(life.last.instanceId, [...(work.get(life.last.instanceId) ?? []), life])
  for (const life of run.instances) {
    const own = work.get(life.id) ?? []
    const known = new Set(own.map((each) => each.id))
    for (const moment of momentsOf(run, life)) {
      const open = workOf(moment)
      for (const each of own)
        if (isThere(each, moment.batch) !== open.has(each.id))
          yield `T4: work ${each.id} of ${nameOf(life.last)} is ${open.has(each.id) ? 'not there' : 'there for nothing'} at ${moment.atMs}`
      for (const each of open)
        if (!known.has(each)) yield `T4: ${nameOf(life.last)} has the open work ${each}, which never was`
    }
  }
}

/** S3: nothing is open in an instance or a scope that has ended, but handlers that clean up and what compensates. */
export function* nothingOpenOutside(run: Evidence): Generator<string> {
  for (const life of run.instances) {
    for (const moment of momentsOf(run, life)) {
      for (const { node, task, is } of moment.nodes) {
        if (is?.open === undefined) continue
        const owner = moment.owner(node)
        const isLeft = is.open.kind === 'stopping' || task.aside === 'compensation'
        const name = `${moment.name(node)} of ${nameOf(moment.row)}`
        if (owner !== undefined && !isLeft && moment.is(owner)?.open === undefined)
          yield `S3: ${name} is open at ${moment.atMs}, and ${moment.name(owner)} is not`
        else if (hasEnded(moment.row))
          yield `S3: ${name} is open at ${moment.atMs}, and the instance is ${moment.row.status}`
        else if (moment.row.ending !== undefined && !isLeft)
          yield `S3: ${name} is open at ${moment.atMs}, and the instance is ending`
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
      for (const { id, last, isRemoved } of changelog.lives(table)) if (!isRemoved) rows.put(table, id, last, 0)
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

/** The timers that open tasks and deadlines name, with whose they are. */
function timersOf(moment: Moment): ReadonlyMap<string, string> {
  const timers = new Map<string, string>()
  const add = (timer: string | undefined, of: string): void => void (timer !== undefined && timers.set(timer, of))
  for (const timer of Object.values(moment.row.deadlines ?? {})) add(timer, 'the instance')
  for (const { node, is } of moment.nodes) {
    if (is?.open !== undefined && 'timer' in is.open) add(is.open.timer, moment.name(node))
    for (const timer of Object.values(is?.deadlines ?? {})) add(timer, moment.name(node))
  }
  return timers
}

const workOf = ({ nodes, row }: Moment): ReadonlySet<string> =>
  new Set(
    nodes.flatMap(({ node, is }) =>
      ['slot', 'handler', 'stopping'].includes(is?.open?.kind ?? '') ? [workId(row.id, node)] : [],
    ),
  )
