import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryBroker } from '../../src/adapters/memory/broker.ts'
import { ManualClock } from '../../src/adapters/memory/clock.ts'
import { createMemoryLog } from '../../src/adapters/memory/log.ts'
import { silentLogger } from '../../src/base/logger.ts'
import { decodeWorker, encodeWorker } from '../../src/records/worker-record.ts'
import { Fleet } from '../../src/runtime/fleet.ts'

const topic = 'app.workers'

function createWorld() {
  const broker = new MemoryBroker()
  const clock = new ManualClock()
  const log = createMemoryLog(broker, { nowMs: () => clock.nowMs() })
  const owned = new Map<string, readonly number[]>()
  const join = (workerId: string): Fleet => {
    const describe = () => ({
      owned: (owned.get(workerId) ?? []).map((partition) => ({ partition, position: 7 })),
      copies: [],
    })
    const fleet = new Fleet({ log, clock, logger: silentLogger, topic, workerId, describe })
    fleet.join(`http://${workerId}`)
    return fleet
  }
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 500) {
      clock.advance(500)
      for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
    }
  }
  return { broker, owned, join, pass }
}

test('each hears of the others what they run, soon after that changes', async () => {
  const { broker, owned, join, pass } = createWorld()
  broker.createTopic({ name: topic, partitions: 1, cleanup: 'compacted' })
  owned.set('a', [0, 1])
  const [a, b] = [join('a'), join('b')]
  await pass(1_000)
  assert.deepEqual([b.urlOf(0), b.urlOf(2), a.urlOf(0)], ['http://a', undefined, undefined])
  owned.set('a', [0])
  owned.set('b', [1])
  await pass(1_000)
  assert.deepEqual([b.urlOf(1), a.urlOf(1)], [undefined, 'http://b'])
  assert.deepEqual(
    a.all().map(({ worker, url, owned: own }) => [worker, url, own.map(({ partition }) => partition)]),
    [
      ['a', 'http://a', [0]],
      ['b', 'http://b', [1]],
    ],
  )
  await Promise.all([a.leave(), b.leave()])
})

test('of two that say they run a partition the one that said so last is asked', async () => {
  const { broker, owned, join, pass } = createWorld()
  broker.createTopic({ name: topic, partitions: 1, cleanup: 'compacted' })
  owned.set('a', [0])
  const members = ['a', 'b', 'c'].map((id) => join(id))
  await pass(1_000)
  owned.set('b', [0])
  await pass(1_000)
  assert.equal(members[2]!.urlOf(0), 'http://b')
  await Promise.all(members.map((member) => member.leave()))
})

test('who leaves is forgotten at once, who is silent after a while', async () => {
  const { broker, owned, join, pass } = createWorld()
  broker.createTopic({ name: topic, partitions: 1, cleanup: 'compacted' })
  for (const id of ['a', 'b']) owned.set(id, [0])
  const [a, b] = [join('a'), join('b')]
  // As one that was killed: it says nothing any more.
  broker.produce(topic, 0, [
    {
      timestampMs: Date.UTC(2026, 0, 1),
      key: Buffer.from('dead'),
      value: encodeWorker({ worker: 'dead', url: 'http://dead', startedAt: '', at: '', owned: [], copies: [] }),
      headers: [],
    },
  ])
  await pass(1_000)
  assert.deepEqual(
    b.peers().map(({ worker }) => worker),
    ['a', 'dead'],
  )
  await a.leave()
  await pass(1_000)
  assert.deepEqual(
    b.peers().map(({ worker }) => worker),
    ['dead'],
  )
  await pass(30_000)
  assert.deepEqual(b.peers(), [])
  await b.leave()
})

test('where the topic is made later, it is heard later', async () => {
  const { broker, owned, join, pass } = createWorld()
  owned.set('a', [0])
  const [a, b] = [join('a'), join('b')]
  await pass(3_000)
  assert.deepEqual(b.peers(), [])
  broker.createTopic({ name: topic, partitions: 1, cleanup: 'compacted' })
  await pass(3_000)
  assert.equal(b.urlOf(0), 'http://a')
  await Promise.all([a.leave(), b.leave()])
})

test('what a worker says is read as it was said; what cannot be read is nobody', () => {
  const record = {
    worker: 'a',
    url: 'http://a',
    startedAt: '2026-01-01T00:00:00.000Z',
    at: '2026-01-01T00:00:10.000Z',
    owned: [{ partition: 3, position: null }],
    copies: [{ partition: 4, position: 12 }],
  }
  assert.deepEqual(decodeWorker(encodeWorker(record)), record)
  for (const text of ['', 'x', '[]', 'null', '{"worker":1}', '{"worker":"a"}'])
    assert.equal(decodeWorker(Buffer.from(text)), undefined)
  const odd = decodeWorker(
    Buffer.from('{"worker":"a","url":"u","at":"t","owned":[null,{},{"partition":1}],"copies":3}'),
  )
  assert.deepEqual(odd, {
    worker: 'a',
    url: 'u',
    startedAt: 't',
    at: 't',
    owned: [{ partition: 1, position: null }],
    copies: [],
  })
})
