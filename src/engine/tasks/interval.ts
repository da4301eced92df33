// interval: its task runs again and again, until a condition is true after a run. Runs begin `every` so often, counted
// from the start of the one before; one that takes longer is followed at once.
import type { IntervalTask } from '../../definition/workflow.ts'
import { armTaskTimer, attemptOf, completeAttempt, identity, isTrue, type Attempt } from '../attempt.ts'
import { enterScope } from '../entering.ts'
import { orFail } from '../failure.ts'
import { nodeOf, rowAt, slotOf } from '../nodes.ts'
import { accept, type Outcome } from '../outcome.ts'
import type { Payload } from '../payload.ts'
import type { Place } from '../roots.ts'
import type { World } from '../world.ts'
import type { Begin } from './behaviour.ts'
import { reopen } from './process.ts'

export const beginInterval: Begin<'interval'> = (at, out) => {
  reopen(at, out)
  const open = { kind: 'interval', ranAtMs: at.world.nowMs, timer: undefined } as const
  out.event({ type: 'task.executing', ...identity(at), open })
  enterScope(at.instance, at.workflow, at.task.inner, slotOf(at.workflow, at.node), out)
}

/** The next run is due. */
export function runAgain(at: Attempt<IntervalTask>, out: Outcome): void {
  reopen(at, out, true)
  const open = { kind: 'interval', ranAtMs: at.world.nowMs, timer: undefined } as const
  out.event({ type: 'task.waiting', ...identity(at), open })
  enterScope(at.instance, at.workflow, at.task.inner, slotOf(at.workflow, at.node), out)
}

/** A run has ended. */
export function advanceInterval(place: Place, task: IntervalTask, world: World): Outcome {
  const row = rowAt(place.state, place.instance, place.node)
  if (row?.open?.kind !== 'interval' || row.open.timer !== undefined) return accept()
  const { open } = row
  const at = { ...attemptOf(place, world, row.attempt), task }
  const goOn = (into: Outcome): void => {
    if (isTrue(at, task.until, 'until')) return completeAttempt(at, lastRun(at), into)
    const timer = armTaskTimer(at, Math.max(world.nowMs, open.ranAtMs + task.everyMs), into)
    into.event({ type: 'task.waiting', ...identity(at), open: { ...open, timer } })
  }
  return orFail(at, goOn, { isRetryable: false })
}

/** What the latest run gave. */
export function lastRun({ state, instance, workflow, node, task }: Attempt<IntervalTask>): Payload | undefined {
  const run = task.inner.tasks[0]
  return run && rowAt(state, instance, nodeOf(workflow, slotOf(workflow, node), run.index))?.output
}
