// The branches of a `parallel` and the items of a `for-each`: who begins next, and what their ends mean for the whole.
//
//   join   all             the first failure fails it; `onItemFailure: continue` lets the others go on
//          first           the first to end decides, even by failing
//          any, a number   so many successes complete it; it fails once they cannot be had any more
//
// J1. A branch or item in which nothing ran is SKIPPED, and decides nothing; with all of them skipped, so is the whole.
// J2. One with an incident is not settled, and counts as unfinished.
// J3. Begun are at most `concurrency` items at a time, and by one input at most `burst`: a timer that is due at once
//     brings the next ones, so that a list of any length is worked off in bounded steps.
import { assert } from '../../base/assert.ts'
import type { TaskError } from '../../base/errors.ts'
import type { Json } from '../../base/json.ts'
import type { ForEachTask, ParallelTask } from '../../definition/workflow.ts'
import {
  armTaskTimer,
  attemptOf,
  checkPayload,
  completeAttempt,
  identity,
  skipAttempt,
  taskErrorOf,
  type Attempt,
} from '../attempt.ts'
import { enterScope, scopeWork } from '../entering.ts'
import { failAttempt } from '../failure.ts'
import { nodeOf, rowAt } from '../nodes.ts'
import { accept, type Outcome } from '../outcome.ts'
import { Payload } from '../payload.ts'
import type { Place } from '../roots.ts'
import type { ChildrenWork, OpenWork } from '../state.ts'
import { stopInside } from '../stopping.ts'
import type { World } from '../world.ts'

/** Tasks that one input may begin, about. */
const burstTasks = 256

/** A branch or an item is settled. */
export function advanceChildren(place: Place, task: ParallelTask | ForEachTask, child: number, world: World): Outcome {
  const { state, instance, node } = place
  const row = rowAt(state, instance, node)
  const open = row?.open
  if (row === undefined || open?.kind !== 'children') return accept()
  const at = attemptOf(place, world, row.attempt)
  const out = accept()
  const verdict = verdictOn(task, open)
  if (verdict === 'wait') {
    if (task.type === 'for-each') beginItems({ ...at, task }, open, out)
    return out
  }
  stopInside(place, task, world, out)
  if (verdict === 'fail') {
    failAttempt(at, rowAt(state, instance, child)?.error ?? tooFew(open), out)
    return out
  }
  return settle(at, task, open, verdict, out)
}

function settle(
  at: Attempt,
  task: ParallelTask | ForEachTask,
  open: ChildrenWork,
  verdict: 'complete' | 'skip',
  out: Outcome,
): Outcome {
  if (verdict === 'skip') return skipAttempt(at, 'live', out)
  try {
    completeAttempt(at, task.type === 'for-each' ? outputsOf({ ...at, task }, open) : undefined, out)
  } catch (error) {
    failAttempt(at, taskErrorOf(error), out, { isRetryable: false })
  }
  return out
}

/** What the ends so far mean. */
function verdictOn(task: ParallelTask | ForEachTask, open: ChildrenWork): 'wait' | 'complete' | 'fail' | 'skip' {
  const { total, succeeded, failed, skipped } = open
  const left = total - succeeded - failed - skipped
  if (task.join === 'all') {
    const isTolerant = task.type === 'for-each' && task.onItemFailure === 'continue'
    if (failed > 0 && !isTolerant) return 'fail'
  } else if (task.join === 'first') {
    if (failed > 0) return 'fail'
    if (succeeded > 0) return 'complete'
  } else {
    const needed = Math.min(task.join === 'any' ? 1 : task.join, total)
    if (succeeded >= needed) return 'complete'
    if (succeeded + left < needed && skipped < total) return 'fail'
  }
  if (left > 0) return 'wait'
  return skipped === total && total > 0 ? 'skip' : 'complete'
}

const tooFew = ({ total, succeeded, failed, skipped }: ChildrenWork): TaskError => ({
  code: 'join',
  message: `of ${total}, ${succeeded} succeeded, ${failed} failed and ${skipped} were skipped: that is too few`,
})

/** J3: begins the next items, as many as may run beside those that do. */
export function beginItems(at: Attempt<ForEachTask>, open: ChildrenWork, out: Outcome): void {
  const { instance, task, workflow, world } = at
  const burst = Math.max(1, Math.floor(burstTasks / task.each.inner.tasks.length))
  const running = open.begun - open.succeeded - open.failed - open.skipped
  const room = Math.min(task.concurrency - running, open.total - open.begun)
  if (room <= 0 || open.timer !== undefined) return
  const items = open.items?.value
  assert(Array.isArray(items), 'J0: the items are a list')
  const values: readonly Json[] = items
  // A multiple of `burst` waits for the timer, unless this is what it has brought.
  const until = Math.min(open.begun + room, (Math.floor(open.begun / burst) + 1) * burst)
  for (let index = open.begun; index < until; index++) {
    const slot = open.firstSlot + index
    const node = nodeOf(workflow, slot, task.each.index)
    out.event({
      type: 'task.executing',
      instanceId: instance.id,
      task: node,
      scope: at.node,
      attempt: 1,
      atMs: world.nowMs,
      open: scopeWork(task.each.inner),
      item: { forEach: at.node, index, value: Payload.of(values[index] ?? null) },
    })
    enterScope(instance, workflow, task.each.inner, slot, out)
  }
  const isPaused = until < open.total && until % burst === 0
  const timer = isPaused ? armTaskTimer(at, world.nowMs, out) : undefined
  out.event({ type: 'task.waiting', ...identity(at), open: { ...open, begun: until, timer } })
}

/** The outputs of the items in their order; null for those that did not complete. */
function outputsOf(at: Attempt<ForEachTask>, open: ChildrenWork): Payload {
  const { instance, state, task, workflow } = at
  const outputs: Json[] = []
  for (let index = 0; index < open.total; index++) {
    const row = rowAt(state, instance, nodeOf(workflow, open.firstSlot + index, task.each.index))
    outputs.push(row?.status === 'COMPLETED' ? (row.output?.value ?? null) : null)
  }
  return checkPayload(Payload.of(outputs), 'the list of outputs')
}

/** What a task waits for whose branches or items begin. */
export const childrenWork = (
  total: number,
  more: Pick<ChildrenWork, 'begun' | 'firstSlot' | 'items'>,
): ChildrenWork & OpenWork => ({
  kind: 'children',
  total,
  succeeded: 0,
  failed: 0,
  skipped: 0,
  timer: undefined,
  ...more,
})
