// Arbitrary rows and commands for fast-check: every kind of field, of every length class of MessagePack.
import fc from 'fast-check'
import { limits } from '../../src/base/limits.ts'
import type { Travelling } from '../../src/engine/command.ts'
import type { SourceRecord } from '../../src/engine/message.ts'
import { Payload } from '../../src/engine/payload.ts'
import type {
  AnswerRow,
  BlockRow,
  ChannelRow,
  CrowdRow,
  InstanceRow,
  KeptRow,
  KeptTotalsRow,
  KeyRow,
  OpenWork,
  QueuedRow,
  ScheduleRow,
  TaskRow,
  TimerRow,
  UndoRow,
  Waiter,
  WorkRow,
} from '../../src/engine/state.ts'

export const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('', 'a'.repeat(31), 'b'.repeat(32), 'é'.repeat(200), '𝄞'.repeat(5_000), '__proto__', '\0'),
)
const time = fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 })
export const number = fc.oneof(
  fc.nat(),
  fc.constantFrom(0, 127, 128, 65_536, 2 ** 31, 2 ** 32, 2 ** 40, Number.MAX_SAFE_INTEGER),
)
const bytes = fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.constantFrom(new Uint8Array(), new Uint8Array(70_000)))
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined })
const kind = <const Kind extends string>(name: Kind): fc.Arbitrary<Kind> => fc.constant(name)

const part = maybe(bytes.map((json) => ({ json })))
const record: fc.Arbitrary<SourceRecord> = fc.record(
  {
    topic: text,
    partition: fc.nat(),
    offset: number,
    timestampMs: time,
    key: fc.option(bytes),
    value: fc.option(bytes),
    headers: fc.array(fc.record({ key: text, value: bytes }), { maxLength: 4 }),
    decoded: fc.record({ key: part, value: part }),
  },
  { requiredKeys: ['topic', 'partition', 'offset', 'timestampMs', 'key', 'value', 'headers'] },
)

const waiter: fc.Arbitrary<Waiter> = fc.record({
  instanceId: text,
  partition: fc.nat(),
  version: text,
  task: fc.nat(),
  number,
  sinceMs: time,
  others: fc.array(text, { maxLength: 3 }),
})

export const keyRow: fc.Arbitrary<KeyRow> = fc.record({
  instanceId: text,
  queue: fc.array(fc.nat(), { maxLength: 3 }),
})
export const workRow: fc.Arbitrary<WorkRow> = fc.record({ instanceId: text, task: fc.nat() })
export const keptTotalsRow: fc.Arbitrary<KeptTotalsRow> = fc.record({
  next: number,
  oldest: number,
  count: number,
  bytes: number,
})
export const answerRow: fc.Arbitrary<AnswerRow> = fc.record({
  outcome: fc.constantFrom('started', 'ignored', 'queued', 'dropped'),
  instanceId: text,
  key: text,
})
export const timerRow: fc.Arbitrary<TimerRow> = fc.record({
  dueAtMs: time,
  target: fc.oneof(
    fc.record({ kind: kind('task'), instanceId: text, task: fc.nat() }),
    fc.record({ kind: kind('forget-instance'), instanceId: text }),
    fc.record({ kind: kind('expire-kept'), number }),
    fc.record({ kind: kind('forget-answer'), answer: text }),
    fc.record({ kind: kind('schedule'), workflow: text, trigger: text }),
  ),
})
export const channelRow: fc.Arbitrary<ChannelRow> = fc.record({
  workflow: text,
  topic: text,
  value: text,
  waiters: fc.array(waiter, { maxLength: 4 }),
  crowd: fc.option(fc.record({ first: text, last: text, length: number }), { nil: undefined }),
  kept: fc.array(fc.record({ number, arrivedAtMs: time, bytes: number }), { maxLength: 4 }),
})
const neighbour = fc.option(text, { nil: undefined })
export const crowdRow: fc.Arbitrary<CrowdRow> = fc.record({ waiter, before: neighbour, after: neighbour })
const onExpired = fc.constantFrom('drop', 'dead-letter')
export const keptRow: fc.Arbitrary<KeptRow> = fc.record({
  number,
  channel: text,
  record,
  arrivedAtMs: time,
  expiresAtMs: time,
  timer: text,
  bytes: number,
  onExpired,
})

const encoder = new TextEncoder()
const payload = fc
  .oneof(fc.json(), fc.constant(JSON.stringify('x'.repeat(limits.payloadInlineBytesMax))))
  .map((json) => Payload.ofBytes(encoder.encode(json)))
const error = fc.record({ code: text, message: text })
const open: fc.Arbitrary<OpenWork> = fc.oneof(
  fc.record({
    kind: kind('record'),
    number,
    value: text,
    others: fc.array(text, { maxLength: 2 }),
    timer: maybe(text),
  }),
  fc.record({ kind: kind('time'), dueAtMs: time, timer: text }),
  fc.record({ kind: kind('retry'), dueAtMs: time, timer: text, input: maybe(payload) }),
  fc.record({ kind: kind('slot'), input: payload }),
  fc.record({ kind: kind('handler'), run: fc.nat(), input: payload, timer: text }),
  fc.record({ kind: kind('scope'), unsettled: fc.nat() }),
  fc.record({
    kind: kind('children'),
    total: fc.nat(),
    begun: fc.nat(),
    succeeded: fc.nat(),
    failed: fc.nat(),
    skipped: fc.nat(),
    firstSlot: fc.nat(),
    items: maybe(payload),
    timer: maybe(text),
  }),
  fc.record({ kind: kind('interval'), ranAtMs: time, timer: maybe(text) }),
  fc.record({ kind: kind('child'), workflow: text, key: text, timer: maybe(text) }),
  fc.record({ kind: kind('signal'), name: text, timer: maybe(text) }),
  fc.record({ kind: kind('stopping'), input: payload, timer: text }),
)
const deadlines = fc.record({ maxDuration: maybe(text), monitor: maybe(text), deadline: maybe(text) })
const taskRow: fc.Arbitrary<TaskRow> = fc.record({
  status: fc.constantFrom('SUBMITTED', 'EXECUTING', 'COMPLETED', 'FAILED', 'SKIPPED', 'STOPPED'),
  attempt: fc.nat(),
  startedAtMs: time,
  endedAtMs: maybe(time),
  output: maybe(payload),
  error: maybe(error),
  hasIncident: fc.boolean(),
  open: maybe(open),
  edges: fc.oneof(fc.constantFrom('live', 'dead'), fc.array(text, { maxLength: 3 })),
  deadlines: maybe(deadlines),
  attemptsBefore: fc.nat(),
  item: maybe(fc.record({ forEach: fc.nat(), index: fc.nat(), value: payload })),
})
const due = fc.record({ trigger: text, dueAtMs: time })
const parent = fc.record({ instanceId: text, task: fc.nat(), attempt: fc.nat() })
const timeline = fc.array(
  fc.record({
    atMs: time,
    task: fc.integer({ min: -1, max: 500 }),
    status: fc.oneof(fc.constantFrom('EXECUTING', 'COMPLETED', 'SET', 'INCIDENT'), text),
    attempt: fc.nat(),
    note: maybe(text),
  }),
  { maxLength: 5 },
)
const instance = fc.record({
  id: text,
  workflow: text,
  version: text,
  key: text,
  origin: text,
  traceparent: maybe(text),
  tracestate: maybe(text),
  startedAtMs: time,
  input: payload,
  status: fc.constantFrom('EXECUTING', 'SUSPENDED', 'COMPENSATING', 'COMPLETED', 'FAILED', 'STOPPED'),
  endedAtMs: maybe(time),
  vars: fc
    .array(fc.tuple(text, fc.json()), { maxLength: 3 })
    .map((entries) => new Map(entries.map(([name, json]) => [name, JSON.parse(json)]))),
  parent: maybe(parent),
  due: maybe(due),
  tasks: fc.array(maybe(taskRow), { maxLength: 6 }),
  unsettled: fc.nat(),
  slots: fc.nat(),
  ending: maybe(fc.record({ status: fc.constantFrom('FAILED', 'STOPPED'), error })),
  stopping: fc.nat(),
  undos: fc.nat(),
  unknowns: fc.nat(),
  deadlines: maybe(deadlines),
  signals: fc.array(fc.record({ name: text, payload }), { maxLength: 3 }),
  deferred: fc.nat(),
  incidents: fc.nat(),
  output: maybe(payload),
  error: maybe(error),
  subscriptions: fc.nat(),
  attributes: fc
    .array(
      fc.tuple(
        text,
        fc.oneof(
          text,
          fc.double({ noNaN: true }).map((value) => value + 0),
          fc.boolean(),
        ),
      ),
      { maxLength: 3 },
    )
    .map((entries) => new Map(entries)),
  ahead: fc.array(
    fc.record({ task: fc.nat(), number: fc.nat(), value: text, others: fc.array(text, { maxLength: 3 }) }),
    {
      maxLength: 3,
    },
  ),
  timeline,
  timelineDropped: fc.nat(),
  stored: fc.constant([]),
})
/** There is no state of a trace without the trace. */
export const instanceRow = instance.map(
  (row): InstanceRow => (row.traceparent === undefined ? { ...row, tracestate: undefined } : row) as InstanceRow,
)

export const blockRow: fc.Arbitrary<BlockRow> = fc.record({
  instanceId: text,
  tasks: fc.array(maybe(taskRow), { maxLength: 6 }),
  stored: fc.constant([]),
})
export const undoRow: fc.Arbitrary<UndoRow> = fc.record({ node: fc.nat(), input: payload, output: payload })

export const scheduleRow: fc.Arbitrary<ScheduleRow> = fc.record({
  workflow: text,
  entries: fc.array(
    fc.record({
      trigger: text,
      nextMs: time,
      lookedAtMs: time,
      lastMs: maybe(time),
      runningMs: maybe(time),
      pendingMs: maybe(time),
    }),
    { maxLength: 3 },
  ),
})

const starting = { type: kind('instance.start'), workflow: text, version: text, key: text }
const start = <Origin>(origin: fc.Arbitrary<Origin>) => fc.record({ ...starting, origin })
/** A start that says itself what it was asked by. */
const tracedStart = <Origin>(origin: fc.Arbitrary<Origin>) =>
  fc.record(
    { ...starting, origin, trace: fc.record({ traceparent: text, tracestate: maybe(text) }) },
    { requiredKeys: ['type', 'workflow', 'version', 'key', 'origin'] },
  )
const travellingOrigin = fc.oneof(
  fc.record({ kind: kind('record'), record, trigger: fc.nat() }),
  fc.record({ kind: kind('schedule'), due }),
)
const parentOrigin = fc.record({ kind: kind('parent'), parent, input: payload })
const callThatWaits = fc.record({
  kind: kind('api'),
  input: payload,
  idempotencyKey: maybe(text),
  by: maybe(text),
  call: fc.constant(undefined),
})
export const queuedRow: fc.Arbitrary<QueuedRow> = fc.record({
  start: fc.oneof(tracedStart(fc.oneof(callThatWaits, parentOrigin)), start(travellingOrigin)),
})

const carried = { value: text, workflow: text, record, arrivedAtMs: time, expiresAtMs: time, onExpired }
export const travelling: fc.Arbitrary<Travelling> = fc.oneof(
  start(travellingOrigin),
  tracedStart(parentOrigin),
  fc.record({ type: kind('schedule.ended'), workflow: text, due }),
  fc.record({
    type: kind('child.told'),
    parent,
    told: fc.oneof(
      fc.record({ outcome: kind('started') }),
      fc.record({ outcome: kind('completed'), output: maybe(payload) }),
      fc.record({ outcome: kind('failed'), error }),
    ),
  }),
  fc.record({ type: kind('child.stop'), workflow: text, key: text, parent }),
  fc.record({ type: kind('channel.publish'), workflow: text, value: text, record, keepMs: number, onExpired }),
  fc.record({ type: kind('channel.join'), workflow: text, topic: text, value: text, waiter }),
  fc.record({ type: kind('channel.leave'), workflow: text, topic: text, value: text, instanceId: text, number }),
  fc.record({
    type: kind('channel.return'),
    workflow: text,
    value: text,
    record,
    arrivedAtMs: time,
    expiresAtMs: time,
    isStale: fc.boolean(),
    onExpired,
  }),
  fc.record({ type: kind('channel.purge'), workflow: text, topic: text, value: text, fromMs: time, toMs: time }),
  fc.record({
    type: kind('record.hand-out'),
    to: fc.array(fc.record({ instanceId: text, task: fc.nat(), number }), { maxLength: 4 }),
    ...carried,
  }),
  fc.record({
    type: kind('instance.correlate'),
    instanceId: text,
    task: fc.nat(),
    number,
    ...carried,
  }),
)
