import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BrokerError } from '../../src/adapters/memory/broker-error.ts'
import type { BrokerErrorCode } from '../../src/adapters/memory/broker-error.ts'
import { MemoryBroker } from '../../src/adapters/memory/broker.ts'
import type { ProducerSession } from '../../src/adapters/memory/partition-log.ts'

const topic = 'orders'

function createBroker(options?: ConstructorParameters<typeof MemoryBroker>[0]): MemoryBroker {
  const broker = new MemoryBroker(options)
  broker.createTopic({ name: topic, partitions: 2, cleanup: 'unlimited' })
  return broker
}

function record(value: string | null, key: string | null = null) {
  const bytes = (text: string | null) => (text === null ? null : Buffer.from(text))
  return { timestampMs: 0, key: bytes(key), value: bytes(value), headers: [] }
}

/** Begins a transaction on partition 0 and appends one record. */
function beginWith(broker: MemoryBroker, session: ProducerSession, value: string, sequence = 0): void {
  broker.begin(session, [{ topic, partition: 0 }])
  broker.append(session, topic, 0, sequence, [record(value)])
}

function read(broker: MemoryBroker, offset = 0, name = topic): string[] {
  return broker.fetch(name, 0, offset, 1_000).records.map((one) => Buffer.from(one.value ?? 'tombstone').toString())
}

function refuses(code: BrokerErrorCode, request: () => unknown): void {
  assert.throws(request, (error) => error instanceof BrokerError && error.code === code)
}

test('committed reading stops at the first transaction that is open, whatever was committed after it', () => {
  const broker = createBroker()
  const [slow, quick] = [broker.initialiseProducer('slow'), broker.initialiseProducer('quick')]
  broker.produce(topic, 0, [record('plain')])
  beginWith(broker, slow, 'slow')
  beginWith(broker, quick, 'quick')
  broker.end(quick, 'committed')
  broker.produce(topic, 0, [record('after')])
  assert.deepEqual(read(broker), ['plain'])
  assert.deepEqual(broker.offsets(topic, 0), { earliest: 0, committedEnd: 1, end: 5 })
  broker.end(slow, 'committed')
  assert.deepEqual(read(broker), ['plain', 'slow', 'quick', 'after'])
  assert.deepEqual(broker.offsets(topic, 0), { earliest: 0, committedEnd: 6, end: 6 })
})

test('of overlapping transactions, aborted records are seen from no offset, and take offsets', () => {
  const broker = createBroker()
  const [one, two, three] = ['one', 'two', 'three'].map((id) => broker.initialiseProducer(id))
  beginWith(broker, one!, 'one-a') // 0
  beginWith(broker, two!, 'two-a') // 1
  broker.append(one!, topic, 0, 1, [record('one-b')]) // 2
  beginWith(broker, three!, 'three') // 3
  broker.end(one!, 'aborted') // 4
  broker.append(two!, topic, 0, 1, [record('two-b')]) // 5
  broker.end(three!, 'committed') // 6
  broker.end(two!, 'aborted') // 7
  for (let offset = 0; offset <= 8; offset++) {
    assert.deepEqual(read(broker, offset), offset <= 3 ? ['three'] : [], `from ${offset}`)
  }
  assert.equal(broker.fetch(topic, 0, 4, 10).nextOffset, 8)
})

test('a batch in reading ends before what is next to be read, with markers and aborted records skipped', () => {
  const broker = createBroker()
  const session = broker.initialiseProducer('p')
  broker.produce(topic, 0, [record('a')])
  beginWith(broker, session, 'gone')
  broker.end(session, 'aborted')
  broker.produce(topic, 0, [record('b')])
  assert.equal(broker.fetch(topic, 0, 0, 1).nextOffset, 3)
  assert.equal(broker.fetch(topic, 0, 3, 1).nextOffset, 4)
})

test('an offset below the earliest or beyond the end is refused', () => {
  const broker = createBroker()
  broker.produce(topic, 0, [record('a'), record('b')])
  broker.deleteRecords(topic, 0, 1)
  refuses('OFFSET_OUT_OF_RANGE', () => broker.fetch(topic, 0, 0, 1))
  refuses('OFFSET_OUT_OF_RANGE', () => broker.fetch(topic, 0, 3, 1))
  assert.deepEqual(read(broker, 1), ['b'])
})

test('initialising again aborts what is open and fences every request of the session before', () => {
  const broker = createBroker()
  const zombie = broker.initialiseProducer('p')
  beginWith(broker, zombie, 'zombie')
  const owner = broker.initialiseProducer('p')
  assert.equal(owner.epoch, zombie.epoch + 1)
  assert.deepEqual(broker.offsets(topic, 0), { earliest: 0, committedEnd: 2, end: 2 })
  refuses('PRODUCER_FENCED', () => broker.end(zombie, 'committed'))
  refuses('PRODUCER_FENCED', () => broker.begin(zombie, [{ topic, partition: 0 }]))
  refuses('PRODUCER_FENCED', () => broker.append(zombie, topic, 0, 1, [record('late')]))
  refuses('PRODUCER_FENCED', () => broker.initialiseProducer('p', zombie))
  beginWith(broker, owner, 'owner')
  refuses('PRODUCER_FENCED', () => broker.end(zombie, 'aborted'))
  broker.end(owner, 'committed')
  assert.deepEqual(read(broker), ['owner'])
})

test('a delayed commit of the same epoch lands in the later transaction, and one of an older epoch does not', () => {
  const broker = createBroker()
  const session = broker.initialiseProducer('p')
  beginWith(broker, session, 'first')
  broker.end(session, 'aborted')
  beginWith(broker, session, 'second', 1)
  broker.end(session, 'committed') // sent for the first, KIP-890's problem
  assert.deepEqual(read(broker), ['second'])

  const raised = broker.initialiseProducer('p', session)
  beginWith(broker, raised, 'third')
  refuses('PRODUCER_FENCED', () => broker.end(session, 'committed'))
  assert.deepEqual(read(broker), ['second'])
})

test('a delayed append cannot open a transaction that nobody ends', () => {
  const broker = createBroker()
  const session = broker.initialiseProducer('p')
  beginWith(broker, session, 'a')
  broker.end(session, 'aborted')
  refuses('INVALID_TXN_STATE', () => broker.append(session, topic, 0, 1, [record('late')]))
  assert.deepEqual(broker.unfinishedTransactions(), [])
})

test('a repeated batch is answered as before and a gap in the sequence is refused', () => {
  const broker = createBroker()
  const session = broker.initialiseProducer('p')
  broker.begin(session, [{ topic, partition: 0 }])
  assert.equal(broker.append(session, topic, 0, 0, [record('a'), record('b')]), 0)
  assert.equal(broker.append(session, topic, 0, 0, [record('a'), record('b')]), 0)
  refuses('OUT_OF_ORDER_SEQUENCE_NUMBER', () => broker.append(session, topic, 0, 3, [record('d')]))
  broker.end(session, 'committed')
  assert.deepEqual(read(broker), ['a', 'b'])
})

test('ending twice with one outcome is the same answer, with the other a refusal', () => {
  const broker = createBroker()
  const session = broker.initialiseProducer('p')
  beginWith(broker, session, 'a')
  broker.end(session, 'committed')
  broker.end(session, 'committed')
  refuses('INVALID_TXN_STATE', () => broker.end(session, 'aborted'))
  assert.deepEqual(broker.offsets(topic, 0), { earliest: 0, committedEnd: 2, end: 2 })
})

test('a transaction that was open too long is aborted and its producer fenced', () => {
  const broker = createBroker()
  const session = broker.initialiseProducer('p')
  beginWith(broker, session, 'a')
  broker.expireTransaction('p')
  refuses('PRODUCER_FENCED', () => broker.end(session, 'committed'))
  assert.deepEqual(read(broker), [])
})

test('an id that was forgotten refuses its sessions and starts anew', () => {
  const broker = createBroker()
  const session = broker.initialiseProducer('p')
  broker.expireTransactionalId('p')
  refuses('INVALID_PRODUCER_ID_MAPPING', () => broker.begin(session, [{ topic, partition: 0 }]))
  assert.notEqual(broker.initialiseProducer('p').producerId, session.producerId)
})

test('markers may follow the decision partition by partition, and initialising waits for them', () => {
  const owed: (() => void)[] = []
  const broker = createBroker({ scheduleMarker: (_partition, write) => owed.push(write) })
  const session = broker.initialiseProducer('p')
  const places = [0, 1].map((partition) => ({ topic, partition }))
  broker.begin(session, places)
  for (const { partition } of places) broker.append(session, topic, partition, 0, [record('a')])
  broker.end(session, 'committed')
  owed[0]!()
  assert.deepEqual(
    places.map(({ partition }) => broker.offsets(topic, partition).committedEnd),
    [2, 0],
  )
  assert.deepEqual(broker.unfinishedTransactions(), ['p'])
  broker.initialiseProducer('p')
  assert.equal(broker.offsets(topic, 1).committedEnd, 2)
  for (const write of owed) write()
  assert.equal(broker.offsets(topic, 1).end, 2)
})

test('compaction keeps the last committed value of each key, at its offset, and tombstones until they are dropped', () => {
  const broker = new MemoryBroker()
  broker.createTopic({ name: 'state', partitions: 1, cleanup: 'compacted' })
  const [done, failed, open] = ['done', 'failed', 'open'].map((id) => broker.initialiseProducer(id))
  const put = (session: ProducerSession, ...records: ReturnType<typeof record>[]) => {
    broker.begin(session, [{ topic: 'state', partition: 0 }])
    broker.append(session, 'state', 0, 0, records)
  }
  put(done!, record('1', 'a'), record('1', 'b'), record('2', 'a'), record(null, 'b'), record('1', 'c')) // 0 to 4
  broker.end(done!, 'committed') // 5
  put(failed!, record('9', 'a')) // 6
  broker.end(failed!, 'aborted') // 7
  put(open!, record('9', 'c')) // 8
  broker.compact('state')
  assert.deepEqual(
    broker.fetch('state', 0, 0, 10).records.map((one) => one.offset),
    [2, 3, 4],
  )
  assert.deepEqual(read(broker, 0, 'state'), ['2', 'tombstone', '1'])
  broker.dropTombstones('state')
  assert.deepEqual(read(broker, 0, 'state'), ['2', '1'])
  assert.deepEqual(broker.offsets('state', 0), { earliest: 0, committedEnd: 8, end: 9 })
  broker.end(open!, 'committed')
  broker.compact('state')
  assert.deepEqual(read(broker, 0, 'state'), ['2', '9'])
})

test('a topic made again has another id, no records, and no part in a transaction of before', () => {
  const broker = createBroker()
  const before = broker.findTopic(topic)!
  const session = broker.initialiseProducer('p')
  beginWith(broker, session, 'a')
  broker.deleteTopic(topic)
  refuses('UNKNOWN_TOPIC_OR_PARTITION', () => broker.offsets(topic, 0))
  broker.createTopic({ name: topic, partitions: 2, cleanup: 'unlimited' })
  assert.notEqual(broker.findTopic(topic)!.id, before.id)
  refuses('INVALID_TXN_STATE', () => broker.append(session, topic, 0, 1, [record('b')]))
  broker.end(session, 'committed')
  assert.deepEqual(broker.offsets(topic, 0), { earliest: 0, committedEnd: 0, end: 0 })
})

test('a topic grows in partitions and keeps its id and records', () => {
  const broker = createBroker()
  broker.produce(topic, 0, [record('a')])
  const { id } = broker.findTopic(topic)!
  broker.growTopic(topic, 3)
  assert.deepEqual(read(broker), ['a'])
  assert.equal(broker.findTopic(topic)!.id, id)
  assert.equal(broker.produce(topic, 2, [record('c')]), 0)
})

test('a record over the limit of its topic, or with no key for a compacted one, is refused by its index', () => {
  const broker = new MemoryBroker()
  broker.createTopic({ name: topic, partitions: 1, cleanup: 'compacted', recordBytesMax: 10 })
  const indexOf = (records: ReturnType<typeof record>[]) => {
    try {
      broker.produce(topic, 0, records)
    } catch (error) {
      return error instanceof BrokerError ? [error.code, error.recordIndex] : error
    }
  }
  assert.deepEqual(indexOf([record('fits', 'a'), record('too large', 'ab')]), ['MESSAGE_TOO_LARGE', 1])
  assert.deepEqual(indexOf([record('no key')]), ['INVALID_RECORD', 0])
  assert.equal(broker.offsets(topic, 0).end, 0)
})

test('a truncated partition loses its end, and what was open there', () => {
  const broker = createBroker()
  const session = broker.initialiseProducer('p')
  broker.produce(topic, 0, [record('a')])
  beginWith(broker, session, 'b')
  broker.truncate(topic, 0, 1)
  assert.deepEqual(broker.offsets(topic, 0), { earliest: 0, committedEnd: 1, end: 1 })
})
