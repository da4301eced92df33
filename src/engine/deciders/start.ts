// A start, by a record, a call, a schedule, or the task of a parent: does it begin an instance?
//
//   the key has no instance      begins
//   its instance runs            onRunning: ignore | reject | queue (behind those that wait) | replace (it is stopped)
//   its instance has ended       onClosed: start | start-if-failed (or was stopped) | ignore, as long as it is kept
//
// I1. One start, one instance: `keys` says which instance a (workflow, key) has, on the key's own partition, so
//     every way to start obeys both. What a parent asks for is never ignored: its task fails instead. What a schedule asks
//     for is, where its key is known: a due time starts once.
import { limits } from '../../base/limits.ts'
import type { Workflow } from '../../definition/workflow.ts'
import type { InstanceStart } from '../command.ts'
import type { StartAnswer } from '../effect.ts'
import { accept, type Decider } from '../outcome.ts'
import { keyId, type AnswerRow, type KeyRow, type State } from '../state.ts'
import { begin, prepare } from './beginning.ts'
import { expectWorkflow, hasEnded } from './instance.ts'
import { enqueue, placeOfCall } from './queue.ts'
import { tellSchedule } from './schedule.ts'
import { answer, answerIdOf, refuse, remember, type StartRefusal } from './start-answer.ts'

type NotStarted = 'already-running' | 'already-closed'

type Admission =
  | { readonly kind: 'begins' }
  | { readonly kind: 'waits'; readonly behind: KeyRow; readonly isReplacing: boolean }
  | { readonly kind: 'ignored'; readonly reason: NotStarted; readonly instanceId: string }
  | { readonly kind: 'refused'; readonly refusal: StartRefusal }

export const startInstance: Decider<'instance.start'> = (command, state, world) => {
  const out = accept()
  const workflow = expectWorkflow(world, command.version)
  const { origin, key } = command
  const answerId = answerIdOf(command)
  const first = answerId === undefined ? undefined : state.answers.find(answerId)
  if (first !== undefined) return answer(command, repeated(command, first, state), out)
  const admission = admit(command, workflow, state)
  if (admission.kind === 'refused') return refuse(command, admission.refusal, state, world, out)
  if (admission.kind === 'ignored') {
    const { instanceId, reason } = admission
    out.event({ type: 'instance.not-started', reason })
    remember(command, { outcome: 'ignored', instanceId, key }, state, world, out)
    if (origin.kind === 'schedule') tellSchedule(workflow, origin.due, world, out)
    return answer(command, { outcome: 'ignored', instanceId, key }, out)
  }
  const beginning = prepare(command, workflow, state, world)
  if ('code' in beginning) return refuse(command, beginning, state, world, out)
  if (admission.kind === 'waits') return enqueue(command, admission, state, world, out)
  return begin(command, beginning, state, world, out)
}

/** I1 */
function admit({ origin, key }: InstanceStart, workflow: Workflow, state: State): Admission {
  const row = state.keys.find(keyId(workflow.name, key))
  if (row === undefined) return { kind: 'begins' }
  const { instanceId, queue } = row
  const instance = state.instances.expect(instanceId)
  const isOpen = !hasEnded(instance)
  const reason = isOpen ? 'already-running' : 'already-closed'
  if (origin.kind === 'schedule') return { kind: 'ignored', reason, instanceId }
  const refused = (more = ''): Admission => {
    const message = `an instance of ${workflow.name} with the key '${key}' ${isOpen ? 'is running' : 'has ended'}: ${instanceId}${more}`
    return { kind: 'refused', refusal: { code: reason, message } }
  }
  const ignored = (): Admission => (origin.kind === 'parent' ? refused() : { kind: 'ignored', reason, instanceId })
  if (!isOpen) {
    const isWanted =
      workflow.onClosed === 'start' || (workflow.onClosed === 'start-if-failed' && instance.status !== 'COMPLETED')
    return isWanted ? { kind: 'begins' } : ignored()
  }
  switch (workflow.onRunning) {
    case 'ignore':
      return ignored()
    case 'reject':
      return refused()
    case 'queue':
      return queue.length < limits.queuedStartsMax
        ? { kind: 'waits', behind: row, isReplacing: false }
        : refused(`, and ${queue.length} starts wait for it to end`)
    case 'replace':
      return { kind: 'waits', behind: row, isReplacing: true }
  }
}

/** The same call again: what became of it. */
function repeated(command: InstanceStart, first: AnswerRow, state: State): StartAnswer {
  const { instanceId, key } = first
  switch (first.outcome) {
    case 'started':
    case 'ignored':
      return { outcome: 'repeated', instanceId, key }
    case 'queued':
      return { outcome: 'queued', key, place: placeOfCall(command, key, state) }
    case 'dropped': {
      const message = 'the start had been queued, and another took its place or its workflow refused it in the end'
      return { outcome: 'rejected', code: 'start-dropped', message }
    }
  }
}
