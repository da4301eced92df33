// The worker's public face: what cli, http and embedders may ask of a running worker.
// Everything here is plain data; payloads are JSON.
import type { Problem } from '../base/errors.ts'
import type { WorkerRecord } from '../records/worker-record.ts'
import type { DeadLettersFace } from './faces/dead-letter-face.ts'
import type { ExplainFace } from './faces/explain-face.ts'
import type { InstancesFace } from './faces/instance-face.ts'
import type { TopicLag } from './faces/lag-face.ts'
import type { ListsFace } from './faces/list-face.ts'
import type { Metrics } from './metrics/metrics.ts'
import type { PartitionView, StandingFace } from './faces/standing-face.ts'
import type { TopicsFace } from './faces/topic-face.ts'
import type { WorkflowsFace, WorkflowView } from './faces/workflow-face.ts'

export type * from './faces/dead-letter-face.ts'
export type * from './faces/explain-face.ts'
export type * from './faces/instance-face.ts'
export type * from './faces/operation-face.ts'
export * from './faces/list-face.ts'
export { mergeRecords } from './explain/record-merge.ts'
export type * from './faces/standing-face.ts'
export type * from './faces/topic-face.ts'
export type * from './faces/update-face.ts'
export type * from './faces/workflow-face.ts'
export type * from './faces/lag-face.ts'
export type { Family, Metrics } from './metrics/metrics.ts'
export type { PartitionPosition, WorkerRecord } from '../records/worker-record.ts'

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
  /** How far they are behind, by topic: those of workflows, and the inbox. */
  readonly lag: readonly TopicLag[]
  /** Those that it keeps a warm copy of. */
  readonly copies: readonly number[]
  readonly workflows: readonly WorkflowView[]
  /** Since the worker started, by name: "instances_started", "records_kept", "records_dead_lettered", … */
  readonly counters: { readonly [name: string]: number }
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
  /** What will not go on by itself, in sentences: the process has to begin anew. Waiting for the log is none of it. */
  stuck(): readonly string[]
  readonly instances: InstancesFace
  readonly workflows: WorkflowsFace
  readonly topics: TopicsFace
  readonly deadLetters: DeadLettersFace
  readonly explain: ExplainFace
  readonly lists: ListsFace
  readonly standing: StandingFace
  /** What it counts and measures. */
  readonly metrics: Metrics
  readonly fleet: FleetFace
  /** Of the application. */
  readonly partitionsInAll: number
}
