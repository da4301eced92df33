// Scopes: which task runs next, by dead-path elimination, and how a scope ends.
//
// Every dependency is an edge that ends up live or dead. A task starts once all its incoming edges are settled and
// at least one is live (S1); with all of them dead it is SKIPPED and its own edges are dead (S2). A scope is complete
// when all its tasks are settled (S3). A process in which nothing ran is SKIPPED, with live edges (S4).
import type { Scope, Task, Workflow } from '../../definition/workflow.ts'
import { assert } from '../../base/assert.ts'
import { completeAttempt, isUnfinished, stopTask, taskErrorOf, type Attempt } from '../attempt.ts'
import { failAttempt } from '../failure.ts'
import { accept, type Decider, type Outcome } from '../outcome.ts'
import { reject } from '../rejection.ts'
import { isSettled, type InstanceRow, type TaskRow } from '../state.ts'
import type { World } from '../world.ts'
import { expectWorkflow } from './instance.ts'

export const advanceScope: Decider<'scope.advance'> = (command, state, world) => {
  const instance = state.instances.find(command.instanceId)
  if (instance === undefined) return reject('instance-not-found')
  if (instance.status !== 'EXECUTING') return reject('instance-closed')
  const workflow = expectWorkflow(world, instance.version)
  const settled = workflow.tasks[command.task]
  assert(settled !== undefined, 'S0: a task of the workflow')
  const out = accept()
  const owner = settled.scope === undefined ? undefined : workflow.taskNamed.get(settled.scope)
  // A scope that has ended meanwhile (failed, stopped) goes no further.
  if (owner !== undefined && instance.tasks[owner.index]?.open?.kind !== 'scope') return out
  for (const name of settled.dependents) {
    const task = workflow.taskNamed.get(name)
    assert(task !== undefined, 'S0: dependents exist')
    if (instance.tasks[task.index] === undefined) consider(task, workflow, instance, world, out)
  }
  if (out.events.length > 0 || out.followUps.length > 0) return out
  const scope = owner === undefined ? workflow.root : owner.type === 'process' ? owner.inner : undefined
  assert(scope !== undefined, 'S0: only a process owns a scope')
  if (!isComplete(scope, instance)) return out
  if (owner === undefined) return out.follow({ type: 'instance.complete', instanceId: instance.id })
  return completeProcess(owner, scope, workflow, instance, world)
}

/** S1, S2 */
function consider(task: Task, workflow: Workflow, instance: InstanceRow, world: World, out: Outcome): void {
  let isAnyLive = false
  for (const name of task.dependsOn) {
    const source = workflow.taskNamed.get(name)
    assert(source !== undefined, 'S0: dependencies exist')
    const row = instance.tasks[source.index]
    if (row === undefined || !isSettled(row)) return
    isAnyLive ||= isLive(source, row, task.name)
  }
  if (isAnyLive) {
    out.follow({ type: 'task.activate', instanceId: instance.id, task: task.index })
    return
  }
  out.event({
    type: 'task.skipped',
    instanceId: instance.id,
    task: task.index,
    attempt: 0,
    atMs: world.nowMs,
    edges: 'dead',
  })
  out.follow({ type: 'scope.advance', instanceId: instance.id, task: task.index })
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

/** S3 */
const isComplete = (scope: Scope, instance: InstanceRow): boolean =>
  scope.tasks.every((task) => isSettled(instance.tasks[task.index]))

function completeProcess(owner: Task, scope: Scope, workflow: Workflow, instance: InstanceRow, world: World): Outcome {
  const row = instance.tasks[owner.index]
  assert(row !== undefined, 'S0: a process whose tasks ran has begun')
  const at: Attempt = { world, instance, workflow, task: owner, number: row.attempt }
  // S4
  if (scope.tasks.every((task) => instance.tasks[task.index]?.status === 'SKIPPED')) {
    return accept()
      .event({
        type: 'task.skipped',
        instanceId: instance.id,
        task: owner.index,
        attempt: row.attempt,
        atMs: world.nowMs,
        edges: 'live',
      })
      .follow({ type: 'scope.advance', instanceId: instance.id, task: owner.index })
  }
  const out = accept()
  try {
    completeAttempt(at, undefined, out)
    return out
  } catch (error) {
    const failed = accept()
    // `set` would fail again, and what lies inside has been done.
    failAttempt(at, taskErrorOf(error), failed, { isRetryable: false })
    return failed
  }
}

export const failScope: Decider<'scope.fail'> = (command, state, world) => {
  const instance = state.instances.find(command.instanceId)
  if (instance === undefined) return reject('instance-not-found')
  if (instance.status !== 'EXECUTING') return reject('instance-closed')
  const workflow = expectWorkflow(world, instance.version)
  const failed = workflow.tasks[command.task]
  assert(failed !== undefined, 'S0: a task of the workflow')
  const error = { code: command.error.code, message: command.error.message }
  if (failed.scope === undefined) return accept().follow({ type: 'instance.fail', instanceId: instance.id, error })
  const owner = workflow.taskNamed.get(failed.scope)
  assert(owner?.type === 'process', 'S0: only a process owns a scope')
  const row = instance.tasks[owner.index]
  if (row?.open?.kind !== 'scope') return reject('task-not-open')
  const out = accept()
  stopInside(owner.inner, instance, world, out)
  failAttempt({ world, instance, workflow, task: owner, number: row.attempt }, error, out)
  return out
}

function stopInside(scope: Scope, instance: InstanceRow, world: World, out: Outcome): void {
  for (const task of scope.tasks) {
    const row = instance.tasks[task.index]
    if (task.type === 'process') stopInside(task.inner, instance, world, out)
    if (isUnfinished(row)) stopTask({ instance, task, world }, row, out)
  }
}
