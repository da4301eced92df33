// decision: the first true case wins, or every true one; edges to what it names and does not choose are dead.
import { Payload } from '../payload.ts'
import { AttemptFailed, completeAttempt, isTrue } from '../attempt.ts'
import type { Begin } from './behaviour.ts'

export const beginDecision: Begin<'decision'> = (at, out) => {
  const { task } = at
  const chosen = new Set<string>()
  let isAnyTrue = false
  for (const { when, next } of task.cases) {
    if (!isTrue(at, when, 'when')) continue
    isAnyTrue = true
    for (const name of next) chosen.add(name)
    if (task.mode === 'first') break
  }
  if (!isAnyTrue && task.default === undefined) {
    throw new AttemptFailed('no-case', 'no case was true and there is no default')
  }
  const names = isAnyTrue ? [...chosen] : [...(task.default ?? [])]
  completeAttempt(at, Payload.of(names), out, { chosen: names })
}
