// The appliers by event: exhaustive, so that an event with no applier does not build. They may write and may not
// refuse: what does not fit is a bug of ours (InvariantViolation by the tables).
import { attributesSet } from './appliers/attribute.ts'
import { channelJoined, channelLeft, recordKept, recordUnkept } from './appliers/channel.ts'
import {
  instanceCompleted,
  instanceFailed,
  instanceForgotten,
  instanceIncidentRaised,
  instanceStarted,
  commandDeferred,
  instanceEnding,
  instanceIncidentResolved,
  instanceOperated,
  instanceReopened,
  instanceResumed,
  instanceSuspended,
  signalKept,
  signalTaken,
  instanceStopped,
  slotsTaken,
  undoRecorded,
  undoTaken,
} from './appliers/instance.ts'
import {
  aheadJoined,
  aheadLeft,
  deadlinesSet,
  scopeJoined,
  scopeReopened,
  taskCompleted,
  taskStopping,
  taskWaiting,
  taskExecuting,
  taskFailed,
  taskRetryScheduled,
  taskSkipped,
  taskStopped,
  taskSubmitted,
  varsSet,
} from './appliers/task.ts'
import { startDequeued, startQueued } from './appliers/queue.ts'
import { scheduleRemoved, scheduleSet } from './appliers/schedule.ts'
import { answerForgotten, answerRemembered, timerArmed, timerFired } from './appliers/timer.ts'
import type { Applier } from './applier.ts'
import type { Event, EventType } from './event.ts'
import type { WritableState } from './state.ts'

/** Events that only tell: they are counted and change nothing. */
const tells = (): void => {}

const appliers: { readonly [Type in EventType]: Applier<Type> } = {
  'instance.started': instanceStarted,
  'instance.completed': instanceCompleted,
  'instance.failed': instanceFailed,
  'instance.stopped': instanceStopped,
  'instance.suspended': instanceSuspended,
  'instance.resumed': instanceResumed,
  'instance.reopened': instanceReopened,
  'instance.operated': instanceOperated,
  'instance.incident-resolved': instanceIncidentResolved,
  'command.deferred': commandDeferred,
  'signal.kept': signalKept,
  'signal.taken': signalTaken,
  'instance.ending': instanceEnding,
  'instance.incident-raised': instanceIncidentRaised,
  'deadlines.set': deadlinesSet,
  'slots.taken': slotsTaken,
  'undo.recorded': undoRecorded,
  'undo.taken': undoTaken,
  'task.waiting': taskWaiting,
  'task.stopping': taskStopping,
  'scope.joined': scopeJoined,
  'instance.forgotten': instanceForgotten,
  'instance.not-started': tells,
  'task.submitted': taskSubmitted,
  'task.executing': taskExecuting,
  'task.retry-scheduled': taskRetryScheduled,
  'task.completed': taskCompleted,
  'task.failed': taskFailed,
  'task.skipped': taskSkipped,
  'task.stopped': taskStopped,
  'scope.reopened': scopeReopened,
  'ahead.joined': aheadJoined,
  'ahead.left': aheadLeft,
  'vars.set': varsSet,
  'attributes.set': attributesSet,
  'timer.armed': timerArmed,
  'timer.fired': timerFired,
  'channel.joined': channelJoined,
  'channel.left': channelLeft,
  'channel.matched': channelLeft,
  'record.kept': recordKept,
  'record.unkept': recordUnkept,
  'record.dropped': tells,
  'record.returned': tells,
  'record.dead-lettered': tells,
  'record.unmatched': tells,
  'start.queued': startQueued,
  'start.dequeued': startDequeued,
  'schedule.set': scheduleSet,
  'schedule.removed': scheduleRemoved,
  'schedule.skipped': tells,
  'answer.remembered': answerRemembered,
  'answer.forgotten': answerForgotten,
}

/** Applies one event. @throws {InvariantViolation} It does not fit the state: a bug of ours. */
export function apply(event: Event, state: WritableState): void {
  const applier = appliers[event.type] as Applier<EventType>
  applier(event, state)
}
