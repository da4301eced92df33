// The layout of an instance. It is rewritten with every event of the instance, so it is lean: lists instead of
// objects, times relative to the start, the timeline flat, payloads as the bytes that they are. A payload that is
// large, or one too many, is a value of its own and only its key stands here.
import type { Json } from '../base/json.ts'
import { StoreCorrupted } from '../base/errors.ts'
import type { TaskError } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import { Payload } from '../engine/payload.ts'
import type { InstanceRow, InstanceStatus, OpenWork, TaskRow, TaskStatus, TimelineRow } from '../engine/state.ts'
import { bytes, flag, list, number, optional, text, texts } from './fields.ts'
import { payloadKey } from './keys.ts'
import { pack, unpack } from './pack.ts'

const layout = 1
const instanceStatuses: readonly InstanceStatus[] = ['EXECUTING', 'COMPLETED', 'FAILED', 'STOPPED']
const taskStatuses: readonly TaskStatus[] = ['SUBMITTED', 'EXECUTING', 'COMPLETED', 'FAILED', 'SKIPPED', 'STOPPED']

export interface EncodedInstance {
  readonly bytes: Uint8Array
  /** Values of their own that are to be written with it. */
  readonly payloads: readonly { readonly key: string; readonly payload: Payload }[]
  /** Keys of all its values of their own. */
  readonly stored: readonly string[]
}

/** Encodes an instance. What it returns in `payloads` has to be written in the same batch. */
export function encodeInstance(row: InstanceRow): EncodedInstance {
  const payloads: { key: string; payload: Payload }[] = []
  const stored: string[] = []
  let inlineBytes = 0
  const place = (payload: Payload | undefined, name: string): Uint8Array | string | null => {
    if (payload === undefined) return null
    if (payload.storedAs !== undefined) {
      stored.push(payload.storedAs)
      return payload.storedAs
    }
    const { bytes } = payload
    if (bytes.length <= limits.payloadInlineBytesMax && inlineBytes + bytes.length <= limits.inlineBytesMax) {
      inlineBytes += bytes.length
      return bytes
    }
    const key = payloadKey(row.id, name)
    payloads.push({ key, payload })
    stored.push(key)
    return key
  }
  const tasks: unknown[] = []
  for (let index = 0; index < row.tasks.length; index++) {
    const task = row.tasks[index]
    tasks.push(task === undefined ? null : taskFields(task, index, row.startedAtMs, place))
  }
  const bytes = pack(layout, [
    row.id,
    row.workflow,
    row.version,
    row.key,
    row.origin,
    row.traceparent ?? null,
    row.startedAtMs,
    place(row.input, 'in'),
    instanceStatuses.indexOf(row.status),
    row.endedAtMs ?? null,
    row.vars.size === 0 ? null : JSON.stringify([...row.vars]),
    tasks,
    row.incidents,
    place(row.output, 'out'),
    errorFields(row.error),
    row.subscriptions,
    timelineFields(row),
    row.timelineDropped,
    stored,
  ])
  return { bytes, payloads, stored }
}

/** @param load reads a payload that is a value of its own, by its key. @throws {StoreCorrupted} */
export function decodeInstance(bytes: Uint8Array, load: (key: string) => Uint8Array): InstanceRow {
  return unpack(layout, bytes, (fields) => instanceOf(fields, load))
}

function instanceOf(fields: readonly unknown[], load: (key: string) => Uint8Array): InstanceRow {
  const startedAtMs = number(fields[6])
  const payload = (field: unknown): Payload | undefined => payloadOf(field, load)
  return {
    id: text(fields[0]),
    workflow: text(fields[1]),
    version: text(fields[2]),
    key: text(fields[3]),
    origin: text(fields[4]),
    traceparent: optional(text)(fields[5]),
    startedAtMs,
    input: payload(fields[7]) ?? Payload.of(null),
    status: member(instanceStatuses, fields[8]),
    endedAtMs: optional(number)(fields[9]),
    vars: new Map(fields[10] === null ? [] : (JSON.parse(text(fields[10])) as [string, Json][])),
    tasks: list(fields[11]).map((task) => (task === null ? undefined : taskOf(list(task), startedAtMs, payload))),
    incidents: number(fields[12]),
    output: payload(fields[13]),
    error: errorOf(fields[14]),
    subscriptions: number(fields[15]),
    timeline: timelineOf(list(fields[16]), startedAtMs),
    timelineDropped: number(fields[17]),
    stored: texts(fields[18]),
  }
}

function payloadOf(field: unknown, load: (key: string) => Uint8Array): Payload | undefined {
  if (field === null || field === undefined) return undefined
  if (typeof field === 'string') return Payload.stored(field, () => load(field))
  return Payload.ofBytes(bytes(field))
}

type Place = (payload: Payload | undefined, name: string) => Uint8Array | string | null

function taskFields(task: TaskRow, index: number, baseMs: number, place: Place): readonly unknown[] {
  return [
    taskStatuses.indexOf(task.status),
    task.attempt,
    task.startedAtMs - baseMs,
    task.endedAtMs === undefined ? null : task.endedAtMs - baseMs,
    place(task.output, `${index}o`),
    errorFields(task.error),
    task.hasIncident,
    task.open === undefined ? null : openFields(task.open, index, place),
    task.edges === 'live' ? 1 : task.edges === 'dead' ? 0 : task.edges,
  ]
}

function taskOf(fields: readonly unknown[], baseMs: number, payload: (field: unknown) => Payload | undefined): TaskRow {
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
  }
}

function openFields(open: OpenWork, index: number, place: Place): readonly unknown[] {
  switch (open.kind) {
    case 'record':
      return [0, open.number, open.value, open.timer ?? null]
    case 'time':
      return [1, open.dueAtMs, open.timer]
    case 'retry':
      return [2, open.dueAtMs, open.timer, place(open.input, `${index}i`)]
    case 'slot':
      return [3, place(open.input, `${index}i`)]
    case 'handler':
      return [4, open.run, place(open.input, `${index}i`), open.timer]
    case 'scope':
      return [5]
  }
}

function openOf(fields: readonly unknown[], payload: (field: unknown) => Payload | undefined): OpenWork {
  const input = (field: unknown): Payload => payload(field) ?? Payload.of(null)
  switch (fields[0]) {
    case 0:
      return {
        kind: 'record',
        number: number(fields[1]),
        value: text(fields[2]),
        timer: optional(text)(fields[3]),
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
      return { kind: 'scope' }
    default:
      throw new StoreCorrupted('a task waits for something that there is not')
  }
}

const errorFields = (error: TaskError | undefined): readonly unknown[] | null =>
  error === undefined ? null : [error.code, error.message]

/** A status by its place; places are never reused. */
function member<Name>(names: readonly Name[], field: unknown): Name {
  const name = names[number(field)]
  if (name === undefined) throw new StoreCorrupted('a value has a status that there is not')
  return name
}

const errorOf = (fields: unknown): TaskError | undefined =>
  Array.isArray(fields) ? { code: text(fields[0]), message: text(fields[1]) } : undefined

function timelineFields(row: InstanceRow): readonly unknown[] {
  const flat: unknown[] = []
  for (const entry of row.timeline) {
    flat.push(entry.atMs - row.startedAtMs, entry.task, statusCode(entry.status), entry.attempt, entry.note ?? null)
  }
  return flat
}

function timelineOf(flat: readonly unknown[], baseMs: number): TimelineRow[] {
  const timeline: TimelineRow[] = []
  for (let i = 0; i < flat.length; i += 5) {
    const status = flat[i + 2]
    timeline.push({
      atMs: baseMs + number(flat[i]),
      task: number(flat[i + 1]),
      status: typeof status === 'number' ? member(taskStatuses, status) : text(status),
      attempt: number(flat[i + 3]),
      note: optional(text)(flat[i + 4]),
    })
  }
  return timeline
}

function statusCode(status: string): number | string {
  const code = taskStatuses.indexOf(status as TaskStatus)
  return code === -1 ? status : code
}
