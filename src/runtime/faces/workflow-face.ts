// What a running worker can be asked about workflows; a part of face.ts.
import type { Json } from '../../base/json.ts'

export interface WorkflowView {
  readonly name: string
  readonly version: string
  readonly label?: string
  readonly description?: string
  readonly startTopics: readonly string[]
}

/** Instances: those that have not ended, and all that are kept. */
export interface InstanceCount {
  readonly open: number
  readonly kept: number
}

/** What instances were counted; where it is not all of them, counts are of these only. */
export interface Counted {
  readonly isComplete: boolean
  /** Instances that were looked at; there is a bound for one call. */
  readonly instances: number
  /** Partitions that run on this worker, and all of the application. */
  readonly partitions: number
  readonly partitionsInAll: number
}

/** The source that holds a version now, and the file there. */
export interface PublishedFrom {
  readonly source: string
  readonly file: string
}

export interface WorkflowVersionView extends WorkflowView {
  /** Starts take this one. */
  readonly isCurrent: boolean
  /** RFC 3339: when it was published for the first time. */
  readonly publishedAt: string
  /** Absent: no source holds it any more. */
  readonly publishedFrom?: PublishedFrom
  readonly instances: InstanceCount
}

/** A workflow by its current version; where every source has withdrawn it, by the latest that there was. */
export interface WorkflowSummary extends WorkflowVersionView {
  /** How many versions there are. */
  readonly versions: number
  /** On all versions together. */
  readonly instancesInAll: InstanceCount
}

export interface WorkflowDetail extends WorkflowVersionView {
  /** The document as it was published. */
  readonly definition: Json
}

/** Every method may throw Unavailable. */
export interface WorkflowsFace {
  /** Every workflow that was ever published, by name. */
  list(): Promise<{ readonly items: readonly WorkflowSummary[]; readonly counted: Counted }>
  /** The current version, or the one that is named: whole, by its address alone, or by its label (the latest with it). */
  find(name: string, version?: string): Promise<WorkflowAnswer | undefined>
  /** Newest first; undefined: there is no such workflow. */
  versions(name: string): Promise<WorkflowVersions | undefined>
}

export interface WorkflowAnswer {
  readonly workflow: WorkflowDetail
  readonly counted: Counted
}

export interface WorkflowVersions {
  /** 1,000 at most. */
  readonly items: readonly WorkflowVersionView[]
  /** How many there are. */
  readonly total: number
  readonly counted: Counted
}
