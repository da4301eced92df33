// The layouts of all rows but the instance (instance-codec.ts), and of the position of an input.
import type {
  AnswerRow,
  ChannelRow,
  KeptMark,
  KeptRow,
  KeptTotalsRow,
  KeyRow,
  TimerRow,
  TimerTarget,
  Waiter,
  WorkRow,
} from '../engine/state.ts'
import { pack, unpack } from './pack.ts'
import { recordFields, recordOf } from './source-record.ts'

export interface Codec<Row> {
  encode(row: Row): Uint8Array
  /** @throws {StoreCorrupted} */
  decode(bytes: Uint8Array): Row
}

/** A codec of one layout version: a list of fields each way. */
function codec<Row>(
  layout: number,
  toFields: (row: Row) => readonly unknown[],
  fromFields: (fields: readonly unknown[]) => Row,
): Codec<Row> {
  return { encode: (row) => pack(layout, toFields(row)), decode: (bytes) => unpack(layout, bytes, fromFields) }
}

export const keyCodec = codec<KeyRow>(
  1,
  (row) => [row.instanceId, row.isOpen],
  (fields) => ({ instanceId: fields[0] as string, isOpen: fields[1] as boolean }),
)

export const channelCodec = codec<ChannelRow>(
  1,
  (row) => [
    row.workflow,
    row.topic,
    row.value,
    row.waiters.map(waiterFields),
    row.kept.map((mark) => [mark.number, mark.arrivedAtMs, mark.bytes]),
  ],
  (fields) => ({
    workflow: fields[0] as string,
    topic: fields[1] as string,
    value: fields[2] as string,
    waiters: (fields[3] as unknown[][]).map(waiterOf),
    kept: (fields[4] as [number, number, number][]).map(([number, arrivedAtMs, bytes]): KeptMark => ({
      number,
      arrivedAtMs,
      bytes,
    })),
  }),
)

export function waiterOf(fields: readonly unknown[]): Waiter {
  const [instanceId, partition, version, task, number, sinceMs, others] = fields as [
    string,
    number,
    string,
    number,
    number,
    number,
    string[],
  ]
  return { instanceId, partition, version, task, number, sinceMs, others }
}
/** A waiter as fields, inside a channel and inside a command. */
export const waiterFields = (waiter: Waiter): readonly unknown[] => [
  waiter.instanceId,
  waiter.partition,
  waiter.version,
  waiter.task,
  waiter.number,
  waiter.sinceMs,
  waiter.others,
]

export const keptCodec = codec<KeptRow>(
  1,
  (row) => [row.number, row.channel, recordFields(row.record), row.arrivedAtMs, row.expiresAtMs, row.timer, row.bytes],
  (fields) => ({
    number: fields[0] as number,
    channel: fields[1] as string,
    record: recordOf(fields[2] as readonly unknown[]),
    arrivedAtMs: fields[3] as number,
    expiresAtMs: fields[4] as number,
    timer: fields[5] as string,
    bytes: fields[6] as number,
  }),
)

export const keptTotalsCodec = codec<KeptTotalsRow>(
  1,
  (row) => [row.next, row.oldest, row.count, row.bytes],
  (fields) => ({
    next: fields[0] as number,
    oldest: fields[1] as number,
    count: fields[2] as number,
    bytes: fields[3] as number,
  }),
)

export const timerCodec = codec<TimerRow>(
  1,
  ({ dueAtMs, target }) => {
    switch (target.kind) {
      case 'task':
        return [dueAtMs, 0, target.instanceId, target.task]
      case 'forget-instance':
        return [dueAtMs, 1, target.instanceId]
      case 'expire-kept':
        return [dueAtMs, 2, target.number]
      case 'forget-answer':
        return [dueAtMs, 3, target.answer]
    }
  },
  (fields) => ({ dueAtMs: fields[0] as number, target: targetOf(fields) }),
)

function targetOf(fields: readonly unknown[]): TimerTarget {
  switch (fields[1]) {
    case 0:
      return { kind: 'task', instanceId: fields[2] as string, task: fields[3] as number }
    case 1:
      return { kind: 'forget-instance', instanceId: fields[2] as string }
    case 2:
      return { kind: 'expire-kept', number: fields[2] as number }
    default:
      return { kind: 'forget-answer', answer: fields[2] as string }
  }
}

export const workCodec = codec<WorkRow>(
  1,
  (row) => [row.instanceId, row.task],
  (fields) => ({ instanceId: fields[0] as string, task: fields[1] as number }),
)

export const answerCodec = codec<AnswerRow>(
  1,
  (row) => [row.outcome, row.instanceId, row.key],
  (fields) => ({
    outcome: fields[0] as AnswerRow['outcome'],
    instanceId: fields[1] as string,
    key: fields[2] as string,
  }),
)

/** Where a partition is in a topic: the id of the topic's creation, and the next offset. */
export interface InputPosition {
  readonly topicId: string
  readonly offset: number
}

export const positionCodec = codec<InputPosition>(
  1,
  (row) => [row.topicId, row.offset],
  (fields) => ({ topicId: fields[0] as string, offset: fields[1] as number }),
)
