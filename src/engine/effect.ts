// What the world is told once the batch is committed (effects), and what goes into the batch's transaction beside
// the state (outgoing). Data only: performing them is the runtime's.
import type { TraceContext } from '../base/tracing.ts'
import type { Travelling } from './command.ts'
import type { Payload } from './payload.ts'
import type { SourceRecord } from './message.ts'

export type Effect =
  | HandlerRequest
  | HandlerRun
  /** The attempt is over for the engine: abort what still runs. */
  | {
      readonly type: 'handler.abort'
      readonly instanceId: string
      readonly task: number
      readonly attempt: number
    }
  | HandlerStop
  | { readonly type: 'call.answer'; readonly call: number; readonly answer: CallAnswer }
  /** An operator should know, and nobody else would be told. */
  | { readonly type: 'alarm'; readonly message: string }

/** Give this task a slot, and tell with `task.execute`. */
export interface HandlerRequest extends Performer {
  readonly type: 'handler.request'
  readonly instanceId: string
  readonly task: number
  readonly attempt: number
}

/** Who does the work of a task that takes slots. */
export interface Performer {
  /** module: one of the handler directory. */
  readonly kind: 'module' | 'http'
  /** The module's name; of the others their kind. */
  readonly handler: string
  readonly execution: 'main' | 'thread'
}

/** An attempt as its handler is told of it. */
export interface HandlerWork extends Performer {
  readonly instanceId: string
  readonly task: number
  readonly attempt: number
  readonly name: string
  readonly key: string
  readonly workflow: string
  readonly version: string
  readonly idempotencyKey: string
  readonly input: Payload
  /** Secrets in `input` are named, and are put in where it is used (secrets.ts). */
  readonly isSealed: boolean
  readonly trace?: TraceContext | undefined
}

export interface HandlerRun extends HandlerWork {
  readonly type: 'handler.run'
}

/** The task was stopped: its handler may clean up, this long, and tells when it has (`task.stop-ended`). */
export interface HandlerStop extends HandlerWork {
  readonly type: 'handler.stop'
  readonly stopTimeoutMs: number
}

export type CallAnswer = StartAnswer | ActionAnswer

export type ActionAnswer =
  | { readonly outcome: 'done' }
  | { readonly outcome: 'refused'; readonly code: ActionRefusalCode; readonly message: string }

export type ActionRefusalCode =
  | 'instance-not-found'
  | 'not-now'
  | 'task-not-found'
  | 'task-unclear'
  | 'input-not-taken'
  | 'signals-full'
  | 'payload-too-large'
  | 'expression'

export type StartAnswer =
  | { readonly outcome: 'started' | 'repeated' | 'ignored'; readonly instanceId: string; readonly key: string }
  /** It waits for the instance of its key to end, at this place, from 1. */
  | { readonly outcome: 'queued'; readonly key: string; readonly place: number }
  | {
      readonly outcome: 'rejected'
      readonly code:
        | 'workflow-not-found'
        | 'input-invalid'
        | 'already-running'
        | 'already-closed'
        | 'start-dropped'
        | 'expression'
        | 'payload-too-large'
        | 'key-invalid'
      readonly message: string
      readonly violations?: readonly { readonly pointer: string; readonly message: string }[]
    }

export type Outgoing =
  /** A record of a kafka-command; where the log refuses it, the task is failed instead. */
  | {
      readonly type: 'command'
      readonly instanceId: string
      readonly task: number
      readonly attempt: number
      readonly topic: string
      readonly partition: number | undefined
      readonly key: Uint8Array | null
      readonly value: Uint8Array | null
      readonly headers: readonly { readonly key: string; readonly value: Uint8Array }[]
    }
  /** To another partition's inbox. */
  | { readonly type: 'inbox'; readonly partition: number; readonly command: Travelling }
  | DeadLetter

/** A record that could not be used, with the reason. */
export interface DeadLetter {
  readonly type: 'dead-letter'
  readonly record: SourceRecord
  readonly code: string
  readonly message: string
  /** Those that could not use it; none: it is of no use to anybody. */
  readonly workflows: readonly string[]
}
