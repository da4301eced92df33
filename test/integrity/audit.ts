// What has to be true of the evidence that a worker left behind: it carried orders, and was stopped when all of them had
// ended. Everything is looked at: topics, and the state row by row.
//
//   A1 what was acknowledged stands at the place that the acknowledgement named
//   A2 every order has one instance, started by its record, and it is complete
//   A3 every command is in its topic once, and the instances' tasks tell of exactly those (I3)
//   A4 nothing is owed: no subscription, kept record, handler work, or timer but those of the retention (I7)
//   A5 the input positions are behind all that can be read, each in the partition that owns it (I6, I17)
//   A6 no value is there that no row names, and nothing is in the dead-letter topic
import { readFileSync } from 'node:fs'
import { loadWorkflows } from '../../src/definition/parse.ts'
import type { InstanceRow } from '../../src/engine/state.ts'
import { positionKey, positionPrefix, prefixes, topicsOf } from '../../src/records/keys.ts'
import { positionCodec } from '../../src/records/row-codec.ts'
import { sourcesOf, type CommittedRecord, type Evidence } from './evidence.ts'
import type { Acknowledged } from './shop.ts'

export interface Audited {
  readonly orders: readonly string[]
  /** By topic. */
  readonly acknowledged: { readonly [topic: string]: Acknowledged }
}

export const orderFile = new URL('../../workflows/order.yaml', import.meta.url)
const payloadPrefix = 'o/'
const commandTopics = { 'payment-commands': 'charge', 'warehouse-commands': 'ship' } as const

/** Every violation, in words. */
export function audit(evidence: Evidence, audited: Audited): readonly string[] {
  const instances = evidence.states.flatMap(({ rows }) => rows('instances'))
  return [
    ...acknowledgedIsThere(evidence, audited),
    ...oneInstanceEach(evidence, audited, instances),
    ...commandsOnce(evidence, instances),
    ...nothingOwed(evidence, instances),
    ...positionsAtEnds(evidence),
    ...nothingLoose(evidence),
    ...recordsOf(evidence, topicsOf(evidence.app).deadLetter).map(
      ({ key }) => `A6: ${textOf(key)} is in the dead-letter topic`,
    ),
  ]
}

/** A1 */
function* acknowledgedIsThere(evidence: Evidence, { acknowledged }: Audited): Generator<string> {
  for (const [topic, places] of Object.entries(acknowledged)) {
    const ids = new Map(recordsOf(evidence, topic).map((record) => [placeOf(record), textOf(record.key)]))
    for (const [id, place] of places) {
      const found = ids.get(place)
      if (found !== id) yield `A1: ${id} was acknowledged at ${place}, where there is ${found ?? 'nothing'}`
    }
    if (ids.size !== places.size) yield `A1: ${topic} has ${ids.size} records, ${places.size} were acknowledged`
  }
}

/** A2 */
function* oneInstanceEach(
  evidence: Evidence,
  { orders }: Audited,
  instances: readonly InstanceRow[],
): Generator<string> {
  const placeOfOrder = new Map(recordsOf(evidence, 'orders').map((record) => [textOf(record.key), placeOf(record)]))
  const found = new Map<string, InstanceRow>()
  for (const row of instances) {
    if (found.has(row.key)) yield `A2: ${row.key} has more than one instance`
    found.set(row.key, row)
    if (row.origin !== `record ${placeOfOrder.get(row.key) ?? 'nowhere'}`)
      yield `A2: ${row.key} was started by ${row.origin}`
    const output = { orderId: row.key, paymentStatus: 'paid', tracking: `T-${row.key}` }
    if (row.status !== 'COMPLETED' || JSON.stringify(row.output?.value) !== JSON.stringify(output))
      yield `A2: ${row.key} is ${row.status} with ${JSON.stringify(row.output?.value)}`
  }
  for (const order of orders) if (!found.has(order)) yield `A2: ${order} has no instance`
  if (found.size > orders.length) yield `A2: ${found.size} instances for ${orders.length} orders`
}

/** A3 */
function* commandsOnce(evidence: Evidence, instances: readonly InstanceRow[]): Generator<string> {
  const text = readFileSync(orderFile, 'utf8')
  const tasks = loadWorkflows([{ file: 'order.yaml', text }], {}).workflows[0]?.taskNamed
  for (const [topic, name] of Object.entries(commandTopics)) {
    const times = new Map<string, number>()
    for (const { key } of recordsOf(evidence, topic)) times.set(textOf(key), (times.get(textOf(key)) ?? 0) + 1)
    for (const row of instances) {
      const expected = row.tasks[tasks?.get(name)?.index ?? -1]?.status === 'COMPLETED' ? 1 : 0
      const found = times.get(row.key) ?? 0
      if (found !== expected) yield `A3: ${topic} has the command of ${row.key} ${found} times, not ${expected}`
      times.delete(row.key)
    }
    for (const key of times.keys()) yield `A3: no instance tells of the command for ${key} in ${topic}`
  }
}

/** A4 */
function* nothingOwed({ states }: Evidence, instances: readonly InstanceRow[]): Generator<string> {
  const forgotten = new Map<string, number>()
  for (const [partition, { rows }] of states.entries()) {
    for (const table of ['channels', 'crowd', 'kept', 'work', 'answers'] as const) {
      const left = rows(table).length
      if (left > 0) yield `A4: partition ${partition} has ${left} rows in ${table}`
    }
    for (const { count, bytes } of rows('keptTotals'))
      if (count !== 0 || bytes !== 0) yield `A4: partition ${partition} counts ${count} kept records`
    for (const { target } of rows('timers')) {
      if (target.kind !== 'forget-instance') yield `A4: a timer is left: ${JSON.stringify(target)}`
      else forgotten.set(target.instanceId, (forgotten.get(target.instanceId) ?? 0) + 1)
    }
  }
  for (const { id, tasks } of instances) {
    if (forgotten.get(id) !== 1) yield `A4: ${id} will be forgotten ${forgotten.get(id) ?? 0} times`
    if (tasks.some((task) => task?.open !== undefined)) yield `A4: ${id} waits for something`
  }
  if (forgotten.size !== instances.length) yield 'A4: there are retention timers of no instance'
}

/** A5: on Kafka the markers of transactions lie behind the last record, and need not have been passed. */
function* positionsAtEnds({ app, partitions, topics, states }: Evidence): Generator<string> {
  let expected = 0
  for (const name of sourcesOf(app)) {
    const { id, ends, records } = topics.get(name) ?? { id: 'nothing', ends: [], records: [] }
    for (const [s, end] of ends.entries()) {
      expected += 1
      const after = 1 + (records.findLast(({ partition }) => partition === s)?.offset ?? -1)
      const value = states[s % partitions]?.values.get(positionKey(name, s))
      const position = value === undefined ? undefined : positionCodec.decode(value)
      if (position?.topicId !== id) yield `A5: ${name}/${s} was read in another creation of the topic, or not at all`
      else if (position.offset < after || position.offset > end)
        yield `A5: ${name}/${s} was read up to ${position.offset}, its records end at ${after}, and all at ${end}`
    }
  }
  const there = states.flatMap(({ values }) => [...values.keys()].filter((key) => key.startsWith(positionPrefix)))
  if (there.length !== expected) yield `A5: ${there.length} positions are kept, for ${expected} partitions`
}

/** A6 */
function* nothingLoose({ states }: Evidence): Generator<string> {
  const families = [...Object.values(prefixes), positionPrefix, payloadPrefix]
  for (const { values, rows } of states) {
    const named = new Set(rows('instances').flatMap(({ stored }) => stored))
    for (const key of values.keys()) {
      if (!families.some((family) => key.startsWith(family))) yield `A6: ${key} is of no family`
      if (key.startsWith(payloadPrefix) && !named.has(key)) yield `A6: no instance names ${key}`
    }
  }
}

const recordsOf = ({ topics }: Evidence, topic: string): readonly CommittedRecord[] => topics.get(topic)?.records ?? []
const placeOf = ({ topic, partition, offset }: CommittedRecord): string => `${topic}/${partition}@${offset}`
const textOf = (bytes: Uint8Array | null): string => Buffer.from(bytes ?? []).toString()
