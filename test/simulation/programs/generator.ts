// How a task type is drawn.
import type { TaskDocument, Draft } from './draft.ts'

export interface TaskGenerator {
  /** How often, beside the others. */
  readonly weight: number
  /** True where it brings several tasks. */
  readonly isWide?: boolean
  /** The task, and behind it those that it needs to have there. */
  draw(draft: Draft, more: Surroundings): readonly TaskDocument[]
}

/** What a task that holds others draws them with (scope.ts). */
export interface Surroundings {
  /** What one generator gives. */
  tasks(): readonly TaskDocument[]
  /** A scope of its own: small where it is deep down. */
  scope(): readonly TaskDocument[]
}
