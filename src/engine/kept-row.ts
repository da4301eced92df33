// Records that came before their listener, as the state keeps them.
import type { SourceRecord } from './message.ts'
import type { OnExpired } from './waiter.ts'

export interface KeptMark {
  readonly number: number
  readonly arrivedAtMs: number
  readonly bytes: number
}

export interface KeptRow {
  readonly number: number
  /** Its channel: the id in `channels`. */
  readonly channel: string
  readonly record: SourceRecord
  readonly arrivedAtMs: number
  readonly expiresAtMs: number
  /** Its row in `timers`. */
  readonly timer: string
  readonly bytes: number
  readonly onExpired: OnExpired
}

export interface KeptTotalsRow {
  /** The number of the next one. */
  next: number
  /** No kept record has a smaller number. */
  oldest: number
  count: number
  bytes: number
}
