// Appliers of channel events: waiters and kept records, in the orders that matching relies on.
// C4. A channel with no waiter and nothing kept has no row.
// C5. The totals count exactly the rows of `kept`; no kept record has a number below `oldest`.
import type { Applier } from '../applier.ts'
import { keptId, keptTotalsId, type ChannelRow, type KeptMark, type Waiter, type WritableState } from '../state.ts'

export const channelJoined: Applier<'channel.joined'> = (event, state) => {
  const row = open(event.channel, event, state)
  row.waiters = insertSorted(row.waiters, event.waiter, (waiter: Waiter) => waiter.sinceMs)
}

/** It gave up waiting, or was found a record. */
export const channelLeft = (
  event: { readonly channel: string; readonly instanceId: string; readonly number: number },
  state: WritableState,
): void => {
  const row = state.channels.edit(event.channel)
  row.waiters = row.waiters.filter((waiter) => waiter.instanceId !== event.instanceId || waiter.number !== event.number)
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
    state.channels.insert(id, { workflow, topic, value, waiters: [], kept: [] })
  }
  return state.channels.edit(id)
}

/** C4 */
function closeIfEmpty(id: string, row: ChannelRow, state: WritableState): void {
  if (row.waiters.length === 0 && row.kept.length === 0) state.channels.remove(id)
}

/** Behind those that are as old: first come, first served. */
function insertSorted<Item>(items: readonly Item[], item: Item, time: (item: Item) => number): readonly Item[] {
  let at = items.length
  while (at > 0 && time(items[at - 1] as Item) > time(item)) at--
  return [...items.slice(0, at), item, ...items.slice(at)]
}
