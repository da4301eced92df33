// An attempt of a task, and how it ends well. failure.ts has the other ends. Every task type comes through here, so the
// rules stand once.
import type { TaskError } from '../base/errors.ts'
import type { Json } from '../base/json.ts'
import { limits } from '../base/limits.ts'
import { ExpressionError, type Expression, type Template } from '../definition/expression.ts'
import type { Task } from '../definition/workflow.ts'
import type { OfTask } from './event.ts'
import { Misfit, UnusableRecord } from './format.ts'
import type { SourceRecord } from './message.ts'
import { ownerOf, taskAt } from './nodes.ts'
import type { Outcome } from './outcome.ts'
import { nullPayload, Payload } from './payload.ts'
import { hasSecrets, masked, unseal } from './secrets.ts'
import { rootsFor, type Extras, type Place } from './roots.ts'
import {
  timerKey,
  undoId,
  type InstanceRow,
  type OpenWork,
  type State,
  type TaskRow,
  type TimerTarget,
  type UndoKind,
  type UndoRow,
} from './state.ts'
import { writeVars, type VarValues } from './vars.ts'
import type { World } from './world.ts'

/** One task of one instance, at hand for a decision. */
export interface Attempt<T extends Task = Task> extends Place {
  readonly world: World
  readonly task: T
  readonly number: number
  /** Of a compensation: what it undoes. */
  readonly undo: UndoRow | undefined
}

/** The attempt of a node, with its number. */
export function attemptOf(place: Place, world: World, number: number): Attempt {
  const task = taskAt(place.workflow, place.node)
  const undo = task.aside === 'compensation' ? lastUndo(place.state, place.instance)?.row : undefined
  return { ...place, world, task, number, undo }
}

/** What is compensated next: those whose outcome is unknown first, then in reverse order of completion. */
export function lastUndo(state: State, instance: InstanceRow): { kind: UndoKind; row: UndoRow } | undefined {
  const kind = instance.unknowns > 0 ? 'unknown' : 'completed'
  const count = kind === 'unknown' ? instance.unknowns : instance.undos
  return count === 0 ? undefined : { kind, row: state.undos.expect(undoId(instance.id, kind, count)) }
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
  if (
    error instanceof ExpressionError ||
    error instanceof AttemptFailed ||
    error instanceof UnusableRecord ||
    error instanceof Misfit
  ) {
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

/** What every event of a task says. */
export function identity(at: Attempt): OfTask {
  const { instance, node, number, state, task, workflow, world } = at
  const isCounted = task.aside !== 'compensation'
  const scope = isCounted ? (ownerOf(state, instance, workflow, node) ?? -1) : undefined
  return { instanceId: instance.id, task: node, scope, attempt: number, atMs: world.nowMs }
}

/** Arms a timer of a task and gives its key. */
export function armTaskTimer(at: Attempt, dueAtMs: number, out: Outcome): string {
  const target: TimerTarget = { kind: 'task', instanceId: at.instance.id, task: at.node }
  const key = timerKey(dueAtMs, target)
  out.event({ type: 'timer.armed', key, row: { dueAtMs, target } })
  return key
}

/** @throws {ExpressionError} */
export function evaluate(at: Attempt, template: Template | Expression, extras: Extras = {}): Json {
  const all = at.undo === undefined ? extras : { output: at.undo.output, ...extras }
  return template.evaluate(rootsFor(at, template.uses, at.world.nowMs, all))
}

/**
 * Completes the attempt: writes `set`, settles the task, lets its dependents come.
 * @throws {ExpressionError | AttemptFailed} `set` cannot be evaluated or holds too much.
 */
export function completeAttempt(
  at: Attempt,
  output: Payload | undefined,
  out: Outcome,
  more: {
    extras?: Extras
    chosen?: readonly string[]
    note?: string
    by?: string
    open?: OpenWork | undefined
    /** What its `set` came to, where that is known already. */
    values?: VarValues
    record?: SourceRecord
  } = {},
): void {
  const { instance, task } = at
  const common = identity(at)
  const values =
    more.values ?? (task.set && evaluateSet(at, task.set, { ...more.extras, output: output ?? nullPayload }))
  if (task.compensate !== undefined) {
    const row = { node: at.node, input: inputForUndo(at.task, more.open), output: output ?? nullPayload }
    out.event({ type: 'undo.recorded', instanceId: instance.id, kind: 'completed', row })
  }
  const { chosen, note, record, by } = more
  out.event({ ...common, type: 'task.completed', output, chosen, note, record, by })
  if (values !== undefined && values.length > 0) writeVars(common, values, at.workflow, out)
  out.follow({ type: 'scope.advance', instanceId: instance.id, task: at.node })
}

/** What a task that is undone was given; the secrets in it are not given on. */
export function inputForUndo(task: Task, open: OpenWork | undefined): Payload {
  const input = (open !== undefined && 'input' in open ? open.input : undefined) ?? nullPayload
  return hasSecrets(task) ? Payload.of(unseal(input.value, () => masked)) : input
}

/** New values of variables. @throws {ExpressionError | AttemptFailed} */
export function evaluateSet(at: Attempt, set: ReadonlyMap<string, Template>, extras: Extras): VarValues {
  const values = [...set].map(([name, template]) => [name, evaluate(at, template, extras)] as const)
  checkVars(at.instance.vars, values)
  return values
}

/** @throws {AttemptFailed} Variables are rewritten with every event of their instance: they stay small. */
export function checkVars(before: ReadonlyMap<string, Json>, values: VarValues): void {
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
  const value = evaluate(at, condition, extras)
  if (typeof value === 'boolean') return value
  throw new AttemptFailed(
    'expression',
    `${what}: ${condition.source} must give true or false, found ${truncate(JSON.stringify(value))}`,
  )
}

/** Settles a task that does not run, or not to its end, and lets its dependents come. */
export function skipAttempt(
  at: Attempt,
  edges: TaskRow['edges'],
  out: Outcome,
  more: { readonly note?: string; readonly by?: string; readonly error?: TaskError } = {},
): Outcome {
  return out
    .event({ type: 'task.skipped', ...identity(at), edges, ...more })
    .follow({ type: 'scope.advance', instanceId: at.instance.id, task: at.node })
}

/** The edges of a task that was skipped for itself: live, and of a decision those of its default. */
export function skippedEdges(task: Task): 'live' | readonly string[] {
  return task.type === 'decision' ? (task.default ?? []) : 'live'
}
