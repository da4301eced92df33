// Topics that are not laid out as the application is, producers that choose partitions in their own way, and values that
// belong to other partitions than the instances that wait for them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import { partitionOfText } from '../../src/base/partitioner.ts'
import type { InstanceView } from '../../src/runtime/face.ts'
import { Site, type Daemon } from '../support/daemon.ts'

const twelve = ['--partitions', '12']
const keys = Array.from({ length: 36 }, (_, i) => `k-${i}`)
/** As librdkafka's default partitioner does it. */
const partitionOfLibrdkafka = (key: string, partitions: number): number => crc32(key) % partitions

const all = (daemon: Daemon, workflow: string): Promise<InstanceView[]> =>
  Promise.all(keys.map((key) => daemon.instance(workflow, key)))

test('a source of three partitions, filled by another partitioner, feeds an application of twelve', async (t) => {
  const site = Site.of(t, {
    'workflows/parcel.yaml': `
workflow: parcel
start: [{ topic: parcels }]
tasks:
  - { name: weigh, type: kafka-command, topic: scales, value: { parcel: "\${ instance.key }" } }
  - { name: weighed, type: kafka-listener, topic: weights, correlate: { message: message.key, instance: instance.key } }
output: \${ tasks.weighed.output.grams }
`,
    'config.yaml': 'topics:\n  parcels: { partitions: 3 }\n  weights: { partitions: 1 }\n  scales: { partitions: 5 }\n',
  })
  const daemon = await site.start(...twelve, '--config', 'config.yaml')
  const partitions = new Map((await daemon.client.listTopics()).map((topic) => [topic.name, topic.partitions.length]))
  assert.deepEqual(
    ['parcels', 'weights', 'scales', 'dagger.changelog'].map((name) => partitions.get(name)),
    [3, 1, 5, 12],
  )
  const differ = keys.filter((key) => partitionOfLibrdkafka(key, 3) !== partitionOfText(key, 3))
  assert.ok(differ.length > 10, 'the two partitioners differ')
  await daemon.client.produce(
    'parcels',
    keys.map((key) => ({ key, value: {}, partition: partitionOfLibrdkafka(key, 3) })),
  )
  for (const [grams, key] of keys.entries()) await daemon.produce('weights', key, { grams })
  const ended = await all(daemon, 'parcel')
  assert.deepEqual(
    ended.map(({ status, output }) => [status, output]),
    keys.map((_, grams) => ['COMPLETED', grams]),
  )
  assert.deepEqual(
    ended.map(({ partition }) => partition),
    keys.map((key) => partitionOfText(key, 12)),
  )
  assert.ok(new Set(ended.map(({ partition }) => partition)).size > 8, 'the instances are spread')
  const commands = await daemon.records('scales')
  assert.equal(commands.length, keys.length)
  assert.deepEqual(new Set(commands.map(({ key }) => key)), new Set(keys))
  for (const { key, partition } of commands) assert.equal(partition, partitionOfText(key ?? '', 5))
})

test('two listeners of one instance on one value each take one record, the longest-waiting first', async (t) => {
  const site = Site.of(t, {
    'workflows/pair.yaml': `
workflow: pair
start: [{ topic: pairs }]
tasks:
  - { name: left, dependsOn: [], type: kafka-listener, topic: halves, correlate: { message: message.value.pair, instance: instance.key } }
  - { name: right, dependsOn: [], type: kafka-listener, topic: halves, correlate: { message: message.value.pair, instance: instance.key } }
output: { left: "\${ tasks.left.output.half }", right: "\${ tasks.right.output.half }" }
`,
  })
  const daemon = await site.start(...twelve)
  await daemon.client.produce(
    'pairs',
    keys.map((key) => ({ key, value: {} })),
  )
  for (const half of [1, 2]) {
    await daemon.client.produce(
      'halves',
      keys.map((pair) => ({ key: 'one-partition', value: { pair, half } })),
    )
  }
  const ended = await all(daemon, 'pair')
  // Both wait since the same moment: which of them comes first is the order of the file.
  for (const { status, output } of ended) {
    assert.equal(status, 'COMPLETED')
    assert.deepEqual(output, { left: 1, right: 2 })
  }
})

test('two instances on one value: the record goes to the one that has waited longer', async (t) => {
  const site = Site.of(t, {
    'workflows/turn.yaml': `
workflow: turn
start: [{ topic: turns }]
tasks:
  - { name: called, type: kafka-listener, topic: calls, correlate: { message: message.value.desk, instance: input.desk } }
output: \${ tasks.called.output.number }
`,
  })
  const daemon = await site.start(...twelve)
  const isWaiting = ({ waitingAt }: InstanceView): boolean => waitingAt.length > 0
  for (const key of ['first', 'second', 'third']) {
    await daemon.produce('turns', key, { desk: 7 })
    await daemon.instance('turn', key, isWaiting)
  }
  // A number and its text are one value.
  for (const [number, desk] of [7, '7', 7].entries()) await daemon.produce('calls', 'any', { desk, number })
  const ended = await Promise.all(['first', 'second', 'third'].map((key) => daemon.instance('turn', key)))
  assert.deepEqual(
    ended.map(({ output }) => output),
    [0, 1, 2],
  )
})

test('correlation by a value that is not the key crosses partitions, with a second pair and a filter', async (t) => {
  const site = Site.of(t, {
    'workflows/invoice.yaml': `
workflow: invoice
start: [{ topic: invoices }]
tasks:
  - name: settled
    type: kafka-listener
    topic: transfers
    correlate:
      - { message: message.value.reference, instance: input.reference }
      - { message: message.value.currency, instance: input.currency }
    where: message.value.amount > 0
output: \${ tasks.settled.output.amount }
`,
  })
  const daemon = await site.start(...twelve)
  const reference = (key: string): string => `ref/${key}/ü`
  const hops = keys.filter((key) => partitionOfText(key, 12) !== partitionOfText(reference(key), 12))
  assert.ok(hops.length > 24, 'most values live on another partition than their instance')
  const value = (key: string): { reference: string; currency: string } => ({
    reference: reference(key),
    currency: 'EUR',
  })
  await daemon.client.produce(
    'invoices',
    keys.map((key) => ({ key, value: value(key) })),
  )
  for (const wrong of [
    { currency: 'USD', amount: 5 },
    { currency: 'EUR', amount: 0 },
  ]) {
    await daemon.client.produce(
      'transfers',
      keys.map((key) => ({ value: { ...value(key), ...wrong } })),
    )
  }
  await daemon.client.produce(
    'transfers',
    keys.map((key, i) => ({ value: { ...value(key), amount: i + 1 } })),
  )
  const ended = await all(daemon, 'invoice')
  assert.deepEqual(
    ended.map(({ output }) => output),
    keys.map((_, i) => i + 1),
  )
})
