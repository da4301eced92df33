// How an attempt of a task ends: completed, or failed and then retried, given up for a person, failed for its
// scope, or skipped. Every task type comes through here, so the rules stand once.
//
//   attempt ──completed──▶ COMPLETED                                 edges live
//      │
//    failed ──attempts left──▶ SUBMITTED (retry timer) ──▶ next attempt
//      └──none left──▶ onFailure: incident ▶ FAILED, waits for a person
//                                 fail     ▶ FAILED, its scope fails
//                                 skip     ▶ SKIPPED                 edges live
import type { Json } from '../base/json.ts'
import type { TaskError } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import { murmur2, partitionOfText } from '../base/partitioner.ts'
import { ExpressionError } from '../definition/expression.ts'
import type { RetryPolicy, Task, Workflow } from '../definition/workflow.ts'
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
  const values = task.set === undefined ? undefined : evaluateSet(at, output, more.extras ?? {})
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

function evaluateSet(at: Attempt, output: Payload | undefined, extras: Extras): (readonly [string, Json])[] {
  const { instance, task, workflow, world } = at
  const values: (readonly [string, Json])[] = []
  for (const [name, template] of task.set ?? []) {
    const all = template.uses.roots.has('output')
      ? { ...extras, output: output === undefined ? null : output.value }
      : extras
    values.push([name, template.evaluate(rootsFor(template.uses, workflow, instance, world.nowMs, all))])
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

/** Ends the attempt with an error: retries it, or settles the task by its `onFailure`. */
export function failAttempt(
  at: Attempt,
  error: TaskError,
  out: Outcome,
  hints: { isRetryable?: boolean; afterMs?: number | undefined; input?: Payload | undefined } = {},
): void {
  const { instance, task, world } = at
  const common = { instanceId: instance.id, task: task.index, attempt: at.number, atMs: world.nowMs }
  const delayMs = hints.isRetryable === false ? undefined : retryDelayMs(at, error, hints.afterMs)
  if (delayMs !== undefined) {
    const dueAtMs = world.nowMs + delayMs
    const timer = armTaskTimer(at, dueAtMs, out)
    out.event({
      ...common,
      type: 'task.retry-scheduled',
      error,
      open: { kind: 'retry', dueAtMs, timer, input: hints.input },
    })
    return
  }
  switch (task.onFailure) {
    case 'incident':
      out.event({ ...common, type: 'task.failed', error, hasIncident: true })
      return
    case 'skip':
      out.event({ ...common, type: 'task.skipped', edges: skippedEdges(task), error })
      out.follow({ type: 'scope.advance', instanceId: instance.id, task: task.index })
      return
    case 'fail':
      out.event({ ...common, type: 'task.failed', error, hasIncident: false })
      out.follow({ type: 'scope.fail', instanceId: instance.id, task: task.index, error })
      return
  }
}

/** The edges of a task that was skipped for itself: live, and of a decision those of its default. */
export function skippedEdges(task: Task): 'live' | readonly string[] {
  return task.type === 'decision' ? (task.default ?? []) : 'live'
}

function retryDelayMs(at: Attempt, error: TaskError, afterMs: number | undefined): number | undefined {
  const policy = at.task.retry
  if (policy.maxAttempts !== 0 && at.number >= policy.maxAttempts) return undefined
  if (policy.nonRetryable.includes(error.code)) return undefined
  const delayMs = Math.min(afterMs ?? intervalMs(policy, at), delayMsMax)
  const startedAtMs = at.instance.tasks[at.task.index]?.startedAtMs ?? at.world.nowMs
  if (policy.maxElapsedMs !== undefined && at.world.nowMs + delayMs - startedAtMs > policy.maxElapsedMs)
    return undefined
  return delayMs
}

/** As durations have it: a handler may name any number, and timers must stay far below 2^53. */
const delayMsMax = 3_650 * 86_400_000

const encoder = new TextEncoder()

/** Exponential, with a jitter that is drawn from the task's identity: the engine has no random (I11). */
function intervalMs(policy: RetryPolicy, at: Attempt): number {
  // Finite, because nothing times infinity is no number.
  const factor = Math.min(policy.backoffCoefficient ** (at.number - 1), Number.MAX_VALUE)
  const grown = policy.initialIntervalMs * factor
  const interval = Math.min(grown, policy.maxIntervalMs)
  const draw = (murmur2(encoder.encode(`${at.instance.id}/${at.task.index}/${at.number}`)) >>> 0) / 0x1_0000_0000
  return Math.round(interval * (1 + policy.jitter * (2 * draw - 1)))
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
