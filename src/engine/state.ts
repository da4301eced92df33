// The state of one partition, as the engine sees it: tables of rows by id. One value per concern, so that an event
// costs what it touches.
//
//   instances    by instance id       the execution: its tasks, variables, timeline
//   keys         by workflow/key      which instance a business key belongs to
//   channels     by workflow/topic/value   who waits for a correlation value, and which records are kept for it
//   kept         by number            a record that came before its listener
//   keptTotals   one row              how much is kept, and where the oldest is
//   timers       by due time and owner
//   work         by instance/task     handler tasks under way: what a restored partition still owes
//   answers      by workflow/idempotency key   what an API call was answered
//
// Rows that were read are never changed: `edit` gives a copy that belongs to the batch.
import type { Json } from '../base/json.ts'
import type { TaskError } from '../base/errors.ts'
import type { Payload } from './payload.ts'
import type { SourceRecord } from './message.ts'

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
}

/** The row of each table. */
export interface Rows {
  readonly instances: InstanceRow
  readonly keys: KeyRow
  readonly channels: ChannelRow
  readonly kept: KeptRow
  readonly keptTotals: KeptTotalsRow
  readonly timers: TimerRow
  readonly work: WorkRow
  readonly answers: AnswerRow
}
export type TableName = keyof Rows
/** What deciders see. */
export type State = { readonly [Name in TableName]: ReadTable<Rows[Name]> }
/** What appliers see. */
export type WritableState = { readonly [Name in TableName]: WriteTable<Rows[Name]> }

export type InstanceStatus = 'EXECUTING' | 'COMPLETED' | 'FAILED' | 'STOPPED'
export type TaskStatus = 'SUBMITTED' | 'EXECUTING' | 'COMPLETED' | 'FAILED' | 'SKIPPED' | 'STOPPED'

export interface InstanceRow {
  readonly id: string
  readonly workflow: string
  readonly version: string
  readonly key: string
  /** "record orders/3@17" or "api". */
  readonly origin: string
  /** `traceparent` of the starting record. */
  readonly traceparent: string | undefined
  readonly startedAtMs: number
  readonly input: Payload
  status: InstanceStatus
  endedAtMs: number | undefined
  vars: ReadonlyMap<string, Json>
  /** By `Task.index`; undefined is NOT_STARTED. */
  tasks: (TaskRow | undefined)[]
  /** Tasks that have failed for good and wait for a person, and the instance itself where it does. */
  incidents: number
  output: Payload | undefined
  /** Why it failed, or why it cannot go on. */
  error: TaskError | undefined
  /** The last number given to a subscription. */
  subscriptions: number
  timeline: TimelineRow[]
  timelineDropped: number
  /** Keys of its payloads that are values of their own; the codec's. */
  stored: readonly string[]
}

export interface TimelineRow {
  readonly atMs: number
  /** `Task.index`, or -1 for the instance itself. */
  readonly task: number
  readonly status: string
  readonly attempt: number
  readonly note: string | undefined
}

export interface TaskRow {
  readonly status: TaskStatus
  /** From 1; 0 where it was never tried. */
  readonly attempt: number
  readonly startedAtMs: number
  readonly endedAtMs: number | undefined
  readonly output: Payload | undefined
  readonly error: TaskError | undefined
  readonly hasIncident: boolean
  /** What it waits for while SUBMITTED or EXECUTING. */
  readonly open: OpenWork | undefined
  /** Of a SKIPPED task: whether its edges are live. Of a decision: the tasks that it chose. */
  readonly edges: 'live' | 'dead' | readonly string[]
}

/** What an unfinished task waits for. `timer` is the key of a row in `timers`. */
export type OpenWork =
  | { readonly kind: 'record'; readonly number: number; readonly value: string; readonly timer: string | undefined }
  | { readonly kind: 'time'; readonly dueAtMs: number; readonly timer: string }
  | { readonly kind: 'retry'; readonly dueAtMs: number; readonly timer: string; readonly input: Payload | undefined }
  | { readonly kind: 'slot'; readonly input: Payload }
  | { readonly kind: 'handler'; readonly run: number; readonly input: Payload; readonly timer: string }
  | { readonly kind: 'scope' }

export interface KeyRow {
  instanceId: string
  isOpen: boolean
}

/** Who waits for a value of a topic in a workflow (all its versions), and what is kept for it. */
export interface ChannelRow {
  readonly workflow: string
  readonly topic: string
  readonly value: string
  /** The longest-waiting first. */
  waiters: readonly Waiter[]
  /** The oldest first. */
  kept: readonly KeptMark[]
}

export interface Waiter {
  readonly instanceId: string
  /** Where the instance lives. */
  readonly partition: number
  readonly version: string
  readonly task: number
  /** Grows with each subscription of the instance: an answer to an older one is sent back. */
  readonly number: number
  readonly sinceMs: number
  /** Values of the further pairs, in their order. */
  readonly others: readonly string[]
}

export interface KeptMark {
  readonly number: number
  readonly arrivedAtMs: number
  readonly bytes: number
}

export interface KeptRow {
  readonly number: number
  /** Its channel: the id in `channels`. */
  readonly channel: string
  readonly record: SourceRecord
  readonly arrivedAtMs: number
  readonly expiresAtMs: number
  /** Its row in `timers`. */
  readonly timer: string
  readonly bytes: number
}

export interface KeptTotalsRow {
  /** The number of the next one. */
  next: number
  /** No kept record has a smaller number. */
  oldest: number
  count: number
  bytes: number
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
  | { readonly kind: 'forget-instance'; readonly instanceId: string }
  | { readonly kind: 'expire-kept'; readonly number: number }
  | { readonly kind: 'forget-answer'; readonly answer: string }

export interface WorkRow {
  readonly instanceId: string
  readonly task: number
}

export interface AnswerRow {
  readonly outcome: 'started' | 'ignored'
  readonly instanceId: string
  readonly key: string
}

/** Timers sort by due time: 15 digits of milliseconds reach the year 33658. */
export function timerKey(dueAtMs: number, target: TimerTarget): string {
  const due = Math.max(0, Math.ceil(dueAtMs)).toString().padStart(15, '0')
  switch (target.kind) {
    case 'task':
      return `${due}/i/${target.instanceId}/${target.task}`
    case 'forget-instance':
      return `${due}/f/${target.instanceId}`
    case 'expire-kept':
      return `${due}/k/${target.number}`
    case 'forget-answer':
      return `${due}/a/${target.answer}`
  }
}

/** The id of a channel: names of workflows and topics hold no '/'. */
export const channelId = (workflow: string, topic: string, value: string): string => `${workflow}/${topic}/${value}`
export const keyId = (workflow: string, key: string): string => `${workflow}/${key}`
export const workId = (instanceId: string, task: number): string => `${instanceId}/${task}`

/** True once nothing more will happen to a task by itself. A FAILED one with an incident waits for a person. */
export function isSettled(row: TaskRow | undefined): boolean {
  if (row === undefined) return false
  switch (row.status) {
    case 'COMPLETED':
    case 'SKIPPED':
    case 'STOPPED':
      return true
    case 'FAILED':
      return !row.hasIncident
    case 'SUBMITTED':
    case 'EXECUTING':
      return false
  }
}
