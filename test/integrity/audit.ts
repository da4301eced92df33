// What has to be true of the data directory of a daemon that carried orders and was stopped when all of them had ended.
// The log is opened as the daemon opens it, and everything is read: topics, and the state row by row.
//
//   A1 what was acknowledged stands at the place that the acknowledgement named
//   A2 every order has one instance, started by its record, and it is complete
//   A3 every command is in its topic once, and the instances' tasks tell of exactly those (I3)
//   A4 nothing is owed: no subscription, kept record, handler work, or timer but those of the retention (I7)
//   A5 the input positions are the ends of what is read, each in the partition that owns it (I6, I17)
//   A6 no value is there that no row names, and nothing is in the dead-letter topic
import { readFileSync } from 'node:fs'
import { openEmbeddedLog, type EmbeddedLog } from '../../src/adapters/embedded/log.ts'
import { systemClock } from '../../src/adapters/system/clock.ts'
import { silentLogger } from '../../src/base/logger.ts'
import { loadWorkflows } from '../../src/definition/parse.ts'
import type { InstanceRow, Rows, TableName } from '../../src/engine/state.ts'
import { positionKey, positionPrefix, prefixes, topicsOf } from '../../src/records/keys.ts'
import { positionCodec } from '../../src/records/row-codec.ts'
import { CommittedRows } from '../../src/runtime/rows.ts'
import type { LogRecord } from '../../src/runtime/ports.ts'
import type { Acknowledged } from './shop.ts'

export interface Audited {
  /** The directory of the embedded log. */
  readonly directory: string
  readonly app: string
  readonly partitions: number
  readonly orders: readonly string[]
  /** By topic. */
  readonly acknowledged: { readonly [topic: string]: Acknowledged }
}

export const orderFile = new URL('../../workflows/order.yaml', import.meta.url)
const payloadPrefix = 'o/'
const sources = ['orders', 'payment-events', 'warehouse-events'] as const
const commandTopics = { 'payment-commands': 'charge', 'warehouse-commands': 'ship' } as const

/** Every violation, in words. */
export async function audit(audited: Audited): Promise<readonly string[]> {
  const { directory, app } = audited
  const log = await openEmbeddedLog({ directory, app, clock: systemClock, logger: silentLogger })
  try {
    const states = await readStates(log, audited)
    const instances = states.flatMap(({ rows }) => rows('instances'))
    const letters = await recordsOf(log, topicsOf(app).deadLetter)
    return [
      ...(await acknowledgedIsThere(log, audited)),
      ...(await oneInstanceEach(log, audited, instances)),
      ...(await commandsOnce(log, instances)),
      ...nothingOwed(states, instances),
      ...(await positionsAtEnds(log, audited, states)),
      ...nothingLoose(states),
      ...letters.map(({ key }) => `A6: ${textOf(key)} is in the dead-letter topic`),
    ]
  } finally {
    await log.close()
  }
}

interface PartitionState {
  readonly partition: number
  readonly values: ReadonlyMap<string, Uint8Array>
  rows<Name extends TableName>(table: Name): Rows[Name][]
}

async function readStates(log: EmbeddedLog, { app, partitions }: Audited): Promise<readonly PartitionState[]> {
  const states: PartitionState[] = []
  for (let partition = 0; partition < partitions; partition++) {
    const store = await log.openStoreOf(topicsOf(app).changelog, partition)
    const committed = new CommittedRows(store)
    const entries = await store.list({ from: '', to: '~', limit: Number.MAX_SAFE_INTEGER })
    const values = new Map(entries.map(({ key, value }) => [key, value]))
    states.push({
      partition,
      values,
      rows: (table) =>
        [...values].flatMap(([key, value]) => (key.startsWith(prefixes[table]) ? [committed.decode(table, value)] : [])),
    })
  }
  return states
}

/** A1 */
async function acknowledgedIsThere(log: EmbeddedLog, { acknowledged }: Audited): Promise<readonly string[]> {
  const violations: string[] = []
  for (const [topic, places] of Object.entries(acknowledged)) {
    const ids = new Map((await recordsOf(log, topic)).map((record) => [placeOf(record), textOf(record.key)]))
    for (const [id, place] of places) {
      const found = ids.get(place)
      if (found !== id) violations.push(`A1: ${id} was acknowledged at ${place}, where there is ${found ?? 'nothing'}`)
    }
    if (ids.size !== places.size) violations.push(`A1: ${topic} has ${ids.size} records, ${places.size} were acknowledged`)
  }
  return violations
}

/** A2 */
async function oneInstanceEach(
  log: EmbeddedLog,
  { orders }: Audited,
  instances: readonly InstanceRow[],
): Promise<readonly string[]> {
  const violations: string[] = []
  const placeOfOrder = new Map((await recordsOf(log, 'orders')).map((record) => [textOf(record.key), placeOf(record)]))
  const found = new Map<string, InstanceRow>()
  for (const row of instances) {
    if (found.has(row.key)) violations.push(`A2: ${row.key} has more than one instance`)
    found.set(row.key, row)
    if (row.origin !== `record ${placeOfOrder.get(row.key) ?? 'nowhere'}`)
      violations.push(`A2: ${row.key} was started by ${row.origin}`)
    const output = { orderId: row.key, paymentStatus: 'paid', tracking: `T-${row.key}` }
    if (row.status !== 'COMPLETED' || JSON.stringify(row.output?.value) !== JSON.stringify(output))
      violations.push(`A2: ${row.key} is ${row.status} with ${JSON.stringify(row.output?.value)}`)
  }
  for (const order of orders) if (!found.has(order)) violations.push(`A2: ${order} has no instance`)
  if (found.size > orders.length) violations.push(`A2: ${found.size} instances for ${orders.length} orders`)
  return violations
}

/** A3 */
async function commandsOnce(log: EmbeddedLog, instances: readonly InstanceRow[]): Promise<readonly string[]> {
  const violations: string[] = []
  const text = readFileSync(orderFile, 'utf8')
  const tasks = loadWorkflows([{ file: 'order.yaml', text }], {}).workflows[0]?.taskNamed
  for (const [topic, name] of Object.entries(commandTopics)) {
    const times = new Map<string, number>()
    for (const { key } of await recordsOf(log, topic)) times.set(textOf(key), (times.get(textOf(key)) ?? 0) + 1)
    for (const row of instances) {
      const expected = row.tasks[tasks?.get(name)?.index ?? -1]?.status === 'COMPLETED' ? 1 : 0
      const found = times.get(row.key) ?? 0
      if (found !== expected) violations.push(`A3: ${topic} has the command of ${row.key} ${found} times, not ${expected}`)
      times.delete(row.key)
    }
    for (const key of times.keys()) violations.push(`A3: no instance tells of the command for ${key} in ${topic}`)
  }
  return violations
}

/** A4 */
function nothingOwed(states: readonly PartitionState[], instances: readonly InstanceRow[]): readonly string[] {
  const violations: string[] = []
  const forgotten = new Map<string, number>()
  for (const { partition, rows } of states) {
    for (const table of ['channels', 'kept', 'work', 'answers'] as const) {
      const left = rows(table).length
      if (left > 0) violations.push(`A4: partition ${partition} has ${left} rows in ${table}`)
    }
    for (const { count, bytes } of rows('keptTotals'))
      if (count !== 0 || bytes !== 0) violations.push(`A4: partition ${partition} counts ${count} kept records`)
    for (const { instanceId, isOpen } of rows('keys'))
      if (isOpen) violations.push(`A4: the key of ${instanceId} is held as running`)
    for (const { target } of rows('timers')) {
      if (target.kind !== 'forget-instance') violations.push(`A4: a timer is left: ${JSON.stringify(target)}`)
      else forgotten.set(target.instanceId, (forgotten.get(target.instanceId) ?? 0) + 1)
    }
  }
  for (const { id, tasks } of instances) {
    if (forgotten.get(id) !== 1) violations.push(`A4: ${id} will be forgotten ${forgotten.get(id) ?? 0} times`)
    if (tasks.some((task) => task?.open !== undefined)) violations.push(`A4: ${id} waits for something`)
  }
  if (forgotten.size !== instances.length) violations.push('A4: there are retention timers of no instance')
  return violations
}

/** A5 */
async function positionsAtEnds(
  log: EmbeddedLog,
  { app, partitions }: Audited,
  states: readonly PartitionState[],
): Promise<readonly string[]> {
  const violations: string[] = []
  let expected = 0
  const infos = await log.describeTopics([...sources, topicsOf(app).inbox])
  for (const { name, id, partitions: count } of infos.values()) {
    for (let s = 0; s < count; s++) {
      expected += 1
      const value = states[s % partitions]?.values.get(positionKey(name, s))
      const position = value === undefined ? undefined : positionCodec.decode(value)
      const { end } = await log.offsets(name, s)
      if (position?.offset !== end || position.topicId !== id)
        violations.push(`A5: ${name}/${s} was read up to ${position?.offset ?? 'nothing'}, its end is ${end}`)
    }
  }
  const there = states.flatMap(({ values }) => [...values.keys()].filter((key) => key.startsWith(positionPrefix)))
  if (there.length !== expected) violations.push(`A5: ${there.length} positions are kept, for ${expected} partitions`)
  return violations
}

/** A6 */
function nothingLoose(states: readonly PartitionState[]): readonly string[] {
  const violations: string[] = []
  const families = [...Object.values(prefixes), positionPrefix, payloadPrefix]
  for (const { values, rows } of states) {
    const named = new Set(rows('instances').flatMap(({ stored }) => stored))
    for (const key of values.keys()) {
      if (!families.some((family) => key.startsWith(family))) violations.push(`A6: ${key} is of no family`)
      if (key.startsWith(payloadPrefix) && !named.has(key)) violations.push(`A6: no instance names ${key}`)
    }
  }
  return violations
}

async function recordsOf(log: EmbeddedLog, topic: string): Promise<readonly LogRecord[]> {
  const records: LogRecord[] = []
  const partitions = (await log.describeTopics([topic])).get(topic)?.partitions ?? 0
  for (let partition = 0; partition < partitions; partition++) {
    const { earliest, end } = await log.offsets(topic, partition)
    let wake = (): void => {}
    const reader = log.openReader({ topic, partition, offset: earliest, onReady: () => wake() })
    while (reader.position < end) {
      const arrival = new Promise<void>((resolve) => (wake = resolve))
      const some = reader.take(10_000)
      records.push(...some)
      if (some.length === 0) await arrival
    }
    reader.close()
  }
  return records
}

const placeOf = ({ topic, partition, offset }: LogRecord): string => `${topic}/${partition}@${offset}`
const textOf = (bytes: Uint8Array | null): string => Buffer.from(bytes ?? []).toString()
