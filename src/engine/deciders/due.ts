// What the timers of tasks mean: a timeout, a retry, the time that was waited for; and the deadlines beside them.
import type { Task } from '../../definition/workflow.ts'
import { assert } from '../../base/assert.ts'
import type { TaskError } from '../../base/errors.ts'
import {
  attemptOf,
  completeAttempt,
  identity,
  skipAttempt,
  skippedEdges,
  taskErrorOf,
  type Attempt,
} from '../attempt.ts'
import { attempt } from '../begin.ts'
import { maxDurationError, passed } from '../deadlines.ts'
import { failAttempt, orFail } from '../failure.ts'
import { rowAt, taskAt } from '../nodes.ts'
import { accept, type Outcome } from '../outcome.ts'
import type { Payload } from '../payload.ts'
import type { RejectionCode } from '../rejection.ts'
import type { DeadlineKind, InstanceRow, OpenWork, State, TimerTarget } from '../state.ts'
import { isUnfinished, recordUnknown, stopInside, withdraw } from '../stopping.ts'
import { askForSlot, isWork } from '../tasks/handler.ts'
import { lastRun, runAgain } from '../tasks/interval.ts'
import type { World } from '../world.ts'
import { expectWorkflow, isUnderWay, mayRun } from './instance.ts'
import { beginItems } from './join.ts'

/** A due timer of a task: a timeout, a retry, or the time that a trigger waited for. */
export function taskDue(
  target: Extract<TimerTarget, { kind: 'task' }>,
  timer: string,
  state: State,
  world: World,
): Outcome | RejectionCode {
  const found = openTask(target.instanceId, target.task, state, world)
  if (found === undefined || !('timer' in found.open) || found.open.timer !== timer) return 'timer-superseded'
  const { at, open } = found
  const out = accept()
  switch (open.kind) {
    case 'record':
      withdraw(at, open, out)
      failAttempt(at, { code: 'timeout', message: timeoutMessage(at.task, open) }, out)
      return out
    case 'handler':
      withdraw(at, open, out)
      failAttempt(at, { code: 'timeout', message: 'the handler did not answer in time' }, out, { input: open.input })
      return out
    case 'time':
      return orFail(at, (done) => completeAttempt(at, undefined, done))
    case 'retry':
      return retried(at, open.input)
    case 'signal':
      failAttempt(at, { code: 'timeout', message: `no signal '${open.name}' came in time` }, out)
      return out
    case 'child':
      withdraw(at, open, out)
      failAttempt(at, { code: 'timeout', message: 'the child did not end in time' }, out)
      return out
    case 'children':
      assert(at.task.type === 'for-each', 'T6: only items begin by a timer')
      beginItems({ ...at, task: at.task }, { ...open, timer: undefined }, out)
      return out
    case 'interval':
      assert(at.task.type === 'interval', 'T7: only an interval waits for its next run')
      runAgain({ ...at, task: at.task }, out)
      return out
    case 'stopping':
      return stopped(at)
  }
}

/** A handler keeps the input of its first attempt; the other types evaluate theirs anew. */
function retried(last: Attempt, input: Payload | undefined): Outcome {
  const at = { ...last, number: last.number + 1 }
  if (!isWork(at.task) || input === undefined) return attempt(at)
  const out = accept()
  askForSlot(at, input, out)
  return out
}

function timeoutMessage(task: Task, open: Extract<OpenWork, { kind: 'record' }>): string {
  const topic = task.type === 'kafka-listener' ? task.topic : ''
  return `no record of ${topic} came for '${open.value}' within ${task.timeoutMs ?? 0} ms`
}

/** The handler of a stopped task is done with it: an instance that waited for the last of them ends, a scope goes on. */
export function stopped(at: Attempt): Outcome {
  const { id, ending, unsettled } = at.instance
  const out = accept().event({ type: 'task.stopped', ...identity(at) })
  if (ending !== undefined) return out.follow({ type: 'instance.unwind', instanceId: id })
  if (unsettled === 0) return out.follow({ type: 'instance.complete', instanceId: id })
  return out.follow({ type: 'scope.advance', instanceId: id, task: at.node })
}

/** A task that waits for something, and its attempt. */
export function openTask(
  instanceId: string,
  node: number,
  state: State,
  world: World,
): { readonly at: Attempt; readonly open: OpenWork } | undefined {
  const instance = state.instances.find(instanceId)
  const row = instance && rowAt(state, instance, node)
  if (instance === undefined || row?.open === undefined) return undefined
  const workflow = expectWorkflow(world, instance.version)
  return { at: attemptOf({ state, instance, workflow, node }, world, row.attempt), open: row.open }
}

type DeadlineTarget = Extract<TimerTarget, { kind: DeadlineKind }>

/** A deadline of a task, or of the instance, has passed. */
export function deadlinePassed(
  target: DeadlineTarget,
  timer: string,
  state: State,
  world: World,
): Outcome | RejectionCode {
  const instance = state.instances.find(target.instanceId)
  if (instance === undefined) return 'timer-superseded'
  if (target.task === -1) return deadlineOfInstance(instance, target, timer, world)
  const workflow = expectWorkflow(world, instance.version)
  if (!mayRun(instance, taskAt(workflow, target.task))) return 'timer-superseded'
  const row = rowAt(state, instance, target.task)
  const left = passed(row?.deadlines, target.kind, timer)
  if (row === undefined || left === undefined || !isUnfinished(row)) return 'timer-superseded'
  const at = attemptOf({ state, instance, workflow, node: target.task }, world, row.attempt)
  const out = accept().event({ type: 'deadlines.set', instanceId: instance.id, task: target.task, deadlines: left })
  if (target.kind === 'monitor') {
    const { scope } = identity(at)
    assert(at.task.monitor !== undefined && scope !== undefined, 'T8: a monitor watches a task of a scope')
    const node = at.node - at.task.index + at.task.monitor.task.index
    return out
      .event({ type: 'scope.joined', instanceId: instance.id, scope })
      .follow({ type: 'task.activate', instanceId: instance.id, task: node })
  }
  stopInside(at, at.task, world, out)
  withdraw(at, row.open, out)
  endByForce(at, target.kind, out)
  return out
}

function endByForce(at: Attempt, kind: 'max-duration' | 'deadline', out: Outcome): void {
  const { task } = at
  const how = kind === 'max-duration' ? task.onMaxDuration : task.type === 'interval' ? task.onDeadline : 'fail'
  const error: TaskError =
    kind === 'max-duration'
      ? maxDurationError(task.maxDurationMs)
      : { code: 'deadline', message: 'its condition did not become true in time' }
  if (how === 'fail') return failAttempt(at, error, out, { isRetryable: false })
  if (how === 'skip') {
    recordUnknown(at, error, out)
    skipAttempt(at, skippedEdges(task), out, { error })
    return
  }
  assert(task.type === 'interval', 'T7: only an interval is completed by its deadline')
  try {
    completeAttempt(at, lastRun({ ...at, task }), out, { note: error.message })
  } catch (thrown) {
    failAttempt(at, taskErrorOf(thrown), out, { isRetryable: false })
  }
}

function deadlineOfInstance(
  instance: InstanceRow,
  target: DeadlineTarget,
  timer: string,
  world: World,
): Outcome | RejectionCode {
  const left = passed(instance.deadlines, target.kind, timer)
  if (left === undefined || !isUnderWay(instance)) return 'timer-superseded'
  const workflow = expectWorkflow(world, instance.version)
  const out = accept().event({ type: 'deadlines.set', instanceId: instance.id, task: -1, deadlines: left })
  if (target.kind === 'max-duration') {
    return out.follow({
      type: 'instance.fail',
      instanceId: instance.id,
      error: maxDurationError(workflow.maxDurationMs),
    })
  }
  assert(workflow.monitor !== undefined, 'T8: a monitor watches an instance that has one')
  return out
    .event({ type: 'scope.joined', instanceId: instance.id, scope: -1 })
    .follow({ type: 'task.activate', instanceId: instance.id, task: workflow.monitor.task.index })
}
