// Which rows a command will ask for: those that are read beforehand where rows have outgrown memory.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { loadWorkflows } from '../../src/definition/parse.ts'
import { rowsBehind, rowsNamed } from '../../src/engine/foresight.ts'
import type { SourceRecord } from '../../src/engine/message.ts'
import type { Waiter } from '../../src/engine/state.ts'
import { WorkflowCatalogue } from '../../src/runtime/catalogue.ts'

const text = `
workflow: w
start: [{ topic: orders, key: "\${ message.value.id }" }]
tasks:
  - { name: paid, type: kafka-listener, topic: payments, correlate: { message: message.value.id, instance: "'p-' + instance.key" } }
  - { name: sent, type: kafka-listener, topic: parcels, correlate: { message: message.key, instance: input.parcel } }
`
function here(partition = 0, partitions = 1) {
  const { workflows, problems } = loadWorkflows([{ file: 'w.yaml', text }])
  assert.deepEqual(problems, [])
  const catalogue = new WorkflowCatalogue()
  for (const workflow of workflows) catalogue.addVersion(workflow, 0)
  catalogue.setManifest('m', new Map([['w.yaml', workflows.map(({ version }) => version)]]))
  catalogue.index()
  return { catalogue, partition, partitions }
}

const record = (topic: string, value: string): SourceRecord => ({
  topic,
  partition: 0,
  offset: 1,
  timestampMs: 0,
  key: Buffer.from('k'),
  value: Buffer.from(value),
  headers: [],
})
const route = (topic: string, value: string) => ({ type: 'record.route' as const, record: record(topic, value) })
const waiter = (partition: number, instanceId: string): Waiter => ({
  instanceId,
  partition,
  version: 'w@1',
  task: 0,
  number: 1,
  sinceMs: 0,
  others: [],
})

suite('foreseen', () => {
  test('of a start are its key, and the channels of listeners that its key tells', () => {
    assert.deepEqual(rowsNamed(route('orders', '{ "id": "o-1" }'), here()), [
      { table: 'keys', id: 'w/o-1' },
      { table: 'channels', id: 'w/payments/p-o-1' },
    ])
  })

  test('of an answer is its channel, and behind that who waits here and what is kept', () => {
    const place = here()
    assert.deepEqual(rowsNamed(route('payments', '{ "id": "p-o-1" }'), place), [
      { table: 'channels', id: 'w/payments/p-o-1' },
    ])
    const channel = {
      workflow: 'w',
      topic: 'payments',
      value: 'p-o-1',
      waiters: [waiter(0, 'i1'), waiter(1, 'i2')],
      crowd: undefined,
      kept: [{ number: 7, arrivedAtMs: 0, bytes: 1 }],
    }
    assert.deepEqual(rowsBehind('channels', channel, place), [
      { table: 'instances', id: 'i1' },
      { table: 'kept', id: '000000000000007' },
    ])
    assert.deepEqual(rowsBehind('keys', { instanceId: 'i1', queue: [] }, place), [{ table: 'instances', id: 'i1' }])
  })

  test('is nothing of another partition, and nothing of what cannot be read', () => {
    const rows = [0, 1, 2, 3].flatMap((partition) => rowsNamed(route('orders', '{ "id": "o-1" }'), here(partition, 4)))
    // Its channel is on another partition, and is foreseen there once that is told.
    assert.deepEqual(rows, [{ table: 'keys', id: 'w/o-1' }])
    const join = {
      type: 'channel.join',
      workflow: 'w',
      topic: 'payments',
      value: 'p-o-1',
      waiter: waiter(0, 'i'),
    } as const
    assert.deepEqual(rowsNamed(join, here(1, 4)), [{ table: 'channels', id: 'w/payments/p-o-1' }])
    assert.deepEqual(rowsNamed(route('orders', 'not JSON'), here()), [])
    assert.deepEqual(rowsNamed(route('orders', '{}'), here()), [])
  })
})
