// What happened to an instance, told to the world outside: CloudEvents 1.0, in structured mode, so that one value holds
// all of it wherever it is copied to.
//
//   E1. An update is an entry of its instance's timeline, and has its number: the numbers of an instance begin at 1 and
//       leave none out, with no state of their own.
//   E2. An update holds no payload and no value of a variable, only sizes and names; and it is small, whatever it tells of.
import { limits } from '../base/limits.ts'
import type { TaskError } from '../base/errors.ts'
import { utf8 } from '../base/utf8.ts'
import type { Workflow } from '../definition/workflow.ts'
import type { Event, EventType } from '../engine/event.ts'
import { nameOfNode, type TaskTables } from '../engine/nodes.ts'
import type { InstanceRow, TimelineRow } from '../engine/state.ts'

/** What updates are of, by event; undefined: of the machinery, and in no timeline. */
const kinds = {
  'instance.started': 'instance.started',
  'instance.completed': 'instance.completed',
  'instance.ending': 'instance.compensating',
  'instance.failed': 'instance.failed',
  'instance.suspended': 'instance.suspended',
  'instance.resumed': 'instance.resumed',
  'instance.reopened': 'instance.reopened',
  'command.deferred': undefined,
  'signal.kept': undefined,
  'signal.taken': undefined,
  'instance.operated': 'instance.operated',
  'instance.incident-resolved': undefined,
  'instance.stopped': 'instance.stopped',
  'instance.incident-raised': 'instance.incident-raised',
  'instance.forgotten': undefined,
  'deadlines.set': undefined,
  'instance.not-started': undefined,
  'task.submitted': 'task.submitted',
  'task.executing': 'task.executing',
  'task.waiting': undefined,
  'slots.taken': undefined,
  'task.retry-scheduled': 'task.retry-scheduled',
  'task.completed': 'task.completed',
  'task.failed': 'task.failed',
  'task.skipped': 'task.skipped',
  'task.stopped': 'task.stopped',
  'task.stopping': 'task.stopping',
  'scope.reopened': undefined,
  'scope.joined': undefined,
  'undo.recorded': undefined,
  'undo.taken': undefined,
  'ahead.joined': undefined,
  'ahead.left': undefined,
  'vars.set': 'vars.set',
  'timer.armed': undefined,
  'timer.fired': undefined,
  'channel.joined': undefined,
  'channel.left': undefined,
  'channel.matched': undefined,
  'record.kept': undefined,
  'record.unkept': undefined,
  'record.dropped': undefined,
  'record.returned': undefined,
  'record.dead-lettered': undefined,
  'record.unmatched': undefined,
  'start.queued': undefined,
  'start.dequeued': undefined,
  'schedule.set': undefined,
  'schedule.removed': undefined,
  'schedule.skipped': undefined,
  'answer.remembered': undefined,
  'answer.forgotten': undefined,
  'attributes.set': undefined,
} as const satisfies { readonly [Type in EventType]: string | undefined }

type Kind = NonNullable<(typeof kinds)[EventType]>
type ToldType = { [Type in EventType]: (typeof kinds)[Type] extends string ? Type : never }[EventType]
/** An event that a timeline tells of. */
export type Told = Extract<Event, { type: ToldType }>

/** A CloudEvent 1.0: one change of an instance, or of a task of it. */
export interface Update {
  readonly specversion: '1.0'
  /** The instance's, with the number of the update in it: "01jd…-3/17". */
  readonly id: string
  /** "urn:dagger-worker:<app>" */
  readonly source: string
  readonly type: `dagger-worker.${Kind}`
  /** The instance's id. */
  readonly subject: string
  /** When it happened, by the clock of the partition: RFC 3339. */
  readonly time: string
  readonly datacontenttype: 'application/json'
  readonly dataschema: string
  /** The number of the update in its instance, from 1, with leading zeros: it sorts as a text. */
  readonly sequence: string
  /** Of the record that started the instance. */
  readonly traceparent?: string
  readonly data: UpdateData
}

export interface UpdateData {
  readonly instance: string
  readonly workflow: string
  /** "order@3f9c2a1b" */
  readonly version: string
  readonly key: string
  /** Of the task where the type begins with "task", else of the instance: as it is now. */
  readonly status: string
  /** What of the instance waits for a person now. */
  readonly incidents: number
  /** "charge", "each[3].charge" */
  readonly task?: string
  readonly attempt?: number
  readonly error?: TaskError
  /** The task has failed for good, and waits for a person. */
  readonly incident?: true
  /** Who did it. */
  readonly by?: string
  /** More in words. */
  readonly note?: string
  /** Of a start: "record orders/3@17", "api". */
  readonly origin?: string
  /** Of a start: the instance that asked for it. */
  readonly parent?: string
  readonly inputBytes?: number
  readonly outputBytes?: number
  /** Names of those that were set, the first of them. */
  readonly variables?: readonly string[]
}

const schemas = 'https://dagger-worker.dev/schemas/updates'
const headers = [{ key: 'content-type', value: utf8('application/cloudevents+json') }]
const variablesMax = 100
const cut = (text: string): string =>
  text.length > limits.updateTextMax ? `${text.slice(0, limits.updateTextMax)}…` : text

/** True for an event that is told of in a timeline, and so in updates. */
export const isTold = (event: Event): event is Told => kinds[event.type] !== undefined

export const instanceOf = (event: Told): string => (event.type === 'instance.started' ? event.row.id : event.instanceId)

/** Of which instance it is. */
export interface UpdateSubject {
  readonly app: string
  readonly row: InstanceRow
  readonly workflow: Workflow
  readonly tables: TaskTables
}

/** The update, as JSON, of an event that has just been applied to its instance; undefined: nothing of it is told. */
export function updateOf(event: Told, { app, row, workflow, tables }: UpdateSubject): string | undefined {
  const entry = row.timeline.at(-1)
  // There was nothing to compensate.
  if (entry === undefined || (event.type === 'instance.ending' && entry.status !== 'COMPENSATING')) return undefined
  const kind = kinds[event.type]
  const number = row.timelineDropped + row.timeline.length // E1
  // Of one shape, whatever there is to tell: JSON leaves out what is undefined, and spreading costs more than all else.
  const update: Undefinable<Update> = {
    specversion: '1.0',
    id: `${row.id}/${number}`,
    source: `urn:dagger-worker:${app}`,
    type: `dagger-worker.${kind}`,
    subject: row.id,
    time: timeText(entry.atMs),
    datacontenttype: 'application/json',
    dataschema: `${schemas}/${kind.slice(0, kind.indexOf('.'))}.schema.json`,
    sequence: number.toString().padStart(10, '0'),
    traceparent: row.traceparent,
    data: dataOf(event, entry, { app, row, workflow, tables }),
  }
  return JSON.stringify(update)
}

type Undefinable<Type> = { readonly [Key in keyof Type]: Type[Key] | undefined }

/** E2 */
function dataOf(event: Told, entry: TimelineRow, { row, workflow, tables }: UpdateSubject): UpdateData {
  const isStart = event.type === 'instance.started'
  const isSet = event.type === 'vars.set'
  const error = 'error' in event ? event.error : event.type === 'instance.ending' ? event.ending.error : undefined
  const by = byIn(event)
  const output = 'output' in event ? event.output : undefined
  // The origin and the names stand for themselves, and the note of a failure is its error once more.
  const isNoted = entry.note !== undefined && !isStart && !isSet && (error === undefined || by !== undefined)
  const data: Undefinable<UpdateData> = {
    instance: row.id,
    workflow: row.workflow,
    version: row.version,
    key: row.key,
    status: event.type.startsWith('task.') ? entry.status : row.status,
    incidents: row.incidents,
    task: entry.task === -1 ? undefined : nameOfNode(tables, row, workflow, entry.task),
    attempt: entry.attempt === 0 ? undefined : entry.attempt,
    error: error && { code: cut(error.code), message: cut(error.message) },
    incident: event.type === 'task.failed' && event.hasIncident ? true : undefined,
    // The history says "by ann".
    by: by?.replace(/^by /, ''),
    note: isNoted ? cut(entry.note) : undefined,
    origin: isStart ? cut(row.origin) : undefined,
    parent: isStart ? row.parent?.instanceId : undefined,
    inputBytes: isStart ? row.input.bytes.length : undefined,
    outputBytes: output?.bytes.length,
    variables: isSet ? event.values.slice(0, variablesMax).map(([name]) => name) : undefined,
  }
  return data as UpdateData
}

/** What is told of in one batch has a few times. */
let lastTime = { atMs: 0, text: '1970-01-01T00:00:00.000Z' }
function timeText(atMs: number): string {
  if (lastTime.atMs !== atMs) lastTime = { atMs, text: new Date(atMs).toISOString() }
  return lastTime.text
}

/** As a record: in the partition of its instance, and so in order. */
export const updateRecord = (instanceId: string, update: string, topic: string, partition: number) => ({
  topic,
  partition,
  key: utf8(instanceId),
  value: utf8(update),
  headers,
})

function byIn(event: Told): string | undefined {
  if (event.type !== 'instance.started') return 'by' in event ? event.by : undefined
  const { origin } = event.start
  return origin.kind === 'api' ? origin.by : undefined
}
