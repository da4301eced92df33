// The layouts of all rows that have no file of their own, and of the position of an input.
import { StoreCorrupted } from '../base/errors.ts'
import type {
  AnswerRow,
  AttributeRow,
  KeptRow,
  KeptTotalsRow,
  KeyRow,
  OnExpired,
  ScheduleEntry,
  ScheduleRow,
  TimerRow,
  TimerTarget,
  UndoRow,
  WorkRow,
} from '../engine/state.ts'
import { Payload } from '../engine/payload.ts'
import { bytes, list, number, optional, text } from './fields.ts'
import { pack, unpack } from './pack.ts'
import { recordFields, recordOf } from './source-record.ts'

export interface Codec<Row> {
  encode(row: Row): Uint8Array
  /** @throws {StoreCorrupted} */
  decode(bytes: Uint8Array): Row
}

/** A codec of one layout version: a list of fields each way. */
export function codec<Row>(
  layout: number,
  toFields: (row: Row) => readonly unknown[],
  fromFields: (fields: readonly unknown[]) => Row,
): Codec<Row> {
  return { encode: (row) => pack(layout, toFields(row)), decode: (bytes) => unpack(layout, bytes, fromFields) }
}

export const keyCodec = codec<KeyRow>(
  1,
  // The second field said whether the instance was open, up to 0.2.
  (row) => [row.instanceId, null, row.queue],
  (fields) => ({
    instanceId: text(fields[0]),
    queue: (optional(list)(fields[2]) ?? []).map(number),
  }),
)

/** @throws {StoreCorrupted} */
export function onExpiredOf(field: unknown): OnExpired {
  if (field === 'drop' || field === 'dead-letter') return field
  throw new StoreCorrupted('a record ends in a way that there is not')
}

export const keptCodec = codec<KeptRow>(
  1,
  (row) => [
    row.number,
    row.channel,
    recordFields(row.record),
    row.arrivedAtMs,
    row.expiresAtMs,
    row.timer,
    row.bytes,
    row.onExpired,
  ],
  (fields) => ({
    number: number(fields[0]),
    channel: text(fields[1]),
    record: recordOf(list(fields[2])),
    arrivedAtMs: number(fields[3]),
    expiresAtMs: number(fields[4]),
    timer: text(fields[5]),
    bytes: number(fields[6]),
    onExpired: onExpiredOf(fields[7]),
  }),
)

export const keptTotalsCodec = codec<KeptTotalsRow>(
  1,
  (row) => [row.next, row.oldest, row.count, row.bytes],
  (fields) => ({
    next: number(fields[0]),
    oldest: number(fields[1]),
    count: number(fields[2]),
    bytes: number(fields[3]),
  }),
)

export const timerCodec = codec<TimerRow>(
  1,
  ({ dueAtMs, target }) => {
    switch (target.kind) {
      case 'task':
        return [dueAtMs, 0, target.instanceId, target.task]
      case 'max-duration':
        return [dueAtMs, 4, target.instanceId, target.task]
      case 'monitor':
        return [dueAtMs, 5, target.instanceId, target.task]
      case 'deadline':
        return [dueAtMs, 6, target.instanceId, target.task]
      case 'forget-instance':
        return [dueAtMs, 1, target.instanceId]
      case 'expire-kept':
        return [dueAtMs, 2, target.number]
      case 'forget-answer':
        return [dueAtMs, 3, target.answer]
      case 'schedule':
        return [dueAtMs, 7, target.workflow, target.trigger]
    }
  },
  (fields) => ({ dueAtMs: number(fields[0]), target: targetOf(fields) }),
)

function targetOf(fields: readonly unknown[]): TimerTarget {
  switch (fields[1]) {
    case 0:
      return { kind: 'task', instanceId: text(fields[2]), task: number(fields[3]) }
    case 1:
      return { kind: 'forget-instance', instanceId: text(fields[2]) }
    case 2:
      return { kind: 'expire-kept', number: number(fields[2]) }
    case 3:
      return { kind: 'forget-answer', answer: text(fields[2]) }
    case 4:
      return { kind: 'max-duration', instanceId: text(fields[2]), task: number(fields[3]) }
    case 5:
      return { kind: 'monitor', instanceId: text(fields[2]), task: number(fields[3]) }
    case 6:
      return { kind: 'deadline', instanceId: text(fields[2]), task: number(fields[3]) }
    case 7:
      return { kind: 'schedule', workflow: text(fields[2]), trigger: text(fields[3]) }
    default:
      throw new StoreCorrupted('a timer has a target that there is not')
  }
}

export const undoCodec = codec<UndoRow>(
  1,
  (row) => [row.node, row.input.bytes, row.output.bytes],
  (fields) => ({
    node: number(fields[0]),
    input: Payload.ofBytes(bytes(fields[1])),
    output: Payload.ofBytes(bytes(fields[2])),
  }),
)

export const workCodec = codec<WorkRow>(
  1,
  (row) => [row.instanceId, row.task],
  (fields) => ({ instanceId: text(fields[0]), task: number(fields[1]) }),
)

export const answerCodec = codec<AnswerRow>(
  1,
  (row) => [row.outcome, row.instanceId, row.key],
  (fields) => ({
    outcome: outcomeOf(fields[0]),
    instanceId: text(fields[1]),
    key: text(fields[2]),
  }),
)

export const attributeCodec = codec<AttributeRow>(
  1,
  () => [],
  () => ({ isThere: true }),
)

function outcomeOf(field: unknown): AnswerRow['outcome'] {
  if (field === 'started' || field === 'ignored' || field === 'queued' || field === 'dropped') return field
  throw new StoreCorrupted('an answer has an outcome that there is not')
}

export const scheduleCodec = codec<ScheduleRow>(
  1,
  (row) => [row.workflow, row.entries.map(entryFields)],
  (fields) => ({ workflow: text(fields[0]), entries: list(fields[1]).map((each) => entryOf(list(each))) }),
)

const entryFields = (entry: ScheduleEntry): readonly unknown[] => [
  entry.trigger,
  entry.nextMs,
  entry.lookedAtMs,
  entry.lastMs ?? null,
  entry.runningMs ?? null,
  entry.pendingMs ?? null,
]

function entryOf(fields: readonly unknown[]): ScheduleEntry {
  const time = optional(number)
  return {
    trigger: text(fields[0]),
    nextMs: number(fields[1]),
    lookedAtMs: number(fields[2]),
    lastMs: time(fields[3]),
    runningMs: time(fields[4]),
    pendingMs: time(fields[5]),
  }
}

/** Where a partition is in a topic: the id of the topic's creation, and the next offset. */
export interface InputPosition {
  readonly topicId: string
  readonly offset: number
}

export const positionCodec = codec<InputPosition>(
  1,
  (row) => [row.topicId, row.offset],
  (fields) => ({ topicId: text(fields[0]), offset: number(fields[1]) }),
)
