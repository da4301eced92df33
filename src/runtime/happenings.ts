// What a batch has to tell of instances and attempts once it is committed (base/tracing.ts). Taken from each event and the
// state before it, so that what a task waited for, and since when, is still there.
//
//   An attempt is told once: when it is retried, when its task ends, or with an incident. What a person does with a task
//   that has failed is no attempt.
import type { Happening, HappenedTo, TracedRecord } from '../base/tracing.ts'
import type { Outgoing } from '../engine/effect.ts'
import type { Event } from '../engine/event.ts'
import type { SourceRecord } from '../engine/message.ts'
import { nameOfNode, rowAt, taskAt } from '../engine/nodes.ts'
import type { InstanceRow, State, TaskRow } from '../engine/state.ts'
import { attemptKey, traceOfRecord, traceOfStart } from '../engine/trace.ts'
import type { Catalogue } from '../engine/world.ts'

type TaskEvent = Extract<
  Event,
  { type: 'task.completed' | 'task.failed' | 'task.retry-scheduled' | 'task.skipped' | 'task.stopped' }
>
type EndEvent = Extract<Event, { type: 'instance.completed' | 'instance.failed' | 'instance.stopped' }>

/** What an event, not applied yet, tells; undefined: nothing. */
export function happeningOf(event: Event, state: State, catalogue: Catalogue): Happening | undefined {
  switch (event.type) {
    case 'instance.started': {
      const { row, start } = event
      const { origin } = start
      const record = origin.kind === 'record' ? placeOf(origin.record) : undefined
      const from = traceOfStart(start)
      return { type: 'started', instance: happenedTo(row), by: origin.kind, from, record, atMs: row.startedAtMs }
    }
    case 'instance.completed':
    case 'instance.failed':
    case 'instance.stopped':
      return endOf(event, state.instances.expect(event.instanceId))
    case 'task.completed':
    case 'task.failed':
    case 'task.retry-scheduled':
    case 'task.skipped':
    case 'task.stopped':
      return attemptOf(event, state, catalogue)
    default:
      return undefined
  }
}

/** Topics of what was sent: known once all is decided. */
export function withTopics(happenings: readonly Happening[], outgoing: readonly Outgoing[]): readonly Happening[] {
  if (happenings.length === 0) return happenings
  const topics = new Map<string, string>()
  for (const each of outgoing)
    if (each.type === 'command') topics.set(`${each.instanceId}/${each.task}#${each.attempt}`, each.topic)
  return happenings.map((each) => {
    if (each.type !== 'attempt' || each.taskType !== 'kafka-command') return each
    const node = each.key.slice(0, each.key.indexOf('@'))
    const topic = topics.get(`${each.instance.id}/${node}#${each.attempt}`)
    return topic === undefined ? each : { ...each, topic }
  })
}

function endOf(event: EndEvent, row: InstanceRow): Happening {
  return {
    type: 'ended',
    instance: happenedTo(row),
    fromMs: row.startedAtMs,
    toMs: event.atMs,
    status: statuses[event.type],
    errorCode: 'error' in event ? event.error.code : undefined,
  }
}

const statuses = {
  'instance.completed': 'COMPLETED',
  'instance.failed': 'FAILED',
  'instance.stopped': 'STOPPED',
} as const

function attemptOf(event: TaskEvent, state: State, catalogue: Catalogue): Happening | undefined {
  const { attempt, atMs, task: node } = event
  const instance = state.instances.expect(event.instanceId)
  const row = rowAt(state, instance, node)
  const workflow = catalogue.find(instance.version)
  if (workflow === undefined || !isAttempt(event, row)) return undefined
  const task = taskAt(workflow, node)
  const errorCode = errorOf(event)
  const record = event.type === 'task.completed' ? event.record : undefined
  return {
    type: 'attempt',
    instance: happenedTo(instance),
    key: attemptKey({ state, instance, node, task }, attempt, atMs),
    task: task.name,
    path: nameOfNode(state, instance, workflow, node),
    taskType: task.type,
    handler: task.type === 'handler' ? task.handler : undefined,
    attempt,
    fromMs: row?.attempt === attempt ? beginOf(instance, row, node) : atMs,
    toMs: atMs,
    outcome: outcomes[event.type],
    errorCode,
    topic: task.type === 'kafka-listener' ? task.topic : undefined,
    record: record && placeOf(record),
    link: record && traceOfRecord(record),
  }
}

const outcomes = {
  'task.completed': 'completed',
  'task.failed': 'failed',
  'task.retry-scheduled': 'failed',
  'task.skipped': 'skipped',
  'task.stopped': 'stopped',
} as const

/** True where an attempt ends by it; one that waits to be tried again, or for a person, has been told of. */
function isAttempt(event: TaskEvent, row: TaskRow | undefined): boolean {
  if (event.type === 'task.retry-scheduled' && event.error === undefined) return false
  if (row?.attempt === event.attempt) return row.open !== undefined && row.open.kind !== 'retry'
  // What is passed over has not begun.
  return event.type === 'task.skipped' ? event.error !== undefined : event.type !== 'task.stopped'
}

const errorOf = (event: TaskEvent): string | undefined => ('error' in event ? event.error?.code : undefined)

/** When the attempt under way began: its row has that of the first, its history those of the others, unless it is long. */
function beginOf({ timeline }: InstanceRow, row: TaskRow, node: number): number {
  if (row.attempt === 1) return row.startedAtMs
  const entry = timeline.find(
    ({ task, attempt, atMs }) => task === node && attempt === row.attempt && atMs >= row.startedAtMs,
  )
  return entry?.atMs ?? row.startedAtMs
}

const happenedTo = ({ id, traceparent, tracestate, workflow, version, key }: InstanceRow): HappenedTo => ({
  ...{ id, traceparent, tracestate, workflow, version, key },
})

const placeOf = ({ topic, partition, offset }: SourceRecord): TracedRecord => ({ topic, partition, offset })
