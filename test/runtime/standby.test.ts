// P8 for whoever follows: a copy that slept past the time for which removals are kept is not trusted; one in whose
// partition nothing happened is.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { MemoryBroker } from '../../src/adapters/memory/broker.ts'
import { ManualClock } from '../../src/adapters/memory/clock.ts'
import { MemoryDisk } from '../../src/adapters/memory/disk.ts'
import { createMemoryLog } from '../../src/adapters/memory/log.ts'
import { openMemoryStore } from '../../src/adapters/memory/store.ts'
import { StoreCorrupted } from '../../src/base/errors.ts'
import { restore } from '../../src/runtime/restore.ts'
import { Standby } from '../../src/runtime/standby.ts'

const hourMs = 3_600_000
const topic = 'app.changelog'

/** A copy that has followed a changelog to its end, where removals are kept for a day. */
async function following() {
  const broker = new MemoryBroker({ tombstonesKeptMs: 24 * hourMs })
  broker.createTopic({ name: topic, partitions: 1, cleanup: 'compacted' })
  const clock = new ManualClock()
  const log = createMemoryLog(broker, { nowMs: () => clock.nowMs() })
  const store = await openMemoryStore(new MemoryDisk(), 0)
  const write = async (key: string) => {
    const record = { timestampMs: clock.nowMs(), key: Buffer.from(key), value: Buffer.from('v'), headers: [] }
    broker.produce(topic, 0, [record])
    await setImmediate()
  }
  await write('a')
  const standby = await Standby.open({ log, store, clock, topic, partition: 0 })
  await setImmediate()
  assert.ok(store.get('a') !== undefined)
  return { log, store, clock, standby, write }
}

test('a copy tells how far it is behind', async () => {
  const { standby, write, clock } = await following()
  assert.deepEqual(standby.behind, { records: 0, sinceMs: undefined })
  const sinceMs = clock.nowMs()
  const written = write('b')
  assert.equal(standby.behind?.records, 1)
  await written
  assert.deepEqual(standby.behind, { records: 0, sinceMs: undefined })
  assert.equal(clock.nowMs(), sinceMs)
  await standby.stop()
})

test('P8: a copy that slept for a day while it followed is given up when it wakes, before it takes anything', async () => {
  const { store, clock, standby, write } = await following()
  const ended = assert.rejects(standby.finished, StoreCorrupted)
  clock.jump(25 * hourMs)
  await write('b')
  await ended
  assert.equal(store.get('b'), undefined)
  await assert.rejects(standby.stop(), StoreCorrupted)
})

test('P8: a copy in whose partition nothing happens for days stays current, as it asks', async () => {
  const { store, clock, standby, write } = await following()
  for (let hour = 0; hour < 72; hour++) {
    clock.advance(hourMs)
    await setImmediate()
  }
  await write('b')
  assert.ok(store.get('b') !== undefined)
  await standby.stop()
  assert.equal(clock.nextTimerAtMs(), undefined)
})

test('P8: a restore that slept for a day on its way is begun anew', async () => {
  const { log, store, clock, standby, write } = await following()
  await standby.stop()
  await write('b')
  const sleepy = {
    ...log,
    openReader(options: Parameters<typeof log.openReader>[0]) {
      clock.jump(25 * hourMs)
      return log.openReader(options)
    },
  }
  const options = { log: sleepy, store, topic, partition: 0, clock, isCancelled: () => false }
  await assert.rejects(restore(options), StoreCorrupted)
})
