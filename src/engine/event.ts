// What happened. Events are applied to the state in the order in which they were decided; they are not stored
// themselves (D1: values, not events, in the changelog). Every one carries what its applier needs, so that an
// applier never asks anything.
import type { Json } from '../base/json.ts'
import type { TaskError } from '../base/errors.ts'
import type { Deferrable, InstanceStart } from './command.ts'
import type { SourceRecord } from './message.ts'
import type { NodeSpan } from './nodes.ts'
import type {
  AnswerRow,
  AttributeValue,
  Deadlines,
  Ending,
  InstanceRow,
  Item,
  KeptRow,
  OpenWork,
  ScheduleEntry,
  Signal,
  Subscription,
  TimerRow,
  UndoKind,
  UndoRow,
  Waiter,
} from './state.ts'
import type { Payload } from './payload.ts'

/** What every event of a task says. */
export interface OfTask {
  readonly instanceId: string
  /** Its node. */
  readonly task: number
  /** The node of the task whose scope it lies in, -1 for the root scope; undefined where no scope counts it. */
  readonly scope: number | undefined
  readonly attempt: number
  readonly atMs: number
  /** For the timeline, in words. */
  readonly note?: string | undefined
  /** The person, or the system, that did it. */
  readonly by?: string | undefined
}

export type Event =
  | { readonly type: 'instance.started'; readonly row: InstanceRow; readonly start: InstanceStart }
  | {
      readonly type: 'instance.completed'
      readonly instanceId: string
      readonly output: Payload | undefined
      readonly atMs: number
    }
  /** Its tasks are stopped from now on, and what was done is compensated where it fails. */
  | { readonly type: 'instance.ending'; readonly instanceId: string; readonly ending: Ending; readonly atMs: number }
  | { readonly type: 'instance.failed'; readonly instanceId: string; readonly error: TaskError; readonly atMs: number }
  | { readonly type: 'instance.suspended'; readonly instanceId: string; readonly by: string; readonly atMs: number }
  | { readonly type: 'instance.resumed'; readonly instanceId: string; readonly by: string; readonly atMs: number }
  /** It had failed and goes on. */
  | {
      readonly type: 'instance.reopened'
      readonly instanceId: string
      readonly by: string
      readonly atMs: number
      /** Tasks of its root scope that are not settled now. */
      readonly unsettled: number
    }
  | { readonly type: 'command.deferred'; readonly instanceId: string; readonly command: Deferrable }
  | { readonly type: 'signal.kept'; readonly instanceId: string; readonly signal: Signal }
  | { readonly type: 'signal.taken'; readonly instanceId: string; readonly name: string }
  /** What a person did, for the history. */
  | {
      readonly type: 'instance.operated'
      readonly instanceId: string
      readonly note: string
      readonly by: string
      readonly atMs: number
    }
  | { readonly type: 'instance.incident-resolved'; readonly instanceId: string }
  | { readonly type: 'instance.stopped'; readonly instanceId: string; readonly error: TaskError; readonly atMs: number }
  | {
      readonly type: 'instance.incident-raised'
      readonly instanceId: string
      readonly error: TaskError
      readonly atMs: number
    }
  | { readonly type: 'instance.forgotten'; readonly instanceId: string; readonly spans: readonly NodeSpan[] }
  /** With -1 for the task, of the instance itself. */
  | {
      readonly type: 'deadlines.set'
      readonly instanceId: string
      readonly task: number
      readonly deadlines: Deadlines | undefined
    }
  | { readonly type: 'instance.not-started'; readonly reason: string }
  | (OfTask & { readonly type: 'task.submitted'; readonly open: OpenWork })
  | (OfTask & { readonly type: 'task.executing'; readonly open: OpenWork; readonly item?: Item })
  /** It goes on waiting, for something else. */
  | (OfTask & { readonly type: 'task.waiting'; readonly open: OpenWork })
  /** Slots are given to the items of a `for-each`. */
  | { readonly type: 'slots.taken'; readonly instanceId: string; readonly count: number }
  | (OfTask & {
      readonly type: 'task.retry-scheduled'
      readonly open: OpenWork
      readonly error: TaskError | undefined
      /** A person has it tried again: its attempts are counted anew. */
      readonly isByHand?: true
    })
  | (OfTask & {
      readonly type: 'task.completed'
      readonly output: Payload | undefined
      readonly chosen?: readonly string[] | undefined
      /** What a listener took. */
      readonly record?: SourceRecord | undefined
    })
  | (OfTask & {
      readonly type: 'task.failed'
      readonly error: TaskError
      readonly hasIncident: boolean
      /** The tasks that it goes on with. */
      readonly chosen?: readonly string[]
    })
  | (OfTask & {
      readonly type: 'task.skipped'
      readonly edges: 'live' | 'dead' | readonly string[]
      readonly error?: TaskError
    })
  | (OfTask & { readonly type: 'task.stopped' })
  /** Its handler cleans up first. */
  | (OfTask & { readonly type: 'task.stopping'; readonly open: OpenWork })
  /** A scope is entered again: its tasks, by node, begin anew. */
  | (OfTask & { readonly type: 'scope.reopened'; readonly tasks: readonly number[] })
  /** A task beside it has begun, and counts for its completion. */
  | { readonly type: 'scope.joined'; readonly instanceId: string; readonly scope: number }
  | {
      readonly type: 'undo.recorded'
      readonly instanceId: string
      readonly kind: UndoKind
      readonly row: UndoRow
    }
  /** The last one of its kind is compensated. */
  | { readonly type: 'undo.taken'; readonly instanceId: string; readonly kind: UndoKind }
  /** A listener is subscribed before its turn, in place of any subscription that it has. */
  | { readonly type: 'ahead.joined'; readonly instanceId: string; readonly subscription: Subscription }
  | { readonly type: 'ahead.left'; readonly instanceId: string; readonly task: number }
  | (OfTask & { readonly type: 'vars.set'; readonly values: readonly (readonly [string, Json])[] })
  /** All that it has now. */
  | {
      readonly type: 'attributes.set'
      readonly instanceId: string
      readonly values: ReadonlyMap<string, AttributeValue>
    }
  | { readonly type: 'timer.armed'; readonly key: string; readonly row: TimerRow }
  | { readonly type: 'timer.fired'; readonly key: string }
  | {
      readonly type: 'channel.joined'
      readonly channel: string
      readonly workflow: string
      readonly topic: string
      readonly value: string
      readonly waiter: Waiter
    }
  | { readonly type: 'channel.left'; readonly channel: string; readonly instanceId: string; readonly number: number }
  /** The waiter was found a record. */
  | { readonly type: 'channel.matched'; readonly channel: string; readonly instanceId: string; readonly number: number }
  | {
      readonly type: 'record.kept'
      readonly workflow: string
      readonly topic: string
      readonly value: string
      readonly row: KeptRow
    }
  /** A kept record is not kept any more. */
  | {
      readonly type: 'record.unkept'
      readonly number: number
      readonly reason: UnkeptReason
      /** Nothing that is kept has a smaller number: found out on the way. */
      readonly oldest?: number
    }
  /** A record that nobody can be answered by any more. */
  | { readonly type: 'record.dropped'; readonly reason: 'stale' | 'expired' }
  | { readonly type: 'record.returned'; readonly instanceId: string; readonly task: number }
  | { readonly type: 'record.dead-lettered'; readonly code: string }
  /** No start and no listener wanted it. */
  | { readonly type: 'record.unmatched' }
  /** `key` is the id in `keys`. */
  | { readonly type: 'start.queued'; readonly key: string; readonly number: number; readonly start: InstanceStart }
  | {
      readonly type: 'start.dequeued'
      readonly key: string
      readonly number: number
      readonly reason: 'its-turn' | 'replaced' | 'not-wanted'
    }
  | { readonly type: 'schedule.set'; readonly workflow: string; readonly entry: ScheduleEntry }
  | { readonly type: 'schedule.removed'; readonly workflow: string; readonly trigger: string }
  /** A due time starts nothing: it was missed, or the one before still runs. */
  | {
      readonly type: 'schedule.skipped'
      readonly workflow: string
      readonly trigger: string
      readonly reason: 'missed' | 'running'
    }
  | { readonly type: 'answer.remembered'; readonly answer: string; readonly row: AnswerRow }
  | { readonly type: 'answer.forgotten'; readonly answer: string }

export type UnkeptReason = 'matched' | 'expired' | 'purged' | 'evicted'
export type EventType = Event['type']
