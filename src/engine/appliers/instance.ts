// Appliers of instance events: they record, and cannot refuse.
import { limits } from '../../base/limits.ts'
import { removeBlocks } from '../nodes.ts'
import {
  deferredId,
  keyId,
  undoId,
  type Deadlines,
  type InstanceRow,
  type TimelineRow,
  type WritableState,
} from '../state.ts'
import type { Applier } from '../applier.ts'
import { dropAttributes } from './attribute.ts'

export const instanceStarted: Applier<'instance.started'> = ({ row }, state) => {
  const timeline: TimelineRow[] = [
    { atMs: row.startedAtMs, task: -1, status: 'EXECUTING', attempt: 0, note: row.origin },
  ]
  state.instances.insert(row.id, { ...row, timeline })
  const id = keyId(row.workflow, row.key)
  if (state.keys.find(id) === undefined) state.keys.insert(id, { instanceId: row.id, queue: [] })
  else state.keys.edit(id).instanceId = row.id
}

export const instanceCompleted: Applier<'instance.completed'> = (event, state) => {
  const row = end(event.instanceId, event.atMs, 'COMPLETED', undefined, state)
  row.output = event.output
}

export const instanceFailed: Applier<'instance.failed'> = (event, state) => {
  const row = end(event.instanceId, event.atMs, 'FAILED', `${event.error.code}: ${event.error.message}`, state)
  row.error = event.error
}

export const instanceStopped: Applier<'instance.stopped'> = (event, state) => {
  const row = end(event.instanceId, event.atMs, 'STOPPED', event.error.message, state)
  row.error = event.error
}

/** COMPENSATING is seen only where something takes time: what there is nothing of has no place in the history. */
export const instanceEnding: Applier<'instance.ending'> = ({ instanceId, ending, atMs }, state) => {
  const row = state.instances.edit(instanceId)
  row.ending = ending
  closeDeadlines(row.deadlines, state)
  row.deadlines = undefined
  if (ending.status === 'STOPPED') return
  row.status = 'COMPENSATING'
  if (row.undos + row.unknowns === 0) return
  const text = `${ending.error.code}: ${ending.error.message}`
  note(row, { atMs, task: -1, status: 'COMPENSATING', attempt: 0, note: text })
}

export const instanceSuspended: Applier<'instance.suspended'> = ({ instanceId, by, atMs }, state) => {
  const row = state.instances.edit(instanceId)
  row.status = 'SUSPENDED'
  note(row, { atMs, task: -1, status: 'SUSPENDED', attempt: 0, note: by })
}

export const instanceResumed: Applier<'instance.resumed'> = ({ instanceId, by, atMs }, state) => {
  const row = state.instances.edit(instanceId)
  row.status = 'EXECUTING'
  note(row, { atMs, task: -1, status: 'EXECUTING', attempt: 0, note: `resumed ${by}` })
  dropDeferred(row, state)
}

export const commandDeferred: Applier<'command.deferred'> = ({ instanceId, command }, state) => {
  const row = state.instances.edit(instanceId)
  state.deferred.insert(deferredId(instanceId, row.deferred), { command })
  row.deferred += 1
}

/** What an instance that goes on replays, or one that ends never will. */
function dropDeferred(row: InstanceRow, state: WritableState): void {
  for (let number = 0; number < row.deferred; number++) state.deferred.remove(deferredId(row.id, number))
  row.deferred = 0
}

export const signalKept: Applier<'signal.kept'> = ({ instanceId, signal }, state) => {
  const row = state.instances.edit(instanceId)
  row.signals = [...row.signals, signal]
}

export const signalTaken: Applier<'signal.taken'> = ({ instanceId, name }, state) => {
  const row = state.instances.edit(instanceId)
  const first = row.signals.findIndex((signal) => signal.name === name)
  row.signals = row.signals.filter((_, index) => index !== first)
}

export const instanceOperated: Applier<'instance.operated'> = ({ instanceId, note: text, atMs }, state) => {
  note(state.instances.edit(instanceId), { atMs, task: -1, status: 'OPERATED', attempt: 0, note: text })
}

export const instanceIncidentResolved: Applier<'instance.incident-resolved'> = ({ instanceId }, state) => {
  const row = state.instances.edit(instanceId)
  row.incidents -= 1
  row.error = undefined
}

/** The way back from FAILED: it is not forgotten. */
export const instanceReopened: Applier<'instance.reopened'> = ({ instanceId, by, atMs, unsettled }, state) => {
  const row = state.instances.edit(instanceId)
  Object.assign(row, { status: 'EXECUTING', endedAtMs: undefined, ending: undefined, error: undefined, unsettled })
  note(row, { atMs, task: -1, status: 'EXECUTING', attempt: 0, note: `retried ${by}` })
}

export const slotsTaken: Applier<'slots.taken'> = ({ instanceId, count }, state) => {
  state.instances.edit(instanceId).slots += count
}

export const undoRecorded: Applier<'undo.recorded'> = ({ instanceId, kind, row }, state) => {
  const instance = state.instances.edit(instanceId)
  const number = kind === 'completed' ? (instance.undos += 1) : (instance.unknowns += 1)
  state.undos.insert(undoId(instanceId, kind, number), row)
}

export const undoTaken: Applier<'undo.taken'> = ({ instanceId, kind }, state) => {
  const instance = state.instances.edit(instanceId)
  state.undos.remove(undoId(instanceId, kind, kind === 'completed' ? instance.undos : instance.unknowns))
  if (kind === 'completed') instance.undos -= 1
  else instance.unknowns -= 1
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
  removeBlocks(state, row, event.spans)
  for (let number = 1; number <= row.undos; number++) state.undos.remove(undoId(row.id, 'completed', number))
  for (let number = 1; number <= row.unknowns; number++) state.undos.remove(undoId(row.id, 'unknown', number))
  dropAttributes(row.id, row.attributes, state)
  const id = keyId(row.workflow, row.key)
  if (state.keys.find(id)?.instanceId === row.id) state.keys.remove(id)
  state.instances.remove(row.id)
}

/** What bounded or watched it does so no longer. */
export function closeDeadlines(deadlines: Deadlines | undefined, state: WritableState): void {
  if (deadlines === undefined) return
  for (const timer of [deadlines.maxDuration, deadlines.monitor, deadlines.deadline])
    if (timer !== undefined) state.timers.clear(timer)
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
  status: 'COMPLETED' | 'FAILED' | 'STOPPED',
  text: string | undefined,
  state: WritableState,
): InstanceRow {
  const row = state.instances.edit(id)
  row.status = status
  row.endedAtMs = atMs
  row.incidents = 0
  row.signals = []
  dropDeferred(row, state)
  closeDeadlines(row.deadlines, state)
  row.deadlines = undefined
  note(row, { atMs, task: -1, status, attempt: 0, note: text })
  return row
}
