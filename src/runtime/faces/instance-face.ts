// Instances, as the worker's face has them.
import type { TaskError } from '../../base/errors.ts'
import type { Json } from '../../base/json.ts'
import type { TraceContext } from '../../base/tracing.ts'
import type { ActionAnswer } from '../../engine/effect.ts'

export type { ActionAnswer, ActionRefusalCode } from '../../engine/effect.ts'

export type InstanceStatus = 'EXECUTING' | 'SUSPENDED' | 'COMPENSATING' | 'COMPLETED' | 'FAILED' | 'STOPPED'
export type TaskStatus = 'NOT_STARTED' | 'SUBMITTED' | 'EXECUTING' | 'COMPLETED' | 'FAILED' | 'SKIPPED' | 'STOPPED'

export interface InstanceSummary {
  readonly id: string
  readonly workflow: string
  /** "order@3f9c2a1b" */
  readonly version: string
  readonly key: string
  readonly status: InstanceStatus
  /** Tasks that failed for good and wait for a person. */
  readonly incidents: number
  /** RFC 3339 */
  readonly startedAt: string
  readonly endedAt?: string
  /** Names of tasks that are under way, the first of them. */
  readonly waitingAt: readonly string[]
  /** Names of tasks that failed for good and wait for a person, the first of them, where there are any. */
  readonly incidentsAt?: readonly string[]
  /** Its search attributes, where it has any. */
  readonly attributes?: { readonly [name: string]: string | number | boolean }
}

export interface TaskView {
  /** In an item of a `for-each`: "each[3].charge". */
  readonly name: string
  readonly type: string
  /** The task in whose scope it lies. */
  readonly scope?: string
  readonly status: TaskStatus
  readonly attempt: number
  readonly startedAt?: string
  readonly endedAt?: string
  readonly error?: TaskError
  readonly hasIncident: boolean
  readonly output?: Json
  /** What it waits for, in words: "a record of payment-events for 'o-1', until 2026-01-01T00:00:00Z". */
  readonly waitsFor?: string
}

export interface TimelineEntry {
  readonly at: string
  /** Absent: about the instance itself. */
  readonly task?: string
  readonly status: string
  readonly attempt?: number
  /** More in words: an error, the coordinates of a record, a variable that was set. */
  readonly note?: string
}

export interface InstanceView extends InstanceSummary {
  readonly partition: number
  readonly input: Json
  readonly vars: { readonly [name: string]: Json }
  /** Search attributes of its workflow that it has not, and why. */
  readonly attributesAbsent?: { readonly [name: string]: string }
  readonly output?: Json
  readonly error?: TaskError
  /** Where it came from: "record orders/3@17", "api", "api by alice". */
  readonly origin: string
  /** Those of the workflow, and of those in items of a `for-each` the ones that are under way or have failed. */
  readonly tasks: readonly TaskView[]
  /** Tasks in items that are under way or have failed, and are not listed: there are too many. */
  readonly tasksLeftOut: number
  readonly timeline: readonly TimelineEntry[]
  /** Timeline entries that were dropped because there were too many. */
  readonly timelineDropped: number
}

export interface InstancePage {
  readonly items: readonly InstanceSummary[]
  /** The cursor of the page after. */
  readonly next?: string
  /** The partitions that were looked at. */
  readonly partitions: readonly number[]
}

export interface InstanceFilter {
  readonly workflow?: string
  /** "order@3f9c2a1b", "3f9c2a1b", or a label: all versions that have it. */
  readonly version?: string
  /** With this, or with one of these. */
  readonly status?: InstanceStatus | readonly InstanceStatus[]
  readonly keyPrefix?: string
  /** Only those with an incident. */
  readonly incident?: boolean
  /** A task that is under way or waits for a person: "each[3].charge"; "each[].charge" or "charge" in any item. */
  readonly waitingAt?: string
  /** "customer:c-17": with these search attributes, compared as texts. */
  readonly attribute?: readonly string[]
  /** RFC 3339; neither bound is included. */
  readonly startedAfter?: string
  readonly startedBefore?: string
  readonly endedAfter?: string
  readonly endedBefore?: string
  /** At most; 1 to 1,000. */
  readonly limit: number
  /** `next` of the page before. */
  readonly cursor?: string
}

export interface StartRequest {
  readonly workflow: string
  /** Absent: the idempotency key where there is one, or a new id. */
  readonly key?: string
  readonly input: Json
  readonly idempotencyKey?: string
  readonly trace?: TraceContext | undefined
  /** Who does it, for the instance's history: "ann". */
  readonly by?: string | undefined
}

export type StartAnswer =
  | { readonly outcome: 'started' | 'repeated'; readonly instanceId: string; readonly key: string }
  /** One with this key runs already (`onRunning: ignore`), or has ended (`onClosed`); nothing was started. */
  | { readonly outcome: 'ignored'; readonly instanceId: string; readonly key: string }
  /** It waits for the one that runs to end (`onRunning: queue` or `replace`), at this place, from 1. */
  | { readonly outcome: 'queued'; readonly key: string; readonly place: number }
  | {
      readonly outcome: 'rejected'
      readonly code: StartRejectionCode
      readonly message: string
      readonly violations?: readonly { pointer: string; message: string }[]
    }

export type StartRejectionCode =
  | 'workflow-not-found'
  | 'input-invalid'
  | 'already-running'
  | 'already-closed'
  /** It was queued, and did not come to begin. */
  | 'start-dropped'
  | 'expression'
  | 'payload-too-large'
  | 'key-invalid'

/** What a person, or a system, does to an instance. `task` is a name as its view has it: "charge", "each[3].charge". */
export type Action =
  | { readonly kind: 'signal'; readonly name: string; readonly payload: Json }
  | { readonly kind: 'suspend' | 'resume' }
  | { readonly kind: 'stop' | 'fail'; readonly reason: string }
  /** Absent task: the only one with an incident, or the instance itself. `input`: of a handler. */
  | { readonly kind: 'retry'; readonly task: string | undefined; readonly input: Json | undefined }
  | { readonly kind: 'skip'; readonly task: string | undefined }
  | { readonly kind: 'complete'; readonly task: string | undefined; readonly output: Json }
  | { readonly kind: 'set'; readonly vars: { readonly [name: string]: Json } }

/** Instances of the application: those of one partition are asked where it runs. Every method may throw Unavailable. */
export interface InstancesFace {
  /** Resolves when the start is committed. */
  start(request: StartRequest): Promise<StartAnswer>
  /** Resolves when what was done is committed. @param by who does it, for the instance's history: "ann" */
  operate(id: string, action: Action, by: string): Promise<ActionAnswer>
  /** By id, newest state that is committed. */
  find(id: string): Promise<InstanceView | undefined>
  /** The latest instance of a workflow with this business key. */
  findByKey(workflow: string, key: string): Promise<InstanceView | undefined>
  /** Newest first, of the partitions that run here. */
  list(filter: InstanceFilter): Promise<InstancePage>
  /** Resolves when the instance has changed since `seen` (its timeline's length with what was dropped), or after `waitMs`. */
  follow(id: string, seen: number, waitMs: number): Promise<InstanceView | undefined>
  /** Calls back with what each commit has changed, of the partitions that run here, until the result is called. */
  watch(listener: (changed: readonly InstanceSummary[]) => void): () => void
}
