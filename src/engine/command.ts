// What the engine can be asked. Those marked "travels" are sent between partitions through inboxes.
import type { TaskError } from '../base/errors.ts'
import type { Waiter } from './state.ts'
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
  | { readonly type: 'timer.fire'; readonly timer: string }
  | ChannelPublish
  | ChannelJoin
  | ChannelLeave
  | ChannelReturn
  | ChannelPurge
  | InstanceCorrelate

/** The commands that travel. */
export type Travelling =
  | InstanceStart
  | ChannelPublish
  | ChannelJoin
  | ChannelLeave
  | ChannelReturn
  | ChannelPurge
  | InstanceCorrelate

/** Travels, to the partition of the key. The version was fixed where the key was routed. */
export interface InstanceStart {
  readonly type: 'instance.start'
  readonly workflow: string
  readonly version: string
  readonly key: string
  readonly origin:
    | { readonly kind: 'record'; readonly record: SourceRecord; readonly trigger: number }
    | {
        readonly kind: 'api'
        readonly input: Payload
        readonly idempotencyKey: string | undefined
        readonly call: number
      }
}

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

/** Travels, to the instance: the record that it waited for. */
export interface InstanceCorrelate {
  readonly type: 'instance.correlate'
  readonly instanceId: string
  readonly task: number
  readonly number: number
  readonly value: string
  readonly workflow: string
  readonly record: SourceRecord
  readonly arrivedAtMs: number
  readonly expiresAtMs: number
}

/** Travels, back to the value: the instance could not take it any more. */
export interface ChannelReturn {
  readonly type: 'channel.return'
  readonly workflow: string
  readonly value: string
  readonly record: SourceRecord
  readonly arrivedAtMs: number
  readonly expiresAtMs: number
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
