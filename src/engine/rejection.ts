// Why a command was refused. A value, counted and never thrown: duplicates and stale attempts end here.
export type RejectionCode =
  | 'instance-not-found'
  | 'instance-closed'
  | 'instance-has-incident'
  | 'task-not-open'
  | 'attempt-superseded'
  | 'timer-superseded'
  | 'not-waiting'
  | 'nothing-kept'
  | 'nothing-queued'

export interface Rejection {
  readonly rejected: RejectionCode
}

export const reject = (rejected: RejectionCode): Rejection => ({ rejected })
