// Scopes: which task runs next, by dead-path elimination, and how a scope ends.
//
// Every dependency is an edge that ends up live or dead. A task starts once all its incoming edges are settled and
// at least one is live (S1); with all of them dead it is SKIPPED and its own edges are dead (S2). A scope is complete
// when all its tasks are settled (S3). A scope in which nothing ran is SKIPPED, with live edges (S4). Of one that has
// ended meanwhile, or waits for its next attempt, nothing goes on, and it does not fail again (S6).
import type { ItemTask, Scope, Task } from '../../definition/workflow.ts'
import { assert } from '../../base/assert.ts'
import type { TaskError } from '../../base/errors.ts'
import {
  attemptOf,
  checkPayload,
  completeAttempt,
  evaluate,
  identity,
  lastUndo,
  skipAttempt,
  taskErrorOf,
  type Attempt,
} from '../attempt.ts'
import { isEntered } from '../entering.ts'
import { failAttempt, orFail } from '../failure.ts'
import { nodeOf, ownerOf, rowAt, slotOf, taskAt } from '../nodes.ts'
import { accept, type Decider, type Outcome } from '../outcome.ts'
import { Payload } from '../payload.ts'
import { reject } from '../rejection.ts'
import type { Place } from '../roots.ts'
import { isSettled, type InstanceRow, type State, type TaskRow } from '../state.ts'
import { stopAt, stopInside } from '../stopping.ts'
import { advanceInterval } from '../tasks/interval.ts'
import type { World } from '../world.ts'
import { expectWorkflow, isUnderWay } from './instance.ts'
import { advanceChildren } from './join.ts'

export const advanceScope: Decider<'scope.advance'> = (command, state, world) => {
  const instance = state.instances.find(command.instanceId)
  if (instance === undefined) return reject('instance-not-found')
  const workflow = expectWorkflow(world, instance.version)
  const place = { state, instance, workflow, node: command.task }
  const settled = taskAt(workflow, command.task)
  if (settled.aside === 'compensation') return advanceUnwinding(state, instance)
  if (!isUnderWay(instance)) return reject('instance-closed')
  const owner = ownerOf(state, instance, workflow, command.task)
  if (owner !== undefined && !isEntered(rowAt(state, instance, owner))) return accept()
  const ownerTask = owner === undefined ? undefined : taskAt(workflow, owner)
  if (owner !== undefined && (ownerTask?.type === 'parallel' || ownerTask?.type === 'for-each')) {
    return advanceChildren({ ...place, node: owner }, ownerTask, command.task, world)
  }
  if (owner !== undefined && ownerTask?.type === 'interval')
    return advanceInterval({ ...place, node: owner }, ownerTask, world)
  const out = accept()
  for (const name of settled.dependents) {
    const task = workflow.taskNamed.get(name)
    assert(task !== undefined, 'S0: dependents exist')
    const node = command.task - settled.index + task.index
    if (rowAt(state, instance, node) === undefined) consider({ ...place, node }, task, settled, world, out)
  }
  if (out.events.length > 0 || out.followUps.length > 0) return out
  if (owner === undefined || ownerTask === undefined) {
    return instance.unsettled > 0 ? out : out.follow({ type: 'instance.complete', instanceId: instance.id })
  }
  const open = rowAt(state, instance, owner)?.open
  if (open?.kind !== 'scope' || open.unsettled > 0) return out
  assert('inner' in ownerTask, 'S0: who owns a scope has it inside')
  return completeOwner({ ...place, node: owner }, ownerTask.inner, world)
}

/** What was to be undone is. */
function advanceUnwinding(state: State, instance: InstanceRow): Outcome {
  const undo = lastUndo(state, instance)
  assert(undo !== undefined, 'S5: what compensates a task undoes the last that is recorded')
  return accept()
    .event({ type: 'undo.taken', instanceId: instance.id, kind: undo.kind })
    .follow({ type: 'instance.unwind', instanceId: instance.id })
}

/** S1, S2. Looks first at what comes after the task that was settled: mostly that is still to come. */
function consider(place: Place, task: Task, settled: Task, world: World, out: Outcome): void {
  const { state, instance, workflow, node } = place
  const from = task.dependsOn.indexOf(settled.name)
  let isAnyLive = false
  for (let step = 0; step < task.dependsOn.length; step++) {
    const source = workflow.taskNamed.get(task.dependsOn[(from + step) % task.dependsOn.length] ?? '')
    assert(source !== undefined, 'S0: dependencies exist')
    const row = rowAt(state, instance, node - task.index + source.index)
    if (row === undefined || !isSettled(row)) return
    isAnyLive ||= isLive(source, row, task.name)
  }
  if (isAnyLive) {
    out.follow({ type: 'task.activate', instanceId: instance.id, task: node })
    return
  }
  stopAt(place, task, world, out)
  skipAttempt(attemptOf(place, world, 0), 'dead', out)
}

function isLive(source: Task, row: TaskRow, target: string): boolean {
  if (row.status === 'STOPPED') return false
  // Where a failure goes on elsewhere, it goes on there alone; nothing else leads to what a failure may choose.
  if (row.status === 'FAILED') return Array.isArray(row.edges) && row.edges.includes(target)
  if (source.rescue.has(target)) return false
  if (row.edges === 'live' || row.edges === 'dead') return row.edges === 'live'
  // A decision: edges to what it never names are live, those to what it names only if chosen.
  return source.type !== 'decision' || !source.named.has(target) || row.edges.includes(target)
}

/** S3: its tasks are settled. */
function completeOwner(place: Place, scope: Scope, world: World): Outcome {
  const { state, instance, workflow, node } = place
  const row = rowAt(state, instance, node)
  assert(row !== undefined, 'S0: a scope whose tasks ran has begun')
  const at = attemptOf(place, world, row.attempt)
  const slot = slotOf(workflow, node)
  const rowOf = (task: Task): TaskRow | undefined => rowAt(state, instance, nodeOf(workflow, slot, task.index))
  // S4
  if (scope.tasks.every((task) => rowOf(task)?.status === 'SKIPPED')) {
    return skipAttempt(at, 'live', accept())
  }
  if (at.task.type === 'item') {
    const out = accept()
    try {
      completeAttempt(at, outputOf(at, at.task, rowOf), out)
      return out
    } catch (error) {
      return failChild(at, taskErrorOf(error))
    }
  }
  // What fails here would fail again, and what lies inside has been done.
  return orFail(at, (out) => completeAttempt(at, undefined, out), { isRetryable: false })
}

/** An item gives what its `output` says, or what the last of its tasks gave. */
function outputOf(
  at: Attempt,
  { inner, output }: ItemTask,
  rowOf: (task: Task) => TaskRow | undefined,
): Payload | undefined {
  if (output !== undefined) return checkPayload(Payload.of(evaluate(at, output)), 'the output')
  const last = inner.tasks.at(-1)
  return last === undefined ? undefined : rowOf(last)?.output
}

/** A branch or an item has failed: the join of its parallel or for-each decides what that means. */
function failChild(at: Attempt, error: TaskError, out = accept()): Outcome {
  out.event({ type: 'task.failed', ...identity(at), error, hasIncident: false })
  return out.follow({ type: 'scope.advance', instanceId: at.instance.id, task: at.node })
}

export const failScope: Decider<'scope.fail'> = (command, state, world) => {
  const instance = state.instances.find(command.instanceId)
  if (instance === undefined) return reject('instance-not-found')
  if (!isUnderWay(instance)) return reject('instance-closed')
  const workflow = expectWorkflow(world, instance.version)
  const error = { code: command.error.code, message: command.error.message }
  const owner = ownerOf(state, instance, workflow, command.task)
  if (owner === undefined) return accept().follow({ type: 'instance.fail', instanceId: instance.id, error })
  const row = rowAt(state, instance, owner)
  if (row === undefined || !isEntered(row)) return reject('task-not-open')
  const at = attemptOf({ state, instance, workflow, node: owner }, world, row.attempt)
  const out = accept()
  stopInside(at, at.task, world, out)
  if (at.task.type === 'branch' || at.task.type === 'item') return failChild(at, error, out)
  failAttempt(at, error, out)
  return out
}
