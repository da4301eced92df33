// What a checked workflow is: read-only, compiled, shared by all its instances.
// parse.ts builds it, check.ts vouches for it, the engine reads it and never changes it.
//
// Order of the tasks: `Workflow.tasks` lists every task, those of inner scopes included, in the order of the file;
// `index` is the place in that list. Names are unique in a workflow. A branch of a `parallel` and the item of a `for-each`
// are tasks of their own, with a scope each: "both[0]" and "each[]", names that no file can give.
import type { Expression, Template } from './expression.ts'
import type { Schedule } from './schedule.ts'
import type { InputSchema } from './schema.ts'
import type { TopicFormat } from './topic-format.ts'
import type { KafkaListenerTask, Monitor, Scope, Task } from './task-types.ts'

export type * from './task-types.ts'

export interface Workflow {
  readonly name: string
  /** Content address: the name, '@' and the first 8 hex digits of a SHA-256 of `source`: "order@3f9c2a1b". */
  readonly version: string
  /** The file's `version:`, a label for people. */
  readonly label?: string
  readonly description?: string
  /** Validates what starts an instance; absent: anything goes. */
  readonly input?: InputSchema
  readonly onRunning: 'ignore' | 'reject' | 'replace' | 'queue'
  readonly onClosed: 'start' | 'start-if-failed' | 'ignore'
  readonly start: readonly RecordTrigger[]
  readonly schedules: readonly ScheduleTrigger[]
  /** How the bytes of topics are read and written, as far as it is declared. */
  readonly formats: ReadonlyMap<string, TopicFormat>
  /** First values of `vars`; the roots at hand are `input` and `instance`. */
  readonly vars: ReadonlyMap<string, Template>
  /** By what instances are found, by name. */
  readonly attributes: ReadonlyMap<string, Expression>
  readonly tasks: readonly Task[]
  readonly taskNamed: ReadonlyMap<string, Task>
  /** The tasks of the root scope. */
  readonly root: Scope
  /** Listeners with `skipAhead`. */
  readonly ahead: readonly KafkaListenerTask[]
  /** The instance's output, evaluated when its root scope is complete. */
  readonly output?: Template
  /** How long a finished instance is kept; 0 deletes it on completion. */
  readonly retentionMs: number
  /** How long handlers may take to clean up when the instance is stopped or unwound. */
  readonly stopTimeoutMs: number
  /** Whether its instances are told of in the updates' topic; absent: as the application has it. */
  readonly updates?: boolean
  /** Bounds the whole instance. */
  readonly maxDurationMs?: number
  readonly monitor?: Monitor
  /** The document as canonical JSON: what travels through the log, and what the version is the address of. */
  readonly source: string
}

/** A record of `topic` starts an instance. */
export interface RecordTrigger {
  /** Place in `Workflow.start`. */
  readonly index: number
  /** Place in the file's `start`. */
  readonly place: number
  readonly topic: string
  readonly from: 'latest' | 'earliest'
  readonly when?: Expression
  /** The business key; absent: the record's own key, or its coordinates. */
  readonly key?: Template
  /** The instance's input; absent: the record's value. */
  readonly input?: Template
}

/** At each of its times an instance starts, with the key `<workflow>@<time>`. */
export interface ScheduleTrigger {
  /** Place in the file's `start`. */
  readonly place: number
  /** Of its content, in hex: a schedule that was edited is another one. */
  readonly id: string
  readonly times: Schedule
  /** While the last one still runs. */
  readonly overlap: 'skip' | 'all' | 'latest'
  /** How far back to make up for times at which no worker was up. */
  readonly catchUpMs: number
  /** Absent: null. */
  readonly input?: Template
}
