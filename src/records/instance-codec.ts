// The layout of an instance. It is rewritten with every event of the instance, so it is lean: lists instead of
// objects, times relative to the start, the timeline flat, payloads as the bytes that they are. A payload that is
// large, or one too many, is a value of its own and only its key stands here.
import type { Json } from '../base/json.ts'
import { StoreCorrupted } from '../base/errors.ts'
import { Payload } from '../engine/payload.ts'
import type {
  AttributeValue,
  Due,
  Ending,
  InstanceRow,
  InstanceStatus,
  Parent,
  Signal,
  Subscription,
  TaskStatus,
  TimelineRow,
} from '../engine/state.ts'
import { bytes, list, number, optional, text, texts } from './fields.ts'
import { pack, unpack } from './pack.ts'
import { payloadOf, payloadPlaces, type PlacedPayloads } from './payload-place.ts'
import {
  deadlinesFields,
  deadlinesOf,
  errorFields,
  errorOf,
  member,
  tasksFields,
  tasksOf,
  taskStatuses,
} from './task-codec.ts'

const layout = 2
const instanceStatuses: readonly InstanceStatus[] = [
  'EXECUTING',
  'COMPLETED',
  'FAILED',
  'STOPPED',
  'COMPENSATING',
  'SUSPENDED',
]

export interface EncodedInstance extends PlacedPayloads {
  readonly bytes: Uint8Array
}

/** Encodes an instance. What it returns in `payloads` has to be written in the same batch. */
export function encodeInstance(row: InstanceRow): EncodedInstance {
  const { place, payloads, stored } = payloadPlaces(row.id)
  const bytes = pack(layout, [
    row.id,
    row.workflow,
    row.version,
    row.key,
    row.origin,
    traceFields(row),
    row.startedAtMs,
    place(row.input, '', 'in'),
    instanceStatuses.indexOf(row.status),
    row.endedAtMs ?? null,
    row.vars.size === 0 ? null : JSON.stringify([...row.vars]),
    tasksFields(row.tasks, row.startedAtMs, place),
    row.incidents,
    place(row.output, '', 'out'),
    errorFields(row.error),
    row.subscriptions,
    timelineFields(row),
    row.timelineDropped,
    stored,
    row.parent === undefined ? null : [row.parent.instanceId, row.parent.task, row.parent.attempt],
    row.unsettled,
    row.slots,
    row.ending === undefined ? null : [instanceStatuses.indexOf(row.ending.status), errorFields(row.ending.error)],
    row.stopping,
    row.undos,
    row.unknowns,
    deadlinesFields(row.deadlines),
    row.signals.map(({ name, payload }) => [name, payload.bytes]),
    row.deferred,
    row.due === undefined ? null : [row.due.trigger, row.due.dueAtMs],
    row.ahead.map(({ task, number: which, value, others }) => [task, which, value, ...others]),
    row.attributes.size === 0 ? null : [...row.attributes].flat(),
  ])
  return { bytes, payloads, stored }
}

/** @param load reads a payload that is a value of its own, by its key. @throws {StoreCorrupted} */
export function decodeInstance(bytes: Uint8Array, load: (key: string) => Uint8Array): InstanceRow {
  return unpack(layout, bytes, (fields) => instanceOf(fields, load))
}

export type InstanceHead = Pick<InstanceRow, 'workflow' | 'version' | 'status' | 'incidents'> & {
  readonly hasEnded: boolean
}

/** What instances are counted by, with no payload read. @throws {StoreCorrupted} */
export function decodeInstanceHead(bytes: Uint8Array): InstanceHead {
  return unpack(layout, bytes, (fields) => ({
    workflow: text(fields[1]),
    version: text(fields[2]),
    status: member(instanceStatuses, fields[8]),
    incidents: number(fields[12]),
    hasEnded: fields[9] !== null,
  }))
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
    ...traceOf(fields[5]),
    startedAtMs,
    input: payload(fields[7]) ?? Payload.of(null),
    status: member(instanceStatuses, fields[8]),
    endedAtMs: optional(number)(fields[9]),
    vars: new Map(fields[10] === null ? [] : (JSON.parse(text(fields[10])) as [string, Json][])),
    tasks: tasksOf(list(fields[11]), startedAtMs, payload),
    incidents: number(fields[12]),
    output: payload(fields[13]),
    error: errorOf(fields[14]),
    subscriptions: number(fields[15]),
    timeline: timelineOf(list(fields[16]), startedAtMs),
    timelineDropped: number(fields[17]),
    stored: texts(fields[18]),
    parent: parentOf(fields[19]),
    unsettled: number(fields[20]),
    slots: number(fields[21]),
    ending: endingOf(fields[22]),
    stopping: number(fields[23]),
    undos: number(fields[24]),
    unknowns: number(fields[25]),
    deadlines: deadlinesOf(fields[26]),
    signals: list(fields[27]).map(signalOf),
    deferred: number(fields[28]),
    due: dueOf(fields[29]),
    ahead: list(fields[30]).map(subscriptionOf),
    attributes: attributesOf(fields[31]),
  }
}

/** One text but where there is a state beside it. */
const traceFields = ({ traceparent, tracestate }: InstanceRow): unknown =>
  tracestate === undefined ? (traceparent ?? null) : [traceparent, tracestate]

function traceOf(field: unknown): Pick<InstanceRow, 'traceparent' | 'tracestate'> {
  if (!Array.isArray(field)) return { traceparent: optional(text)(field), tracestate: undefined }
  return { traceparent: text(field[0]), tracestate: text(field[1]) }
}

function parentOf(field: unknown): Parent | undefined {
  const fields = optional(list)(field)
  return fields && { instanceId: text(fields[0]), task: number(fields[1]), attempt: number(fields[2]) }
}

function dueOf(field: unknown): Due | undefined {
  const fields = optional(list)(field)
  return fields && { trigger: text(fields[0]), dueAtMs: number(fields[1]) }
}

/** Up to 0.2 there were none. */
function attributesOf(field: unknown): InstanceRow['attributes'] {
  const flat = optional(list)(field) ?? []
  const values = new Map<string, AttributeValue>()
  for (let at = 0; at < flat.length; at += 2) {
    const value = flat[at + 1]
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean')
      throw new StoreCorrupted('an attribute has a value of another kind')
    values.set(text(flat[at]), value)
  }
  return values
}

function subscriptionOf(field: unknown): Subscription {
  const [task, which, value, ...others] = list(field)
  return { task: number(task), number: number(which), value: text(value), others: texts(others) }
}

function signalOf(field: unknown): Signal {
  const fields = list(field)
  return { name: text(fields[0]), payload: Payload.ofBytes(bytes(fields[1])) }
}

function endingOf(field: unknown): Ending | undefined {
  const fields = optional(list)(field)
  if (fields === undefined) return undefined
  const status = member(instanceStatuses, fields[0])
  const error = errorOf(fields[1])
  if ((status !== 'FAILED' && status !== 'STOPPED') || error === undefined)
    throw new StoreCorrupted('an instance ends in a way that there is not')
  return { status, error }
}

function timelineFields(row: InstanceRow): readonly unknown[] {
  const { timeline, startedAtMs } = row
  // Of its length from the beginning: made anew with every event, a list that grows would be copied thrice.
  // oxlint-disable-next-line unicorn/no-new-array
  const flat = new Array<unknown>(5 * timeline.length)
  let at = 0
  for (const { atMs, task, status, attempt, note } of timeline) {
    flat[at++] = atMs - startedAtMs
    flat[at++] = task
    flat[at++] = statusCode(status)
    flat[at++] = attempt
    flat[at++] = note ?? null
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
