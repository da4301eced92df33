// An attempt of a task, and how it ends well. failure.ts has the other ends. Every task type comes through here, so the
// rules stand once.
import type { Json } from '../base/json.ts'
import type { TaskError } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import { partitionOfText } from '../base/partitioner.ts'
import { ExpressionError, type Expression, type Template } from '../definition/expression.ts'
import type { Task, Workflow } from '../definition/workflow.ts'
import { assert } from '../base/assert.ts'
import type { Outcome } from './outcome.ts'
import type { Payload } from './payload.ts'
import { rootsFor, type Extras } from './roots.ts'
import { timerKey, type InstanceRow, type OpenWork, type TaskRow, type TimerTarget } from './state.ts'
import type { World } from './world.ts'

/** One task of one instance, at hand for a decision. */
export interface Attempt<T extends Task = Task> {
  readonly world: World
  readonly instance: InstanceRow
  readonly workflow: Workflow
  readonly task: T
  readonly number: number
}

/** An attempt failed for a reason that the retry policy judges. Thrown inside decisions only. */
export class AttemptFailed extends Error {
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** What ended an attempt, from whatever a decision threw; a bug of ours is thrown on. */
export function taskErrorOf(error: unknown): TaskError {
  if (error instanceof ExpressionError || error instanceof AttemptFailed) {
    return { code: error.code, message: truncate(error.message) }
  }
  throw error
}

/** Error texts kept in the state have an end. */
export const truncate = (text: string): string => (text.length > 2_000 ? `${text.slice(0, 2_000)}…` : text)

/** @throws {AttemptFailed} */
export function checkPayload(payload: Payload, what: string): Payload {
  const size = payload.bytes.length
  if (size > limits.payloadBytesMax) {
    throw new AttemptFailed(
      'payload-too-large',
      `${what} has ${size} bytes; at most ${limits.payloadBytesMax} can be kept. Keep the data elsewhere and pass a reference.`,
    )
  }
  return payload
}

/** Arms a timer of a task and gives its key. */
export function armTaskTimer(at: Attempt, dueAtMs: number, out: Outcome): string {
  const target: TimerTarget = { kind: 'task', instanceId: at.instance.id, task: at.task.index }
  const key = timerKey(dueAtMs, target)
  out.event({ type: 'timer.armed', key, row: { dueAtMs, target } })
  return key
}

/**
 * Completes the attempt: writes `set`, settles the task, lets its dependents come.
 * @throws {ExpressionError | AttemptFailed} `set` cannot be evaluated or holds too much.
 */
export function completeAttempt(
  at: Attempt,
  output: Payload | undefined,
  out: Outcome,
  more: { extras?: Extras; chosen?: readonly string[]; note?: string } = {},
): void {
  const { instance, task, world } = at
  const common = { instanceId: instance.id, task: task.index, attempt: at.number, atMs: world.nowMs }
  const extras = {
    ...more.extras,
    get output(): Json {
      return output === undefined ? null : output.value
    },
  }
  const values = task.set === undefined ? undefined : evaluateSet(at, task.set, extras)
  out.event({
    ...common,
    type: 'task.completed',
    output,
    ...(more.chosen === undefined ? {} : { chosen: more.chosen }),
    ...(more.note === undefined ? {} : { note: more.note }),
  })
  if (values !== undefined) out.event({ ...common, type: 'vars.set', values })
  out.follow({ type: 'scope.advance', instanceId: instance.id, task: task.index })
}

/** New values of variables. @throws {ExpressionError | AttemptFailed} */
export function evaluateSet(
  at: Attempt,
  set: ReadonlyMap<string, Template>,
  extras: Extras,
): (readonly [string, Json])[] {
  const { instance, workflow, world } = at
  const values: (readonly [string, Json])[] = []
  for (const [name, template] of set) {
    values.push([name, template.evaluate(rootsFor(template.uses, workflow, instance, world.nowMs, extras))])
  }
  checkVars(instance.vars, values)
  return values
}

/** @throws {AttemptFailed} Variables are rewritten with every event of their instance: they stay small. */
export function checkVars(before: ReadonlyMap<string, Json>, values: readonly (readonly [string, Json])[]): void {
  let size = 0
  const written = new Set<string>()
  // The last one that is written under a name stands.
  for (const [name, value] of values.toReversed()) {
    if (!written.has(name)) size += sizeOf(value)
    written.add(name)
  }
  for (const [name, value] of before) if (!written.has(name)) size += sizeOf(value)
  if (size > limits.varsBytesMax) {
    throw new AttemptFailed(
      'payload-too-large',
      `vars would hold ${size} bytes; at most ${limits.varsBytesMax} can be kept`,
    )
  }
}

const sizeOf = (value: Json): number => (typeof value === 'string' ? value.length : JSON.stringify(value).length)

/** The value of a condition. @throws {ExpressionError | AttemptFailed} It is neither true nor false. */
export function isTrue(at: Attempt, condition: Expression, what: string, extras: Extras = {}): boolean {
  const value = condition.evaluate(rootsFor(condition.uses, at.workflow, at.instance, at.world.nowMs, extras))
  if (typeof value === 'boolean') return value
  throw new AttemptFailed(
    'expression',
    `${what}: ${condition.source} must give true or false, found ${truncate(JSON.stringify(value))}`,
  )
}

/** The edges of a task that was skipped for itself: live, and of a decision those of its default. */
export function skippedEdges(task: Task): 'live' | readonly string[] {
  return task.type === 'decision' ? (task.default ?? []) : 'live'
}

/** Stops what an open task waits for, where that is not in the own state: its subscription, its handler. */
export function withdraw(
  at: Pick<Attempt, 'instance' | 'task' | 'world'>,
  open: OpenWork | undefined,
  out: Outcome,
): void {
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
  if (open?.kind === 'handler' || open?.kind === 'slot') {
    out.effect({ type: 'handler.abort', instanceId: at.instance.id, task: at.task.index })
  }
}

/** True while the row waits for something, or for a person. */
export const isUnfinished = (row: TaskRow | undefined): row is TaskRow =>
  row?.open !== undefined || row?.hasIncident === true

/** Ends an unfinished task because its scope or its instance has ended: an incident in there is nobody's any more. */
export function stopTask(at: Pick<Attempt, 'instance' | 'task' | 'world'>, row: TaskRow, out: Outcome): void {
  const { instance, task, world } = at
  withdraw(at, row.open, out)
  out.event({
    type: 'task.stopped',
    instanceId: instance.id,
    task: task.index,
    attempt: row.attempt,
    atMs: world.nowMs,
  })
}
