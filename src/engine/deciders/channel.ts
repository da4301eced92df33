// Channels: where records meet listeners. A channel is a (workflow, topic, value); everything about it happens on the
// value's partition, in one order, so that a record cannot fall between subscribing, matching and keeping.
//
//   publish ──▶ a waiter takes it ──▶ correlate (to the instance) ──▶ gone
//      │                                   └─ cannot take it any more ──▶ return ──▶ next waiter, or kept again
//      └──▶ nobody ──▶ kept ──▶ a listener joins and takes it | expires | goes with the instance | evicted
//
// C1. A record is taken by the longest-waiting listener whose pairs and `where` hold, once; where that one says
//     `match: all`, by every other that says so as well.
// C2. A listener takes a record that came before it only within its own `keep`.
// C6. What nobody came for is dropped or goes to the dead-letter topic, as `onExpired` says; what goes with its instance
//     is a late duplicate, and is dropped.
// C3. What is kept has an end in count and bytes, of a partition and of a value; the oldest goes first.
import { limits } from '../../base/limits.ts'
import type { KafkaListenerTask } from '../../definition/workflow.ts'
import type { SourceRecord } from '../message.ts'
import { taskAt } from '../nodes.ts'
import { formatOf } from '../format.ts'
import { bytesOf, messageOf } from '../message.ts'
import { canonicalText } from '../correlation.ts'
import { taskErrorOf } from '../attempt.ts'
import { accept, type Decider, type Outcome } from '../outcome.ts'
import { reject } from '../rejection.ts'
import {
  channelId,
  keptId,
  keptTotalsId,
  timerKey,
  type KeptRow,
  type OnExpired,
  type State,
  type TimerTarget,
  type Waiter,
} from '../state.ts'
import type { World } from '../world.ts'
import { expectWorkflow } from './instance.ts'

/** A record on its way to a waiter of a channel. */
interface Offer {
  readonly workflow: string
  readonly value: string
  readonly record: SourceRecord
  readonly arrivedAtMs: number
  readonly expiresAtMs: number
  readonly onExpired: OnExpired
}

export const publishToChannel: Decider<'channel.publish'> = (command, state, world) => {
  const { workflow, value, record, keepMs, onExpired } = command
  const offer = { workflow, value, record, arrivedAtMs: world.nowMs, expiresAtMs: world.nowMs + keepMs, onExpired }
  return offerOrKeep(offer, state, world, accept(), { isStale: false })
}

export const returnToChannel: Decider<'channel.return'> = (command, state, world) =>
  offerOrKeep(command, state, world, accept(), { isStale: command.isStale })

export const joinChannel: Decider<'channel.join'> = (command, state, world) => {
  const { workflow, topic, value, waiter } = command
  const id = channelId(workflow, topic, value)
  for (const mark of state.channels.find(id)?.kept ?? []) {
    const kept = state.kept.expect(keptId(mark.number))
    if (!fits(waiter, value, kept.record, kept.arrivedAtMs, world)) continue
    const { record, arrivedAtMs, expiresAtMs, onExpired } = kept
    const out = accept().event({ type: 'record.unkept', number: mark.number, reason: 'matched' })
    return correlate(waiter, { workflow, value, record, arrivedAtMs, expiresAtMs, onExpired }, world, out)
  }
  return accept().event({ type: 'channel.joined', channel: id, workflow, topic, value, waiter })
}

export const leaveChannel: Decider<'channel.leave'> = (command, state) => {
  const id = channelId(command.workflow, command.topic, command.value)
  const { instanceId, number } = command
  const isWaiting = state.channels
    .find(id)
    ?.waiters.some((waiter) => waiter.instanceId === instanceId && waiter.number === number)
  // It was found a record just before: that record is on its way and will be sent back.
  if (isWaiting !== true) return reject('not-waiting')
  return accept().event({ type: 'channel.left', channel: id, instanceId, number })
}

export const purgeChannel: Decider<'channel.purge'> = (command, state) => {
  const channel = state.channels.find(channelId(command.workflow, command.topic, command.value))
  const out = accept()
  for (const mark of channel?.kept ?? []) {
    if (mark.arrivedAtMs >= command.fromMs && mark.arrivedAtMs <= command.toMs) {
      out.event({ type: 'record.unkept', number: mark.number, reason: 'purged' })
    }
  }
  return out.events.length > 0 ? out : reject('nothing-kept')
}

/** C1, else keeps it while it may be kept. */
function offerOrKeep(
  offer: Offer,
  state: State,
  world: World,
  out: Outcome,
  { isStale }: { isStale: boolean },
): Outcome {
  const id = channelId(offer.workflow, offer.record.topic, offer.value)
  let first: KafkaListenerTask['match'] | undefined
  for (const waiter of state.channels.find(id)?.waiters ?? []) {
    const match = listenerOf(waiter, world)?.match
    if ((first !== undefined && match !== 'all') || !fits(waiter, offer.value, offer.record, offer.arrivedAtMs, world))
      continue
    first ??= match
    out.event({ type: 'channel.matched', channel: id, instanceId: waiter.instanceId, number: waiter.number })
    correlate(waiter, offer, world, out)
    if (first === 'one') return out
  }
  if (first !== undefined) return out
  if (isStale) return out.event({ type: 'record.dropped', reason: 'stale' })
  if (offer.expiresAtMs <= world.nowMs) {
    out.event({ type: 'record.dropped', reason: 'expired' })
    return buryUnclaimed(offer, 'expired', out)
  }
  return keep(id, offer, state, out)
}

function correlate(waiter: Waiter, offer: Offer, world: World, out: Outcome): Outcome {
  const { workflow, value, record, arrivedAtMs, expiresAtMs, onExpired } = offer
  const { instanceId, task, number } = waiter
  return out.send(world, waiter.partition, {
    type: 'instance.correlate',
    instanceId,
    task,
    number,
    value,
    workflow,
    record,
    arrivedAtMs,
    expiresAtMs,
    onExpired,
  })
}

/** The task of a waiter; undefined where its version has none there. */
function listenerOf(waiter: Waiter, world: World): KafkaListenerTask | undefined {
  const task = taskAt(expectWorkflow(world, waiter.version), waiter.task)
  return task.type === 'kafka-listener' ? task : undefined
}

/** What becomes of a kept record that nobody came for. C6 */
export function buryUnclaimed(
  { onExpired, record, value, workflow }: Pick<Offer, 'onExpired' | 'record' | 'value' | 'workflow'>,
  code: 'expired' | 'evicted',
  out: Outcome,
): Outcome {
  if (onExpired === 'drop') return out
  const why = code === 'expired' ? 'in time' : 'before there were too many'
  const message = `no listener of ${workflow} came for '${value}' ${why}`
  return out
    .event({ type: 'record.dead-lettered', code })
    .produce({ type: 'dead-letter', record, code, message, workflows: [workflow] })
}

/** All pairs are equal and `where` holds. A record on which they cannot be evaluated is not for this listener. */
function fits(waiter: Waiter, value: string, record: SourceRecord, arrivedAtMs: number, world: World): boolean {
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

/** C3 */
function keep(channel: string, offer: Offer, state: State, out: Outcome): Outcome {
  const totals = state.keptTotals.find(keptTotalsId)
  const number = totals?.next ?? 0
  const { workflow, value, record, arrivedAtMs, expiresAtMs, onExpired } = offer
  const bytes = sizeOf(record)
  const target: TimerTarget = { kind: 'expire-kept', number }
  const timer = timerKey(expiresAtMs, target)
  let count = (totals?.count ?? 0) + 1
  let total = (totals?.bytes ?? 0) + bytes
  const inChannel = state.channels.find(channel)?.kept ?? []
  const first = inChannel.length >= limits.keptPerValueMax ? inChannel[0] : undefined
  if (first !== undefined) {
    out.event({ type: 'record.unkept', number: first.number, reason: 'evicted' })
    buryKept(state.kept.expect(keptId(first.number)), 'evicted', state, out)
    count--
    total -= first.bytes
  }
  for (
    let oldest = totals?.oldest ?? 0;
    (count > limits.keptRecordsMax || total > limits.keptBytesMax) && oldest < number;
    oldest++
  ) {
    const kept = state.kept.find(keptId(oldest))
    if (kept === undefined || oldest === first?.number) continue
    out.event({ type: 'record.unkept', number: oldest, reason: 'evicted', oldest: oldest + 1 })
    buryKept(kept, 'evicted', state, out)
    count--
    total -= kept.bytes
  }
  out.event({
    type: 'record.kept',
    workflow,
    topic: record.topic,
    value,
    row: { number, channel, record, arrivedAtMs, expiresAtMs, timer, bytes, onExpired },
  })
  return out.event({ type: 'timer.armed', key: timer, row: { dueAtMs: expiresAtMs, target } })
}

/** A kept record goes that nobody came for. */
export function buryKept(kept: KeptRow, code: 'expired' | 'evicted', state: State, out: Outcome): Outcome {
  const { workflow, value } = state.channels.expect(kept.channel)
  return buryUnclaimed({ ...kept, workflow, value }, code, out)
}

const sizeOf = (record: SourceRecord): number => 64 + bytesOf(record)
