// I1 for those who start instances through the API: what they were answered is so, and asking again changes nothing.
import type { InstanceRow } from '../../../src/engine/state.ts'
import type { Life } from '../committed.ts'
import type { Call } from '../people.ts'
import { nameOf, type Evidence } from './finished.ts'

/** I1: whoever asks is answered in the end, by nothing that the face of a worker does not tell of. */
export function* callsAnswered({ calls }: Evidence): Generator<string> {
  for (const { act, answers, failures } of calls) {
    for (const failure of failures) yield `I1: ${describe(act)} was answered with ${failure}`
    if (answers.length === 0) yield `I1: ${describe(act)} was never answered`
  }
}

/** I1: an answer names an instance of that workflow and key, and the same one for the same Idempotency-Key. */
export function* answersAreTrue(run: Evidence): Generator<string> {
  const byId = new Map(run.instances.map((life) => [life.id, life]))
  const first = new Map<string, string>()
  for (const { act, answers } of run.calls) {
    for (const { answer } of answers) {
      if (answer.outcome === 'rejected' || answer.outcome === 'queued') continue
      yield* answerIsTrue(run, answer, act, byId.get(answer.instanceId))
      const id = JSON.stringify([act.workflow, act.key, act.idempotencyKey])
      const known = first.get(id) ?? answer.instanceId
      if (known !== answer.instanceId && areKeysRemembered(run))
        yield `I1: ${describe(act)} was answered with ${known} and with ${answer.instanceId}`
      first.set(id, known)
    }
  }
}

function* answerIsTrue(
  run: Evidence,
  answer: { readonly outcome: string; readonly instanceId: string },
  act: Call['act'],
  life: Life<InstanceRow> | undefined,
): Generator<string> {
  const isTraceless = [...run.workflows.values()].some(
    ({ name, retentionMs }) => name === act.workflow && retentionMs === 0,
  )
  if (life === undefined) {
    if (!isTraceless) yield `I1: ${describe(act)} was answered with ${answer.instanceId}, which never was`
    return
  }
  const { workflow, key, origin } = life.last
  if (workflow !== act.workflow || key !== act.key || (answer.outcome === 'started' && origin !== 'api'))
    yield `I1: ${describe(act)} was answered '${answer.outcome}' with ${nameOf(life.last)} from ${origin}`
}

/** I1: the API started no more than it was asked for. */
export function* callsStartOnce(run: Evidence): Generator<string> {
  if (!areKeysRemembered(run)) return
  const asked = new Map<string, Set<string>>()
  for (const { act } of run.calls) {
    const id = JSON.stringify([act.workflow, act.key])
    asked.set(id, (asked.get(id) ?? new Set()).add(act.idempotencyKey))
  }
  const started = new Map<string, number>()
  for (const { last } of run.instances) {
    if (last.origin !== 'api') continue
    const id = JSON.stringify([last.workflow, last.key])
    started.set(id, (started.get(id) ?? 0) + 1)
    if ((started.get(id) ?? 0) > (asked.get(id)?.size ?? 0)) yield `I1: nobody asked for ${nameOf(last)} by a call`
  }
}

/** An Idempotency-Key is forgotten after a day. */
const areKeysRemembered = ({ plan }: Evidence): boolean => !plan.strikes.some(({ what }) => what === 'day')

const describe = ({ workflow, key, idempotencyKey }: Call['act']): string =>
  `the start of ${workflow} '${key}' under ${idempotencyKey}`
