// Tasks: begin an attempt, hand it to a handler, take its result, and what their timers mean.
import type { Task } from '../../definition/workflow.ts'
import { assert } from '../../base/assert.ts'
import { InvariantViolation } from '../../base/errors.ts'
import { limits } from '../../base/limits.ts'
import {
  armTaskTimer,
  checkPayload,
  completeAttempt,
  isTrue,
  skippedEdges,
  taskErrorOf,
  withdraw,
  type Attempt,
} from '../attempt.ts'
import { failAttempt } from '../failure.ts'
import { messageOf } from '../message.ts'
import { accept, type Decider, type Outcome } from '../outcome.ts'
import { nullPayload, Payload } from '../payload.ts'
import { reject, type RejectionCode } from '../rejection.ts'
import type { OpenWork, State, TaskRow, TimerTarget } from '../state.ts'
import { coordinates } from '../message.ts'
import { partitionOfText } from '../../base/partitioner.ts'
import { beginDecision } from '../tasks/decision.ts'
import { beginHandler } from '../tasks/handler.ts'
import { beginKafkaCommand } from '../tasks/kafka-command.ts'
import { beginKafkaListener } from '../tasks/kafka-listener.ts'
import { beginProcess } from '../tasks/process.ts'
import { beginSet } from '../tasks/set.ts'
import { beginTrigger } from '../tasks/trigger.ts'
import type { World } from '../world.ts'
import { expectWorkflow } from './instance.ts'

export const activateTask: Decider<'task.activate'> = (command, state, world) => {
  const instance = state.instances.find(command.instanceId)
  if (instance === undefined) return reject('instance-not-found')
  if (instance.status !== 'EXECUTING') return reject('instance-closed')
  // Two edges may settle in one batch: the second finds the task begun.
  if (instance.tasks[command.task] !== undefined) return reject('task-not-open')
  const workflow = expectWorkflow(world, instance.version)
  const task = workflow.tasks[command.task]
  assert(task !== undefined, 'T0: a task of the workflow')
  // Its scope may have ended since: it failed in the batch in which this turn came.
  const owner = task.scope === undefined ? undefined : workflow.taskNamed.get(task.scope)
  if (owner !== undefined && instance.tasks[owner.index]?.open?.kind !== 'scope') return reject('task-not-open')
  return attempt({ world, instance, workflow, task, number: 1 })
}

/** Begins an attempt; what it throws fails it. */
function attempt(at: Attempt): Outcome {
  const out = accept()
  // `when` is asked once: a later attempt is of a task that was let in.
  let isLetIn = at.number > 1
  try {
    if (!isLetIn && at.task.when !== undefined && !isTrue(at, at.task.when, 'when')) {
      return out
        .event({ type: 'task.skipped', ...identity(at), edges: skippedEdges(at.task), note: 'when: was false' })
        .follow({ type: 'scope.advance', instanceId: at.instance.id, task: at.task.index })
    }
    isLetIn = true
    begin(at, out)
    return out
  } catch (error) {
    const failed = accept()
    failAttempt(at, taskErrorOf(error), failed, { isRetryable: isLetIn })
    return failed
  }
}

/** One line a task type; the compiler counts. */
function begin(at: Attempt, out: Outcome): void {
  const { task } = at
  switch (task.type) {
    case 'kafka-command':
      return beginKafkaCommand({ ...at, task }, out)
    case 'kafka-listener':
      return beginKafkaListener({ ...at, task }, out)
    case 'process':
      return beginProcess({ ...at, task }, out)
    case 'decision':
      return beginDecision({ ...at, task }, out)
    case 'set':
      return beginSet({ ...at, task }, out)
    case 'trigger':
      return beginTrigger({ ...at, task }, out)
    case 'handler':
      return beginHandler({ ...at, task }, out)
    case 'parallel':
    case 'branch':
    case 'for-each':
    case 'item':
    case 'workflow':
    case 'interval':
    case 'signal':
    case 'http':
    case 'fail':
    case 'stop':
      throw new InvariantViolation('T5: a task of this type is refused when it is loaded (not-yet.ts)')
  }
}

export const executeTask: Decider<'task.execute'> = (command, state, world) => {
  const found = openAttempt(command, state, world)
  if ('rejected' in found) return found
  const { at, open } = found
  assert(at.task.type === 'handler', 'T2: only handlers ask for slots')
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
  return out.effect({
    type: 'handler.run',
    instanceId: at.instance.id,
    task: at.task.index,
    attempt: at.number,
    handler: at.task.handler,
    name: at.task.name,
    key: at.instance.key,
    workflow: at.instance.workflow,
    version: at.instance.version,
    input: open.input,
  })
}

/** I4: at most one completion of an attempt is applied; late and double ones are refused here. */
export const completeTask: Decider<'task.complete'> = (command, state, world) => {
  const found = openAttempt(command, state, world)
  if ('rejected' in found) return found
  const { at, open } = found
  if (open.kind !== 'handler') return reject('task-not-open')
  const out = accept()
  try {
    completeAttempt(at, checkPayload(command.output, 'the output'), out)
    return out
  } catch (error) {
    const failed = accept()
    failAttempt(at, taskErrorOf(error), failed, { input: open.input, isRetryable: false })
    return failed
  }
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

/** The record that a listener waited for; sent back where it does not wait for it any more. */
export const correlateInstance: Decider<'instance.correlate'> = (command, state, world) => {
  const { record, workflow, value, arrivedAtMs, expiresAtMs } = command
  const instance = state.instances.find(command.instanceId)
  const row = instance?.tasks[command.task]
  if (instance === undefined || row?.open?.kind !== 'record' || row.open.number !== command.number) {
    const hasEnded = instance === undefined || instance.status !== 'EXECUTING'
    return accept()
      .event({ type: 'record.returned', instanceId: command.instanceId, task: command.task })
      .send(world, partitionOfText(value, world.partitions), {
        type: 'channel.return',
        workflow,
        value,
        record,
        arrivedAtMs,
        expiresAtMs,
        isStale: hasEnded && arrivedAtMs >= (instance?.startedAtMs ?? 0),
      })
  }
  const found = attemptAt(instance.id, command.task, row, state, world)
  const out = accept()
  const message = messageOf(record)
  const output = record.value === null ? nullPayload : Payload.ofBytes(record.value, message.value)
  const wasKept = arrivedAtMs < row.startedAtMs
  try {
    completeAttempt(found, checkPayload(output, 'the record'), out, {
      extras: { message },
      note: `${wasKept ? 'kept record' : 'record'} ${coordinates(record)}`,
    })
    return out
  } catch (error) {
    const failed = accept()
    failAttempt(found, taskErrorOf(error), failed)
    return failed
  }
}

/** A due timer of a task: a timeout, a retry, or the time that a trigger waited for. */
export function taskDue(
  target: Extract<TimerTarget, { kind: 'task' }>,
  timer: string,
  state: State,
  world: World,
): Outcome | RejectionCode {
  const row = state.instances.find(target.instanceId)?.tasks[target.task]
  const open = row?.open
  if (row === undefined || open === undefined || !('timer' in open) || open.timer !== timer) return 'timer-superseded'
  const at = attemptAt(target.instanceId, target.task, row, state, world)
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
      return completed(at)
    case 'retry':
      return retried(at, open.input)
  }
}

function completed(at: Attempt): Outcome {
  const out = accept()
  try {
    completeAttempt(at, undefined, out)
    return out
  } catch (error) {
    const failed = accept()
    failAttempt(at, taskErrorOf(error), failed)
    return failed
  }
}

/** A handler keeps the input of its first attempt; the other types evaluate theirs anew. */
function retried(last: Attempt, input: Payload | undefined): Outcome {
  const at = { ...last, number: last.number + 1 }
  if (at.task.type !== 'handler' || input === undefined) return attempt(at)
  return accept()
    .event({ type: 'task.submitted', ...identity(at), open: { kind: 'slot', input } })
    .effect({
      type: 'handler.request',
      instanceId: at.instance.id,
      task: at.task.index,
      attempt: at.number,
      handler: at.task.handler,
    })
}

function timeoutMessage(task: Task, open: Extract<OpenWork, { kind: 'record' }>): string {
  const topic = task.type === 'kafka-listener' ? task.topic : ''
  return `no record of ${topic} came for '${open.value}' within ${task.timeoutMs ?? 0} ms`
}

function openAttempt(
  command: { readonly instanceId: string; readonly task: number; readonly attempt: number },
  state: State,
  world: World,
): { at: Attempt; open: OpenWork } | { rejected: RejectionCode } {
  const row = state.instances.find(command.instanceId)?.tasks[command.task]
  if (row?.open === undefined) return reject('task-not-open')
  if (row.attempt !== command.attempt) return reject('attempt-superseded')
  return { at: attemptAt(command.instanceId, command.task, row, state, world), open: row.open }
}

function attemptAt(instanceId: string, index: number, row: TaskRow, state: State, world: World): Attempt {
  const instance = state.instances.expect(instanceId)
  const workflow = expectWorkflow(world, instance.version)
  const task = workflow.tasks[index]
  assert(task !== undefined, 'T0: a task of the workflow')
  return { world, instance, workflow, task, number: row.attempt }
}

const identity = (at: Attempt): { instanceId: string; task: number; attempt: number; atMs: number } => ({
  instanceId: at.instance.id,
  task: at.task.index,
  attempt: at.number,
  atMs: at.world.nowMs,
})
