// signal: waits until somebody sends it. What was sent before it waited is kept in the instance, and taken at once.
import type { Payload } from '../payload.ts'
import { armTaskTimer, completeAttempt, identity, type Attempt } from '../attempt.ts'
import type { Outcome } from '../outcome.ts'
import type { Begin } from './behaviour.ts'

export const beginSignal: Begin<'signal'> = (at, out) => {
  const { instance, task, world } = at
  const kept = instance.signals.find(({ name }) => name === task.signal)
  if (kept !== undefined) {
    out.event({ type: 'signal.taken', instanceId: instance.id, name: task.signal })
    return takeSignal(at, kept.payload, out)
  }
  const timer = task.timeoutMs === undefined ? undefined : armTaskTimer(at, world.nowMs + task.timeoutMs, out)
  out.event({ type: 'task.executing', ...identity(at), open: { kind: 'signal', name: task.signal, timer } })
}

/** The signal that it waited for. @throws {ExpressionError | AttemptFailed} `set` cannot be evaluated. */
export function takeSignal(at: Attempt, payload: Payload, out: Outcome): void {
  completeAttempt(at, payload, out, { note: 'signal' })
}
