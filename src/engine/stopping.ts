// How what is under way ends because something around it has: its scope failed, a join was decided, its instance ends.
//
// U1. A task with `compensate` that may have done its work, and never told, is compensated: it was running when it was
//     stopped, or ended by a timeout, or told what could not be used.
import { assert } from '../base/assert.ts'
import type { TaskError } from '../base/errors.ts'
import { partitionOfText } from '../base/partitioner.ts'
import type { Scope, Task } from '../definition/workflow.ts'
import { armTaskTimer, attemptOf, identity, inputForUndo, type Attempt } from './attempt.ts'
import { nodeOf, rowAt, slotOf } from './nodes.ts'
import type { Outcome } from './outcome.ts'
import { nullPayload } from './payload.ts'
import type { Place } from './roots.ts'
import type { OpenWork, TaskRow } from './state.ts'
import { isWork, workOf } from './tasks/handler.ts'
import type { World } from './world.ts'

/** Stops what an open task waits for, where that is not in the own state: its subscription, its handler, its child. */
export function withdraw(at: Attempt, open: OpenWork | undefined, out: Outcome): void {
  if (open?.kind === 'record') {
    assert(at.task.type === 'kafka-listener', 'T1: only a listener waits for a record')
    const { value, number } = open
    out.send(at.world, partitionOfText(value, at.world.partitions), {
      type: 'channel.leave',
      workflow: at.instance.workflow,
      topic: at.task.topic,
      value,
      instanceId: at.instance.id,
      number,
    })
  }
  if (open?.kind === 'child') {
    const { key, workflow } = open
    const parent = { instanceId: at.instance.id, task: at.node, attempt: at.number }
    out.send(at.world, partitionOfText(key, at.world.partitions), { type: 'child.stop', workflow, key, parent })
  }
  if (open?.kind === 'handler' || open?.kind === 'slot') {
    out.effect({ type: 'handler.abort', instanceId: at.instance.id, task: at.node, attempt: at.number })
  }
}

/** True while the row waits for something, or for a person. */
export const isUnfinished = (row: TaskRow | undefined): row is TaskRow =>
  row?.open !== undefined || row?.hasIncident === true

/** Ends an unfinished task because its scope or its instance has ended: an incident in there is nobody's any more. */
export function stopTask(at: Attempt, row: TaskRow, out: Outcome): void {
  const { open } = row
  if (open?.kind === 'stopping') return
  if (open?.kind === 'handler' || open?.kind === 'child') recordUndo(at, open, out)
  else if (row.error !== undefined) recordUnknown(at, row.error, out)
  if (open?.kind === 'handler') {
    const { stopTimeoutMs } = at.workflow
    const timer = armTaskTimer(at, at.world.nowMs + stopTimeoutMs, out)
    out.event({ type: 'task.stopping', ...identity(at), open: { kind: 'stopping', input: open.input, timer } })
    out.effect({ type: 'handler.stop', ...workOf(at, open.input), stopTimeoutMs })
    return
  }
  withdraw(at, open, out)
  out.event({ type: 'task.stopped', ...identity(at) })
}

const unknownCodes: ReadonlySet<string> = new Set([
  'timeout',
  'run-lost',
  'max-duration',
  'deadline',
  'output-invalid',
  'output-not-json',
])

/**
 * U1, for a task that has ended for good. What is done elsewhere may have been done; of all other types it is known, and of
 * one with tasks inside those are compensated for themselves. One that does not run has told, or not, as its last attempt
 * did.
 */
export function recordUnknown(at: Attempt, error: TaskError, out: Outcome): void {
  if (!isWork(at.task) && at.task.type !== 'workflow') return
  const row = rowAt(at.state, at.instance, at.node)
  const open = row?.open
  const isResting = open === undefined || open.kind === 'retry' || open.kind === 'slot'
  const last = isResting && row !== undefined ? row.error : error
  // What its handler returned could not be used, or its `set` failed: the work has been done.
  const isDone = (open?.kind === 'handler' || open?.kind === 'child') && error.code === 'expression'
  if (isDone || (last !== undefined && unknownCodes.has(last.code))) recordUndo(at, open, out)
}

/** U1 */
function recordUndo(at: Attempt, open: OpenWork | undefined, out: Outcome): void {
  if (at.task.compensate === undefined) return
  const row = { node: at.node, input: inputForUndo(at.task, open), output: nullPayload }
  out.event({ type: 'undo.recorded', instanceId: at.instance.id, kind: 'unknown', row })
}

/** Stops everything that is under way in a scope of this slot, and beside it. */
export function stopScope(place: Omit<Place, 'node'>, scope: Scope, slot: number, world: World, out: Outcome): void {
  const stop = (task: Task): void => {
    stopAt({ ...place, node: nodeOf(place.workflow, slot, task.index) }, task, world, out)
  }
  for (const task of scope.tasks) {
    stop(task)
    if (task.monitor !== undefined) stop(task.monitor.task)
  }
}

/** Stops a task, and first what is under way in it. */
export function stopAt(place: Place, task: Task, world: World, out: Outcome): void {
  stopInside(place, task, world, out)
  const row = rowAt(place.state, place.instance, place.node)
  if (isUnfinished(row)) stopTask(attemptOf(place, world, row.attempt), row, out)
  else leaveAhead(place, world, out)
}

/** A listener that was subscribed before its turn has none any more. */
export function leaveAhead(place: Place, world: World, out: Outcome): void {
  const subscription = place.instance.ahead.find(({ task }) => task === place.node)
  if (subscription === undefined) return
  out.event({ type: 'ahead.left', instanceId: place.instance.id, task: place.node })
  withdraw(attemptOf(place, world, 0), { kind: 'record', ...subscription, timer: undefined }, out)
}

/** Stops what is under way in a task that has tasks of its own. */
export function stopInside(place: Place, task: Task, world: World, out: Outcome): void {
  const { state, instance, workflow, node } = place
  const slot = slotOf(workflow, node)
  if ('inner' in task) stopScope(place, task.inner, slot, world, out)
  else if (task.type === 'parallel') {
    for (const branch of task.branches)
      stopAt({ ...place, node: nodeOf(workflow, slot, branch.index) }, branch, world, out)
  } else if (task.type === 'for-each') {
    const open = rowAt(state, instance, node)?.open
    if (open?.kind !== 'children') return
    for (let index = 0; index < open.begun; index++) {
      const item = nodeOf(workflow, open.firstSlot + index, task.each.index)
      if (isUnfinished(rowAt(state, instance, item))) stopAt({ ...place, node: item }, task.each, world, out)
    }
  }
}
