// What the memory adapters do of themselves in a simulation: transactions that are open for too long, markers that have
// to wait, tombstones that are forgotten, sessions that fall silent, disks that fail.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryBroker } from '../../src/adapters/memory/broker.ts'
import { MemoryDisk } from '../../src/adapters/memory/disk.ts'
import { MemoryCoordinator } from '../../src/adapters/memory/membership.ts'
import { openMemoryStore } from '../../src/adapters/memory/store.ts'
import { TransientFault } from '../../src/base/errors.ts'

const place = [{ topic: 't', partition: 0 }]
const record = (key: string, value: string | null = 'v') => ({
  timestampMs: 0,
  key: Buffer.from(key),
  value: value === null ? null : Buffer.from(value),
  headers: [],
})

function withTopic(options: ConstructorParameters<typeof MemoryBroker>[0]): MemoryBroker {
  const broker = new MemoryBroker(options)
  broker.createTopic({ name: 't', partitions: 1, cleanup: 'compacted' })
  return broker
}

test('T5: a transaction that is open for too long is aborted and its producer fenced; a later one is left alone', () => {
  const timeouts: { expire: () => void; isCancelled: boolean }[] = []
  const broker = withTopic({
    scheduleTimeout: (_id, expire) => {
      const timeout = { expire, isCancelled: false }
      timeouts.push(timeout)
      return () => void (timeout.isCancelled = true)
    },
  })
  const session = broker.initialiseProducer('p')
  broker.begin(session, place)
  broker.begin(session, place)
  broker.append(session, 't', 0, 0, [record('a')])
  broker.end(session, 'committed')
  broker.begin(session, place)
  assert.deepEqual(
    timeouts.map(({ isCancelled }) => isCancelled),
    [true, false],
  )
  timeouts[0]!.expire()
  broker.append(session, 't', 0, 1, [record('b')])
  timeouts[1]!.expire()
  assert.throws(() => broker.end(session, 'committed'), { code: 'PRODUCER_FENCED' })
  assert.equal(broker.fetch('t', 0, 0, 10).records.length, 1)
  assert.deepEqual(broker.unfinishedTransactions(), [])
})

test('T4: nobody begins while a marker of the transaction before cannot be written', () => {
  let takesMarkers = false
  const waiting: (() => void)[] = []
  const broker = withTopic({
    scheduleMarker: (_place, write) => void waiting.push(write),
    takesMarkers: () => takesMarkers,
  })
  const session = broker.initialiseProducer('p')
  broker.begin(session, place)
  broker.append(session, 't', 0, 0, [record('a')])
  broker.end(session, 'committed')
  assert.throws(() => broker.begin(session, place), { code: 'CONCURRENT_TRANSACTIONS' })
  assert.throws(() => broker.initialiseProducer('p'), { code: 'CONCURRENT_TRANSACTIONS' })
  takesMarkers = true
  broker.initialiseProducer('p')
  for (const write of waiting) write()
  const { end, committedEnd } = broker.offsets('t', 0)
  assert.deepEqual([end, committedEnd], [2, 2])
})

test('a tombstone goes when it was compacted so long ago, and not before', () => {
  const broker = withTopic({ tombstonesKeptMs: 1_000 })
  broker.produce('t', 0, [record('a'), record('a', null), record('b')])
  const keys = () => broker.fetch('t', 0, 0, 10).records.map(({ key }) => Buffer.from(key!).toString())
  broker.compact('t', 5_000)
  broker.compact('t', 5_999)
  assert.deepEqual(keys(), ['a', 'b'])
  broker.compact('t', 6_000)
  assert.deepEqual(keys(), ['b'])
})

test('a member that is not heard of is silent, and a heartbeat ends that', () => {
  let nowMs = 0
  const coordinator = new MemoryCoordinator({ partitions: 1, nowMs: () => nowMs })
  for (const name of ['w1', 'w2']) coordinator.join(name, coordinator.openSession(), () => {})
  nowMs = 900
  coordinator.heartbeat('w2', 2)
  nowMs = 1_000
  assert.deepEqual(coordinator.silentFor(1_000), ['w1'])
})

test('a disk that fails refuses what it fails at, and keeps what it has', async () => {
  const disk = new MemoryDisk()
  const store = await openMemoryStore(disk, 0)
  const write = (offset: number) => store.apply([{ key: 'k', value: Buffer.from([offset]) }], { topicId: 't', offset })
  await write(1)
  disk.failsWrites = true
  await assert.rejects(write(2), TransientFault)
  disk.failsWrites = false
  disk.failsReads = true
  assert.throws(() => store.get('k'), TransientFault)
  await assert.rejects(store.list({ from: '', to: 'z', limit: 1 }), TransientFault)
  disk.failsReads = false
  assert.deepEqual([store.get('k')?.[0], store.position?.offset], [1, 1])
})

test('a directory belongs to one process, until that dies', () => {
  const disk = new MemoryDisk()
  disk.claim()
  assert.throws(() => disk.claim(), { code: 'DW_DATA_IN_USE' })
  disk.crash()
  disk.claim()
})

test('a backup that is put back is what the disk was, whatever came later', async () => {
  const disk = new MemoryDisk()
  const store = await openMemoryStore(disk, 0)
  await store.apply([{ key: 'k', value: Buffer.from([1]) }], { topicId: 't', offset: 1 })
  const backup = disk.copy()
  await store.apply([{ key: 'l', value: Buffer.from([2]) }], { topicId: 't', offset: 2 })
  assert.throws(() => disk.putBack(backup))
  disk.crash()
  disk.putBack(backup)
  assert.deepEqual([disk.position(0)?.offset, disk.dump(0).map(({ key }) => key)], [1, ['k']])
})
