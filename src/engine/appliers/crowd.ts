// Links and unlinks the rows of a crowd (crowd-row.ts); of a channel's row, its `crowd` changes.
import { assert } from '../../base/assert.ts'
import { limits } from '../../base/limits.ts'
import { crowdId, placeOf, type CrowdRow, type Place, type Waiters } from '../crowd-row.ts'
import type { Waiter, WritableState } from '../state.ts'

/** C7: behind those that wait for as long or longer. */
export function joinCrowd(channel: string, row: Waiters, waiter: Waiter, state: WritableState): void {
  let before = row.crowd?.last
  let after: Place | undefined
  for (let steps = 0; before !== undefined && steps < limits.crowdStepsMax; steps++) {
    const other = state.crowd.expect(crowdId(channel, before))
    if (other.waiter.sinceMs <= waiter.sinceMs) break
    after = before
    before = other.before
  }
  link(channel, row, { waiter, before, after }, state)
}

/** C7: before all others; the channel's row had no room for it. */
export function leadCrowd(channel: string, row: Waiters, waiter: Waiter, state: WritableState): void {
  link(channel, row, { waiter, before: undefined, after: row.crowd?.first }, state)
}

function link(channel: string, row: Waiters, added: CrowdRow, state: WritableState): void {
  const { crowd } = row
  const { before, after, waiter } = added
  const place = placeOf(waiter)
  state.crowd.insert(crowdId(channel, place), added)
  if (before !== undefined) state.crowd.edit(crowdId(channel, before)).after = place
  if (after !== undefined) state.crowd.edit(crowdId(channel, after)).before = place
  row.crowd = {
    first: crowd === undefined || before === undefined ? place : crowd.first,
    last: crowd === undefined || after === undefined ? place : crowd.last,
    length: (crowd?.length ?? 0) + 1,
  }
}

/** Whoever has the place waits no more. */
export function leaveCrowd(channel: string, row: Waiters, place: Place, state: WritableState): void {
  const { crowd } = row
  assert(crowd !== undefined, () => `C7: ${place} waits in the crowd of ${channel}`)
  const id = crowdId(channel, place)
  const { before, after } = state.crowd.expect(id)
  state.crowd.remove(id)
  if (before !== undefined) state.crowd.edit(crowdId(channel, before)).after = after
  if (after !== undefined) state.crowd.edit(crowdId(channel, after)).before = before
  const first = before === undefined ? after : crowd.first
  const last = after === undefined ? before : crowd.last
  row.crowd = first === undefined || last === undefined ? undefined : { first, last, length: crowd.length - 1 }
}
