// Appliers of timers and of remembered answers.
import type { Applier } from '../applier.ts'

/**
 * What a task waits for next may be due in the millisecond of what it waited for before: then it is the same row. An
 * instance is forgotten once, so that there is nothing to look for.
 */
export const timerArmed: Applier<'timer.armed'> = ({ key, row }, state) => {
  if (row.target.kind === 'forget-instance' || state.timers.find(key) === undefined) state.timers.insert(key, row)
}
export const timerFired: Applier<'timer.fired'> = ({ key }, state) => state.timers.remove(key)

/** What is remembered of a start that was queued changes once it begins. */
export const answerRemembered: Applier<'answer.remembered'> = ({ answer, row }, state) => {
  if (state.answers.find(answer) === undefined) state.answers.insert(answer, row)
  else Object.assign(state.answers.edit(answer), row)
}
export const answerForgotten: Applier<'answer.forgotten'> = ({ answer }, state) => {
  if (state.answers.find(answer) !== undefined) state.answers.remove(answer)
}
