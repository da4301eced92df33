// Channels: where records meet listeners. A channel is a (workflow, topic, value); everything about it happens on the
// value's partition, in one order, so that a record cannot fall between subscribing, matching and keeping.
//
//   publish ──▶ a waiter takes it ──▶ correlate (to the instance) ──▶ gone
//      │                                   └─ cannot take it any more ──▶ return ──▶ next waiter, or kept again
//      └──▶ nobody ──▶ kept ──▶ a listener joins and takes it | expires | goes with the instance | evicted
//
// C1, C8: who takes it, in offer.ts.
// C2. A listener takes a record that came before it only within its own `keep`.
// C6. What nobody came for is dropped or goes to the dead-letter topic, as `onExpired` says; what goes with its instance
//     is a late duplicate, and is dropped.
// C3. What is kept has an end in count and bytes, of a partition and of a value; the oldest goes first.
import { limits } from '../../base/limits.ts'
import type { Carried } from '../command.ts'
import { crowdId, placeOf } from '../crowd-row.ts'
import { bytesOf, type SourceRecord } from '../message.ts'
import { accept, type Decider, type Outcome } from '../outcome.ts'
import { reject } from '../rejection.ts'
import { channelId, keptId, keptTotalsId, timerKey, type KeptRow, type State, type TimerTarget } from '../state.ts'
import type { World } from '../world.ts'
import { correlate, fits, offerToWaiters } from './offer.ts'

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
    const offer = { ...kept, workflow, value }
    if (!fits(waiter, offer, world)) continue
    const out = accept().event({ type: 'record.unkept', number: mark.number, reason: 'matched' })
    return correlate(waiter, offer, world, out)
  }
  return accept().event({ type: 'channel.joined', channel: id, workflow, topic, value, waiter })
}

export const leaveChannel: Decider<'channel.leave'> = (command, state) => {
  const id = channelId(command.workflow, command.topic, command.value)
  const { instanceId, number } = command
  const channel = state.channels.find(id)
  const isWaiting =
    channel?.waiters.some((waiter) => waiter.instanceId === instanceId && waiter.number === number) === true ||
    (channel?.crowd !== undefined && state.crowd.find(crowdId(id, placeOf(command))) !== undefined)
  // It was found a record just before: that record is on its way and will be sent back.
  if (!isWaiting) return reject('not-waiting')
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
  offer: Carried,
  state: State,
  world: World,
  out: Outcome,
  { isStale }: { isStale: boolean },
): Outcome {
  const id = channelId(offer.workflow, offer.record.topic, offer.value)
  if (offerToWaiters(id, offer, state, world, out)) return out
  if (isStale) return out.event({ type: 'record.dropped', reason: 'stale' })
  if (offer.expiresAtMs <= world.nowMs) {
    out.event({ type: 'record.dropped', reason: 'expired' })
    return buryUnclaimed(offer, 'expired', out)
  }
  return keep(id, offer, state, out)
}

/** What becomes of a kept record that nobody came for. C6 */
export function buryUnclaimed(
  { onExpired, record, value, workflow }: Pick<Carried, 'onExpired' | 'record' | 'value' | 'workflow'>,
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

/** C3 */
function keep(channel: string, offer: Carried, state: State, out: Outcome): Outcome {
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
