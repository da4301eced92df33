// The ways out of an incident, and of any wait: a person has a task tried again, skips it, or completes it. An incident
// of the instance itself (its output cannot be made) has the same ways; and a FAILED instance can be tried again.
import type { Task } from '../../definition/workflow.ts'
import {
  attemptOf,
  armTaskTimer,
  completeAttempt,
  identity,
  skipAttempt,
  skippedEdges,
  type Attempt,
} from '../attempt.ts'
import type { Action } from '../command.ts'
import { renewDeadlines } from '../deadlines.ts'
import { enterScope, followAhead } from '../entering.ts'
import { nameOfNode, nodesOf, rowAt, taskAt } from '../nodes.ts'
import { accept, type Outcome } from '../outcome.ts'
import { Payload } from '../payload.ts'
import { isSettled, keyId, timerKey, type InstanceRow, type State, type TaskRow } from '../state.ts'
import { hasSecrets, seal } from '../secrets.ts'
import { isUnfinished, stopInside, withdraw } from '../stopping.ts'
import { tasksIn } from '../tasks/process.ts'
import type { World } from '../world.ts'
import { endInstance } from './ending.ts'
import { expectWorkflow } from './instance.ts'
import { Refused } from './refused.ts'

type ActionOf<Kind> = Extract<Action, { kind: Kind }>

export function retryByHand(
  instance: InstanceRow,
  action: ActionOf<'retry'>,
  by: string,
  state: State,
  world: World,
): Outcome {
  if (instance.status === 'FAILED') return reopen(instance, by, state, world)
  if (isOwnIncident(instance, action.task)) {
    return accept()
      .event({ type: 'instance.incident-resolved', instanceId: instance.id })
      .event({ type: 'instance.operated', instanceId: instance.id, note: `retry ${by}`, by, atMs: world.nowMs })
      .follow({ type: 'instance.complete', instanceId: instance.id })
  }
  const { at, row } = unfinished(instance, action.task, state, world)
  if (!row.hasIncident && row.open?.kind !== 'retry')
    throw new Refused('not-now', `${nameOf(at)} is under way: there is nothing to try again`)
  if (action.input !== undefined && at.task.type !== 'handler')
    throw new Refused('input-not-taken', `${nameOf(at)} is a ${at.task.type} task: only handlers take another input`)
  const out = accept()
  const timer = armTaskTimer(at, world.nowMs, out)
  const input = givenInput(at.task, action.input) ?? (row.open?.kind === 'retry' ? row.open.input : undefined)
  out.event({
    type: 'task.retry-scheduled',
    ...identity(at),
    open: { kind: 'retry', dueAtMs: world.nowMs, timer, input },
    error: row.error,
    isByHand: true,
    note: `retry ${by}`,
    by,
  })
  renewDeadlines(at, row.deadlines, out)
  return out
}

/** A person names no secrets. */
function givenInput(task: Task, input: Payload | undefined): Payload | undefined {
  return input === undefined || !hasSecrets(task) ? input : Payload.of(seal(input.value))
}

export function skipByHand(
  instance: InstanceRow,
  action: ActionOf<'skip'>,
  by: string,
  state: State,
  world: World,
): Outcome {
  if (isOwnIncident(instance, action.task)) return completeOwn(instance, undefined, by, state, world)
  const { at, row } = unfinished(instance, action.task, state, world)
  const out = accept()
  stopInside(at, at.task, world, out)
  withdraw(at, row.open, out)
  return skipAttempt(at, skippedEdges(at.task), out, { note: `skip ${by}`, by })
}

/** @throws {ExpressionError | AttemptFailed} Its `set` cannot be evaluated with this output. */
export function completeByHand(
  instance: InstanceRow,
  action: ActionOf<'complete'>,
  by: string,
  state: State,
  world: World,
): Outcome {
  if (isOwnIncident(instance, action.task)) return completeOwn(instance, action.output, by, state, world)
  const { at, row } = unfinished(instance, action.task, state, world)
  const out = accept()
  stopInside(at, at.task, world, out)
  withdraw(at, row.open, out)
  completeAttempt(at, action.output, out, { note: `complete ${by}`, by, open: row.open })
  return out
}

const isOwnIncident = (instance: InstanceRow, task: string | undefined): boolean =>
  task === undefined && instance.error !== undefined && instance.status === 'EXECUTING'

function completeOwn(
  instance: InstanceRow,
  output: ActionOf<'complete'>['output'] | undefined,
  by: string,
  state: State,
  world: World,
): Outcome {
  if (instance.unsettled > 0 || instance.stopping > 0)
    throw new Refused('not-now', 'tasks of the instance are under way: complete or skip those first')
  const out = accept()
    .event({ type: 'instance.incident-resolved', instanceId: instance.id })
    .event({ type: 'instance.operated', instanceId: instance.id, note: `complete ${by}`, by, atMs: world.nowMs })
    .event({ type: 'instance.completed', instanceId: instance.id, output, atMs: world.nowMs })
  return endInstance(instance, { outcome: 'completed', output }, state, world, out)
}

/** The task of this name, or the only one with an incident, while it is not settled. */
function unfinished(
  instance: InstanceRow,
  name: string | undefined,
  state: State,
  world: World,
): { readonly at: Attempt; readonly row: TaskRow } {
  const workflow = expectWorkflow(world, instance.version)
  const found: number[] = []
  for (const node of nodesOf(state, instance, workflow)) {
    const row = rowAt(state, instance, node)
    if (row === undefined) continue
    const isMeant = name === undefined ? row.hasIncident : nameOfNode(state, instance, workflow, node) === name
    if (isMeant) found.push(node)
  }
  // Items of attempts of a for-each that are over have the same names.
  const open = found.filter((each) => isUnfinished(rowAt(state, instance, each)))
  const [node = found.at(-1), ...others] = open
  if (node === undefined) {
    if (name === undefined) throw new Refused('task-not-found', 'no task of the instance waits for a person')
    throw new Refused('task-not-found', `no task '${name}' of the instance has begun`)
  }
  if (others.length > 0) {
    const names = open.slice(0, 10).map((each) => nameOfNode(state, instance, workflow, each))
    throw new Refused('task-unclear', `several tasks wait for a person: name one of ${names.join(', ')}`)
  }
  const row = rowAt(state, instance, node)
  if (!isUnfinished(row)) throw new Refused('not-now', 'the task is over already')
  if (row.open?.kind === 'stopping') throw new Refused('not-now', 'the task is being stopped')
  return { at: attemptOf({ state, instance, workflow, node }, world, row.attempt), row }
}

const nameOf = (at: Attempt): string => nameOfNode(at.state, at.instance, at.workflow, at.node)

/** A FAILED instance goes on: what failed or was stopped in its root scope begins anew, with all that lies in it. */
function reopen(instance: InstanceRow, by: string, state: State, world: World): Outcome {
  const workflow = expectWorkflow(world, instance.version)
  for (const node of nodesOf(state, instance, workflow)) {
    if (taskAt(workflow, node).aside !== 'compensation' || rowAt(state, instance, node) === undefined) continue
    throw new Refused('not-now', 'what the instance did has been compensated: start a new one')
  }
  const key = state.keys.find(keyId(instance.workflow, instance.key))
  if (key?.instanceId !== instance.id)
    throw new Refused('not-now', `another instance with the key '${instance.key}' has started since`)
  const out = accept()
  const again = workflow.root.tasks.filter(({ index }) => isOver(rowAt(state, instance, index)))
  const settled = workflow.root.tasks.filter(({ index }) => isSettled(rowAt(state, instance, index)))
  const unsettled = workflow.root.tasks.length - settled.length + again.length
  out.event({ type: 'instance.reopened', instanceId: instance.id, by, atMs: world.nowMs, unsettled })
  const dueAtMs = (instance.endedAtMs ?? 0) + workflow.retentionMs
  const timer = timerKey(dueAtMs, { kind: 'forget-instance', instanceId: instance.id })
  if (state.timers.find(timer) !== undefined) out.event({ type: 'timer.fired', key: timer })
  for (const task of again) {
    const at = attemptOf({ state, instance, workflow, node: task.index }, world, 0)
    out.event({ type: 'scope.reopened', ...identity(at), tasks: [task.index, ...tasksIn(at)] })
    out.follow({ type: 'task.activate', instanceId: instance.id, task: task.index })
  }
  if (again.length === 0) enterScope(instance, workflow, workflow.root, 0, out)
  followAhead(instance.id, workflow, out)
  return out
}

/** Failed and not gone on elsewhere, or stopped. */
const isOver = (row: TaskRow | undefined): boolean =>
  row?.status === 'STOPPED' || (row?.status === 'FAILED' && row.edges === 'dead')
