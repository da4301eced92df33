// Topics whose schemas are in a registry, as a user runs it: a real registry (Apicurio), records of another client's
// serializer, and one record of each kind that cannot be used.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RecordView } from '../../src/runtime/face.ts'
import { Site } from '../support/daemon.ts'
import { clientsSerializer } from '../support/clients-registry.ts'
import { useRegistry } from '../support/registry/registry.ts'

const registry = useRegistry()

const workflow = `
workflow: parcel
topics:
  orders: { format: avro }
  payments: { format: json-schema, keyFormat: avro }
  labels: { format: protobuf, keyFormat: long }
  events: { format: avro }
  none: { format: avro }
start:
  - { topic: orders, key: "\${ message.value.orderId }" }
tasks:
  - name: paid
    type: kafka-listener
    topic: payments
    correlate: { message: message.key.orderId, instance: instance.key }
  - { name: label, type: kafka-command, topic: labels, key: 7, value: { parcel: "\${ input.orderId }", lines: "\${ input.lines }" } }
  - { name: tell, type: kafka-command, topic: events, value: { orderId: "\${ input.orderId }", paid: "\${ tasks.paid.output.amount }" } }
  - { name: wrong, type: kafka-command, topic: events, value: { orderId: 7 }, onFailure: skip }
  - { name: nowhere, type: kafka-command, topic: none, value: { orderId: x }, onFailure: skip }
output: \${ tasks.paid.output.amount }
`

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const fields = (...named: readonly (readonly [string, unknown])[]): string =>
  JSON.stringify({ type: 'record', name: 'R', fields: named.map(([name, type]) => ({ name, type })) })

test('records with schemas are read and written, wait while the registry is away, and are kept as they are where it has none', async (t) => {
  const { url, register, freeze, thaw } = registry()
  const orderId = await register('orders-value', {
    schema: fields(['orderId', 'string'], ['lines', { type: 'array', items: 'long' }]),
  })
  const keyId = await register('payments-key', { schema: fields(['orderId', 'string']) })
  const paymentId = await register('payments-value', {
    type: 'JSON',
    schema: JSON.stringify({ type: 'object', properties: { amount: { type: 'number' } }, required: ['amount'] }),
  })
  const labelId = await register('labels-value', {
    type: 'PROTOBUF',
    schema: 'syntax = "proto3";\nmessage Label { string parcel = 1; repeated int64 lines = 2; }',
  })
  const eventId = await register('events-value', { schema: fields(['orderId', 'string'], ['paid', 'double']) })
  const writes = await Promise.all([orderId, keyId, paymentId].map((id) => clientsSerializer(url, id)))
  const [order, key, payment] = writes as [(typeof writes)[0], (typeof writes)[0], (typeof writes)[0]]

  const site = Site.of(t, { 'workflows/parcel.yaml': workflow })
  const daemon = await site.start('--schema-registry', url)
  const { client } = daemon
  // Before anything was asked of the registry.
  freeze()
  await client.produce('orders', [{ value: base64(order({ orderId: 'o-1', lines: [1, 2] })) }], 'binary')
  await daemon.until(async () =>
    (await daemon.health()).problems.some((problem) => /schema registry .* does not answer/.test(problem))
      ? true
      : undefined,
  )
  assert.equal(await client.findInstanceByKey('parcel', 'o-1'), undefined)
  thaw()
  await daemon.instance('parcel', 'o-1', ({ waitingAt }) => waitingAt.includes('paid'))
  await daemon.until(async () => ((await daemon.health()).problems.length === 0 ? true : undefined))

  const unknown = Buffer.from([0, 0, 15, 66, 63, 1, 2, 3])
  const misfit = order({ orderId: 'o-2', lines: [] }).subarray(0, 7)
  await client.produce(
    'orders',
    [{ value: base64(unknown) }, { value: base64(misfit) }, { value: base64(Buffer.from('no schema')) }],
    'binary',
  )
  await daemon.until(async () => ((await daemon.counter('record_dead_lettered')) === 3 ? true : undefined))

  await client.produce(
    'payments',
    [{ key: base64(key({ orderId: 'o-1' })), value: base64(payment({ amount: 12.5 })) }],
    'binary',
  )
  const instance = await daemon.instance('parcel', 'o-1')
  assert.deepEqual(
    [instance.status, instance.output, instance.input],
    ['COMPLETED', 12.5, { orderId: 'o-1', lines: [1, 2] }],
  )
  const errorOf = (task: string) => instance.tasks.find(({ name }) => name === task)?.error
  assert.match(
    errorOf('wrong')?.message ?? '',
    /value: it does not fit events-value: \/orderId: expected string, found 7/,
  )
  assert.match(errorOf('nowhere')?.message ?? '', /no \/subjects\/none-value/)
  assert.deepEqual([errorOf('wrong')?.code, errorOf('nowhere')?.code], ['produce-rejected', 'produce-rejected'])

  const [label] = await daemon.records('labels')
  assert.deepEqual(
    bytesOf(label),
    Buffer.concat([head(labelId), Buffer.from([0, 0x0a, 3]), Buffer.from('o-1'), Buffer.from([0x12, 2, 1, 2])]),
  )
  const [event] = await daemon.records('events')
  assert.deepEqual(bytesOf(event), (await clientsSerializer(url, eventId))({ orderId: 'o-1', paid: 12.5 }))

  const letters = await daemon.records('dagger.dead-letter')
  const reasons = new Map(letters.map((letter) => [bytesOf(letter).toString('hex'), letter.headers['dw-reason']]))
  assert.equal(letters.length, 3)
  assert.equal(reasons.get(unknown.toString('hex')), 'schema-unknown')
  assert.equal(reasons.get(misfit.toString('hex')), 'schema-misfit')
  assert.equal(reasons.get(Buffer.from('no schema').toString('hex')), 'schema-misfit')
})

test('a worker without a registry says that one is missing, and goes on once it is started with one', async (t) => {
  const { url, register } = registry()
  const id = await register('scans-value', { schema: fields(['gate', 'string']) })
  const scan = (await clientsSerializer(url, id))({ gate: 'g' })
  const site = Site.of(t, {
    'workflows/scan.yaml': `
workflow: scan
topics: { scans: { format: avro } }
start: [{ topic: scans, input: "\${ message.value.gate }" }]
tasks: [{ name: z, type: set, set: { z: 1 } }]
output: \${ input }
`,
  })
  const bare = await site.start()
  await bare.client.produce('scans', [{ key: base64(Buffer.from('k')), value: base64(scan) }], 'binary')
  await bare.until(async () =>
    (await bare.health()).partitions.some(({ reason }) => reason?.includes('name their registry as schemaRegistry'))
      ? true
      : undefined,
  )
  assert.equal(await bare.stop(), 0)
  const daemon = await site.start('--schema-registry', url)
  assert.equal((await daemon.instance('scan', 'k')).output, 'g')
})

test('a command whose schema is awaited holds up no stop, and is produced once the registry answers', async (t) => {
  const { url, register, freeze, thaw } = registry()
  const id = await register('late-value', { schema: fields(['gate', 'string']) })
  const site = Site.of(t, {
    'workflows/late.yaml': `
workflow: late
topics: { late: { format: avro } }
tasks: [{ name: c, type: kafka-command, topic: late, value: { gate: "\${ input }" } }]
`,
  })
  freeze()
  t.after(thaw)
  const first = await site.start('--schema-registry', url)
  const started = first.client.startInstance({ workflow: 'late', key: 'k', input: 'g' }, 'once').catch(() => undefined)
  await first.until(async () => ((await first.health()).problems.length > 0 ? true : undefined))
  assert.equal(await first.stop(), 0)
  await started
  thaw()
  const second = await site.start('--schema-registry', url)
  await second.client.startInstance({ workflow: 'late', key: 'k', input: 'g' }, 'once')
  assert.equal((await second.instance('late', 'k')).status, 'COMPLETED')
  const records = await second.records('late')
  assert.equal(records.length, 1)
  assert.deepEqual(bytesOf(records[0]), (await clientsSerializer(url, id))({ gate: 'g' }))
})

/** What is UTF-8 by accident is shown as a text. */
function bytesOf(record: RecordView | undefined): Buffer {
  if (record?.valueBase64 !== undefined) return Buffer.from(record.valueBase64, 'base64')
  return Buffer.from(typeof record?.value === 'string' ? record.value : '')
}

function head(id: number): Buffer {
  const bytes = Buffer.alloc(5)
  bytes.writeInt32BE(id, 1)
  return bytes
}
