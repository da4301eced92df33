// The deciders by command: exhaustive, so that a command with no decider does not build. They may read and may
// refuse, and change nothing.
import type { Command } from './command.ts'
import { listenAhead } from './deciders/ahead.ts'
import { indexInstance } from './deciders/attributes.ts'
import { joinChannel, leaveChannel, publishToChannel, purgeChannel, returnToChannel } from './deciders/channel.ts'
import { hearOfChild, stopChild } from './deciders/child.ts'
import { completeInstance, failInstance, stopInstance, unwindInstance } from './deciders/ending.ts'
import { followVariables } from './deciders/follow-vars.ts'
import { forgetInstance, suspectInstance } from './deciders/instance.ts'
import { operateInstance } from './deciders/operate.ts'
import { startNext } from './deciders/queue.ts'
import { handOut } from './deciders/offer.ts'
import { routeRecord } from './deciders/record.ts'
import { endScheduled, syncSchedules } from './deciders/schedule.ts'
import { advanceScope, failScope } from './deciders/scope.ts'
import { startInstance } from './deciders/start.ts'
import { activateTask, completeTask, correlateInstance, endStop, executeTask, failTask } from './deciders/task.ts'
import { deferred } from './deciders/suspension.ts'
import { fireTimer } from './deciders/timer.ts'
import type { Decider, Outcome } from './outcome.ts'
import type { Rejection } from './rejection.ts'
import type { State } from './state.ts'
import type { World } from './world.ts'

const deciders: { readonly [Type in Command['type']]: Decider<Type> } = {
  'record.route': routeRecord,
  'instance.start': startInstance,
  'instance.complete': completeInstance,
  'instance.fail': failInstance,
  'instance.follow-vars': followVariables,
  'instance.index': indexInstance,
  'instance.listen-ahead': listenAhead,
  'instance.stop': stopInstance,
  'instance.unwind': unwindInstance,
  'instance.operate': operateInstance,
  'instance.suspect': suspectInstance,
  'instance.forget': forgetInstance,
  'instance.correlate': correlateInstance,
  'scope.advance': advanceScope,
  'scope.fail': failScope,
  'task.activate': activateTask,
  'task.execute': executeTask,
  'task.complete': completeTask,
  'task.fail': failTask,
  'task.stop-ended': endStop,
  'timer.fire': fireTimer,
  'queue.next': startNext,
  'schedules.sync': syncSchedules,
  'schedule.ended': endScheduled,
  'record.hand-out': handOut,
  'channel.publish': publishToChannel,
  'channel.join': joinChannel,
  'channel.leave': leaveChannel,
  'channel.return': returnToChannel,
  'channel.purge': purgeChannel,
  'child.told': hearOfChild,
  'child.stop': stopChild,
}

/** Decides one command against the state. @throws {InvariantViolation} A bug of ours. */
export function decide(command: Command, state: State, world: World): Outcome | Rejection {
  const decider = deciders[command.type] as Decider<Command['type']>
  return deferred(command, state) ?? decider(command, state, world)
}
