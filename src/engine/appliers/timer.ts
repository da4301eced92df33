// Appliers of timers and of remembered answers.
import type { Applier } from '../applier.ts'
import { rowAt, timerOf } from '../nodes.ts'
import type { TimerTarget, WritableState } from '../state.ts'

/**
 * What a task waits for next may be due in the millisecond of what it waited for before: then it is the same row. Other
 * rows are new, and to look for what is not there would cost a look into the store for each.
 */
export const timerArmed: Applier<'timer.armed'> = ({ key, row }, state) => {
  if (!mayBeArmed(key, row.target, state) || state.timers.find(key) === undefined) state.timers.insert(key, row)
}

/** T3: a task's own timer is named by its row. An instance is forgotten once, and a number is kept once. */
function mayBeArmed(key: string, target: TimerTarget, state: WritableState): boolean {
  if (target.kind === 'forget-instance' || target.kind === 'expire-kept') return false
  if (target.kind !== 'task') return true
  return timerOf(rowAt(state, state.instances.expect(target.instanceId), target.task)?.open) === key
}

export const timerFired: Applier<'timer.fired'> = ({ key }, state) => state.timers.remove(key)

/** What is remembered of a start that was queued changes once it begins. */
export const answerRemembered: Applier<'answer.remembered'> = ({ answer, row }, state) => {
  if (state.answers.find(answer) === undefined) state.answers.insert(answer, row)
  else Object.assign(state.answers.edit(answer), row)
}
export const answerForgotten: Applier<'answer.forgotten'> = ({ answer }, state) => state.answers.clear(answer)
