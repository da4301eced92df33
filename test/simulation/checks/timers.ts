// I7: timers come never early, and none is left behind.
import type { OpenWork, TimelineRow } from '../../../src/engine/state.ts'
import type { Evidence } from './finished.ts'
import { nameOf } from './finished.ts'
import { momentsOf } from './nodes.ts'

/** So long after its time a timer counts as forgotten: clocks are right again by then. */
export const overdueMs = 30_000

/** I7: no timer is overdue at rest. */
export function* noneOverdue({ committed, world }: Evidence): Generator<string> {
  const nowMs = world.scheduler.clock.nowMs()
  for (const { last, isRemoved } of committed.lives('timers')) {
    if (!isRemoved && last.dueAtMs < nowMs - overdueMs)
      yield `I7: a timer of ${JSON.stringify(last.target)} is overdue by ${nowMs - last.dueAtMs} ms`
  }
}

/** I7: what a task waited for came no earlier than its time, by the clock of its partition. */
export function* neverEarly(run: Evidence): Generator<string> {
  for (const life of run.instances) {
    const moments = momentsOf(run, life)
    for (const [at, moment] of moments.entries()) {
      const { row } = moment
      const next = moments[at + 1]?.row
      if (next === undefined) continue
      const added = next.timeline.slice(row.timeline.length + row.timelineDropped - next.timelineDropped)
      for (const { node, is } of moment.nodes) {
        if (is?.open === undefined) continue
        const dueAtMs = dueOf(is.open)
        const came = added.find((each) => each.task === node && isOfTime(is.open, is.attempt, each))
        if (dueAtMs !== undefined && came !== undefined && came.atMs < dueAtMs)
          yield `I7: ${moment.name(node)} of ${nameOf(life.last)} was due at ${dueAtMs} and went on at ${came.atMs}`
      }
    }
  }
}

/** Whether an entry tells that the time came which the work waited for. */
function isOfTime(open: OpenWork | undefined, attempt: number, entry: TimelineRow): boolean {
  switch (open?.kind) {
    case 'time':
      return entry.attempt === attempt && entry.status === 'COMPLETED'
    case 'retry':
      return entry.attempt === attempt + 1
    case 'record':
    case 'child':
    case 'signal':
    case 'handler':
      return entry.attempt === attempt && /^(retry after )?timeout:/.test(entry.note ?? '')
    default:
      return false
  }
}

function dueOf(open: OpenWork): number | undefined {
  if (open.kind === 'time' || open.kind === 'retry') return open.dueAtMs
  return 'timer' in open && open.timer !== undefined ? Number(open.timer.slice(0, open.timer.indexOf('/'))) : undefined
}
