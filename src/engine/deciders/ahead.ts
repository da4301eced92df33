// `skipAhead`: a listener is subscribed before its turn, and a record that comes early has the instance skip to it.
//
// A1. It is subscribed from the start of its instance until its turn comes, and then keeps its place in line. It is given
//     up where it is skipped, and where its scope or its instance ends; a scope that is tried again subscribes it anew.
// A2. A record that comes before its turn completes it. What it depends on, directly or not, the scopes around it included,
//     is stopped where it runs, and skipped with dead edges where it has not begun.
// A3. Its values may not be there yet: then it is subscribed once `vars` has them, or waits for its turn.
import type { Task, Workflow } from '../../definition/workflow.ts'
import { attemptOf, completeAttempt, skipAttempt, taskErrorOf } from '../attempt.ts'
import { attempt } from '../begin.ts'
import type { InstanceCorrelate } from '../command.ts'
import { isEntered } from '../entering.ts'
import { orFail } from '../failure.ts'
import { coordinates } from '../message.ts'
import { rowAt, taskAt } from '../nodes.ts'
import { accept, type Decider, type Outcome } from '../outcome.ts'
import { reject } from '../rejection.ts'
import type { Place } from '../roots.ts'
import type { Subscription } from '../state.ts'
import { isUnfinished, leaveAhead, stopAt } from '../stopping.ts'
import { isSame, nextSubscription, recordOf, subscribe } from '../tasks/kafka-listener.ts'
import type { World } from '../world.ts'
import { expectWorkflow, isUnderWay } from './instance.ts'

/** A1, A3 */
export const listenAhead: Decider<'instance.listen-ahead'> = ({ instanceId }, state, world) => {
  const instance = state.instances.find(instanceId)
  if (instance === undefined) return reject('instance-not-found')
  if (!isUnderWay(instance)) return reject('instance-closed')
  const workflow = expectWorkflow(world, instance.version)
  const out = accept()
  let number = instance.subscriptions
  for (const task of workflow.ahead) {
    const place = { state, instance, workflow, node: task.index }
    if (!mayHaveItsTurn(place, task)) continue
    const before = instance.ahead.find((each) => each.task === task.index)
    const at = { ...attemptOf(place, world, 0), task }
    let wanted: Subscription | undefined
    try {
      wanted = nextSubscription(at, number + 1)
    } catch (error) {
      taskErrorOf(error)
    }
    if (wanted !== undefined && before !== undefined && isSame(wanted, before)) continue
    leaveAhead(place, world, out)
    if (wanted === undefined) continue
    number = wanted.number
    out.event({ type: 'ahead.joined', instanceId, subscription: wanted })
    subscribe(at, wanted, world.nowMs, out)
  }
  return out
}

/** Neither it nor a scope around it has begun and ended, or waits to be tried again. */
function mayHaveItsTurn(place: Place, task: Task): boolean {
  const { instance, state, workflow } = place
  if (rowAt(state, instance, task.index) !== undefined) return false
  return ownersOf(task, workflow).every((owner) => {
    const row = rowAt(state, instance, owner.index)
    return row === undefined || isEntered(row)
  })
}

/**
 * A2, one step at a time, the outermost scope first; the command follows again until all of them are done. Undefined: the
 * listener does not wait ahead of its turn.
 */
export function takeAhead(command: InstanceCorrelate, place: Place, world: World): Outcome | undefined {
  const { instance, state, workflow, node } = place
  const subscription = instance.ahead.find(({ number, task }) => task === node && number === command.number)
  if (subscription === undefined || !isUnderWay(instance)) return undefined
  const task = taskAt(workflow, node)
  const next = ownersOf(task, workflow).find((owner) => !isEntered(rowAt(state, instance, owner.index))) ?? task
  if (rowAt(state, instance, next.index) !== undefined) return undefined
  const inTheWay = ancestorsOf(next, workflow).filter(({ index }) => isInTheWay({ ...place, node: index }))
  // First of all that follows: nothing of what is passed over begins meanwhile.
  const out = accept()
  if (inTheWay.length > 0) {
    out.follow(command)
    for (const each of inTheWay) passOver({ ...place, node: each.index }, each, task.name, world, out)
    return out
  }
  if (next !== task) {
    out.follow(command)
    return out.include(attempt(attemptOf({ ...place, node: next.index }, world, 1), { isForced: true }))
  }
  out.event({ type: 'ahead.left', instanceId: instance.id, task: node })
  const at = attemptOf(place, world, 1)
  const complete = (into: Outcome): void => {
    const { output, message } = recordOf(command.record, workflow)
    const note = `early ${command.arrivedAtMs < instance.startedAtMs ? 'kept ' : ''}record ${coordinates(command.record)}`
    completeAttempt(at, output, into, { extras: { message }, note })
  }
  return out.include(orFail(at, complete))
}

function isInTheWay({ instance, node, state }: Place): boolean {
  const row = rowAt(state, instance, node)
  return row === undefined || (isUnfinished(row) && row.open?.kind !== 'stopping')
}

function passOver(place: Place, task: Task, listener: string, world: World, out: Outcome): void {
  const { instance, node, state } = place
  const isUnbegun = rowAt(state, instance, node) === undefined
  stopAt(place, task, world, out)
  const note = `an early record for ${listener}`
  if (isUnbegun) skipAttempt(attemptOf(place, world, 0), 'dead', out, { note })
  else out.follow({ type: 'scope.advance', instanceId: instance.id, task: node })
}

/** The tasks whose scopes it lies in, the outermost first. */
function ownersOf(task: Task, workflow: Workflow): readonly Task[] {
  const owners: Task[] = []
  for (let name = task.scope; name !== undefined;) {
    const owner = workflow.taskNamed.get(name)
    if (owner === undefined) break
    owners.unshift(owner)
    name = owner.scope
  }
  return owners
}

/** What it depends on in its scope, directly or not. */
function ancestorsOf(task: Task, workflow: Workflow): readonly Task[] {
  const found = new Set<Task>()
  const pending = [...task.dependsOn]
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const ancestor = workflow.taskNamed.get(name)
    if (ancestor === undefined || found.has(ancestor)) continue
    found.add(ancestor)
    pending.push(...ancestor.dependsOn)
  }
  return [...found]
}
