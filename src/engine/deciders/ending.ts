// Instances end.
//
//   root scope complete ───────────────────────────────────────────────▶ COMPLETED ──retention──▶ (deleted)
//   root scope failed, fail ──▶ everything stops ──▶ COMPENSATING ──▶ FAILED
//   stop ─────────────────────▶ everything stops ───────────────────▶ STOPPED
//
// I2. Everything is stopped first, and handlers that clean up are waited for; then what was done is compensated, one task
//     after the other: those whose outcome is unknown first, then in reverse order of completion.
// An instance that ends takes what was kept for it along (`channel.purge`), so that a late duplicate never answers
// the next instance with its key.
import { assert } from '../../base/assert.ts'
import type { TaskError } from '../../base/errors.ts'
import { partitionOfText } from '../../base/partitioner.ts'
import type { Workflow } from '../../definition/workflow.ts'
import { attemptOf, checkPayload, identity, lastUndo, taskErrorOf } from '../attempt.ts'
import type { ChildTold } from '../command.ts'
import { canonicalText } from '../correlation.ts'
import { nodeOf, nodesOf, rowAt, slotOf, taskAt } from '../nodes.ts'
import { accept, type Decider, type Outcome } from '../outcome.ts'
import { Payload } from '../payload.ts'
import { reject } from '../rejection.ts'
import { rootsFor } from '../roots.ts'
import { keyId, timerKey, type Ending, type InstanceRow, type State, type TimerTarget } from '../state.ts'
import { isUnfinished, leaveAhead, stopAt, stopScope } from '../stopping.ts'
import type { World } from '../world.ts'
import { tellParent } from './parent.ts'
import { tellSchedule } from './schedule.ts'
import { expectWorkflow, isUnderWay, mayEnd } from './instance.ts'

export const completeInstance: Decider<'instance.complete'> = (command, state, world) => {
  const out = accept()
  const instance = state.instances.find(command.instanceId)
  if (instance === undefined) return reject('instance-not-found')
  // Branches that end in one batch each find their root scope complete: the first of them ends the instance.
  if (!isUnderWay(instance)) return reject('instance-closed')
  // Handlers that were stopped, and clean up, are waited for.
  if (instance.stopping > 0 || instance.unsettled > 0) return out
  // It waits for a person already: to end now would hide that.
  if (instance.error !== undefined) return reject('instance-has-incident')
  const workflow = expectWorkflow(world, instance.version)
  let output: Payload | undefined
  try {
    if (workflow.output !== undefined) {
      const value = workflow.output.evaluate(
        rootsFor({ state, instance, workflow, node: 0 }, workflow.output.uses, world.nowMs),
      )
      output = checkPayload(Payload.of(value), 'the output')
    }
  } catch (error) {
    const failure = taskErrorOf(error)
    return out.event({
      type: 'instance.incident-raised',
      instanceId: instance.id,
      error: { code: failure.code, message: `output: ${failure.message}` },
      atMs: world.nowMs,
    })
  }
  out.event({ type: 'instance.completed', instanceId: instance.id, output, atMs: world.nowMs })
  return endInstance(instance, { outcome: 'completed', output }, state, world, out)
}

export const failInstance: Decider<'instance.fail'> = (command, state, world) => {
  const out = accept()
  const instance = state.instances.find(command.instanceId)
  if (instance === undefined) return reject('instance-not-found')
  if (!mayEnd(instance)) return reject('instance-closed')
  return beginEnding(instance, { status: 'FAILED', error: command.error }, state, world, out)
}

export const stopInstance: Decider<'instance.stop'> = ({ instanceId, reason }, state, world) => {
  const instance = state.instances.find(instanceId)
  if (instance === undefined) return reject('instance-not-found')
  if (!mayEnd(instance)) return reject('instance-closed')
  return beginEnding(
    instance,
    { status: 'STOPPED', error: { code: 'stopped', message: reason } },
    state,
    world,
    accept(),
  )
}

/** Everything in it is stopped; what comes after that is `instance.unwind`. */
function beginEnding(instance: InstanceRow, ending: Ending, state: State, world: World, out: Outcome): Outcome {
  const workflow = expectWorkflow(world, instance.version)
  const place = { state, instance, workflow }
  stopScope(place, workflow.root, 0, world, out)
  if (workflow.monitor !== undefined) {
    const { task } = workflow.monitor
    stopAt({ ...place, node: task.index }, task, world, out)
  }
  out.event({ type: 'instance.ending', instanceId: instance.id, ending, atMs: world.nowMs })
  return out.follow({ type: 'instance.unwind', instanceId: instance.id })
}

/** I2. Several of what it waits for may end in one batch: the first that finds nothing left ends it. */
export const unwindInstance: Decider<'instance.unwind'> = ({ instanceId }, state, world) => {
  const instance = state.instances.find(instanceId)
  if (instance?.ending === undefined || instance.endedAtMs !== undefined) return reject('instance-closed')
  const out = accept()
  if (instance.stopping > 0) return out
  const { ending } = instance
  const workflow = expectWorkflow(world, instance.version)
  const undo = ending.status === 'FAILED' ? lastUndo(state, instance) : undefined
  if (undo === undefined) {
    const { status, error } = ending
    const type = status === 'FAILED' ? 'instance.failed' : 'instance.stopped'
    out.event({ type, instanceId: instance.id, error, atMs: world.nowMs })
    return endInstance(instance, { outcome: 'failed', error: childError(status, error) }, state, world, out)
  }
  const { compensate } = taskAt(workflow, undo.row.node)
  assert(compensate !== undefined, 'U1: only what can be compensated is recorded')
  const node = nodeOf(workflow, slotOf(workflow, undo.row.node), compensate.index)
  const row = rowAt(state, instance, node)
  if (row !== undefined) {
    if (isUnfinished(row)) return out
    const at = attemptOf({ state, instance, workflow, node }, world, 0)
    out.event({ type: 'scope.reopened', ...identity(at), tasks: [node] })
  }
  return out.follow({ type: 'task.activate', instanceId: instance.id, task: node })
}

const childError = (status: Ending['status'], error: TaskError): TaskError => ({
  code: status === 'FAILED' ? 'child-failed' : 'child-stopped',
  message: `${error.code}: ${error.message}`,
})

/** What every end comes to: its parent hears of it, what was kept for it goes, and it is forgotten in its time. */
export function endInstance(
  instance: InstanceRow,
  told: ChildTold['told'],
  state: State,
  world: World,
  out: Outcome,
): Outcome {
  const workflow = expectWorkflow(world, instance.version)
  for (const { task: node } of instance.ahead) leaveAhead({ state, instance, workflow, node }, world, out)
  if (instance.parent !== undefined) tellParent(instance.parent, told, world, out)
  if (instance.due !== undefined) tellSchedule(workflow, instance.due, world, out)
  for (const [topic, value] of valuesListenedTo(state, instance, workflow, world)) {
    out.send(world, partitionOfText(value, world.partitions), {
      type: 'channel.purge',
      workflow: workflow.name,
      topic,
      value,
      fromMs: instance.startedAtMs,
      toMs: world.nowMs,
    })
  }
  // Before it is forgotten, and the row of its key with it.
  if (world.catalogue.mayQueue(workflow.name)) {
    const key = state.keys.find(keyId(workflow.name, instance.key))
    if (key?.instanceId === instance.id && key.queue.length > 0)
      out.follow({ type: 'queue.next', workflow: workflow.name, key: instance.key })
  }
  if (workflow.retentionMs === 0) return out.follow({ type: 'instance.forget', instanceId: instance.id })
  const dueAtMs = world.nowMs + workflow.retentionMs
  const target: TimerTarget = { kind: 'forget-instance', instanceId: instance.id }
  return out.event({ type: 'timer.armed', key: timerKey(dueAtMs, target), row: { dueAtMs, target } })
}

/** Every (topic, value) that a listener of the instance waited for or would have: those it never reached included. */
function valuesListenedTo(
  state: State,
  instance: InstanceRow,
  workflow: Workflow,
  world: World,
): Iterable<readonly [string, string]> {
  const values = new Map<string, readonly [string, string]>()
  if (!workflow.tasks.some((task) => task.type === 'kafka-listener')) return []
  for (const node of nodesOf(state, instance, workflow)) {
    const task = taskAt(workflow, node)
    if (task.type !== 'kafka-listener') continue
    const expression = task.correlate[0]?.instance
    if (expression === undefined) continue
    try {
      const place = { state, instance, workflow, node }
      const value = canonicalText(expression.evaluate(rootsFor(place, expression.uses, world.nowMs)))
      if (value !== undefined) values.set(`${task.topic}/${value}`, [task.topic, value])
    } catch (error) {
      // A listener that was never reached may name what never came to be: then nothing was kept for it either.
      taskErrorOf(error)
    }
  }
  return values.values()
}
