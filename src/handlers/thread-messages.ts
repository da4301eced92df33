// What the worker and its handler threads tell each other. A thread has one task at a time; `call` counts them, so that
// what comes late of the task before is not taken for the next one's.
import type { Json } from '../base/json.ts'
import type { RetryHints } from '../base/thrown.ts'
import type { HandlerTaskInput } from './contract.ts'

/** What a handler is given, as far as it is data. */
export type TaskData = Omit<HandlerTaskInput, 'signal' | 'logger' | 'heartbeat'>

/** Which function of the module. */
export type Part = 'run' | 'stop'

export type ToThread =
  /** `href`: the module's file, as the registry found it. */
  | { readonly type: Part; readonly call: number; readonly href: string; readonly task: TaskData }
  /** The task's signal. */
  | { readonly type: 'abort'; readonly call: number; readonly reason: string }
  /** The signal of its `stop`. */
  | { readonly type: 'time-up'; readonly call: number }

export type FromThread = { readonly call: number } & (
  | { readonly type: 'returned'; readonly part: Part; readonly text: string | undefined }
  | {
      readonly type: 'threw'
      readonly part: Part
      readonly message: string
      readonly hints: RetryHints
    }
  | {
      readonly type: 'log'
      readonly level: 'debug' | 'info' | 'warn' | 'error'
      /** JSON. */
      readonly fields: string
      readonly message: string
    }
  | { readonly type: 'heartbeat'; readonly progress: Json }
)
