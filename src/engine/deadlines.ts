// What bounds a task, or watches it, beside the attempt: `maxDuration`, `monitor`, and the deadline of an interval.
// Each is a timer from the task's first attempt to its end, whatever the task waits for meanwhile.
import type { TaskError } from '../base/errors.ts'
import { parseDuration } from '../definition/duration.ts'
import type { Template } from '../definition/expression.ts'
import { parseTime } from '../definition/time.ts'
import type { Task } from '../definition/workflow.ts'
import { AttemptFailed, evaluate, truncate, type Attempt } from './attempt.ts'
import type { Outcome } from './outcome.ts'
import { timerKey, type DeadlineKind, type Deadlines } from './state.ts'
import type { World } from './world.ts'

/** When each of them passes, in ms since 1970. */
export type DueTimes = { readonly [Kind in DeadlineKind]: number | undefined }

/** When the deadlines of a task that begins now pass; most tasks have none. @throws {ExpressionError | AttemptFailed} */
export function dueTimesOf(at: Attempt): DueTimes | undefined {
  const { task, world } = at
  const deadlineMs = deadlineOf(task)
  if (task.maxDurationMs === undefined && task.monitor === undefined && deadlineMs === undefined) return undefined
  return {
    'max-duration': after(world, task.maxDurationMs),
    monitor: task.monitor && completeBy(evaluate(at, task.monitor.completeBy), world),
    deadline: after(world, deadlineMs),
  }
}

/** When those of an instance pass that starts now. @throws {ExpressionError | AttemptFailed} */
export function dueTimesOfInstance(
  bounds: { readonly maxDurationMs?: number; readonly monitor?: { readonly completeBy: Template } },
  evaluateTemplate: (template: Template) => unknown,
  world: World,
): DueTimes {
  const { monitor } = bounds
  return {
    'max-duration': after(world, bounds.maxDurationMs),
    monitor: monitor && completeBy(evaluateTemplate(monitor.completeBy), world),
    deadline: undefined,
  }
}

/** Only an interval has one. */
const deadlineOf = (task: Task): number | undefined => (task.type === 'interval' ? task.deadlineMs : undefined)

const after = (world: World, ms: number | undefined): number | undefined =>
  ms === undefined ? undefined : world.nowMs + ms

function completeBy(value: unknown, world: World): number {
  const ms = typeof value === 'string' ? parseDuration(value) : undefined
  const dueAtMs = typeof value === 'string' && ms === undefined ? parseTime(value) : after(world, ms)
  if (dueAtMs !== undefined) return dueAtMs
  throw new AttemptFailed(
    'expression',
    `completeBy: expected a duration such as "1h" or an RFC 3339 time, found ${truncate(JSON.stringify(value))}`,
  )
}

/** A person has a task tried again: what had run out bounds it anew, from now; a monitor has had its say. */
export function renewDeadlines(at: Attempt, before: Deadlines | undefined, out: Outcome): void {
  const { instance, node, task, world } = at
  const deadlineMs = deadlineOf(task)
  const due = {
    'max-duration': before?.maxDuration === undefined ? after(world, task.maxDurationMs) : undefined,
    monitor: undefined,
    deadline: before?.deadline === undefined ? after(world, deadlineMs) : undefined,
  }
  armDeadlines(instance.id, node, due, out, before)
}

/** Arms the timers of a task, or with -1 of the instance itself. @param before those that it has already */
export function armDeadlines(instanceId: string, task: number, due: DueTimes, out: Outcome, before?: Deadlines): void {
  const arm = (kind: DeadlineKind): string | undefined => {
    const dueAtMs = due[kind]
    if (dueAtMs === undefined) return undefined
    const target = { kind, instanceId, task }
    const key = timerKey(dueAtMs, target)
    out.event({ type: 'timer.armed', key, row: { dueAtMs, target } })
    return key
  }
  const deadlines = {
    maxDuration: arm('max-duration') ?? before?.maxDuration,
    monitor: arm('monitor') ?? before?.monitor,
    deadline: arm('deadline') ?? before?.deadline,
  }
  if (deadlines.maxDuration ?? deadlines.monitor ?? deadlines.deadline)
    out.event({ type: 'deadlines.set', instanceId, task, deadlines })
}

const fieldOf = { 'max-duration': 'maxDuration', monitor: 'monitor', deadline: 'deadline' } as const

/** The deadlines without the one that has passed; undefined where it was not among them any more. */
export function passed(deadlines: Deadlines | undefined, kind: DeadlineKind, timer: string): Deadlines | undefined {
  const field = fieldOf[kind]
  return deadlines?.[field] === timer ? { ...deadlines, [field]: undefined } : undefined
}

export const maxDurationError = (ms: number | undefined): TaskError => ({
  code: 'max-duration',
  message: `it took longer than its maxDuration of ${ms ?? 0} ms`,
})
