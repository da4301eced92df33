// decision: the first true case wins; edges to what it names and does not choose are dead.
import { Payload } from '../payload.ts'
import { AttemptFailed, completeAttempt } from '../attempt.ts'
import { rootsFor } from '../roots.ts'
import type { Begin } from './behaviour.ts'

export const beginDecision: Begin<'decision'> = (at, out) => {
  const { instance, task, world, workflow } = at
  for (const { when, next } of task.cases) {
    const holds = when.evaluate(rootsFor(when.uses, workflow, instance, world.nowMs))
    if (typeof holds !== 'boolean') {
      throw new AttemptFailed(
        'expression',
        `when: ${when.source} must give true or false, found ${JSON.stringify(holds)}`,
      )
    }
    if (holds) {
      completeAttempt(at, Payload.of([...next]), out, { chosen: next })
      return
    }
  }
  if (task.default === undefined) {
    throw new AttemptFailed('no-case', 'no case was true and there is no default')
  }
  completeAttempt(at, Payload.of([...task.default]), out, { chosen: task.default })
}
