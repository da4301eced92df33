// The row of a task, and what it waits for.
import type { TaskError } from '../base/errors.ts'
import type { Payload } from './payload.ts'

export type TaskStatus = 'SUBMITTED' | 'EXECUTING' | 'COMPLETED' | 'FAILED' | 'SKIPPED' | 'STOPPED'

export interface TaskRow {
  readonly status: TaskStatus
  /** From 1; 0 where it was never tried. */
  readonly attempt: number
  readonly startedAtMs: number
  readonly endedAtMs: number | undefined
  readonly output: Payload | undefined
  readonly error: TaskError | undefined
  readonly hasIncident: boolean
  /** Attempts before a person had it tried again: its retry policy counts from there. */
  readonly attemptsBefore: number
  /** What it waits for while SUBMITTED or EXECUTING. */
  readonly open: OpenWork | undefined
  /** Of a SKIPPED task: whether its edges are live. Of a decision, and of one that failed: the tasks that it chose. */
  readonly edges: 'live' | 'dead' | readonly string[]
  readonly deadlines: Deadlines | undefined
  /** Of an item of a `for-each`: which one it is. */
  readonly item: Item | undefined
}

/** Which item of which `for-each` (by its node). */
export interface Item {
  readonly forEach: number
  readonly index: number
  readonly value: Payload
}

/** Keys of timers beside what the task waits for. */
export interface Deadlines {
  readonly maxDuration: string | undefined
  readonly monitor: string | undefined
  /** Of an interval. */
  readonly deadline: string | undefined
}

/** What an unfinished task waits for. `timer` is the key of a row in `timers`. */
export type OpenWork =
  | {
      readonly kind: 'record'
      readonly number: number
      readonly value: string
      /** Values of the further pairs, in their order. */
      readonly others: readonly string[]
      readonly timer: string | undefined
    }
  | { readonly kind: 'time'; readonly dueAtMs: number; readonly timer: string }
  | { readonly kind: 'retry'; readonly dueAtMs: number; readonly timer: string; readonly input: Payload | undefined }
  | { readonly kind: 'slot'; readonly input: Payload }
  | { readonly kind: 'handler'; readonly run: number; readonly input: Payload; readonly timer: string }
  /** Its own tasks, of which so many are not settled. */
  | { readonly kind: 'scope'; readonly unsettled: number }
  | ChildrenWork
  /** The next run of an interval, or the end of the one under way (no timer). */
  | { readonly kind: 'interval'; readonly ranAtMs: number; readonly timer: string | undefined }
  /** The end of another instance. */
  | { readonly kind: 'child'; readonly workflow: string; readonly key: string; readonly timer: string | undefined }
  | { readonly kind: 'signal'; readonly name: string; readonly timer: string | undefined }
  /** Its handler was stopped, and cleans up. */
  | { readonly kind: 'stopping'; readonly input: Payload; readonly timer: string }

/** The branches of a `parallel`, or the items of a `for-each`. */
export interface ChildrenWork {
  readonly kind: 'children'
  readonly total: number
  /** Those that have begun. */
  readonly begun: number
  readonly succeeded: number
  readonly failed: number
  readonly skipped: number
  /** The slot of its first item; 0 for branches. */
  readonly firstSlot: number
  /** The list of a `for-each`. */
  readonly items: Payload | undefined
  /** The next items begin when it fires: one input does not begin them all. */
  readonly timer: string | undefined
}

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
