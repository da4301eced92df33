// What a task of a checked workflow is, by its type. workflow.ts says how they lie in it.
import type { Expression, Template } from './expression.ts'

/** The tasks of the workflow itself (`owner` undefined), or of a process, a branch, an item or an interval. */
export interface Scope {
  /** The name of the task that owns it; undefined for the root scope. */
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

/** What becomes of a task that failed for good: the first rule that fits decides, and the last one always does. */
export interface FailureRule {
  /** Absent: any code. */
  readonly codes?: readonly string[]
  readonly when?: Expression
  /** Written to `vars` when it is chosen; `error` is a root. */
  readonly set?: ReadonlyMap<string, Template>
  readonly action: 'incident' | 'fail' | 'skip' | { readonly next: readonly string[] }
}

/** Runs a task once if the deadline passes. */
export interface Monitor {
  /** Gives a duration or an RFC 3339 time. */
  readonly completeBy: Template
  readonly task: Task
}

interface TaskBase {
  readonly name: string
  /** Place in `Workflow.tasks`. */
  readonly index: number
  readonly description?: string
  /** The task whose scope it lies in; undefined in the root scope. */
  readonly scope: string | undefined
  /** The item of the `for-each` around it, by `Task.index`; undefined where there is none. */
  readonly item: number | undefined
  /** Runs beside its scope, when it is called for: a monitor's `then`, or what compensates a task. */
  readonly aside?: 'monitor' | 'compensation'
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
  readonly onFailure: readonly FailureRule[]
  /** Every task that a rule's `next` names: its edge is live only if that rule was chosen. */
  readonly rescue: ReadonlySet<string>
  /** Bounds the task with all its attempts. */
  readonly maxDurationMs?: number
  readonly onMaxDuration: 'fail' | 'skip'
  readonly monitor?: Monitor
  /** Undoes this one when the instance is unwound. */
  readonly compensate?: Task
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
  readonly match: 'one' | 'all'
  /** What becomes of a kept record that nobody came for. */
  readonly onExpired: 'drop' | 'dead-letter'
  /** Keeps listening until this is true. */
  readonly until?: Expression
  /** Subscribes when its instance (or item) starts. */
  readonly skipAhead: boolean
}

export interface ProcessTask extends TaskBase {
  readonly type: 'process'
  readonly inner: Scope
}

/** How the children of a `parallel` or `for-each` decide about it: a number is of successes. */
export type Join = 'all' | 'first' | 'any' | number

export interface ParallelTask extends TaskBase {
  readonly type: 'parallel'
  readonly branches: readonly BranchTask[]
  readonly join: Join
}

/** One list of tasks of a `parallel`. */
export interface BranchTask extends TaskBase {
  readonly type: 'branch'
  readonly inner: Scope
}

export interface ForEachTask extends TaskBase {
  readonly type: 'for-each'
  /** Gives a list. */
  readonly items: Template
  readonly each: ItemTask
  readonly concurrency: number
  readonly join: Join
  readonly onItemFailure: 'fail' | 'continue'
}

/** What runs for each item of a `for-each`. */
export interface ItemTask extends TaskBase {
  readonly type: 'item'
  readonly inner: Scope
  /** `Task.index` of the last task that lies in it: from `index` to here is all that an item has. */
  readonly last: number
  /** Absent: the output of its last task. */
  readonly output?: Template
}

/** Starts another workflow as a child. */
export interface WorkflowTask extends TaskBase {
  readonly type: 'workflow'
  readonly workflow: Template
  /** Absent: this instance's id and the task's name. */
  readonly key?: Template
  /** Absent: null. */
  readonly input?: Template
  readonly wait: boolean
}

export interface IntervalTask extends TaskBase {
  readonly type: 'interval'
  readonly everyMs: number
  /** One task: what is run each time. */
  readonly inner: Scope
  readonly until: Expression
  readonly deadlineMs?: number
  readonly onDeadline: 'complete' | 'fail' | 'skip'
}

/** Waits for a signal sent by API or command line. */
export interface SignalTask extends TaskBase {
  readonly type: 'signal'
  readonly signal: string
}

export interface HttpTask extends TaskBase {
  readonly type: 'http'
  readonly url: Template
  readonly method: Template
  readonly headers?: ReadonlyMap<string, Template>
  readonly body?: Template
  /** Its request names secrets: what is kept of it is sealed (engine/secrets.ts). */
  readonly hasSecrets: boolean
}

/** Ends the instance: failed, with compensation. */
export interface FailTask extends TaskBase {
  readonly type: 'fail'
  readonly reason?: Template
  readonly code?: Template
}

/** Ends the instance: stopped, with no compensation. */
export interface StopTask extends TaskBase {
  readonly type: 'stop'
  readonly reason?: Template
}

export interface DecisionTask extends TaskBase {
  readonly type: 'decision'
  /** first: the first true case wins; all: every true case. */
  readonly mode: 'first' | 'all'
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
  /** thread: one that burns CPU. */
  readonly execution: 'main' | 'thread'
  /** The handler's input; absent: null. */
  readonly with?: Template
  /** `with` names secrets: what is kept of it is sealed (engine/secrets.ts). */
  readonly hasSecrets: boolean
}

export type Task =
  | KafkaCommandTask
  | KafkaListenerTask
  | ProcessTask
  | ParallelTask
  | BranchTask
  | ForEachTask
  | ItemTask
  | WorkflowTask
  | IntervalTask
  | DecisionTask
  | SetTask
  | TriggerTask
  | SignalTask
  | HttpTask
  | FailTask
  | StopTask
  | HandlerTask
export type TaskType = Task['type']
