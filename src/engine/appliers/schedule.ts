// Appliers of schedules.
// Z4. An entry has exactly one timer, for its next due time; a workflow with no entry has no row.
import type { Applier } from '../applier.ts'
import { scheduleTimer, type ScheduleEntry, type WritableState } from '../state.ts'

export const scheduleSet: Applier<'schedule.set'> = ({ workflow, entry }, state) => {
  if (state.schedules.find(workflow) === undefined) state.schedules.insert(workflow, { workflow, entries: [] })
  const row = state.schedules.edit(workflow)
  const at = row.entries.findIndex(({ trigger }) => trigger === entry.trigger)
  const before = row.entries[at]
  if (before === undefined) row.entries = [...row.entries, entry]
  else {
    if (before.nextMs !== entry.nextMs) cancel(workflow, before, state)
    row.entries = row.entries.with(at, entry)
  }
}

export const scheduleRemoved: Applier<'schedule.removed'> = ({ workflow, trigger }, state) => {
  const row = state.schedules.edit(workflow)
  for (const entry of row.entries) if (entry.trigger === trigger) cancel(workflow, entry, state)
  row.entries = row.entries.filter((entry) => entry.trigger !== trigger)
  if (row.entries.length === 0) state.schedules.remove(workflow)
}

/** The timer that has just fired is gone already. */
const cancel = (workflow: string, entry: ScheduleEntry, state: WritableState): void =>
  state.timers.clear(scheduleTimer(workflow, entry))
