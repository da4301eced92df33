// The layouts of channels and of who waits in them.
import type { ChannelRow, Crowd, CrowdRow, KeptMark, Waiter } from '../engine/state.ts'
import { list, number, optional, text, texts } from './fields.ts'
import { codec } from './row-codec.ts'

export const channelCodec = codec<ChannelRow>(
  1,
  (row) => [
    row.workflow,
    row.topic,
    row.value,
    row.waiters.map(waiterFields),
    row.kept.map((mark) => [mark.number, mark.arrivedAtMs, mark.bytes]),
    ...(row.crowd === undefined ? [] : [crowdFields(row.crowd)]),
  ],
  (fields) => ({
    workflow: text(fields[0]),
    topic: text(fields[1]),
    value: text(fields[2]),
    waiters: list(fields[3]).map((each) => waiterOf(list(each))),
    kept: list(fields[4]).map((each) => markOf(list(each))),
    crowd: crowdOf(fields[5]),
  }),
)

function markOf(fields: readonly unknown[]): KeptMark {
  return { number: number(fields[0]), arrivedAtMs: number(fields[1]), bytes: number(fields[2]) }
}

export function waiterOf(fields: readonly unknown[]): Waiter {
  return {
    instanceId: text(fields[0]),
    partition: number(fields[1]),
    version: text(fields[2]),
    task: number(fields[3]),
    number: number(fields[4]),
    sinceMs: number(fields[5]),
    others: texts(fields[6]),
  }
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

const crowdFields = ({ first, last, length }: Crowd): readonly unknown[] => [first, last, length]

/** Up to 0.2 there was none: all waiters stood in the row. */
function crowdOf(field: unknown): Crowd | undefined {
  const fields = optional(list)(field)
  if (fields === undefined) return undefined
  return { first: text(fields[0]), last: text(fields[1]), length: number(fields[2]) }
}

export const crowdCodec = codec<CrowdRow>(
  1,
  (row) => [waiterFields(row.waiter), row.before ?? null, row.after ?? null],
  (fields) => ({
    waiter: waiterOf(list(fields[0])),
    before: optional(text)(fields[1]),
    after: optional(text)(fields[2]),
  }),
)
