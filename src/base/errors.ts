// Errors come in four families, told apart by who acts next (see src/README.md):
//   1. DefinitionError / ConfigError   the author or operator acts: all problems at once, each with its place
//   2. Rejection                       the caller acts: a value (engine/rejection.ts), never thrown
//   3. TaskFailure                     the retry policy acts
//   4. Fault                           the runtime acts; the class names the cure
// Tests assert codes, not messages.

/** Where a problem is in a text: file name as the user gave it; line and column count from 1. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** One thing that is wrong with what a person wrote. */
export interface Problem {
  /** Stable, for tools and tests: "DW_UNKNOWN_TASK". */
  readonly code: string
  /** One sentence: what is wrong, what was expected, what to do. */
  readonly message: string
  readonly place?: Place
  /** Path in the document, as in "tasks[2].dependsOn[0]". */
  readonly path?: string
  /** The nearest valid name, where there is one. */
  readonly suggestion?: string
  /** The lines around the place with a caret under it. */
  readonly frame?: string
}

/** Workflow files that cannot be used: the author acts. Carries every problem of every file. */
export class DefinitionError extends Error {
  override readonly name = 'DefinitionError'
  readonly code = 'DW_DEFINITION'
  readonly problems: readonly Problem[]
  constructor(problems: readonly Problem[]) {
    super(problems.map((problem) => problem.message).join('\n'))
    this.problems = problems
  }
}

/** Flags, environment, configuration file or surroundings that cannot be used: the operator acts. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  /** "DW_CONFIG", or the narrower "DW_PORT_IN_USE", "DW_DATA_IN_USE", … */
  readonly code: string
  readonly problems: readonly Problem[]
  constructor(problems: readonly Problem[]) {
    super(problems.map((problem) => problem.message).join('\n'))
    this.code = problems[0]?.code ?? 'DW_CONFIG'
    this.problems = problems
  }
}

/** What ended an attempt of a task. Plain data: it is kept in the state. */
export interface TaskError {
  /** "timeout", "expression", "produce-rejected", "handler", "payload-too-large", … or a handler's own. */
  readonly code: string
  readonly message: string
}

/** Thrown by a handler: this attempt failed, and another one no earlier than `afterMs` makes sense. */
export class RetryableFailure extends Error {
  override readonly name = 'RetryableFailure'
  readonly retryable = true
  readonly code: string
  readonly retryAfterMs: number | undefined
  constructor(message: string, options: { code?: string; afterMs?: number } = {}) {
    super(message)
    this.code = options.code ?? 'handler'
    this.retryAfterMs = options.afterMs
  }
}

/** Thrown by a handler: no further attempt makes sense. */
export class TerminalFailure extends Error {
  override readonly name = 'TerminalFailure'
  readonly retryable = false
  readonly code: string
  constructor(message: string, options: { code?: string } = {}) {
    super(message)
    this.code = options.code ?? 'handler'
  }
}

/** Something around us failed and may work again: the runtime tries again with backoff. */
export class TransientFault extends Error {
  override readonly name = 'TransientFault'
  readonly kind = 'transient'
}

/** It is not known whether a transaction was committed: drop the overlays and the producer, initialise again, replay. */
export class OutcomeUnknown extends Error {
  override readonly name = 'OutcomeUnknown'
  readonly kind = 'outcome-unknown'
}

/** Another producer with our transactional id has taken over: let go, flush nothing. */
export class PartitionFenced extends Error {
  override readonly name = 'PartitionFenced'
  readonly kind = 'fenced'
}

/** The local store cannot be trusted: delete it and restore from the changelog. */
export class StoreCorrupted extends Error {
  override readonly name = 'StoreCorrupted'
  readonly kind = 'store-corrupted'
}

/** A log was replaced or truncated under us: refuse and keep the store, it may be the last copy. */
export class ChangelogReplaced extends Error {
  override readonly name = 'ChangelogReplaced'
  readonly kind = 'changelog-replaced'
  readonly code = 'DW_CHANGELOG_REPLACED'
}

/** The log refused one record for good (too large, unknown topic, …): abort, decide again with its task failing. */
export class RecordRefused extends Error {
  override readonly name = 'RecordRefused'
  readonly kind = 'record-refused'
  /** Index in the list handed to `transact`. */
  readonly index: number
  /** "unknown-topic", "record-too-large", "bad-partition", "not-authorised". */
  readonly reason: string
  constructor(index: number, reason: string, message: string) {
    super(message)
    this.index = index
    this.reason = reason
  }
}

/** A broken invariant: a bug of ours. The runtime isolates the record that tripped it. */
export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation'
  readonly kind = 'invariant'
}

/** Every fault the runtime knows a cure for. */
export type Fault =
  | TransientFault
  | OutcomeUnknown
  | PartitionFenced
  | StoreCorrupted
  | ChangelogReplaced
  | RecordRefused
  | InvariantViolation
