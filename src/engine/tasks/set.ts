// set: writes variables; completing a task does that for every type, so there is nothing else to do.
import { completeAttempt } from '../attempt.ts'
import type { Begin } from './behaviour.ts'

export const beginSet: Begin<'set'> = (at, out) => completeAttempt(at, undefined, out)
