// A record meets those who wait for its value.
//
// C1. A record is taken by the longest-waiting listener whose pairs and `where` hold, once; where that one says
//     `match: all`, by every other that says so as well.
// C8. All of those are found in one decision, however many. A few are told one by one, the others some at a time through
//     the inbox of their partition: a large record is copied for each of these commands, and not for each instance.
import { limits } from '../../base/limits.ts'
import type { KafkaListenerTask } from '../../definition/workflow.ts'
import { taskErrorOf } from '../attempt.ts'
import type { Carried, HandedTo } from '../command.ts'
import { canonicalText } from '../correlation.ts'
import { waitersOf } from '../crowd-row.ts'
import { formatOf } from '../format.ts'
import { bytesOf, messageOf } from '../message.ts'
import { taskAt } from '../nodes.ts'
import { accept, type Decider, type Outcome } from '../outcome.ts'
import type { State, Waiter } from '../state.ts'
import type { World } from '../world.ts'
import { expectWorkflow } from './instance.ts'

/** C1: gives it to whoever it is for; false where that is nobody. */
export function offerToWaiters(channel: string, offer: Carried, state: State, world: World, out: Outcome): boolean {
  const row = state.channels.find(channel)
  if (row === undefined) return false
  let first: KafkaListenerTask['match'] | undefined
  let told = 0
  const untold: Waiter[] = []
  for (const waiter of waitersOf(channel, row, (id) => state.crowd.expect(id))) {
    const match = listenerOf(waiter, world)?.match
    if ((first !== undefined && match !== 'all') || !fits(waiter, offer, world)) continue
    first ??= match
    out.event({ type: 'channel.matched', channel, instanceId: waiter.instanceId, number: waiter.number })
    if (told++ < limits.handedToMax) correlate(waiter, offer, world, out)
    else untold.push(waiter)
    if (first === 'one') return true
  }
  handOutLater(untold, offer, out)
  return first !== undefined
}

/** It goes to the instance of the waiter: at once where that is here, or through an inbox. */
export function correlate(
  { instanceId, task, number, partition }: Waiter,
  offer: Carried,
  world: World,
  out: Outcome,
): Outcome {
  return out.send(world, partition, { ...carried(offer), type: 'instance.correlate', instanceId, task, number })
}

/** C8 */
function handOutLater(waiters: readonly Waiter[], offer: Carried, out: Outcome): void {
  const byPartition = new Map<number, HandedTo[]>()
  for (const { partition, instanceId, task, number } of waiters) {
    const there = byPartition.get(partition) ?? []
    byPartition.set(partition, there)
    there.push({ instanceId, task, number })
  }
  const { handedToMin, handedToMax, handedToBytes } = limits
  const atOnce = Math.min(handedToMax, handedToMin + Math.floor(bytesOf(offer.record) / handedToBytes))
  for (const [partition, there] of byPartition) {
    for (let at = 0; at < there.length; at += atOnce) {
      const to = there.slice(at, at + atOnce)
      out.produce({ type: 'inbox', partition, command: { ...carried(offer), type: 'record.hand-out', to } })
    }
  }
}

/** C8: each takes it as if it had come for it alone. */
export const handOut: Decider<'record.hand-out'> = (command) => {
  const out = accept()
  for (const waiter of command.to) out.follow({ ...carried(command), type: 'instance.correlate', ...waiter })
  return out
}

/** What a record carries along between its value and an instance. */
export const carried = ({ workflow, value, record, arrivedAtMs, expiresAtMs, onExpired }: Carried): Carried => ({
  workflow,
  value,
  record,
  arrivedAtMs,
  expiresAtMs,
  onExpired,
})

/** The task of a waiter; undefined where its version has none there. */
function listenerOf(waiter: Waiter, world: World): KafkaListenerTask | undefined {
  const task = taskAt(expectWorkflow(world, waiter.version), waiter.task)
  return task.type === 'kafka-listener' ? task : undefined
}

/** All pairs are equal and `where` holds. A record on which they cannot be evaluated is not for this listener. */
export function fits(waiter: Waiter, { value, record, arrivedAtMs }: Carried, world: World): boolean {
  const task = listenerOf(waiter, world)
  if (task === undefined) return false
  // C2: by when it began to wait, as its subscription may have been long on its way; that time is of another machine, and
  // its clock may be ahead of the time here.
  if (Math.min(waiter.sinceMs, world.nowMs) > arrivedAtMs + task.keepMs) return false
  try {
    const message = messageOf(record, formatOf(expectWorkflow(world, waiter.version), record.topic))
    // The first pair too: another listener of the workflow may have routed the record here by another expression.
    for (const [index, pair] of task.correlate.entries()) {
      const expected = index === 0 ? value : waiter.others[index - 1]
      if (canonicalText(pair.message.evaluate({ message })) !== expected) return false
    }
    return task.where === undefined || task.where.evaluate({ message }) === true
  } catch (error) {
    taskErrorOf(error)
    return false
  }
}
