// What a checked workflow is: read-only, compiled, shared by all its instances.
// parse.ts builds it, check.ts vouches for it, the engine reads it and never changes it.
//
// Order of the tasks: `Workflow.tasks` lists every task, those of inner scopes included, in the order of the file;
// `index` is the place in that list. Names are unique in a workflow.
import type { Expression, Template } from './expression.ts'
import type { InputSchema } from './schema.ts'

export interface Workflow {
  readonly name: string
  /** Content address: the name, '@' and the first 8 hex digits of a SHA-256 of `source`: "order@3f9c2a1b". */
  readonly version: string
  /** The file's `version:`, a label for people. */
  readonly label?: string
  readonly description?: string
  /** Validates what starts an instance; absent: anything goes. */
  readonly input?: InputSchema
  readonly onRunning: 'ignore' | 'reject'
  readonly start: readonly StartTrigger[]
  /** First values of `vars`; the roots at hand are `input` and `instance`. */
  readonly vars: ReadonlyMap<string, Template>
  readonly tasks: readonly Task[]
  readonly taskNamed: ReadonlyMap<string, Task>
  /** The tasks of the root scope. */
  readonly root: Scope
  /** The instance's output, evaluated when its root scope is complete. */
  readonly output?: Template
  /** How long a finished instance is kept; 0 deletes it on completion. */
  readonly retentionMs: number
  /** The document as canonical JSON: what travels through the log, and what the version is the address of. */
  readonly source: string
}

/** A record of `topic` starts an instance. */
export interface StartTrigger {
  readonly index: number
  readonly topic: string
  readonly from: 'latest' | 'earliest'
  readonly when?: Expression
  /** The business key; absent: the record's own key, or its coordinates. */
  readonly key?: Template
  /** The instance's input; absent: the record's value. */
  readonly input?: Template
}

/** The tasks of the workflow itself (`owner` undefined) or of a process. */
export interface Scope {
  /** The name of the process; undefined for the root scope. */
  readonly owner: string | undefined
  readonly tasks: readonly Task[]
}

export interface RetryPolicy {
  /** 0 is no limit. */
  readonly maxAttempts: number
  readonly initialIntervalMs: number
  readonly backoffCoefficient: number
  readonly maxIntervalMs: number
  /** 0.2: the interval is stretched or shrunk by up to a fifth. */
  readonly jitter: number
  /** From the first attempt's start; absent: no bound. */
  readonly maxElapsedMs?: number
  readonly nonRetryable: readonly string[]
}

export type OnFailure = 'incident' | 'fail' | 'skip'

interface TaskBase {
  readonly name: string
  /** Place in `Workflow.tasks`. */
  readonly index: number
  readonly description?: string
  /** The process it lies in; undefined in the root scope. */
  readonly scope: string | undefined
  /** Tasks of the same scope whose outcome decides whether and when this one runs. */
  readonly dependsOn: readonly string[]
  /** The reverse: whose turn may come when this one is settled. */
  readonly dependents: readonly string[]
  /** False: the task is skipped, and leaves live edges. */
  readonly when?: Expression
  /** Written to `vars` after the task completed; `output` is a root, and `message` for a listener. */
  readonly set?: ReadonlyMap<string, Template>
  readonly retry: RetryPolicy
  /** Bounds one attempt (of a listener: its wait). */
  readonly timeoutMs?: number
  readonly onFailure: OnFailure
}

export interface KafkaCommandTask extends TaskBase {
  readonly type: 'kafka-command'
  readonly topic: Template
  /** Absent: `instance.key`. */
  readonly key?: Template
  readonly value: Template
  readonly headers?: ReadonlyMap<string, Template>
  readonly partition?: Template
}

/** One pair of `correlate`: the record's side sees only `message`; the instance's side everything but `message`. */
export interface CorrelationPair {
  readonly message: Expression
  readonly instance: Expression
}

export interface KafkaListenerTask extends TaskBase {
  readonly type: 'kafka-listener'
  readonly topic: string
  readonly from: 'latest' | 'earliest'
  /** The first pair routes; the others are compared on the value's partition. Never empty. */
  readonly correlate: readonly CorrelationPair[]
  /** Filters; sees only `message`. */
  readonly where?: Expression
  /** How long a record that comes before its listener waits for it. */
  readonly keepMs: number
}

export interface ProcessTask extends TaskBase {
  readonly type: 'process'
  readonly inner: Scope
}

export interface DecisionTask extends TaskBase {
  readonly type: 'decision'
  readonly cases: readonly { readonly when: Expression; readonly next: readonly string[] }[]
  /** Absent: with no true case the task fails with `no-case`. */
  readonly default?: readonly string[]
  /** Every task that a case or the default names: their edges are dead unless chosen. */
  readonly named: ReadonlySet<string>
}

/** Writes `vars`: all it does is `set`. */
export interface SetTask extends TaskBase {
  readonly type: 'set'
}

/** Waits for a time or for a delay: exactly one of the two is given. */
export interface TriggerTask extends TaskBase {
  readonly type: 'trigger'
  /** Gives an RFC 3339 text or a CEL timestamp. */
  readonly at?: Template
  /** Gives a duration text. */
  readonly delay?: Template
}

/** Any other type: a module of the handler directory, by name. */
export interface HandlerTask extends TaskBase {
  readonly type: 'handler'
  readonly handler: string
  /** The handler's input; absent: null. */
  readonly with?: Template
}

export type Task =
  | KafkaCommandTask
  | KafkaListenerTask
  | ProcessTask
  | DecisionTask
  | SetTask
  | TriggerTask
  | HandlerTask
export type TaskType = Task['type']
