import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryBroker } from '../../src/adapters/memory/broker.ts'
import { createMemoryLog } from '../../src/adapters/memory/log.ts'
import { LostAnswer } from '../../src/adapters/memory/pace.ts'
import type { Pace } from '../../src/adapters/memory/pace.ts'
import {
  InvariantViolation,
  OutcomeUnknown,
  PartitionFenced,
  RecordRefused,
  TransientFault,
} from '../../src/base/errors.ts'
import { partitionOfText } from '../../src/base/partitioner.ts'
import { OffsetGone } from '../../src/runtime/ports.ts'
import type { Log, OutgoingRecord, Reader } from '../../src/runtime/ports.ts'

/** What becomes of the next request of a kind. */
type Fate = 'refused' | 'lost' | 'late' | 'never'

/** A network whose faults are told in advance, by kind of operation. */
function createNetwork() {
  const fates = new Map<string, Fate[]>()
  const late: (() => void)[] = []
  const operations: string[] = []
  const pace: Pace = async (operation, apply) => {
    operations.push(operation)
    const fate = fates.get(operation.split(' ')[0]!)?.shift()
    if (fate === 'refused') throw new TransientFault('connection refused')
    if (fate === 'lost') apply()
    if (fate === 'late') late.push(apply)
    if (fate !== undefined) throw new LostAnswer(operation)
    return apply()
  }
  return {
    pace,
    operations,
    strike: (kind: string, ...with_: Fate[]) => void fates.set(kind, with_),
    /** Carries out what is late; gives the codes of what the broker refused. */
    deliverLate: () =>
      late.splice(0).map((apply) => {
        try {
          apply()
          return 'carried out'
        } catch (error) {
          return error instanceof Error && 'code' in error ? error.code : error
        }
      }),
  }
}

function createWorld() {
  const broker = new MemoryBroker()
  broker.createTopic({ name: 'a', partitions: 2, cleanup: 'unlimited' })
  broker.createTopic({ name: 'b', partitions: 1, cleanup: 'unlimited' })
  const network = createNetwork()
  return { broker, network, log: createMemoryLog(broker, { pace: network.pace, nowMs: () => 5 }) }
}

const to = (topic: string, value: string, partition = 0): OutgoingRecord => ({
  topic,
  partition,
  key: null,
  value: Buffer.from(value),
})

const turn = () => new Promise((resolve) => setImmediate(resolve))

async function readAll(log: Log, topic: string, offset = 0): Promise<string[]> {
  const reader = log.openReader({ topic, partition: 0, offset, onReady: () => {} })
  await turn()
  const values = reader.take(1_000).map((record) => Buffer.from(record.value!).toString())
  reader.close()
  return values
}

test('a transaction takes one begin, one append a partition and one commit, and tells its last offsets', async () => {
  const { log, network } = createWorld()
  const producer = await log.openProducer('p')
  const ends = await producer.transact([to('a', '1'), to('b', '2'), to('a', '3'), to('a', '4', 1)])
  assert.deepEqual(network.operations, [
    'open-producer p',
    'begin by p',
    'append a/0 by p',
    'append b/0 by p',
    'append a/1 by p',
    'commit by p',
  ])
  assert.deepEqual(ends, [
    { topic: 'a', partition: 0, lastOffset: 1 },
    { topic: 'b', partition: 0, lastOffset: 0 },
    { topic: 'a', partition: 1, lastOffset: 0 },
  ])
  assert.deepEqual(await readAll(log, 'a'), ['1', '3'])
  assert.deepEqual(await producer.transact([]), [])
})

test('a record with no partition goes where its key hashes to', async () => {
  const { broker, log } = createWorld()
  const producer = await log.openProducer('p')
  for (const key of ['x', 'order-7', '']) {
    const partition = partitionOfText(key, 2)
    const { end } = broker.offsets('a', partition)
    await producer.transact([{ topic: 'a', key: Buffer.from(key), value: null }])
    assert.equal(broker.offsets('a', partition).end, end + 2)
  }
})

for (const fate of ['lost', 'late', 'never', 'refused'] as const) {
  test(`a commit that is ${fate} leaves its outcome unknown, and either may be true`, async () => {
    const { log, network } = createWorld()
    const producer = await log.openProducer('p')
    network.strike('commit', fate)
    await assert.rejects(producer.transact([to('a', 'x'), to('b', 'x')]), OutcomeUnknown)
    await assert.rejects(producer.transact([to('a', 'y')]), InvariantViolation)
    const next = await log.openProducer('p')
    assert.deepEqual(network.deliverLate(), fate === 'late' ? ['PRODUCER_FENCED'] : [])
    const isCommitted = fate === 'lost'
    assert.deepEqual(await readAll(log, 'a'), isCommitted ? ['x'] : [])
    assert.deepEqual(await readAll(log, 'b'), isCommitted ? ['x'] : [])
    await next.transact([to('a', 'z')])
    assert.deepEqual(await readAll(log, 'a'), isCommitted ? ['x', 'z'] : ['z'])
  })
}

for (const step of ['begin', 'append'] as const) {
  for (const fate of ['lost', 'late', 'never', 'refused'] as const) {
    test(`with ${step} ${fate} nothing is produced, nor ever will be, and the producer goes on`, async () => {
      const { broker, log, network } = createWorld()
      const producer = await log.openProducer('p')
      network.strike(step, fate)
      await assert.rejects(producer.transact([to('a', 'x'), to('b', 'x')]), TransientFault)
      await producer.transact([to('a', 'y')])
      assert.deepEqual(network.deliverLate(), fate === 'late' ? ['PRODUCER_FENCED'] : [])
      await producer.transact([to('b', 'z')])
      assert.deepEqual([await readAll(log, 'a'), await readAll(log, 'b')], [['y'], ['z']])
      assert.deepEqual(broker.unfinishedTransactions(), [])
    })
  }
}

test('an abort with no answer leaves the producer of no use', async () => {
  const { broker, log, network } = createWorld()
  const producer = await log.openProducer('p')
  network.strike('append', 'lost')
  network.strike('abort', 'never')
  await assert.rejects(producer.transact([to('a', 'x')]), OutcomeUnknown)
  await assert.rejects(producer.transact([to('a', 'x')]), InvariantViolation)
  await log.openProducer('p')
  assert.deepEqual(broker.unfinishedTransactions(), [])
  assert.deepEqual(await readAll(log, 'a'), [])
})

test('a newer producer of the id fences the older one, which then produces nothing', async () => {
  const { broker, log } = createWorld()
  const zombie = await log.openProducer('p')
  const owner = await createMemoryLog(broker).openProducer('p')
  await assert.rejects(zombie.transact([to('a', 'zombie')]), PartitionFenced)
  await assert.rejects(zombie.transact([to('a', 'zombie')]), PartitionFenced)
  await owner.transact([to('a', 'owner')])
  assert.deepEqual(await readAll(log, 'a'), ['owner'])
})

test('a zombie that is fenced between append and commit has committed nothing', async () => {
  const broker = new MemoryBroker()
  broker.createTopic({ name: 'a', partitions: 1, cleanup: 'unlimited' })
  const usurp: Pace = async (operation, apply) => {
    if (operation.startsWith('commit')) broker.initialiseProducer('p')
    return apply()
  }
  const zombie = await createMemoryLog(broker, { pace: usurp }).openProducer('p')
  await assert.rejects(zombie.transact([to('a', 'zombie')]), PartitionFenced)
  assert.deepEqual(await readAll(createMemoryLog(broker), 'a'), [])
})

test('a restart under the same id goes on', async () => {
  const { broker, log } = createWorld()
  for (const value of ['1', '2', '3']) {
    const producer = await createMemoryLog(broker).openProducer('p')
    await producer.transact([to('a', value)])
    await producer.close()
  }
  assert.deepEqual(await readAll(log, 'a'), ['1', '2', '3'])
})

test('a record that cannot be taken is named by its index, and the others are not produced', async () => {
  const { broker, log } = createWorld()
  broker.createTopic({ name: 'small', partitions: 1, cleanup: 'compacted', recordBytesMax: 10 })
  const producer = await log.openProducer('p')
  const refusalOf = (record: OutgoingRecord) =>
    producer.transact([to('a', '0'), to('b', '1'), record]).then(
      () => undefined,
      (error: unknown) => (error instanceof RecordRefused ? [error.index, error.reason] : error),
    )
  const key = Buffer.from('k')
  assert.deepEqual(await refusalOf(to('nowhere', 'x')), [2, 'unknown-topic'])
  assert.deepEqual(await refusalOf(to('a', 'x', 2)), [2, 'bad-partition'])
  assert.deepEqual(await refusalOf({ ...to('small', 'x'.repeat(10)), key }), [2, 'record-too-large'])
  assert.deepEqual(await refusalOf(to('small', 'x')), [2, 'invalid-record'])
  assert.deepEqual(await readAll(log, 'a'), [])
  await producer.transact([to('a', 'good')])
  assert.deepEqual(await readAll(log, 'a'), ['good'])
})

test('one transaction at a time is asked of a producer', async () => {
  const { log } = createWorld()
  const producer = await log.openProducer('p')
  const first = producer.transact([to('a', '1')])
  await assert.rejects(producer.transact([to('a', '2')]), InvariantViolation)
  await first
})

function openReader(log: Log, topic: string, offset: number): { reader: Reader; wakes: () => number } {
  let wakes = 0
  const reader = log.openReader({ topic, partition: 0, offset, onReady: () => wakes++ })
  return { reader, wakes: () => wakes }
}

test('a reader is woken by what is committed, and its position passes markers and aborted records', async () => {
  const { broker, log, network } = createWorld()
  const { reader, wakes } = openReader(log, 'a', 0)
  await turn()
  assert.deepEqual([wakes(), reader.take(10), reader.position], [0, [], 0])
  const producer = await log.openProducer('p')
  await producer.transact([to('a', 'x'), to('a', 'y')])
  network.strike('append', 'lost')
  await assert.rejects(producer.transact([to('a', 'gone')]), TransientFault)
  await turn()
  assert.ok(wakes() > 0)
  assert.deepEqual(
    reader.take(1).map((one) => [one.topic, one.partition, one.offset, one.timestampMs]),
    [['a', 0, 0, 5]],
  )
  assert.equal(reader.position, 1)
  assert.equal(reader.take(10).length, 1)
  assert.equal(reader.position, broker.offsets('a', 0).end)
})

test('a reader goes through more than it reads ahead, in order', async () => {
  const { broker, log } = createWorld()
  const { reader } = openReader(log, 'a', 0)
  for (let sent = 0; sent < 30; sent++) {
    const records = Array.from({ length: 100 }, (_, at) => Buffer.from(String(sent * 100 + at)))
    broker.produce(
      'a',
      0,
      records.map((value) => ({ timestampMs: 0, key: null, value, headers: [] })),
    )
  }
  const seen: number[] = []
  while (seen.length < 3_000) {
    await turn()
    for (const record of reader.take(70)) seen.push(Number(Buffer.from(record.value!).toString()))
  }
  assert.deepEqual(
    seen,
    Array.from({ length: 3_000 }, (_, at) => at),
  )
})

test('a delivery with no answer is asked for again', async () => {
  const { broker, log, network } = createWorld()
  network.strike('deliver', 'lost', 'never', 'refused')
  broker.produce('a', 0, [{ timestampMs: 0, key: null, value: Buffer.from('x'), headers: [] }])
  assert.deepEqual(await readAll(log, 'a'), ['x'])
})

test('a reader of an offset that is gone says so, with the bounds', async () => {
  const { broker, log } = createWorld()
  broker.produce(
    'a',
    0,
    [1, 2, 3].map(() => ({ timestampMs: 0, key: null, value: null, headers: [] })),
  )
  await log.deleteRecords('a', 0, 2)
  for (const offset of [0, 4]) {
    const { reader, wakes } = openReader(log, 'a', offset)
    await turn()
    assert.equal(wakes(), 1)
    assert.throws(
      () => reader.take(1),
      (error) => error instanceof OffsetGone && error.earliest === 2 && error.end === 3,
    )
  }
})

test('a reader outlives the absence of its topic, and ends when it was made again', async () => {
  const { broker, log } = createWorld()
  const { reader: early } = openReader(log, 'later', 0)
  const { reader: old } = openReader(log, 'a', 0)
  await turn()
  assert.throws(() => early.take(1), TransientFault)
  broker.createTopic({ name: 'later', partitions: 1, cleanup: 'unlimited' })
  broker.produce('later', 0, [{ timestampMs: 0, key: null, value: null, headers: [] }])
  broker.deleteTopic('a')
  await turn()
  assert.equal(early.take(1).length, 1)
  assert.throws(() => old.take(1), TransientFault)
  broker.createTopic({ name: 'a', partitions: 1, cleanup: 'unlimited' })
  await turn()
  assert.throws(() => old.take(1), OffsetGone)
})

test('a reader that is closed is woken no more', async () => {
  const { broker, log } = createWorld()
  const { reader, wakes } = openReader(log, 'a', 0)
  reader.close()
  broker.produce('a', 0, [{ timestampMs: 0, key: null, value: null, headers: [] }])
  await turn()
  assert.equal(wakes(), 0)
})

test('topics are created once, described by name and listed in order', async () => {
  const { log } = createWorld()
  await log.createTopics([
    { name: 'a', partitions: 9, cleanup: 'compacted' },
    { name: 'Z', partitions: 1, cleanup: 'retained' },
  ])
  const described = await log.describeTopics(['a', 'nowhere'])
  assert.deepEqual([...described.keys()], ['a'])
  assert.equal(described.get('a')!.partitions, 2)
  assert.deepEqual(
    (await log.listTopics()).map((topic) => topic.name),
    ['Z', 'a', 'b'],
  )
  await assert.rejects(log.offsets('nowhere', 0), TransientFault)
  await assert.rejects(log.offsets('a', 2), TransientFault)
})
