// The layout of tasks: those in an instance's own row, and those in blocks.
import { StoreCorrupted } from '../base/errors.ts'
import type { TaskError } from '../base/errors.ts'
import { Payload } from '../engine/payload.ts'
import type { BlockRow, Deadlines, OpenWork, TaskRow, TaskStatus } from '../engine/state.ts'
import { flag, list, number, optional, text, texts } from './fields.ts'
import { pack, unpack } from './pack.ts'
import { payloadOf, payloadPlaces, type Place, type PlacedPayloads } from './payload-place.ts'

const blockLayout = 1
export const taskStatuses: readonly TaskStatus[] = [
  'SUBMITTED',
  'EXECUTING',
  'COMPLETED',
  'FAILED',
  'SKIPPED',
  'STOPPED',
]

type ReadPayload = (field: unknown) => Payload | undefined

/** Encodes a block. What it returns in `payloads` has to be written in the same batch. @param id the block's key */
export function encodeBlock(id: string, row: BlockRow): PlacedPayloads & { readonly bytes: Uint8Array } {
  const { place, payloads, stored } = payloadPlaces(row.instanceId)
  const baseMs = row.tasks.find((task) => task !== undefined)?.startedAtMs ?? 0
  const number = id.slice(row.instanceId.length + 1)
  const tasks = tasksFields(row.tasks, baseMs, (payload, index, what) => place(payload, `${number}.${index}`, what))
  return { bytes: pack(blockLayout, [row.instanceId, baseMs, tasks, stored]), payloads, stored }
}

/** @param load reads a payload that is a value of its own, by its key. @throws {StoreCorrupted} */
export function decodeBlock(bytes: Uint8Array, load: (key: string) => Uint8Array): BlockRow {
  return unpack(blockLayout, bytes, (fields) => ({
    instanceId: text(fields[0]),
    tasks: tasksOf(list(fields[2]), number(fields[1]), (field) => payloadOf(field, load)),
    stored: texts(fields[3]),
  }))
}

/** Tasks by their place; times count from `baseMs`. */
export function tasksFields(rows: readonly (TaskRow | undefined)[], baseMs: number, place: Place): readonly unknown[] {
  const tasks: unknown[] = []
  for (let index = 0; index < rows.length; index++) {
    const task = rows[index]
    tasks.push(task === undefined ? null : taskFields(task, index, baseMs, place))
  }
  return tasks
}

/** @throws {StoreCorrupted} */
export function tasksOf(fields: readonly unknown[], baseMs: number, payload: ReadPayload): (TaskRow | undefined)[] {
  return fields.map((task) => (task === null ? undefined : taskOf(list(task), baseMs, payload)))
}

function taskFields(task: TaskRow, index: number, baseMs: number, place: Place): readonly unknown[] {
  const fields: unknown[] = [
    taskStatuses.indexOf(task.status),
    task.attempt,
    task.startedAtMs - baseMs,
    task.endedAtMs === undefined ? null : task.endedAtMs - baseMs,
    place(task.output, index, 'o'),
    errorFields(task.error),
    task.hasIncident,
    task.open === undefined ? null : openFields(task.open, index, place),
    task.edges === 'live' ? 1 : task.edges === 'dead' ? 0 : task.edges,
  ]
  const { deadlines, item, attemptsBefore } = task
  if (deadlines !== undefined || item !== undefined || attemptsBefore !== 0) {
    const around = item && [item.forEach, item.index, place(item.value, index, 'v')]
    fields.push(deadlinesFields(deadlines), around ?? null, attemptsBefore)
  }
  return fields
}

export const deadlinesFields = (deadlines: Deadlines | undefined): readonly unknown[] | null =>
  deadlines === undefined
    ? null
    : [deadlines.maxDuration ?? null, deadlines.monitor ?? null, deadlines.deadline ?? null]

/** @throws {StoreCorrupted} */
export function deadlinesOf(field: unknown): Deadlines | undefined {
  const fields = optional(list)(field)
  const key = optional(text)
  return fields && { maxDuration: key(fields[0]), monitor: key(fields[1]), deadline: key(fields[2]) }
}

function taskOf(fields: readonly unknown[], baseMs: number, payload: ReadPayload): TaskRow {
  const edges = fields[8]
  return {
    status: member(taskStatuses, fields[0]),
    attempt: number(fields[1]),
    startedAtMs: baseMs + number(fields[2]),
    endedAtMs: fields[3] === null ? undefined : baseMs + number(fields[3]),
    output: payload(fields[4]),
    error: errorOf(fields[5]),
    hasIncident: flag(fields[6]),
    open: fields[7] === null ? undefined : openOf(list(fields[7]), payload),
    edges: edges === 1 ? 'live' : edges === 0 ? 'dead' : texts(edges),
    deadlines: deadlinesOf(fields[9]),
    item: itemOf(fields[10], payload),
    attemptsBefore: optional(number)(fields[11]) ?? 0,
  }
}

function itemOf(field: unknown, payload: ReadPayload): TaskRow['item'] {
  const fields = optional(list)(field)
  if (fields === undefined) return undefined
  return { forEach: number(fields[0]), index: number(fields[1]), value: payload(fields[2]) ?? Payload.of(null) }
}

function openFields(open: OpenWork, index: number, place: Place): readonly unknown[] {
  switch (open.kind) {
    case 'record':
      return [0, open.number, open.value, open.timer ?? null, open.others]
    case 'time':
      return [1, open.dueAtMs, open.timer]
    case 'retry':
      return [2, open.dueAtMs, open.timer, place(open.input, index, 'i')]
    case 'slot':
      return [3, place(open.input, index, 'i')]
    case 'handler':
      return [4, open.run, place(open.input, index, 'i'), open.timer]
    case 'scope':
      return [5, open.unsettled]
    case 'children': {
      const { total, begun, succeeded, failed, skipped, firstSlot, items, timer } = open
      return [6, total, begun, succeeded, failed, skipped, firstSlot, place(items, index, 'i'), timer ?? null]
    }
    case 'interval':
      return [7, open.ranAtMs, open.timer ?? null]
    case 'child':
      return [8, open.workflow, open.key, open.timer ?? null]
    case 'signal':
      return [10, open.name, open.timer ?? null]
    case 'stopping':
      return [9, place(open.input, index, 'i'), open.timer]
  }
}

function openOf(fields: readonly unknown[], payload: ReadPayload): OpenWork {
  const input = (field: unknown): Payload => payload(field) ?? Payload.of(null)
  switch (fields[0]) {
    case 0:
      return {
        kind: 'record',
        number: number(fields[1]),
        value: text(fields[2]),
        timer: optional(text)(fields[3]),
        others: texts(fields[4]),
      }
    case 1:
      return { kind: 'time', dueAtMs: number(fields[1]), timer: text(fields[2]) }
    case 2:
      return { kind: 'retry', dueAtMs: number(fields[1]), timer: text(fields[2]), input: payload(fields[3]) }
    case 3:
      return { kind: 'slot', input: input(fields[1]) }
    case 4:
      return { kind: 'handler', run: number(fields[1]), input: input(fields[2]), timer: text(fields[3]) }
    case 5:
      return { kind: 'scope', unsettled: number(fields[1]) }
    case 6:
      return {
        kind: 'children',
        total: number(fields[1]),
        begun: number(fields[2]),
        succeeded: number(fields[3]),
        failed: number(fields[4]),
        skipped: number(fields[5]),
        firstSlot: number(fields[6]),
        items: payload(fields[7]),
        timer: optional(text)(fields[8]),
      }
    case 7:
      return { kind: 'interval', ranAtMs: number(fields[1]), timer: optional(text)(fields[2]) }
    case 8:
      return { kind: 'child', workflow: text(fields[1]), key: text(fields[2]), timer: optional(text)(fields[3]) }
    case 9:
      return { kind: 'stopping', input: input(fields[1]), timer: text(fields[2]) }
    case 10:
      return { kind: 'signal', name: text(fields[1]), timer: optional(text)(fields[2]) }
    default:
      throw new StoreCorrupted('a task waits for something that there is not')
  }
}

export const errorFields = (error: TaskError | undefined): readonly unknown[] | null =>
  error === undefined ? null : [error.code, error.message]

/** A status by its place; places are never reused. */
export function member<Name>(names: readonly Name[], field: unknown): Name {
  const name = names[number(field)]
  if (name === undefined) throw new StoreCorrupted('a value has a status that there is not')
  return name
}

export const errorOf = (fields: unknown): TaskError | undefined =>
  Array.isArray(fields) ? { code: text(fields[0]), message: text(fields[1]) } : undefined
