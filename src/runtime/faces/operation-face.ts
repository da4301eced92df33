// One action on many instances, as it is told of.
import type { Action, InstanceFilter } from './instance-face.ts'

export interface OperationView {
  readonly id: string
  readonly action: Action['kind']
  readonly filter: Omit<InstanceFilter, 'limit' | 'cursor'>
  readonly by: string
  readonly isDryRun: boolean
  /** The one that carries it out. */
  readonly worker: string
  readonly status: 'counting' | 'running' | 'cancelling' | 'completed' | 'cancelled' | 'failed'
  readonly startedAt: string
  readonly endedAt?: string
  readonly counts: {
    readonly matched: number
    readonly done: number
    /** By the instance: it is not in a state for that. */
    readonly refused: number
    /** It could not be asked, or it is not known whether it was done. */
    readonly failed: number
    /** By the operation of this id that was lost with its worker. */
    readonly doneBefore: number
    readonly left: number
  }
  /** More matched than the limit. */
  readonly hasMore: boolean
  /** How many were refused or failed, by code. */
  readonly codes: { readonly [code: string]: number }
  /** The first of them. */
  readonly refusals: readonly { readonly instanceId: string; readonly code: string; readonly message: string }[]
  /** Why it failed as a whole. */
  readonly error?: { readonly code: string; readonly message: string }
}
