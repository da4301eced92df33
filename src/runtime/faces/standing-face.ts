// What a running worker can be asked about how things stand: how far its partitions are, what is stuck, and what would be
// lost if its machine burnt now; a part of face.ts.
import type { Problem } from '../../base/errors.ts'

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

export interface SourceStanding {
  readonly topic: string
  readonly partition: number
  /** The next offset to be read. */
  readonly position: number
  /** Absent, as the next: the topic cannot be asked now. */
  readonly end?: number
  readonly behind?: number
  /** RFC 3339: of the first record that is not read yet. */
  readonly oldestUnreadAt?: string
  /** Why it is not read, in words. */
  readonly trouble?: string
}

export interface CopyStanding {
  readonly worker: string
  /** Up to where it stands in the changelog; null: there is nothing in it yet. */
  readonly position: number | null
  /** Records of the changelog that it lacks; null: that cannot be told. */
  readonly behind: number | null
}

/** A partition, as the worker tells of it that owns it. */
export interface PartitionStanding extends PartitionView {
  readonly worker: string
  readonly sources: readonly SourceStanding[]
  /** Where the owner stands in the changelog, and where that ends. */
  readonly changelog?: { readonly position: number | null; readonly end: number }
  readonly copies: readonly CopyStanding[]
  /** Records that wait for a listener. */
  readonly kept: { readonly records: number; readonly bytes: number }
  /** Timers that should have fired; more are not counted. */
  readonly timersOverdue: number
  /** RFC 3339: the first timer that is due. */
  readonly nextTimerAt?: string
}

/** Tasks that wait for a person, by what they failed with. */
export interface IncidentGroup {
  readonly workflow: string
  /** Absent: the instance itself. */
  readonly task?: string
  readonly code: string
  readonly count: number
  /** One of them. */
  readonly instanceId: string
  readonly message: string
}

export interface Incidents {
  /** The most first. */
  readonly groups: readonly IncidentGroup[]
  readonly instancesLookedAt: number
  /** There are older instances that were not looked at. */
  readonly isCut: boolean
}

/** Where what was committed lies. */
export type Durability =
  /** On this machine's disk alone. */
  | { readonly kind: 'this-disk'; readonly directory: string; readonly bytes: number }
  /** On the brokers of Kafka. Absent numbers: they may not be read. */
  | {
      readonly kind: 'brokers'
      readonly changelog: string
      readonly replicas?: number
      readonly minInsyncReplicas?: number
    }
  /** Nowhere: it is gone with the process. */
  | { readonly kind: 'memory' }

export interface WorkerStanding {
  readonly worker: string
  readonly problems: readonly string[]
  readonly definitionProblems: readonly Problem[]
  readonly partitions: readonly PartitionStanding[]
  readonly incidents: Incidents
  readonly durability: Durability
}

/** Each of what runs in this worker. Every method may throw Unavailable. */
export interface StandingFace {
  partitions(): Promise<readonly PartitionStanding[]>
  worker(): Promise<WorkerStanding>
}
