// What a handler module is, for its author. `import type { Handler } from 'dagger-worker'`.
import type { Json } from '../base/json.ts'
import type { Logger } from '../base/logger.ts'

/** What a handler is given. */
export interface HandlerTaskInput<Input = Json> {
  /** The task's `with`, evaluated. */
  readonly input: Input
  readonly instance: { readonly id: string; readonly key: string; readonly workflow: string; readonly version: string }
  /** The task's name. */
  readonly name: string
  /** From 1. */
  readonly attempt: number
  /** The same for every attempt of this task of this instance; different for every other task. */
  readonly idempotencyKey: string
  /** The trace that the task is part of: W3C Trace Context, to be sent along with what the handler asks of others. */
  readonly traceparent?: string
  readonly tracestate?: string | undefined
  /** Aborted on timeout, on stop and when the worker loses the partition or shuts down. */
  readonly signal: AbortSignal
  readonly logger: Logger
  /** Tells that the handler is alive and how far it is. */
  heartbeat(progress?: Json): void
}

/**
 * Returning completes the task with the value as its output (`undefined` is null); throwing fails the attempt.
 * An error's `code` and `retryable: false` steer the retry, `retryAfterMs` its interval.
 */
export type Handler<Input = Json, Output = unknown> = (task: HandlerTaskInput<Input>) => Promise<Output> | Output

/**
 * Called when a running task is stopped, with what its handler was given and after that one's `signal` was aborted: undo
 * or call off what is under way. `signal` is aborted when the time for it (`stopTimeout`) is over. Where the worker died
 * meanwhile it is called again elsewhere, with no handler running beside it.
 */
export type HandlerStop<Input = Json> = (task: HandlerTaskInput<Input>, signal: AbortSignal) => Promise<void> | void

/** What is wrong with a value: a JSON pointer into it, and a few words. */
export interface Violation {
  readonly pointer: string
  readonly message: string
}

/** A JSON Schema, compiled. */
export interface ValueSchema {
  readonly schema: Json
  /** Every violation; empty when the value is fine. */
  validate(value: Json): readonly Violation[]
}

/** Where a handler runs: beside the engine, or in a thread of its own. */
export type Execution = 'main' | 'thread'

/** A handler module as the registry found it. */
export interface HandlerModule {
  readonly name: string
  readonly run: Handler
  readonly stop?: HandlerStop
  /** Of `with`, where the module exports one. */
  readonly input?: ValueSchema
  readonly output?: ValueSchema
  /** How many of this type run at once in one worker; absent: only the worker's limit. */
  readonly concurrency?: number
}

/** The handlers there are, found at start; data never reaches `import()`. */
export interface HandlerSource {
  find(name: string, execution?: Execution): HandlerModule | undefined
  readonly names: readonly string[]
}
