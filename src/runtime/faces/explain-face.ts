// What a running worker can be asked about why: what an instance waits for, and what became of a record; a part of face.ts.
import type { TaskError } from '../../base/errors.ts'
import type { Json } from '../../base/json.ts'
import type { InstanceStatus } from './instance-face.ts'

/** Why an instance is where it is. */
export interface InstanceExplanation {
  readonly id: string
  readonly workflow: string
  readonly version: string
  readonly key: string
  readonly status: InstanceStatus
  readonly incidents: number
  /** In a sentence. */
  readonly summary: string
  /** Of the instance itself. */
  readonly error?: TaskError
  /** Tasks that wait or run, those with an incident first. */
  readonly tasks: readonly TaskExplanation[]
  /** Those that are not listed: there are too many. */
  readonly tasksLeftOut: number
  /** While it is suspended: what came meanwhile, by kind ("record", "handler result", …). */
  readonly collected?: { readonly [kind: string]: number }
  /** Starts that wait for this instance to end, the first first. */
  readonly queued: readonly { readonly place: number; readonly origin: string }[]
  /** Of the instance itself, where it can be helped. */
  readonly help: readonly Help[]
}

/** What a person can do: an action of the API, which the command line has as `instances <action>`. */
export interface Help {
  readonly action: 'retry' | 'skip' | 'complete' | 'resume' | 'signal'
  readonly task?: string
  /** Of a signal. */
  readonly name?: string
  /** What comes of it. */
  readonly why: string
}

export type WaitKind =
  | 'incident'
  | 'record'
  | 'time'
  | 'retry'
  | 'slot'
  | 'handler'
  | 'interval'
  | 'child'
  | 'signal'
  | 'stopping'

export interface TaskExplanation {
  readonly task: string
  readonly type: string
  readonly kind: WaitKind
  /** What it waits for, in a sentence. */
  readonly waitsFor: string
  /** RFC 3339: when its first attempt began. */
  readonly since: string
  /** RFC 3339: when that ends by itself. */
  readonly until?: string
  /** What happens then, in words. */
  readonly afterwards?: string
  readonly attempt: number
  /** 0: as many as it takes. */
  readonly attemptsMax: number
  /** Of the last attempt. */
  readonly error?: TaskError
  /** Of a listener. */
  readonly listener?: ListenerExplanation
  /** Of what a handler runs, or of an http task. */
  readonly handler?: HandlerExplanation
  readonly child?: ChildExplanation
  readonly help: readonly Help[]
}

export interface ListenerExplanation {
  readonly topic: string
  /** The two sides of each pair as they are written, and the value that is waited for. */
  readonly pairs: readonly { readonly message: string; readonly instance: string; readonly value: string }[]
  readonly where?: string
  /** It goes on listening until this is true. */
  readonly untilTrue?: string
  readonly match: 'one' | 'all'
  /** How long a record that comes too early waits for it, in milliseconds. */
  readonly keepMs: number
  /** It is subscribed before its turn (`skipAhead`). */
  readonly isAhead: boolean
  readonly nearMisses: NearMisses
}

/** Records of the topic that came lately and were not taken by this listener. */
export interface NearMisses {
  /** The nearest first. */
  readonly items: readonly NearMiss[]
  /** Records that were looked at: the last of each partition. */
  readonly recordsLookedAt: number
  readonly partitionsLookedAt: number
  readonly partitions: number
  /** Of them, those with another value, that nothing more is to be said about. */
  readonly others: number
  /** Why not all of it could be looked at, in words. */
  readonly trouble?: string
}

export type MissReason =
  /** Its value is another. */
  | 'value-differs'
  /** One of the further pairs is another. */
  | 'other-pair-differs'
  | 'where-false'
  | 'where-failed'
  | 'expression-failed'
  /** The expression gives neither a text nor a whole number. */
  | 'no-value'
  /** It is not what the format of the topic says: a dead letter. */
  | 'unreadable'
  /** It came, and was not kept as long as that. */
  | 'too-early'
  | 'taken-by-another'
  | 'not-read-yet'
  /** It fits: it may be on its way. */
  | 'fits'

export interface NearMiss {
  readonly partition: number
  readonly offset: number
  /** RFC 3339; null: its producer gave it a time that is none. */
  readonly timestamp: string | null
  readonly reason: MissReason
  /** What the record has where a value is waited for. */
  readonly found?: string
  /** In a sentence: both values, the error of `where`, the instance that took it. */
  readonly message: string
  /** The instance that took it. */
  readonly takenBy?: string
}

export interface HandlerExplanation {
  readonly handler: string
  /** The worker that has it. */
  readonly worker: string
  /** lost: no worker has it now; its partition asks for it again. */
  readonly state: 'waiting' | 'granted' | 'running' | 'stopping' | 'lost'
  /** Of this attempt: it grows where a worker died or moved. */
  readonly run: number
  /** Others of this handler that wait for a slot before it. */
  readonly behind?: number
  readonly slotsBusy: number
  readonly slots: number
  /** How many of this handler may run at once, where it says so. */
  readonly concurrency?: number
  readonly heardAt?: string
  readonly progress?: Json
}

export interface ChildExplanation {
  readonly workflow: string
  readonly key: string
  /** Where it lives. */
  readonly partition: number
  /** Absent: it is not there, or lives in another worker. */
  readonly instanceId?: string
  readonly status?: InstanceStatus
  readonly incidents?: number
}

/** What became of a record. */
export interface RecordExplanation {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** In a sentence. */
  readonly summary: string
  /**
   * there: it is, and can be read. not-yet: nothing was written there so far. gone: retention has removed it, or it was
   * aborted, compacted away, or never was a record (a marker).
   */
  readonly state: 'there' | 'not-yet' | 'gone'
  /** RFC 3339; null: its producer gave it a time that is none. Absent: it is not there. */
  readonly timestamp?: string | null
  readonly key?: string | null
  readonly keyBase64?: string
  readonly valueBytes?: number
  /**
   * read: its partition has decided on it. behind: it has not come to it yet. before-the-first: reading began after it.
   * not-a-source: no workflow reads the topic. unknown: the partition that reads it runs in no worker that answers.
   */
  readonly reading: 'read' | 'behind' | 'before-the-first' | 'not-a-source' | 'unknown'
  /** Records before it that are not read yet, about. */
  readonly behind?: number
  /** The nearest topic that is read. */
  readonly suggestion?: string
  /** One for each start and for each listened-to value of each workflow that reads the topic. */
  readonly uses: readonly RecordUse[]
  /** Dead letters that it became. */
  readonly letters: readonly RecordLetter[]
}

export interface RecordLetter {
  /** Of the dead-letter topic. */
  readonly partition: number
  readonly offset: number
  readonly reason: string
  readonly message: string
  /** Those that could not use it; none: nobody could read it. */
  readonly workflows: readonly string[]
  readonly redriven: boolean
}

export interface RecordUse {
  readonly workflow: string
  /** start: a trigger of the current version. listen: the listeners of all versions, by the expression that routes. */
  readonly kind: 'start' | 'listen'
  /** The expression of the key, or the record's side of `correlate`; absent: the record's own key. */
  readonly expression?: string
  /** The business key, or the correlation value. */
  readonly value?: string
  /** The partition that decides, which this worker may or may not run. */
  readonly partition?: number
  readonly outcome: RecordOutcome
  /** Of the outcome, in a sentence. */
  readonly message: string
  /** Instances that it started, or that took it, or that it was left to. */
  readonly instances: readonly string[]
  /** Of the input, where it does not fit the schema. */
  readonly violations?: readonly { readonly pointer: string; readonly message: string }[]
}

/** elsewhere: another worker knows; it is asked. unknown: nobody knows any more; `message` says why. */
export type RecordOutcome =
  | 'started'
  | 'queued'
  | 'taken'
  | 'kept'
  | 'ignored'
  | 'not-wanted'
  | 'refused'
  | 'failed'
  | 'not-taken'
  | 'not-read'
  | 'elsewhere'
  | 'unknown'

/** Everything here is read; nothing is changed. Every method may throw Unavailable. */
export interface ExplainFace {
  /** undefined: there is no such instance. */
  instance(id: string): Promise<InstanceExplanation | undefined>
  /** undefined: there is no such topic or partition. */
  record(topic: string, partition: number, offset: number): Promise<RecordExplanation | undefined>
}
