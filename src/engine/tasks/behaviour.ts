// What a task type does when its turn has come: it completes at once, or opens work that something later ends.
import type { Task } from '../../definition/workflow.ts'
import type { Attempt } from '../attempt.ts'
import type { Outcome } from '../outcome.ts'

/**
 * Begins an attempt. Throws ExpressionError or AttemptFailed where the attempt fails; what it put into `out` by
 * then is discarded.
 */
export type Begin<Type extends Task['type']> = (at: Attempt<Extract<Task, { type: Type }>>, out: Outcome) => void
