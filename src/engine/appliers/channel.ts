// Appliers of channel events: waiters and kept records, in the orders that matching relies on.
// C4. A channel with no waiter and nothing kept has no row.
// C7. Waiters stand in the order of the time since when they wait: the first few in the row, and once there are so many,
//     those that come in the crowd, until nobody is left there.
// C5. The totals count exactly the rows of `kept`; no kept record has a number below `oldest`.
import { limits } from '../../base/limits.ts'
import type { Applier } from '../applier.ts'
import { placeOf, waitingIn } from '../crowd-row.ts'
import { keptId, keptTotalsId, type ChannelRow, type KeptMark, type Waiter, type WritableState } from '../state.ts'
import { joinCrowd, leadCrowd, leaveCrowd } from './crowd.ts'

export const channelJoined: Applier<'channel.joined'> = (event, state) => {
  const { channel, waiter } = event
  const row = open(channel, event, state)
  const latest = row.waiters.at(-1)
  const isFull = row.crowd !== undefined || row.waiters.length >= limits.waitersInRowMax
  if (isFull && (latest === undefined || latest.sinceMs <= waiter.sinceMs)) {
    joinCrowd(channel, row, waiter, state)
    return
  }
  row.waiters = insertSorted(row.waiters, waiter, ({ sinceMs }: Waiter) => sinceMs)
  const beyond = row.waiters[limits.waitersInRowMax]
  if (beyond === undefined) return
  row.waiters = row.waiters.slice(0, limits.waitersInRowMax)
  leadCrowd(channel, row, beyond, state)
}

/** It gave up waiting, or was found a record. */
export const channelLeft = (
  event: { readonly channel: string; readonly instanceId: string; readonly number: number },
  state: WritableState,
): void => {
  const row = state.channels.edit(event.channel)
  const { instanceId, number } = event
  const waiters = row.waiters.filter((waiter) => waiter.instanceId !== instanceId || waiter.number !== number)
  if (waiters.length < row.waiters.length) row.waiters = waiters
  else leaveCrowd(event.channel, row, placeOf(event), state)
  closeIfEmpty(event.channel, row, state)
}

export const recordKept: Applier<'record.kept'> = (event, state) => {
  const { row } = event
  const mark: KeptMark = { number: row.number, arrivedAtMs: row.arrivedAtMs, bytes: row.bytes }
  const channel = open(row.channel, event, state)
  channel.kept = insertSorted(channel.kept, mark, (kept: KeptMark) => kept.arrivedAtMs)
  state.kept.insert(keptId(row.number), row)
  if (state.keptTotals.find(keptTotalsId) === undefined) {
    state.keptTotals.insert(keptTotalsId, { next: row.number, oldest: row.number, count: 0, bytes: 0 })
  }
  const totals = state.keptTotals.edit(keptTotalsId)
  if (totals.count === 0) totals.oldest = row.number
  totals.next = row.number + 1
  totals.count += 1
  totals.bytes += row.bytes
}

export const recordUnkept: Applier<'record.unkept'> = (event, state) => {
  const row = state.kept.expect(keptId(event.number))
  state.kept.remove(keptId(event.number))
  state.timers.clear(row.timer)
  const channel = state.channels.edit(row.channel)
  channel.kept = channel.kept.filter((mark) => mark.number !== event.number)
  closeIfEmpty(row.channel, channel, state)
  const totals = state.keptTotals.edit(keptTotalsId)
  totals.count -= 1
  totals.bytes -= row.bytes
  if (event.oldest !== undefined) totals.oldest = event.oldest
  // A few steps at a time: each number is passed once, so that finding the oldest stays cheap.
  for (
    let steps = 0;
    steps < 8 && totals.oldest < totals.next && state.kept.find(keptId(totals.oldest)) === undefined;
    steps++
  ) {
    totals.oldest += 1
  }
}

function open(id: string, names: { workflow: string; topic: string; value: string }, state: WritableState): ChannelRow {
  if (state.channels.find(id) === undefined) {
    const { workflow, topic, value } = names
    state.channels.insert(id, { workflow, topic, value, waiters: [], kept: [], crowd: undefined })
  }
  return state.channels.edit(id)
}

/** C4 */
function closeIfEmpty(id: string, row: ChannelRow, state: WritableState): void {
  if (waitingIn(row) === 0 && row.kept.length === 0) state.channels.remove(id)
}

/** Behind those that are as old: first come, first served. */
function insertSorted<Item>(items: readonly Item[], item: Item, time: (item: Item) => number): readonly Item[] {
  let at = items.length
  while (at > 0 && time(items[at - 1] as Item) > time(item)) at--
  return [...items.slice(0, at), item, ...items.slice(at)]
}
