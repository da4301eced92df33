// What the engine can be asked. Those marked "travels" are sent between partitions through inboxes.
import type { TaskError } from '../base/errors.ts'
import type { Json } from '../base/json.ts'
import type { TraceContext } from '../base/tracing.ts'
import type { Changed } from './attribute-row.ts'
import type { Due } from './schedule-row.ts'
import type { OnExpired, Parent, Waiter } from './waiter.ts'
import type { Payload } from './payload.ts'
import type { SourceRecord } from './message.ts'

export type Command =
  /** A record of a source topic that this partition owns: find who wants it. */
  | { readonly type: 'record.route'; readonly record: SourceRecord }
  | InstanceStart
  | { readonly type: 'instance.forget'; readonly instanceId: string }
  /** Root scope is complete. */
  | { readonly type: 'instance.complete'; readonly instanceId: string }
  | { readonly type: 'instance.fail'; readonly instanceId: string; readonly error: TaskError }
  /** Ends it with no compensation. */
  | { readonly type: 'instance.stop'; readonly instanceId: string; readonly reason: string }
  /** A variable was written: listeners whose values follow it wait for those that they have now. */
  | { readonly type: 'instance.follow-vars'; readonly instanceId: string }
  /** What its search attributes name has changed. */
  | { readonly type: 'instance.index'; readonly instanceId: string; readonly changed: ReadonlySet<Changed> }
  /** Listeners with `skipAhead` are subscribed before their turn. */
  | { readonly type: 'instance.listen-ahead'; readonly instanceId: string }
  /** It is ending: compensates the next task, or ends. */
  | { readonly type: 'instance.unwind'; readonly instanceId: string }
  /** A bug of ours met this instance: it waits for a person. */
  | { readonly type: 'instance.suspect'; readonly instanceId: string; readonly error: TaskError }
  /** A task has been settled: whose turn is it? */
  | { readonly type: 'scope.advance'; readonly instanceId: string; readonly task: number }
  | { readonly type: 'scope.fail'; readonly instanceId: string; readonly task: number; readonly error: TaskError }
  | { readonly type: 'task.activate'; readonly instanceId: string; readonly task: number }
  /** A handler slot is free for it. */
  | { readonly type: 'task.execute'; readonly instanceId: string; readonly task: number; readonly attempt: number }
  | {
      readonly type: 'task.complete'
      readonly instanceId: string
      readonly task: number
      readonly attempt: number
      readonly output: Payload
    }
  | TaskFail
  /** The handler of a stopped task has cleaned up. */
  | {
      readonly type: 'task.stop-ended'
      readonly instanceId: string
      readonly task: number
      readonly attempt: number
    }
  | { readonly type: 'timer.fire'; readonly timer: string }
  | ChannelPublish
  | ChannelJoin
  | ChannelLeave
  | ChannelReturn
  | ChannelPurge
  | InstanceCorrelate
  | RecordHandOut
  | ChildTold
  | ChildStop
  | InstanceOperate
  /** The instance of the key has ended: a start that waits for that begins. */
  | { readonly type: 'queue.next'; readonly workflow: string; readonly key: string }
  /** On the partition of the workflow's name: its current version may have other schedules. */
  | { readonly type: 'schedules.sync'; readonly workflow: string }
  | ScheduleEnded

/** The commands that travel. */
export type Travelling =
  | InstanceStart
  | ChannelPublish
  | ChannelJoin
  | ChannelLeave
  | ChannelReturn
  | ChannelPurge
  | InstanceCorrelate
  | RecordHandOut
  | ChildTold
  | ChildStop
  | ScheduleEnded

/** Travels, to the partition of the key. The version was fixed where the key was routed. */
export interface InstanceStart {
  readonly type: 'instance.start'
  readonly workflow: string
  readonly version: string
  readonly key: string
  /** What it was asked by; a record says so itself. */
  readonly trace?: TraceContext | undefined
  readonly origin:
    | { readonly kind: 'record'; readonly record: SourceRecord; readonly trigger: number }
    | {
        readonly kind: 'api'
        readonly input: Payload
        readonly idempotencyKey: string | undefined
        /** "by alice", where that is known. */
        readonly by: string | undefined
        /** undefined: it was answered when it was queued. */
        readonly call: number | undefined
      }
    | { readonly kind: 'parent'; readonly parent: Parent; readonly input: Payload }
    | { readonly kind: 'schedule'; readonly due: Due }
}

/** Travels, to the parent: its child has started, or is over. */
export interface ChildTold {
  readonly type: 'child.told'
  readonly parent: Parent
  readonly told:
    | { readonly outcome: 'started' }
    | { readonly outcome: 'completed'; readonly output: Payload | undefined }
    | { readonly outcome: 'failed'; readonly error: TaskError }
}

/** Travels, to the child's partition: its parent does not wait for it any more. */
export interface ChildStop {
  readonly type: 'child.stop'
  readonly workflow: string
  readonly key: string
  readonly parent: Parent
}

/** Travels, to the partition of the workflow's name: what a due time started is over, or did not come to be. */
export interface ScheduleEnded {
  readonly type: 'schedule.ended'
  readonly workflow: string
  readonly due: Due
}

/** A person, or a system, acts on an instance. */
export interface InstanceOperate {
  readonly type: 'instance.operate'
  readonly instanceId: string
  /** The call that waits for the answer. */
  readonly call: number
  /** Who, for the history. */
  readonly by: string
  readonly action: Action
}

/** `task` is a name as people see it: "charge", "each[3].charge". */
export type Action =
  | { readonly kind: 'signal'; readonly name: string; readonly payload: Payload }
  | { readonly kind: 'suspend' }
  | { readonly kind: 'resume' }
  | { readonly kind: 'stop'; readonly reason: string }
  | { readonly kind: 'fail'; readonly reason: string }
  | { readonly kind: 'retry'; readonly task: string | undefined; readonly input: Payload | undefined }
  | { readonly kind: 'skip'; readonly task: string | undefined }
  | { readonly kind: 'complete'; readonly task: string | undefined; readonly output: Payload }
  | { readonly kind: 'set'; readonly values: readonly (readonly [string, Json])[] }

/** Commands that wait while their instance is suspended. */
export type Deferrable = Extract<
  Command,
  { type: 'task.complete' | 'task.fail' | 'instance.correlate' | 'timer.fire' | 'child.told' }
>

export interface TaskFail {
  readonly type: 'task.fail'
  readonly instanceId: string
  readonly task: number
  readonly attempt: number
  readonly error: TaskError
  readonly isRetryable: boolean
  readonly afterMs: number | undefined
}

/** Travels, to the partition of the value: a record for whoever in the workflow waits for it. */
export interface ChannelPublish {
  readonly type: 'channel.publish'
  readonly workflow: string
  readonly value: string
  readonly record: SourceRecord
  /** The longest `keep` of the workflow's listeners on the topic. */
  readonly keepMs: number
  readonly onExpired: OnExpired
}

/** Travels: a listener waits from now on. */
export interface ChannelJoin {
  readonly type: 'channel.join'
  readonly workflow: string
  readonly topic: string
  readonly value: string
  readonly waiter: Waiter
}

/** Travels: it does not wait any more. */
export interface ChannelLeave {
  readonly type: 'channel.leave'
  readonly workflow: string
  readonly topic: string
  readonly value: string
  readonly instanceId: string
  readonly number: number
}

/** A listener of an instance, by the wait that it is in. */
export interface HandedTo {
  readonly instanceId: string
  readonly task: number
  readonly number: number
}

/** A record on its way from its value to an instance, or back. */
export interface Carried {
  readonly value: string
  readonly workflow: string
  readonly record: SourceRecord
  readonly arrivedAtMs: number
  readonly expiresAtMs: number
  readonly onExpired: OnExpired
}

/** Travels, to the instance: the record that it waited for. */
export interface InstanceCorrelate extends HandedTo, Carried {
  readonly type: 'instance.correlate'
}

/** Travels, to the partition of some of many instances: the record that all of them waited for. */
export interface RecordHandOut extends Carried {
  readonly type: 'record.hand-out'
  readonly to: readonly HandedTo[]
}

/** Travels, back to the value: the instance could not take it any more. */
export interface ChannelReturn extends Carried {
  readonly type: 'channel.return'
  /** The instance has ended, and the record came while it ran: nobody else may be answered by it later. */
  readonly isStale: boolean
}

/** Travels: an instance has ended, and what was kept for it goes. */
export interface ChannelPurge {
  readonly type: 'channel.purge'
  readonly workflow: string
  readonly topic: string
  readonly value: string
  readonly fromMs: number
  readonly toMs: number
}
