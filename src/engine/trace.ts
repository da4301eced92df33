// Which trace an instance and its tasks belong to. With no tracing what came in is carried on as it is; with tracing
// every attempt of a task has a span, whose id follows from what is known when the attempt begins.
import { traceContextOf, type TraceContext } from '../base/tracing.ts'
import type { Task } from '../definition/workflow.ts'
import type { InstanceStart } from './command.ts'
import type { SourceRecord } from './message.ts'
import { rowAt, type TaskTables } from './nodes.ts'
import type { InstanceRow } from './state.ts'
import type { World } from './world.ts'

interface AtTask {
  readonly state: TaskTables
  readonly instance: InstanceRow
  readonly node: number
  readonly task: Task
  readonly number: number
}

/** What an instance is started by. */
export const traceOfStart = ({ origin, trace }: InstanceStart): TraceContext | undefined =>
  origin.kind === 'record' ? traceOfRecord(origin.record) : trace

/** What goes on from an attempt of a task. */
export function traceOf(at: AtTask, { tracing, nowMs }: Pick<World, 'tracing' | 'nowMs'>): TraceContext | undefined {
  const { instance, number } = at
  if (tracing !== undefined) return tracing.attempt(instance, attemptKey(at, number, nowMs))
  return traceOfInstance(instance)
}

export const traceOfInstance = ({ traceparent, tracestate }: InstanceRow): TraceContext | undefined =>
  traceparent === undefined ? undefined : { traceparent, tracestate }

/** Tells an attempt from all others of its instance: a task may begin anew, and one compensates many (handler.ts, I4). */
export function attemptKey(at: Omit<AtTask, 'number'>, number: number, nowMs: number): string {
  const { state, instance, node, task } = at
  const key = `${node}@${rowAt(state, instance, node)?.startedAtMs ?? nowMs}#${number}`
  return task.aside === 'compensation' ? `${key}/${instance.undos + instance.unknowns}` : key
}

const decoder = new TextDecoder()
const headerBytesMax = 512

/** What a record was sent by. Of several headers of a name the last one stands, as for expressions. */
export function traceOfRecord({ headers }: Pick<SourceRecord, 'headers'>): TraceContext | undefined {
  let traceparent: string | undefined
  let tracestate: string | undefined
  for (const { key, value } of headers) {
    if (value.length > headerBytesMax) continue
    if (key === 'traceparent') traceparent = decoder.decode(value)
    else if (key === 'tracestate') tracestate = decoder.decode(value)
  }
  return traceContextOf(traceparent, tracestate)
}
