// The worker's public face: what cli, http and embedders may ask of a running worker.
// Everything here is plain data; payloads are JSON.
import type { Json } from '../base/json.ts'
import type { Problem, TaskError } from '../base/errors.ts'
import type { ActionAnswer } from '../engine/effect.ts'

export type { ActionAnswer, ActionRefusalCode } from '../engine/effect.ts'
import type { WorkerRecord } from '../records/worker-record.ts'
import type { DeadLettersFace } from './dead-letter-face.ts'
import type { WorkflowsFace, WorkflowView } from './workflow-face.ts'

export type * from './dead-letter-face.ts'
export type * from './update-face.ts'
export type * from './workflow-face.ts'
export type { PartitionPosition, WorkerRecord } from '../records/worker-record.ts'

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
  readonly output?: Json
  readonly error?: TaskError
  /** Where it came from: "record orders/3@17", "api", "api by ann". */
  readonly origin: string
  /** Those of the workflow, and of those in items of a `for-each` the ones that are under way or have failed. */
  readonly tasks: readonly TaskView[]
  /** Tasks in items that are under way or have failed, and are not listed: there are too many. */
  readonly tasksLeftOut: number
  readonly timeline: readonly TimelineEntry[]
  /** Timeline entries that were dropped because there were too many. */
  readonly timelineDropped: number
}

export interface StartRequest {
  readonly workflow: string
  /** Absent: the idempotency key where there is one, or a new id. */
  readonly key?: string
  readonly input: Json
  readonly idempotencyKey?: string
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

/** The call could not be answered with certainty, or not now. Becomes 503. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable'
  /** outcome-unknown: repeat with the same Idempotency-Key. not-ready: the partition is not running. overloaded, disk-full: later. */
  readonly code: 'outcome-unknown' | 'not-ready' | 'overloaded' | 'disk-full'
  /** The partition that does not run here, where that is why: the worker that runs it can be asked. Nothing was done. */
  readonly partition: number | undefined
  constructor(code: Unavailable['code'], message: string, partition?: number) {
    super(message)
    this.code = code
    this.partition = partition
  }
}

export interface ProduceRecord {
  readonly key?: string | Uint8Array | null
  /** null is a tombstone. */
  readonly value: Uint8Array | null
  readonly partition?: number
  readonly headers?: readonly { readonly key: string; readonly value: Uint8Array }[]
}

export type ProduceResult =
  | { readonly partition: number; readonly offset: number }
  | { readonly error: string; readonly message: string }

export interface TopicView {
  readonly name: string
  readonly partitions: readonly { readonly partition: number; readonly earliest: number; readonly end: number }[]
}

/** A topic that an application needs, as it is now. */
export interface NeededTopic {
  readonly name: string
  readonly partitions: number
  /** It was missing. */
  readonly isNew: boolean
}

/** Something that is not as it should be. */
export interface TopicDifference {
  /** "partitions", or Kafka's name of the setting: "cleanup.policy". */
  readonly what: string
  readonly wanted: string
  readonly found: string
  /** What to do about it, in a sentence or as a command. */
  readonly cure: string
}

/** A topic that an application needs, and what of it is not as it should be. */
export interface InspectedTopic {
  readonly name: string
  /** The application keeps it for itself; else it is of its workflows. */
  readonly isOwn: boolean
  readonly exists: boolean
  readonly partitions?: number
  readonly replicas?: number
  /** Absent, as the next: it may not be read. */
  readonly cleanupPolicy?: string
  readonly maxMessageBytes?: number
  readonly differences: readonly TopicDifference[]
}

export interface RecordView {
  readonly partition: number
  readonly offset: number
  readonly timestamp: string
  /** Text where the bytes are UTF-8, else null with `keyBase64`. */
  readonly key: string | null
  readonly keyBase64?: string
  /** JSON where the bytes are JSON, text where they are UTF-8, else null with `valueBase64`. */
  readonly value: Json
  readonly valueBase64?: string
  readonly headers: { readonly [key: string]: string }
}

export interface ConsumeRequest {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly limit: number
  readonly waitMs: number
}

export interface PartitionView {
  readonly partition: number
  /** restoring: with what is left. stopped: with the reason; needs a person. */
  readonly phase: 'created' | 'restoring' | 'running' | 'draining' | 'closed' | 'stopped'
  readonly reason?: string
  /** While it is restoring: records of the changelog that are left. */
  readonly restoreLeft: number
  /** How many it reads a second, and how many seconds that takes; absent until that can be told. */
  readonly restorePerSecond?: number
  readonly restoreSecondsLeft?: number
}

export interface WorkerView {
  readonly app: string
  readonly workerId: string
  readonly log: 'embedded' | 'kafka' | 'memory'
  readonly isReady: boolean
  /** What an operator should know now, in sentences; empty when all is well. */
  readonly problems: readonly string[]
  /** Workflow files that were refused, and why; the version before keeps serving. */
  readonly definitionProblems: readonly Problem[]
  /** Those that it owns. */
  readonly partitions: readonly PartitionView[]
  /** Those that it keeps a warm copy of. */
  readonly copies: readonly number[]
  readonly workflows: readonly WorkflowView[]
  /** Since the worker started, by name: "instances_started", "records_kept", "records_dead_lettered", … */
  readonly counters: { readonly [name: string]: number }
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
  readonly status?: InstanceStatus
  readonly keyPrefix?: string
  /** Only those with an incident. */
  readonly incident?: boolean
  /** At most; 1 to 1,000. */
  readonly limit: number
  /** `next` of the page before. */
  readonly cursor?: string
}

/** The other workers of the application, as far as they were heard lately. */
export interface FleetFace {
  /** This worker as well; none where the log is not shared. */
  all(): readonly WorkerRecord[]
  peers(): readonly WorkerRecord[]
  /** Where the worker is asked that runs a partition; undefined: none was heard of. */
  urlOf(partition: number): string | undefined
}

/** What a running worker can be asked. Every method may throw Unavailable. */
export interface WorkerFace {
  view(): WorkerView
  /** Resolves when the start is committed. */
  startInstance(request: StartRequest): Promise<StartAnswer>
  /** Resolves when what was done is committed. @param by who does it, for the instance's history: "by ann" */
  operateInstance(id: string, action: Action, by: string): Promise<ActionAnswer>
  /** By id, newest state that is committed. */
  findInstance(id: string): Promise<InstanceView | undefined>
  /** The latest instance of a workflow with this business key. */
  findInstanceByKey(workflow: string, key: string): Promise<InstanceView | undefined>
  readonly workflows: WorkflowsFace
  readonly fleet: FleetFace
  /** Of the application. */
  readonly partitionsInAll: number
  /** Newest first, of the partitions that run here. */
  listInstances(filter: InstanceFilter): Promise<InstancePage>
  readonly deadLetters: DeadLettersFace
  /** Resolves when the instance has changed since `seen` (its timeline's length with what was dropped), or after `waitMs`. */
  followInstance(id: string, seen: number, waitMs: number): Promise<InstanceView | undefined>
  /** Each record is a transaction of its own in the answer, all are durable when it resolves. undefined: no such topic. */
  produce(topic: string, records: readonly ProduceRecord[]): Promise<readonly ProduceResult[] | undefined>
  listTopics(): Promise<readonly TopicView[]>
  /** Records of one partition from an offset on, waiting up to `waitMs` for the first. undefined: no such topic or partition. */
  consume(
    request: ConsumeRequest,
  ): Promise<{ readonly records: readonly RecordView[]; readonly nextOffset: number } | undefined>
}
