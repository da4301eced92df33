// The state of one partition, as the engine sees it: tables of rows by id. One value per concern, so that an event
// costs what it touches.
//
//   instances    by instance id       the execution: its first tasks, variables, timeline
//   blocks       by instance/number   further tasks, some to a block (nodes.ts)
//   undos        by instance/number   what is to be compensated, should the instance be unwound
//   deferred     by instance/number   what came while an instance was suspended
//   keys         by workflow/key      which instance a business key belongs to
//   queued       by workflow/key/number   starts that wait for the instance of the key to end
//   channels     by workflow/topic/value   who waits for a correlation value, and which records are kept for it
//   crowd        by channel/instance/number   who waits for a value for which many wait (crowd-row.ts)
//   kept         by number            a record that came before its listener
//   keptTotals   one row              how much is kept, and where the oldest is
//   timers       by due time and owner
//   work         by instance/task     handler tasks under way: what a restored partition still owes
//   schedules    by workflow           when its schedules are due, on the partition of its name
//   answers      by workflow/idempotency key   what an API call was answered
//   attributes   by name/value/instance   which instances have a search attribute (attribute-row.ts)
//
// Rows that were read are never changed: `edit` gives a copy that belongs to the batch.
import type { Json } from '../base/json.ts'
import type { AttributeRow, AttributeValue } from './attribute-row.ts'
import type { TaskError } from '../base/errors.ts'
import type { Payload } from './payload.ts'
import type { Deferrable, InstanceStart } from './command.ts'
import type { CrowdRow, Waiters } from './crowd-row.ts'
import type { KeptMark, KeptRow, KeptTotalsRow } from './kept-row.ts'
import type { Due, ScheduleEntry, ScheduleRow } from './schedule-row.ts'
import type { Deadlines, TaskRow } from './task-row.ts'
import type { Parent, Signal } from './waiter.ts'

export { isSettled } from './task-row.ts'
export type * from './attribute-row.ts'
export type * from './crowd-row.ts'
export type * from './kept-row.ts'
export type * from './schedule-row.ts'
export type * from './task-row.ts'
export type * from './waiter.ts'

export interface ReadTable<Row> {
  find(id: string): Row | undefined
  /** @throws {InvariantViolation} It is not there: a bug of ours. */
  expect(id: string): Row
}

export interface WriteTable<Row> extends ReadTable<Row> {
  /** Asserts that there was none. */
  insert(id: string, row: Row): void
  /** A copy that the batch owns and may change; asserts that there is one. */
  edit(id: string): Row
  /** Asserts that there was one. */
  remove(id: string): void
  /** There is none afterwards, whether there was one or not, with no look into the store; of rows without payloads. */
  clear(id: string): void
}

/** The row of each table. */
export interface Rows {
  readonly instances: InstanceRow
  readonly blocks: BlockRow
  readonly undos: UndoRow
  readonly deferred: DeferredRow
  readonly keys: KeyRow
  readonly queued: QueuedRow
  readonly channels: ChannelRow
  readonly crowd: CrowdRow
  readonly kept: KeptRow
  readonly keptTotals: KeptTotalsRow
  readonly timers: TimerRow
  readonly work: WorkRow
  readonly schedules: ScheduleRow
  readonly answers: AnswerRow
  readonly attributes: AttributeRow
}
export type TableName = keyof Rows
/** What deciders see. */
export type State = { readonly [Name in TableName]: ReadTable<Rows[Name]> }
/** What appliers see. */
export type WritableState = { readonly [Name in TableName]: WriteTable<Rows[Name]> }

export type InstanceStatus = 'EXECUTING' | 'SUSPENDED' | 'COMPENSATING' | 'COMPLETED' | 'FAILED' | 'STOPPED'

export interface InstanceRow {
  readonly id: string
  readonly workflow: string
  readonly version: string
  readonly key: string
  /** "record orders/3@17", "api", "api by ann", "parent <id>" or "schedule 2026-01-31T06:00:00Z". */
  readonly origin: string
  /** The due time that started it. */
  readonly due: Due | undefined
  /** The task that started it as its child. */
  readonly parent: Parent | undefined
  /** The trace that goes on from it (trace.ts). */
  readonly traceparent: string | undefined
  readonly tracestate?: string | undefined
  readonly startedAtMs: number
  readonly input: Payload
  status: InstanceStatus
  endedAtMs: number | undefined
  vars: ReadonlyMap<string, Json>
  /** Search attributes that it has now. */
  attributes: ReadonlyMap<string, AttributeValue>
  /** By node, the first of them (nodes.ts); undefined is NOT_STARTED. */
  tasks: (TaskRow | undefined)[]
  /** Tasks of its root scope that are not settled. */
  unsettled: number
  /** Slots that were given to items of `for-each`. */
  slots: number
  /** How it is ended: its tasks are stopped first, and what was done is compensated where it fails. */
  ending: Ending | undefined
  /** Handlers that were stopped and are not done with it. */
  stopping: number
  /** What is to be compensated: how many completed, and how many whose outcome is unknown. */
  undos: number
  unknowns: number
  deadlines: Deadlines | undefined
  /** Signals that came before a task waited for them, the oldest first. */
  signals: readonly Signal[]
  /** How many commands wait for it to be resumed. */
  deferred: number
  /** Tasks that have failed for good and wait for a person, and the instance itself where it does. */
  incidents: number
  output: Payload | undefined
  /** Why it failed, or why it cannot go on. */
  error: TaskError | undefined
  /** The last number given to a subscription. */
  subscriptions: number
  /** Listeners that are subscribed before their turn (ahead.ts). */
  ahead: readonly Subscription[]
  timeline: TimelineRow[]
  timelineDropped: number
  /** Keys of its payloads that are values of their own; the codec's. */
  stored: readonly string[]
}

/** A listener, by its node, waits for these values in place of a row of its own. */
export interface Subscription {
  readonly task: number
  readonly number: number
  readonly value: string
  /** Values of the further pairs, in their order. */
  readonly others: readonly string[]
}

/** A command that waits for its instance to be resumed. */
export interface DeferredRow {
  readonly command: Deferrable
}

export interface TimelineRow {
  readonly atMs: number
  /** The task's node, or -1 for the instance itself. */
  readonly task: number
  readonly status: string
  readonly attempt: number
  readonly note: string | undefined
}

export type Ending =
  | { readonly status: 'FAILED'; readonly error: TaskError }
  | { readonly status: 'STOPPED'; readonly error: TaskError }

/** Tasks of one instance that do not stand in its own row. */
export interface BlockRow {
  readonly instanceId: string
  tasks: (TaskRow | undefined)[]
  /** Keys of its payloads that are values of their own; the codec's. */
  stored: readonly string[]
}

/** completed: its attempt was. unknown: it was stopped or timed out before it told. */
export type UndoKind = 'completed' | 'unknown'

/** A task that is compensated when its instance is unwound. */
export interface UndoRow {
  readonly node: number
  readonly input: Payload
  readonly output: Payload
}

export interface KeyRow {
  /** The latest one; its own row says whether it has ended. */
  instanceId: string
  /** Numbers of the starts that wait for its instance to end, the first first. */
  queue: readonly number[]
}

/** A start that waits. */
export interface QueuedRow {
  readonly start: InstanceStart
}

/** Who waits for a value of a topic in a workflow (all its versions), and what is kept for it. */
export interface ChannelRow extends Waiters {
  readonly workflow: string
  readonly topic: string
  readonly value: string
  /** The oldest first. */
  kept: readonly KeptMark[]
}

/** Numbers grow: kept by `number` as text with leading zeros. */
export const keptId = (number: number): string => number.toString().padStart(15, '0')
export const keptTotalsId = 'all'

export interface TimerRow {
  readonly dueAtMs: number
  readonly target: TimerTarget
}

export type TimerTarget =
  | { readonly kind: 'task'; readonly instanceId: string; readonly task: number }
  /** Of a task, or with -1 of the instance. */
  | { readonly kind: DeadlineKind; readonly instanceId: string; readonly task: number }
  | { readonly kind: 'forget-instance'; readonly instanceId: string }
  | { readonly kind: 'expire-kept'; readonly number: number }
  | { readonly kind: 'forget-answer'; readonly answer: string }
  | { readonly kind: 'schedule'; readonly workflow: string; readonly trigger: string }

export const deadlineKinds = ['max-duration', 'monitor', 'deadline'] as const
export type DeadlineKind = (typeof deadlineKinds)[number]

export interface WorkRow {
  readonly instanceId: string
  readonly task: number
}

export interface AnswerRow {
  /** queued: it waits. dropped: it waited, and did not come to begin. */
  readonly outcome: 'started' | 'ignored' | 'queued' | 'dropped'
  /** Empty where there is none. */
  readonly instanceId: string
  readonly key: string
}

/** Timers sort by due time: 15 digits of milliseconds reach the year 33658. */
export function timerKey(dueAtMs: number, target: TimerTarget): string {
  const due = Math.max(0, Math.ceil(dueAtMs)).toString().padStart(15, '0')
  switch (target.kind) {
    case 'task':
      return `${due}/i/${target.instanceId}/${target.task}`
    case 'max-duration':
      return `${due}/x/${target.instanceId}/${target.task}`
    case 'monitor':
      return `${due}/m/${target.instanceId}/${target.task}`
    case 'deadline':
      return `${due}/d/${target.instanceId}/${target.task}`
    case 'forget-instance':
      return `${due}/f/${target.instanceId}`
    case 'expire-kept':
      return `${due}/k/${target.number}`
    case 'forget-answer':
      return `${due}/a/${target.answer}`
    case 'schedule':
      return `${due}/s/${target.workflow}/${target.trigger}`
  }
}

export const scheduleTarget = (workflow: string, { trigger }: ScheduleEntry): TimerTarget & { kind: 'schedule' } => ({
  kind: 'schedule',
  workflow,
  trigger,
})
/** The key of the timer that an entry waits for. */
export const scheduleTimer = (workflow: string, entry: ScheduleEntry): string =>
  timerKey(entry.nextMs, scheduleTarget(workflow, entry))

/** The id of a channel: names of workflows and topics hold no '/'. */
export const channelId = (workflow: string, topic: string, value: string): string => `${workflow}/${topic}/${value}`
export const keyId = (workflow: string, key: string): string => `${workflow}/${key}`
export const queuedId = (key: string, number: number): string => `${key}/${number.toString().padStart(15, '0')}`
export const undoId = (instanceId: string, kind: UndoKind, number: number): string =>
  `${instanceId}/${kind[0]}${number}`
export const deferredId = (instanceId: string, number: number): string =>
  `${instanceId}/${number.toString().padStart(6, '0')}`
export const workId = (instanceId: string, task: number): string => `${instanceId}/${task}`
