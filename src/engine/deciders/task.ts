// Tasks: begin an attempt, hand it to a handler, take its result, and what their timers mean.
import { assert } from '../../base/assert.ts'
import { limits } from '../../base/limits.ts'
import { partitionOfText } from '../../base/partitioner.ts'
import { armTaskTimer, attemptOf, checkPayload, completeAttempt, identity, type Attempt } from '../attempt.ts'
import { attempt } from '../begin.ts'
import { isEntered } from '../entering.ts'
import { failAttempt, orFail } from '../failure.ts'
import { coordinates } from '../message.ts'
import { ownerOf, rowAt, taskAt } from '../nodes.ts'
import { accept, type Decider, type Outcome } from '../outcome.ts'
import { reject, type RejectionCode } from '../rejection.ts'
import type { InstanceCorrelate } from '../command.ts'
import type { InstanceRow, OpenWork, State } from '../state.ts'
import { workOf } from '../tasks/handler.ts'
import type { World } from '../world.ts'
import { recordOf, takeRecord } from '../tasks/kafka-listener.ts'
import { takeAhead } from './ahead.ts'
import { openTask, stopped } from './due.ts'
import { expectWorkflow, mayRun } from './instance.ts'
import { carried } from './offer.ts'

export const activateTask: Decider<'task.activate'> = (command, state, world) => {
  const instance = state.instances.find(command.instanceId)
  if (instance === undefined) return reject('instance-not-found')
  const workflow = expectWorkflow(world, instance.version)
  const task = taskAt(workflow, command.task)
  if (!mayRun(instance, task)) return reject('instance-closed')
  // Two edges may settle in one batch: the second finds the task begun.
  if (rowAt(state, instance, command.task) !== undefined) return reject('task-not-open')
  const owner = task.aside === 'compensation' ? undefined : ownerOf(state, instance, workflow, command.task)
  if (owner !== undefined && !isEntered(rowAt(state, instance, owner))) return reject('task-not-open')
  return attempt(attemptOf({ state, instance, workflow, node: command.task }, world, 1))
}

export const executeTask: Decider<'task.execute'> = (command, state, world) => {
  const found = openAttempt(command, state, world)
  if ('rejected' in found) return found
  const { at, open } = found
  if (open.kind !== 'slot' && open.kind !== 'handler') return reject('task-not-open')
  const out = accept()
  const run = open.kind === 'handler' ? open.run + 1 : 1
  if (run > limits.runsCutShortMax) {
    const message = `the handler was cut short ${limits.runsCutShortMax} times in a row by a death or a move of its worker`
    failAttempt(at, { code: 'run-lost', message }, out, { input: open.input })
    return out
  }
  const timer = armTaskTimer(at, world.nowMs + (at.task.timeoutMs ?? limits.handlerTimeoutMs), out)
  out.event({
    type: 'task.executing',
    ...identity(at),
    open: { kind: 'handler', run, input: open.input, timer },
    ...(run > 1 ? { note: `run ${run}: the one before was cut short` } : {}),
  })
  return out.effect({ type: 'handler.run', ...workOf(at, open.input) })
}

/** I4: at most one completion of an attempt is applied; late and double ones are refused here. */
export const completeTask: Decider<'task.complete'> = (command, state, world) => {
  const found = openAttempt(command, state, world)
  if ('rejected' in found) return found
  const { at, open } = found
  if (open.kind !== 'handler') return reject('task-not-open')
  const complete = (out: Outcome): void =>
    completeAttempt(at, checkPayload(command.output, 'the output'), out, { open })
  return orFail(at, complete, { input: open.input, isRetryable: false })
}

export const failTask: Decider<'task.fail'> = (command, state, world) => {
  const found = openAttempt(command, state, world)
  if ('rejected' in found) return found
  const { at, open } = found
  if (open.kind !== 'handler') return reject('task-not-open')
  const out = accept()
  failAttempt(at, command.error, out, { isRetryable: command.isRetryable, afterMs: command.afterMs, input: open.input })
  return out
}

/** The handler of a stopped task has cleaned up, or had its time. */
export const endStop: Decider<'task.stop-ended'> = (command, state, world) => {
  const found = openAttempt(command, state, world)
  if ('rejected' in found) return found
  if (found.open.kind !== 'stopping') return reject('task-not-open')
  return stopped(found.at)
}

/** The record that a listener waits for, in its turn or ahead of it; sent back where it does not wait for it any more. */
export const correlateInstance: Decider<'instance.correlate'> = (command, state, world) => {
  const instance = state.instances.find(command.instanceId)
  if (instance === undefined) return returned(command, undefined, world)
  const place = { state, instance, workflow: expectWorkflow(world, instance.version), node: command.task }
  const row = rowAt(state, instance, command.task)
  if (row?.open?.kind !== 'record' || row.open.number !== command.number)
    return takeAhead(command, place, world) ?? returned(command, instance, world)
  const { open, startedAtMs } = row
  const at = attemptOf(place, world, row.attempt)
  const { task } = at
  assert(task.type === 'kafka-listener', 'T1: only a listener waits for a record')
  const note = `${command.arrivedAtMs < startedAtMs ? 'kept record' : 'record'} ${coordinates(command.record)}`
  return orFail(at, (out) => takeRecord({ ...at, task }, open, { ...recordOf(command.record, at.workflow), note }, out))
}

function returned(command: InstanceCorrelate, instance: InstanceRow | undefined, world: World): Outcome {
  const { arrivedAtMs, instanceId, number, task, value } = command
  const hasEnded = instance?.status !== 'EXECUTING'
  const isStale = hasEnded && arrivedAtMs >= (instance?.startedAtMs ?? 0)
  const out = accept().event({ type: 'record.returned', instanceId, task })
  // The subscription went with the record that it was found.
  if (instance?.ahead.some((each) => each.task === task && each.number === number) === true)
    out.event({ type: 'ahead.left', instanceId, task })
  return out.send(world, partitionOfText(value, world.partitions), {
    ...carried(command),
    type: 'channel.return',
    isStale,
  })
}

function openAttempt(
  command: { readonly instanceId: string; readonly task: number; readonly attempt: number },
  state: State,
  world: World,
): { at: Attempt; open: OpenWork } | { rejected: RejectionCode } {
  const found = openTask(command.instanceId, command.task, state, world)
  if (found === undefined) return reject('task-not-open')
  if (found.at.number !== command.attempt) return reject('attempt-superseded')
  return found
}
