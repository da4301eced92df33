// Starts that wait for the instance with their key to end: in a row each, in the order of their coming, which the row of
// the key lists. The instance that ends lets the first of them begin (queue.next).
// Q1. What waits for a key is bounded.   Q2. A start that waits has had its answer, and is not answered again.
import { assert } from '../../base/assert.ts'
import type { InstanceStart } from '../command.ts'
import { accept, type Decider, type Outcome } from '../outcome.ts'
import { reject } from '../rejection.ts'
import { keyId, queuedId, type KeyRow, type Parent, type State } from '../state.ts'
import type { World } from '../world.ts'
import { begin, prepare } from './beginning.ts'
import { expectWorkflow, hasEnded } from './instance.ts'
import { isSameParent, tellParent } from './parent.ts'
import { answer, refuse, remember } from './start-answer.ts'

/** It waits: behind the others, or in their place, while the instance that runs is stopped. */
export function enqueue(
  command: InstanceStart,
  { behind, isReplacing }: { readonly behind: KeyRow; readonly isReplacing: boolean },
  state: State,
  world: World,
  out: Outcome,
): Outcome {
  const { workflow, key } = command
  const id = keyId(workflow, key)
  if (isReplacing) for (const number of behind.queue) drop(id, number, state, world, out)
  const number = (behind.queue.at(-1) ?? -1) + 1
  const place = isReplacing ? 1 : behind.queue.length + 1
  remember(command, { outcome: 'queued', instanceId: '', key }, state, world, out)
  answer(command, { outcome: 'queued', key, place }, out)
  out.event({ type: 'start.queued', key: id, number, start: answered(command) }) // Q2
  if (isReplacing) out.follow({ type: 'instance.stop', instanceId: behind.instanceId, reason: 'replaced' })
  return out
}

/** Q2 */
function answered(command: InstanceStart): InstanceStart {
  const { origin } = command
  return origin.kind === 'api' ? { ...command, origin: { ...origin, call: undefined } } : command
}

/** The instance of the key has ended: the first start that can begin does. */
export const startNext: Decider<'queue.next'> = ({ workflow, key }, state, world) => {
  const id = keyId(workflow, key)
  const row = state.keys.find(id)
  if (row === undefined || row.queue.length === 0 || !hasEnded(state.instances.expect(row.instanceId)))
    return reject('nothing-queued')
  const out = accept()
  for (const number of row.queue) {
    const { start } = state.queued.expect(queuedId(id, number))
    out.event({ type: 'start.dequeued', key: id, number, reason: 'its-turn' })
    const beginning = prepare(start, expectWorkflow(world, start.version), state, world)
    if (!('code' in beginning)) return begin(start, beginning, state, world, out)
    refuse(start, beginning, state, world, out)
  }
  return out
}

/** Which place a call has that waits, from 1. */
export function placeOfCall(command: InstanceStart, key: string, state: State): number {
  const id = keyId(command.workflow, key)
  const { origin } = command
  const queue = state.keys.expect(id).queue
  const index = queue.findIndex((number) => {
    const waiting = state.queued.expect(queuedId(id, number)).start.origin
    return origin.kind === 'api' && waiting.kind === 'api' && waiting.idempotencyKey === origin.idempotencyKey
  })
  assert(index !== -1, 'Q2: a call that is remembered as queued waits')
  return index + 1
}

/** Its parent does not wait for it any more. undefined: no start of this parent waits for the key. */
export function dropChild(id: string, parent: Parent, state: State): Outcome | undefined {
  const number = state.keys.find(id)?.queue.find((each) => {
    const { origin } = state.queued.expect(queuedId(id, each)).start
    return origin.kind === 'parent' && isSameParent(origin.parent, parent)
  })
  return number === undefined
    ? undefined
    : accept().event({ type: 'start.dequeued', key: id, number, reason: 'not-wanted' })
}

/** Another one takes its place. */
function drop(id: string, number: number, state: State, world: World, out: Outcome): void {
  const { start } = state.queued.expect(queuedId(id, number))
  out.event({ type: 'start.dequeued', key: id, number, reason: 'replaced' })
  remember(start, { outcome: 'dropped', instanceId: '', key: start.key }, state, world, out)
  if (start.origin.kind !== 'parent') return
  const error = { code: 'start-refused', message: 'another start took its place' }
  tellParent(start.origin.parent, { outcome: 'failed', error }, world, out)
}
