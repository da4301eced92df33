// I7 for what stands beside a task or an instance: `maxDuration`, `monitor`, the deadline of an interval. When they pass is
// worked out anew from the definition; what a deadline did is told by the history.
import { parseDuration } from '../../../src/definition/duration.ts'
import type { Monitor, Task } from '../../../src/definition/workflow.ts'
import type { Deadlines, TaskRow, TimelineRow } from '../../../src/engine/state.ts'
import { nameOf, type Evidence } from './finished.ts'
import { lastMomentsOf, momentsOf } from './nodes.ts'

/** What has deadlines: a task, or a workflow. */
interface Bounded {
  readonly maxDurationMs?: number
  readonly monitor?: Monitor
  readonly deadlineMs?: number
}

/** I7: a deadline is as long after the beginning as its definition has it, and what is open has all of its own. */
export function* deadlinesAsDefined(run: Evidence): Generator<string> {
  for (const life of run.instances) {
    const seen = new Set<string>()
    for (const moment of momentsOf(run, life)) {
      const { row, workflow } = moment
      for (const wrong of misfits(workflow, row.deadlines, row.startedAtMs, seen)) yield `I7: ${nameOf(row)} ${wrong}`
      for (const { node, task, is } of moment.nodes) {
        for (const wrong of misfits(task, is?.deadlines, is?.startedAtMs ?? 0, seen))
          yield `I7: ${moment.name(node)} of ${nameOf(row)} ${wrong}`
        if (is?.open !== undefined && is.open.kind !== 'stopping' && isBounded(task) && is.deadlines === undefined)
          yield `I7: ${moment.name(node)} of ${nameOf(row)} is open at ${moment.atMs}, and nothing bounds it`
      }
    }
  }
}

const isBounded = (of: Bounded): boolean => of.maxDurationMs !== undefined || of.monitor !== undefined

function* misfits(
  of: Bounded,
  deadlines: Deadlines | undefined,
  sinceMs: number,
  seen: Set<string>,
): Generator<string> {
  const expected: { readonly [Kind in keyof Deadlines]: number | undefined } = {
    maxDuration: of.maxDurationMs,
    deadline: of.deadlineMs,
    monitor: of.monitor && durationOf(of.monitor),
  }
  for (const [kind, timer] of Object.entries(deadlines ?? {}) as [keyof Deadlines, string | undefined][]) {
    if (timer === undefined || seen.has(timer)) continue
    seen.add(timer)
    const ms = expected[kind]
    const dueAtMs = Number(timer.slice(0, timer.indexOf('/')))
    // An expression's value has long been forgotten.
    if (ms === undefined && kind === 'monitor' && of.monitor !== undefined) continue
    if (ms === undefined || dueAtMs !== sinceMs + ms)
      yield `has the ${kind} ${dueAtMs}, expected ${ms === undefined ? 'none' : sinceMs + ms}`
  }
}

/** undefined: it is worked out when the task begins. */
function durationOf({ completeBy }: Monitor): number | undefined {
  const value = completeBy.uses.roots.size === 0 ? completeBy.evaluate({}) : undefined
  return typeof value === 'string' ? parseDuration(value) : undefined
}

/** I7: what a deadline ended did not end before it, and nothing with a deadline goes on long after it. */
export function* deadlinesEnd(run: Evidence): Generator<string> {
  for (const moment of lastMomentsOf(run)) {
    for (const { node, task, is } of moment.nodes) {
      const ms = is === undefined ? undefined : endedBy(task, is)
      if (is === undefined || ms === undefined || is.endedAtMs === undefined) continue
      if (is.endedAtMs < is.startedAtMs + ms)
        yield `I7: ${moment.name(node)} of ${nameOf(moment.row)} was ended at ${is.endedAtMs}, before its ${is.error?.code}`
    }
  }
}

/** The bound that ended a task; an error that came up from inside is of another. */
function endedBy(task: Task, { error }: TaskRow): number | undefined {
  if (error?.code === 'deadline' && task.type === 'interval') return task.deadlineMs
  return error?.code === 'max-duration' && error.message.includes(` ${task.maxDurationMs} ms`)
    ? task.maxDurationMs
    : undefined
}

/** T8: what a monitor has done runs once at most for each time that the task it watches begins. */
export function* monitorsRunOnce(run: Evidence): Generator<string> {
  for (const moment of lastMomentsOf(run)) {
    const { row, workflow } = moment
    if (row.timelineDropped > 0) continue
    const times = Map.groupBy(
      row.timeline.filter(({ attempt, status }) => status !== 'SET' && (attempt === 1 || ends.has(status))),
      ({ task }) => task,
    )
    for (const { node, task } of moment.nodes) {
      if (task.aside !== 'monitor') continue
      const watched = workflow.tasks.find((each) => each.monitor?.task === task)
      const at = watched === undefined ? -1 : moment.beside(node, watched)
      const runs = beginningsOf(times.get(node) ?? [])
      const chances = watched === undefined ? 1 : beginningsOf(times.get(at) ?? [])
      if (runs > chances)
        yield `T8: ${moment.name(node)} of ${nameOf(row)} ran ${runs} times, and was called ${chances} times`
    }
  }
}

const ends: ReadonlySet<string> = new Set(['COMPLETED', 'FAILED', 'SKIPPED', 'STOPPED'])

/**
 * How often a task began with its first attempt: each time has one entry that begins it, or only one that ends it. One
 * that waits for a person may be ended afterwards.
 */
function beginningsOf(entries: readonly TimelineRow[]): number {
  let count = 0
  let before = 'STOPPED'
  for (const { status } of entries) {
    const isEndOfWaiting = status === 'STOPPED' || (before === 'FAILED' && ends.has(status))
    if (ends.has(before) && !isEndOfWaiting) count += 1
    before = status
  }
  return count
}
