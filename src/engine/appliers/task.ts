// Appliers of task events. One row a task, replaced as a whole; what the task waited for is cleared with it.
// T3. A timer of a task is in `timers` exactly as long as the task's `open` names it.
// T5. `unsettled` of a scope, and the counts of branches and items, are those of its tasks' rows.
// T4. A handler task is in `work` exactly as long as it waits for a slot or runs: what a restored partition owes.
import { assert } from '../../base/assert.ts'
import type { TaskError } from '../../base/errors.ts'
import type { Applier } from '../applier.ts'
import { putRow, rowAt, timerOf } from '../nodes.ts'
import {
  isSettled,
  workId,
  type InstanceRow,
  type Item,
  type OpenWork,
  type TaskRow,
  type TaskStatus,
  type WritableState,
} from '../state.ts'
import { closeDeadlines, note } from './instance.ts'

interface TaskChange {
  readonly instanceId: string
  readonly task: number
  readonly scope: number | undefined
  readonly attempt: number
  readonly atMs: number
  readonly note?: string | undefined
}

export const taskSubmitted: Applier<'task.submitted'> = (event, state) => {
  change(event, { status: 'SUBMITTED', open: event.open }, state)
}

export const taskExecuting: Applier<'task.executing'> = (event, state) => {
  const row = change(event, { status: 'EXECUTING', open: event.open, item: event.item }, state)
  if (event.open.kind !== 'record') return
  // One that was subscribed before its turn keeps its place in line.
  row.subscriptions = Math.max(row.subscriptions, event.open.number)
  dropAhead(row, event.task)
}

export const aheadJoined: Applier<'ahead.joined'> = ({ instanceId, subscription }, state) => {
  const row = state.instances.edit(instanceId)
  dropAhead(row, subscription.task)
  row.ahead = [...row.ahead, subscription]
  row.subscriptions = subscription.number
}

export const aheadLeft: Applier<'ahead.left'> = ({ instanceId, task }, state) => {
  dropAhead(state.instances.edit(instanceId), task)
}

function dropAhead(row: InstanceRow, task: number): void {
  if (row.ahead.length > 0) row.ahead = row.ahead.filter((each) => each.task !== task)
}

export const taskRetryScheduled: Applier<'task.retry-scheduled'> = (event, state) => {
  const after = event.error === undefined ? '' : `retry after ${describe(event.error)}`
  const attemptsBefore = event.isByHand === true ? event.attempt : undefined
  change(
    { ...event, note: event.note ?? after },
    { status: 'SUBMITTED', open: event.open, error: event.error, attemptsBefore },
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
  const error = rowAt(state, state.instances.expect(event.instanceId), event.task)?.error
  change(event, { status: 'STOPPED', error, isEnd: true }, state)
}

export const taskStopping: Applier<'task.stopping'> = (event, state) => {
  change(event, { status: 'EXECUTING', open: event.open }, state)
}

/** Nothing happened to it that its history should tell. */
export const taskWaiting: Applier<'task.waiting'> = (event, state) => {
  const before = rowAt(state, state.instances.expect(event.instanceId), event.task)
  assert(before !== undefined, 'T0: a task that goes on waiting has begun')
  closeWork(event, before.open, event.open, state)
  if (event.open.kind === 'record') state.instances.edit(event.instanceId).subscriptions = event.open.number
  putRow(state, event.instanceId, event.task, { ...before, open: event.open })
}

export const deadlinesSet: Applier<'deadlines.set'> = ({ instanceId, task, deadlines }, state) => {
  if (task === -1) {
    state.instances.edit(instanceId).deadlines = deadlines
    return
  }
  const before = rowAt(state, state.instances.expect(instanceId), task)
  assert(before !== undefined, 'T0: a task that has deadlines has begun')
  putRow(state, instanceId, task, { ...before, deadlines })
}

/** A scope begins anew: what its tasks came to in the attempt before is forgotten. */
export const scopeReopened: Applier<'scope.reopened'> = (event, state) => {
  for (const task of event.tasks) {
    const row = state.instances.edit(event.instanceId)
    const before = rowAt(state, row, task)
    if (before === undefined) continue
    closeWork({ ...event, task }, before.open, undefined, state)
    if (before.open?.kind === 'stopping') row.stopping -= 1
    putRow(state, event.instanceId, task, undefined)
  }
}

export const scopeJoined: Applier<'scope.joined'> = ({ instanceId, scope }, state) => {
  count(instanceId, scope, 1, state)
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
    item?: Item | undefined
    attemptsBefore?: number | undefined
    isEnd?: true
  },
  state: WritableState,
): InstanceRow {
  const row = state.instances.edit(event.instanceId)
  const before = rowAt(state, row, event.task)
  const { open } = next
  closeWork(event, before?.open, open, state)
  if (before?.hasIncident === true) row.incidents -= 1
  if (before?.open?.kind === 'stopping') row.stopping -= 1
  if (open?.kind === 'stopping') row.stopping += 1
  // Nothing bounds or watches what is stopped, however long its handler cleans up.
  const isOver = (next.isEnd === true && next.hasIncident !== true) || open?.kind === 'stopping'
  if (isOver) closeDeadlines(before?.deadlines, state)
  const after: TaskRow = {
    status: next.status,
    attempt: event.attempt,
    startedAtMs: before?.startedAtMs ?? event.atMs,
    endedAtMs: next.isEnd === true ? event.atMs : undefined,
    output: next.output,
    error: next.error,
    hasIncident: next.hasIncident ?? false,
    attemptsBefore: next.attemptsBefore ?? before?.attemptsBefore ?? 0,
    open,
    edges: next.edges ?? 'dead',
    deadlines: isOver ? undefined : before?.deadlines,
    item: next.item ?? before?.item,
  }
  putRow(state, event.instanceId, event.task, after)
  if (isSettled(before) !== isSettled(after)) settle(event, after, state)
  note(row, { atMs: event.atMs, task: event.task, status: next.status, attempt: event.attempt, note: event.note })
  return row
}

/** T5 */
function settle(event: TaskChange, after: TaskRow, state: WritableState): void {
  if (event.scope === undefined) return
  const owner = event.scope === -1 ? undefined : rowAt(state, state.instances.expect(event.instanceId), event.scope)
  if (owner?.open?.kind === 'children') {
    assert(isSettled(after), 'T5: a branch or an item ends once')
    const field = endOf[after.status]
    if (field === undefined) return
    putRow(state, event.instanceId, event.scope, { ...owner, open: { ...owner.open, [field]: owner.open[field] + 1 } })
  } else count(event.instanceId, event.scope, isSettled(after) ? -1 : 1, state)
}

const endOf: { readonly [Status in TaskStatus]?: 'succeeded' | 'failed' | 'skipped' } = {
  COMPLETED: 'succeeded',
  FAILED: 'failed',
  SKIPPED: 'skipped',
}

/** T5: the tasks of a scope that are not settled. A scope that has ended counts no more. */
function count(instanceId: string, scope: number, by: number, state: WritableState): void {
  const row = state.instances.edit(instanceId)
  if (scope === -1) {
    row.unsettled += by
    return
  }
  const owner = rowAt(state, row, scope)
  if (owner?.open?.kind !== 'scope') return
  putRow(state, instanceId, scope, { ...owner, open: { kind: 'scope', unsettled: owner.open.unsettled + by } })
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
  if (timer !== undefined && timer !== timerOf(after)) state.timers.clear(timer)
  const { instanceId, task } = event
  if (isHandlerWork(before) === isHandlerWork(after)) return
  if (isHandlerWork(before)) state.work.remove(workId(instanceId, task))
  else state.work.insert(workId(instanceId, task), { instanceId, task })
}

const isHandlerWork = (open: OpenWork | undefined): boolean =>
  open?.kind === 'slot' || open?.kind === 'handler' || open?.kind === 'stopping'
const describe = (error: TaskError): string => `${error.code}: ${error.message.slice(0, 300)}`
