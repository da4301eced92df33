// I7: when something is due is what the definition says of it, counted from when it began: worked out anew, so that what
// the state says itself (timers.ts) is not its own witness.
import { limits } from '../../../src/base/limits.ts'
import { parseDuration } from '../../../src/definition/duration.ts'
import { parseTime } from '../../../src/definition/time.ts'
import type { IntervalTask, Task, TriggerTask } from '../../../src/definition/workflow.ts'
import { rootsFor } from '../../../src/engine/roots.ts'
import type { OpenWork, TaskRow, TimelineRow } from '../../../src/engine/state.ts'
import { later } from '../handlers.ts'
import { nameOf, type Evidence } from './finished.ts'
import { momentsOf, type Moment } from './nodes.ts'

interface Span {
  readonly fromMs: number
  readonly toMs: number
}

/** I7: a delay, a time, a timeout and the wait before a retry are as long as their definition has them. */
export function* dueAsDefined(run: Evidence): Generator<string> {
  for (const life of run.instances) {
    const seen = new Map<number, OpenWork>()
    for (const moment of momentsOf(run, life)) {
      for (const { node, is } of moment.nodes) {
        if (is?.open === undefined) continue
        const before = seen.get(node)
        seen.set(node, is.open)
        if (before !== undefined && timerOf(before) === timerOf(is.open) && before.kind === is.open.kind) continue
        const expected = expectedOf(moment, node, is)
        const dueAtMs = dueOf(is.open)
        if (expected === 'anything' || isWithin(dueAtMs, expected)) continue
        yield `I7: ${moment.name(node)} of ${nameOf(life.last)} (${is.open.kind}) is due at ${dueAtMs ?? 'no time'}, expected ${shown(expected)}`
      }
    }
  }
}

/** undefined: at no time. */
function expectedOf(moment: Moment, node: number, is: TaskRow): Span | undefined | 'anything' {
  const task = moment.task(node)
  const began = moment.row.timeline.findLast((entry) => entry.task === node && entry.status !== 'SET')
  if (began === undefined || began.status !== is.status || began.attempt !== is.attempt) return 'anything'
  switch (is.open?.kind) {
    case 'record':
    case 'child':
    case 'signal':
      return task.timeoutMs === undefined ? undefined : at(began.atMs + task.timeoutMs)
    case 'handler':
      return at(began.atMs + (task.timeoutMs ?? limits.handlerTimeoutMs))
    case 'retry':
      return retryOf(task, began, is)
    case 'stopping':
      return at(began.atMs + moment.workflow.stopTimeoutMs)
    case 'time':
      return task.type === 'trigger' ? timeOf(moment, node, task, began.atMs) : undefined
    case 'interval':
      return task.type === 'interval' && is.open.timer !== undefined
        ? at(Math.max(is.open.ranAtMs + task.everyMs, ...runsOf(moment, node, task)))
        : undefined
    case 'children':
      return is.open.timer === undefined ? undefined : 'anything'
    default:
      return undefined
  }
}

/** When what an interval runs ended: one that takes longer is followed at once. */
const runsOf = (moment: Moment, node: number, { inner }: IntervalTask): readonly number[] =>
  inner.tasks.map((run) => moment.is(moment.beside(node, run))?.endedAtMs ?? 0)

const at = (ms: number): Span => ({ fromMs: ms, toMs: ms })

function retryOf({ retry, type }: Task, { atMs }: TimelineRow, { attempt, error }: TaskRow): Span {
  if ((type === 'handler' || type === 'http') && error?.code === later.code) return at(atMs + later.retryAfterMs)
  const { initialIntervalMs, backoffCoefficient, maxIntervalMs, jitter } = retry
  const interval = Math.min(initialIntervalMs * backoffCoefficient ** (attempt - 1), maxIntervalMs)
  return {
    fromMs: atMs + Math.floor(interval * (1 - jitter)),
    toMs: atMs + Math.ceil(interval * (1 + jitter)),
  }
}

function timeOf(moment: Moment, node: number, task: TriggerTask, atMs: number): Span | 'anything' {
  const template = task.at ?? task.delay
  // What was written since is in the row already.
  if (template === undefined || template.uses.roots.has('vars') || template.uses.roots.has('tasks')) return 'anything'
  const value = template.evaluate(rootsFor(moment.place(node), template.uses, atMs))
  if (typeof value !== 'string') return 'anything'
  const dueAtMs = task.at === undefined ? atMs + (parseDuration(value) ?? NaN) : (parseTime(value) ?? NaN)
  return at(dueAtMs)
}

const timerOf = (open: OpenWork): string | undefined => ('timer' in open ? open.timer : undefined)

function dueOf(open: OpenWork): number | undefined {
  if (open.kind === 'time' || open.kind === 'retry') return open.dueAtMs
  const timer = timerOf(open)
  return timer === undefined ? undefined : Number(timer.slice(0, timer.indexOf('/')))
}

function isWithin(dueAtMs: number | undefined, expected: Span | undefined): boolean {
  if (expected === undefined || dueAtMs === undefined) return expected === dueAtMs
  return dueAtMs >= expected.fromMs && dueAtMs <= expected.toMs
}

const shown = (span: Span | undefined): string =>
  span === undefined ? 'no time' : span.fromMs === span.toMs ? String(span.fromMs) : `${span.fromMs} to ${span.toMs}`
