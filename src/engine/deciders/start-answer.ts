// What becomes of a start that begins nothing, and what whoever asked for it hears: a caller is answered, a record goes to
// the dead-letter topic, a parent's task fails, a schedule goes on. A call with an Idempotency-Key is remembered.
import { limits } from '../../base/limits.ts'
import type { InstanceStart } from '../command.ts'
import type { StartAnswer } from '../effect.ts'
import type { Outcome } from '../outcome.ts'
import { keyId, timerKey, type AnswerRow, type State, type TimerTarget } from '../state.ts'
import type { World } from '../world.ts'
import { expectWorkflow } from './instance.ts'
import { tellParent } from './parent.ts'
import { tellSchedule } from './schedule.ts'

type Rejected = Extract<StartAnswer, { outcome: 'rejected' }>
/** Why a start cannot be. */
export type StartRefusal = Pick<Rejected, 'code' | 'message' | 'violations'>

/** The id of what is remembered for a call; undefined: it has no Idempotency-Key. */
export function answerIdOf({ origin, workflow }: InstanceStart): string | undefined {
  return origin.kind === 'api' && origin.idempotencyKey !== undefined
    ? keyId(workflow, origin.idempotencyKey)
    : undefined
}

/** A start that was queued has had its answer. */
export function answer({ origin }: InstanceStart, answer: StartAnswer, out: Outcome): Outcome {
  return origin.kind === 'api' && origin.call !== undefined
    ? out.effect({ type: 'call.answer', call: origin.call, answer })
    : out
}

/** For the same call again. Of one that was queued, what is remembered changes, while it is. */
export function remember(command: InstanceStart, row: AnswerRow, state: State, world: World, out: Outcome): void {
  const id = answerIdOf(command)
  if (id === undefined) return
  if (state.answers.find(id) === undefined) {
    if (command.origin.kind === 'api' && command.origin.call === undefined) return
    const dueAtMs = world.nowMs + limits.idempotencyKeptMs
    const target: TimerTarget = { kind: 'forget-answer', answer: id }
    out.event({ type: 'timer.armed', key: timerKey(dueAtMs, target), row: { dueAtMs, target } })
  }
  out.event({ type: 'answer.remembered', answer: id, row })
}

/** It cannot be: whoever asked is told why. */
export function refuse(
  command: InstanceStart,
  { code, message, violations }: StartRefusal,
  state: State,
  world: World,
  out: Outcome,
): Outcome {
  out.event({ type: 'instance.not-started', reason: code })
  const { origin, key, workflow } = command
  switch (origin.kind) {
    case 'parent': {
      const error = { code: 'start-refused', message: `${code}: ${message}` }
      tellParent(origin.parent, { outcome: 'failed', error }, world, out)
      return out
    }
    case 'api':
      if (origin.call === undefined) remember(command, { outcome: 'dropped', instanceId: '', key }, state, world, out)
      return answer(command, { outcome: 'rejected', code, message, ...(violations && { violations }) }, out)
    case 'schedule':
      tellSchedule(expectWorkflow(world, command.version), origin.due, world, out)
      return out.effect({ type: 'alarm', message: `the schedule of ${workflow} could not start ${key}: ${message}` })
    case 'record':
      return out
        .event({ type: 'record.dead-lettered', code })
        .produce({ type: 'dead-letter', record: origin.record, code, message, workflows: [workflow] })
  }
}
