// Commands between partitions, as values of inbox records. One number a command type; numbers are never reused.
import { StoreCorrupted } from '../base/errors.ts'
import { unreachable } from '../base/assert.ts'
import type { TraceContext } from '../base/tracing.ts'
import type { Carried, ChildTold, HandedTo, Travelling } from '../engine/command.ts'
import { Payload } from '../engine/payload.ts'
import type { Due, Parent } from '../engine/state.ts'
import * as read from './fields.ts'
import { waiterFields, waiterOf } from './channel-codec.ts'
import { pack, unpack } from './pack.ts'
import { onExpiredOf } from './row-codec.ts'
import { recordFields, recordOf } from './source-record.ts'

const layout = 1

export function encodeInbox(command: Travelling): Uint8Array {
  return pack(layout, fieldsOf(command))
}

/** @throws {StoreCorrupted} The value is not a command of this or an older release. */
export function decodeInbox(bytes: Uint8Array): Travelling {
  return unpack(layout, bytes, commandOf)
}

function fieldsOf(command: Travelling): readonly unknown[] {
  switch (command.type) {
    case 'instance.start': {
      const { origin } = command
      const start = [command.workflow, command.version, command.key]
      if (origin.kind === 'record') return [0, ...start, recordFields(origin.record), origin.trigger]
      if (origin.kind === 'parent')
        return [7, ...start, parentFields(origin.parent), origin.input.bytes, ...traceFields(command.trace)]
      if (origin.kind === 'schedule') return [11, ...start, ...dueFields(origin.due)]
      // A call waits in its worker's memory, on the partition of its key: it never travels.
      return unreachable(origin as never)
    }
    case 'channel.publish':
      return [1, command.workflow, command.value, recordFields(command.record), command.keepMs, command.onExpired]
    case 'channel.join':
      return [2, command.workflow, command.topic, command.value, waiterFields(command.waiter)]
    case 'channel.leave':
      return [3, command.workflow, command.topic, command.value, command.instanceId, command.number]
    case 'instance.correlate':
      return [4, command.instanceId, command.task, command.number, ...carriedFields(command)]
    case 'channel.return':
      return [
        5,
        command.workflow,
        command.value,
        recordFields(command.record),
        command.arrivedAtMs,
        command.expiresAtMs,
        command.isStale,
        command.onExpired,
      ]
    case 'channel.purge':
      return [6, command.workflow, command.topic, command.value, command.fromMs, command.toMs]
    case 'child.told': {
      const { parent, told } = command
      const more = told.outcome === 'completed' ? [told.output?.bytes ?? null] : []
      const error = told.outcome === 'failed' ? [told.error.code, told.error.message] : []
      return [8, parentFields(parent), told.outcome, ...more, ...error]
    }
    case 'child.stop':
      return [9, command.workflow, command.key, parentFields(command.parent)]
    case 'schedule.ended':
      return [10, command.workflow, ...dueFields(command.due)]
    case 'record.hand-out':
      return [
        12,
        command.to.flatMap(({ instanceId, task, number }) => [instanceId, task, number]),
        ...carriedFields(command),
      ]
  }
}

function commandOf(fields: readonly unknown[]): Travelling {
  const text = (at: number): string => read.text(fields[at])
  const number = (at: number): number => read.number(fields[at])
  const record = (at: number) => recordOf(read.list(fields[at]))
  switch (fields[0]) {
    case 0:
      return {
        type: 'instance.start',
        workflow: text(1),
        version: text(2),
        key: text(3),
        origin: { kind: 'record', record: record(4), trigger: number(5) },
      }
    case 1:
      return {
        type: 'channel.publish',
        workflow: text(1),
        value: text(2),
        record: record(3),
        keepMs: number(4),
        onExpired: onExpiredOf(fields[5]),
      }
    case 2:
      return {
        type: 'channel.join',
        workflow: text(1),
        topic: text(2),
        value: text(3),
        waiter: waiterOf(read.list(fields[4])),
      }
    case 3:
      return {
        type: 'channel.leave',
        workflow: text(1),
        topic: text(2),
        value: text(3),
        instanceId: text(4),
        number: number(5),
      }
    case 4:
      return {
        type: 'instance.correlate',
        instanceId: text(1),
        task: number(2),
        number: number(3),
        ...carriedAt(fields, 4),
      }
    case 5:
      return {
        type: 'channel.return',
        workflow: text(1),
        value: text(2),
        record: record(3),
        arrivedAtMs: number(4),
        expiresAtMs: number(5),
        isStale: read.flag(fields[6]),
        onExpired: onExpiredOf(fields[7]),
      }
    case 6:
      return {
        type: 'channel.purge',
        workflow: text(1),
        topic: text(2),
        value: text(3),
        fromMs: number(4),
        toMs: number(5),
      }
    case 7:
      return {
        type: 'instance.start',
        workflow: text(1),
        version: text(2),
        key: text(3),
        origin: { kind: 'parent', parent: parentOf(fields[4]), input: Payload.ofBytes(read.bytes(fields[5])) },
        ...traceAt(fields, 6),
      }
    case 8:
      return { type: 'child.told', parent: parentOf(fields[1]), told: toldOf(fields) }
    case 9:
      return { type: 'child.stop', workflow: text(1), key: text(2), parent: parentOf(fields[3]) }
    case 10:
      return { type: 'schedule.ended', workflow: text(1), due: { trigger: text(2), dueAtMs: number(3) } }
    case 11:
      return {
        type: 'instance.start',
        workflow: text(1),
        version: text(2),
        key: text(3),
        origin: { kind: 'schedule', due: { trigger: text(4), dueAtMs: number(5) } },
      }
    case 12:
      return {
        type: 'record.hand-out',
        to: handedTo(read.list(fields[1])),
        ...carriedAt(fields, 2),
      }
    default:
      throw new StoreCorrupted(`an inbox record holds the unknown command ${String(fields[0])}`)
  }
}

/** The end of what goes to instances: the record, and what comes with it. */
const carriedFields = (carried: Carried): readonly unknown[] => [
  carried.value,
  carried.workflow,
  recordFields(carried.record),
  carried.arrivedAtMs,
  carried.expiresAtMs,
  carried.onExpired,
]

function carriedAt(fields: readonly unknown[], at: number): Carried {
  return {
    value: read.text(fields[at]),
    workflow: read.text(fields[at + 1]),
    record: recordOf(read.list(fields[at + 2])),
    arrivedAtMs: read.number(fields[at + 3]),
    expiresAtMs: read.number(fields[at + 4]),
    onExpired: onExpiredOf(fields[at + 5]),
  }
}

function handedTo(flat: readonly unknown[]): readonly HandedTo[] {
  const to: HandedTo[] = []
  for (let at = 0; at < flat.length; at += 3)
    to.push({ instanceId: read.text(flat[at]), task: read.number(flat[at + 1]), number: read.number(flat[at + 2]) })
  return to
}

/** At the end of a start, where there is one. */
export const traceFields = (trace: TraceContext | undefined): readonly unknown[] =>
  trace === undefined ? [] : [trace.traceparent, trace.tracestate ?? null]

export function traceAt(fields: readonly unknown[], at: number): { readonly trace?: TraceContext } {
  const traceparent = read.optional(read.text)(fields[at])
  if (traceparent === undefined) return {}
  return { trace: { traceparent, tracestate: read.optional(read.text)(fields[at + 1]) } }
}

const dueFields = ({ trigger, dueAtMs }: Due): readonly unknown[] => [trigger, dueAtMs]

const parentFields = ({ instanceId, task, attempt }: Parent): readonly unknown[] => [instanceId, task, attempt]

function parentOf(field: unknown): Parent {
  const fields = read.list(field)
  return { instanceId: read.text(fields[0]), task: read.number(fields[1]), attempt: read.number(fields[2]) }
}

function toldOf(fields: readonly unknown[]): ChildTold['told'] {
  switch (fields[2]) {
    case 'started':
      return { outcome: 'started' }
    case 'completed': {
      const output = read.optional(read.bytes)(fields[3])
      return { outcome: 'completed', output: output && Payload.ofBytes(output) }
    }
    case 'failed':
      return { outcome: 'failed', error: { code: read.text(fields[3]), message: read.text(fields[4]) } }
    default:
      throw new StoreCorrupted('a child tells what there is not')
  }
}
