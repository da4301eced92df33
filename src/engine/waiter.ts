// Tasks of instances that wait for something of another partition, as that partition knows them; and what came before
// a task waited for it.
import type { Payload } from './payload.ts'

/** What becomes of a kept record that nobody came for. */
export type OnExpired = 'drop' | 'dead-letter'

export interface Waiter {
  readonly instanceId: string
  /** Where the instance lives. */
  readonly partition: number
  readonly version: string
  readonly task: number
  /** Grows with each subscription of the instance: an answer to an older one is sent back. */
  readonly number: number
  readonly sinceMs: number
  /** Values of the further pairs, in their order. */
  readonly others: readonly string[]
}

export interface Signal {
  readonly name: string
  readonly payload: Payload
}

/** A task of an instance that waits for a child. */
export interface Parent {
  readonly instanceId: string
  readonly task: number
  readonly attempt: number
}
