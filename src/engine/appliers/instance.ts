// Appliers of instance events: they record, and cannot refuse.
import { limits } from '../../base/limits.ts'
import { keyId, type InstanceRow, type TimelineRow, type WritableState } from '../state.ts'
import type { Applier } from '../applier.ts'

export const instanceStarted: Applier<'instance.started'> = ({ row }, state) => {
  const timeline: TimelineRow[] = [
    { atMs: row.startedAtMs, task: -1, status: 'EXECUTING', attempt: 0, note: row.origin },
  ]
  state.instances.insert(row.id, { ...row, timeline })
  const id = keyId(row.workflow, row.key)
  const key = { instanceId: row.id, isOpen: true }
  if (state.keys.find(id) === undefined) state.keys.insert(id, key)
  else Object.assign(state.keys.edit(id), key)
}

export const instanceCompleted: Applier<'instance.completed'> = (event, state) => {
  const row = end(event.instanceId, event.atMs, 'COMPLETED', undefined, state)
  row.output = event.output
}

export const instanceFailed: Applier<'instance.failed'> = (event, state) => {
  const row = end(event.instanceId, event.atMs, 'FAILED', `${event.error.code}: ${event.error.message}`, state)
  row.error = event.error
}

export const instanceIncidentRaised: Applier<'instance.incident-raised'> = (event, state) => {
  const row = state.instances.edit(event.instanceId)
  row.incidents += 1
  row.error = event.error
  note(row, {
    atMs: event.atMs,
    task: -1,
    status: 'INCIDENT',
    attempt: 0,
    note: `${event.error.code}: ${event.error.message}`,
  })
}

export const instanceForgotten: Applier<'instance.forgotten'> = (event, state) => {
  const row = state.instances.expect(event.instanceId)
  const id = keyId(row.workflow, row.key)
  if (state.keys.find(id)?.instanceId === row.id) state.keys.remove(id)
  state.instances.remove(row.id)
}

/** Adds to the instance's own history, which is bounded: the oldest entries go, and are counted. */
export function note(row: InstanceRow, entry: TimelineRow): void {
  row.timeline.push(entry)
  if (row.timeline.length > limits.timelineEntriesMax) {
    row.timeline.shift()
    row.timelineDropped += 1
  }
}

function end(
  id: string,
  atMs: number,
  status: 'COMPLETED' | 'FAILED',
  text: string | undefined,
  state: WritableState,
): InstanceRow {
  const row = state.instances.edit(id)
  row.status = status
  row.endedAtMs = atMs
  row.incidents = 0
  note(row, { atMs, task: -1, status, attempt: 0, note: text })
  const key = keyId(row.workflow, row.key)
  if (state.keys.find(key)?.instanceId === id) state.keys.edit(key).isOpen = false
  return row
}
