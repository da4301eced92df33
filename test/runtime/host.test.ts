import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryBroker } from '../../src/adapters/memory/broker.ts'
import { ManualClock } from '../../src/adapters/memory/clock.ts'
import { MemoryDisk } from '../../src/adapters/memory/disk.ts'
import { createMemoryLog } from '../../src/adapters/memory/log.ts'
import { createMemoryMembership, MemoryCoordinator } from '../../src/adapters/memory/membership.ts'
import { openMemoryStore } from '../../src/adapters/memory/store.ts'
import { TransientFault } from '../../src/base/errors.ts'
import { limits } from '../../src/base/limits.ts'
import { silentLogger, type Logger } from '../../src/base/logger.ts'
import { handlerSource } from '../../src/handlers/registry.ts'
import { topicsOf } from '../../src/records/keys.ts'
import { CommitWindow } from '../../src/runtime/commit-window.ts'
import { BatchMeasures } from '../../src/runtime/metrics/batch-measures.ts'
import { Definitions } from '../../src/runtime/definitions.ts'
import { Executor } from '../../src/runtime/executor.ts'
import { PartitionHost } from '../../src/runtime/host.ts'
import { Metrics } from '../../src/runtime/metrics/metrics.ts'
import type { Log, OpenStore } from '../../src/runtime/ports.ts'

const topics = topicsOf('test')

/** A host of partition 0 on a log whose changelog is there, with the calls that it makes to open its store. */
async function hostOn(
  disk = new MemoryDisk(),
  replaced: {
    readonly openStore?: OpenStore
    readonly openProducer?: Log['openProducer']
    readonly logger?: Logger
  } = {},
) {
  const broker = new MemoryBroker()
  broker.createTopic({ name: topics.changelog, partitions: 1, cleanup: 'compacted' })
  const clock = new ManualClock()
  const log = createMemoryLog(broker, { nowMs: () => clock.nowMs() })
  const given = { log, clock, logger: replaced.logger ?? silentLogger }
  const metrics = new Metrics(() => clock.nowMs())
  const calls = { describe: 0, openProducer: 0 }
  const host = new PartitionHost({
    ...given,
    log: {
      ...log,
      describeTopics(names) {
        calls.describe += 1
        return log.describeTopics(names)
      },
      openProducer(id) {
        calls.openProducer += 1
        return (replaced.openProducer ?? log.openProducer)(id)
      },
    },
    app: 'test',
    topics,
    updates: { byDefault: false, isHeard: false },
    partition: 0,
    cachedBytesMax: 1_000_000,
    partitions: 1,
    ids: { next: () => 'id' },
    definitions: new Definitions({ ...given, topics, partitions: 1, partitionsOf: () => 1, createsTopics: true }),
    executor: new Executor({
      ...given,
      handlers: handlerSource([]),
      http: { name: 'http', run: () => null },
      secrets: { read: () => '' },
      handlersMax: 1,
      threadsMax: 1,
      metrics,
    }),
    metrics,
    window: new CommitWindow(),
    measures: new BatchMeasures(metrics, { find: () => undefined }),
    membership: createMemoryMembership(new MemoryCoordinator({ partitions: 1 }), 'w1'),
    openStore: replaced.openStore ?? ((partition) => openMemoryStore(disk, partition)),
    sourceTopics: () => Promise.resolve([]),
    perform: () => {},
    onCommitted: () => {},
    onAlarm: () => {},
  })
  return { host, calls, clock }
}

const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}

test('a host whose partition is another worker’s closes', async () => {
  const { host } = await hostOn()
  host.become('none')
  await turns(5)
  await host.close()
})

test('a partition that is taken away before its store is open is never opened: that would fence its new owner (P1)', async () => {
  const { host, calls } = await hostOn()
  host.become('owner')
  host.become('none')
  await turns(20)
  assert.equal(calls.openProducer, 0)
  assert.equal(host.running, undefined)
  await host.close()
})

test('a standby of a changelog that was replaced stops, says why, and does not try for ever', async () => {
  const disk = new MemoryDisk()
  const store = await openMemoryStore(disk, 0)
  await store.apply([], { topicId: 'another creation', offset: 7 })
  await store.close()
  const { host, calls } = await hostOn(disk)
  host.become('standby')
  await turns(200)
  assert.equal(host.phase, 'stopped')
  assert.match(host.reason ?? '', /^DW_CHANGELOG_REPLACED/)
  assert.equal(calls.describe, 1)
  assert.deepEqual(disk.position(0), { topicId: 'another creation', offset: 7 })
  await host.close()
})

test('a store that never answers is told after a while; one that answers late is not', async () => {
  const disk = new MemoryDisk()
  const held = Promise.withResolvers<void>()
  const { host, clock } = await hostOn(disk, {
    openStore: async (partition) => {
      const store = await openMemoryStore(disk, partition)
      const list = store.list.bind(store)
      return Object.assign(store, { list: (range: Parameters<typeof list>[0]) => held.promise.then(() => list(range)) })
    },
  })
  host.become('owner')
  await turns(20)
  assert.equal(host.phase, 'restoring')
  assert.equal(host.stuck, undefined)
  clock.advance(limits.stuckAfterMs)
  assert.equal(host.stuck, undefined)
  clock.advance(1_000)
  assert.equal(host.stuck, 'its store has not answered for 121 s (reading a range)')
  held.resolve()
  await turns(20)
  assert.equal(host.stuck, undefined)
  await host.close()
})

test('a log that never answers is waited for: that is no reason to begin anew', async () => {
  const { host, clock } = await hostOn(undefined, { openProducer: () => new Promise(() => {}) })
  host.become('owner')
  await turns(20)
  clock.advance(10 * limits.stuckAfterMs)
  assert.equal(host.stuck, undefined)
})

test('a loop that has ended by itself is told', async () => {
  const errors: string[] = []
  const logger: Logger = {
    ...silentLogger,
    warn: () => {
      throw new Error('a bug of ours')
    },
    error: (_fields, message) => void errors.push(message),
  }
  const { host } = await hostOn(undefined, { logger, openStore: () => Promise.reject(new TransientFault('not now')) })
  host.become('owner')
  await turns(20)
  assert.equal(host.stuck, 'its loop has ended')
  assert.match(errors.join(), /its loop has ended/)
  await host.close()
})
