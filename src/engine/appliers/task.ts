// Appliers of task events. One row a task, replaced as a whole; what the task waited for is cleared with it.
// T3. A timer of a task is in `timers` exactly as long as the task's `open` names it.
// T4. A handler task is in `work` exactly as long as it waits for a slot or runs: what a restored partition owes.
import type { TaskError } from '../../base/errors.ts'
import type { Applier } from '../applier.ts'
import { workId, type InstanceRow, type OpenWork, type TaskRow, type WritableState } from '../state.ts'
import { note } from './instance.ts'

interface TaskChange {
  readonly instanceId: string
  readonly task: number
  readonly attempt: number
  readonly atMs: number
  readonly note?: string
}

export const taskSubmitted: Applier<'task.submitted'> = (event, state) => {
  change(event, { status: 'SUBMITTED', open: event.open }, state)
}

export const taskExecuting: Applier<'task.executing'> = (event, state) => {
  const row = change(event, { status: 'EXECUTING', open: event.open }, state)
  if (event.open.kind === 'record') row.subscriptions = event.open.number
}

export const taskRetryScheduled: Applier<'task.retry-scheduled'> = (event, state) => {
  change(
    { ...event, note: `retry after ${describe(event.error)}` },
    { status: 'SUBMITTED', open: event.open, error: event.error },
    state,
  )
}

export const taskCompleted: Applier<'task.completed'> = (event, state) => {
  change(event, { status: 'COMPLETED', output: event.output, edges: event.chosen ?? 'live', isEnd: true }, state)
}

export const taskFailed: Applier<'task.failed'> = (event, state) => {
  const { error, hasIncident } = event
  const row = change(
    { ...event, note: describe(error) },
    { status: 'FAILED', error, hasIncident, edges: event.chosen ?? 'dead', isEnd: true },
    state,
  )
  if (hasIncident) row.incidents += 1
}

export const taskSkipped: Applier<'task.skipped'> = (event, state) => {
  const text = event.error === undefined ? event.note : describe(event.error)
  change(
    { ...event, ...(text === undefined ? {} : { note: text }) },
    { status: 'SKIPPED', edges: event.edges, error: event.error, isEnd: true },
    state,
  )
}

export const taskStopped: Applier<'task.stopped'> = (event, state) => {
  const error = state.instances.expect(event.instanceId).tasks[event.task]?.error
  change(event, { status: 'STOPPED', error, isEnd: true }, state)
}

/** A process begins anew: what its tasks came to in the attempt before is forgotten. */
export const scopeReopened: Applier<'scope.reopened'> = (event, state) => {
  const row = state.instances.edit(event.instanceId)
  for (const task of event.tasks) row.tasks[task] = undefined
}

export const varsSet: Applier<'vars.set'> = (event, state) => {
  const row = state.instances.edit(event.instanceId)
  const vars = new Map(row.vars)
  for (const [name, value] of event.values) vars.set(name, value)
  row.vars = vars
  const names = event.values.map(([name]) => name).join(', ')
  note(row, { atMs: event.atMs, task: event.task, status: 'SET', attempt: event.attempt, note: names })
}

function change(
  event: TaskChange,
  next: {
    status: TaskRow['status']
    open?: OpenWork
    output?: TaskRow['output']
    error?: TaskError | undefined
    hasIncident?: boolean
    edges?: TaskRow['edges']
    isEnd?: true
  },
  state: WritableState,
): InstanceRow {
  const row = state.instances.edit(event.instanceId)
  const before = row.tasks[event.task]
  closeWork(event, before?.open, next.open, state)
  if (before?.hasIncident === true) row.incidents -= 1
  row.tasks[event.task] = {
    status: next.status,
    attempt: event.attempt,
    startedAtMs: before?.startedAtMs ?? event.atMs,
    endedAtMs: next.isEnd === true ? event.atMs : undefined,
    output: next.output,
    error: next.error,
    hasIncident: next.hasIncident ?? false,
    open: next.open,
    edges: next.edges ?? 'dead',
  }
  note(row, { atMs: event.atMs, task: event.task, status: next.status, attempt: event.attempt, note: event.note })
  return row
}

/** T3, T4 */
function closeWork(
  event: TaskChange,
  before: OpenWork | undefined,
  after: OpenWork | undefined,
  state: WritableState,
): void {
  const timer = timerOf(before)
  // A timer that has just fired is gone already.
  if (timer !== undefined && timer !== timerOf(after) && state.timers.find(timer) !== undefined)
    state.timers.remove(timer)
  const { instanceId, task } = event
  if (isHandlerWork(before) === isHandlerWork(after)) return
  if (isHandlerWork(before)) state.work.remove(workId(instanceId, task))
  else state.work.insert(workId(instanceId, task), { instanceId, task })
}

const timerOf = (open: OpenWork | undefined): string | undefined =>
  open !== undefined && 'timer' in open ? open.timer : undefined
const isHandlerWork = (open: OpenWork | undefined): boolean => open?.kind === 'slot' || open?.kind === 'handler'
const describe = (error: TaskError): string => `${error.code}: ${error.message.slice(0, 300)}`
