// A broker that dies, stops and hangs while records are produced and read: what the faults of the port promise must hold.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { OutcomeUnknown, TransientFault } from '../../src/base/errors.ts'
import type { Log, Producer } from '../../src/runtime/ports.ts'
import { startBroker } from '../support/kafka/broker.ts'
import type { KafkaBroker } from '../support/kafka/broker.ts'
import { createTopic, openLog, pause, record, takeUntil, valuesOf } from '../support/kafka/kafka-world.ts'

let broker: KafkaBroker
before(async () => {
  // A broker of its own, whatever others share: it is killed.
  broker = await startBroker()
})
after(() => broker.dispose())

/** Produces until told to stop; opens the id again after an unknown outcome, as the runtime does. */
function produceSteadily(log: Log, topic: string) {
  const fates = { committed: new Set<string>(), unknown: new Set<string>(), failed: new Set<string>() }
  const stopping = new AbortController()
  const id = randomUUID()
  async function open(): Promise<Producer> {
    for (;;) {
      try {
        return await log.openProducer(id)
      } catch (error) {
        assert.ok(error instanceof TransientFault, String(error))
      }
    }
  }
  async function run(): Promise<void> {
    let producer = await open()
    for (let i = 0; !stopping.signal.aborted; i++) {
      const values = [`${i}-a`, `${i}-b`]
      try {
        await producer.transact(values.map((value, partition) => record(topic, value, partition)))
        for (const value of values) fates.committed.add(value)
      } catch (error) {
        assert.ok(error instanceof OutcomeUnknown || error instanceof TransientFault, String(error))
        for (const value of values) (error instanceof OutcomeUnknown ? fates.unknown : fates.failed).add(value)
        if (error instanceof OutcomeUnknown) {
          await producer.close()
          producer = await open()
        }
      }
    }
    await producer.close()
  }
  const running = run()
  return {
    fates,
    async stop() {
      stopping.abort()
      await running
    },
  }
}

const faults: readonly [string, () => Promise<void>][] = [
  [
    'is killed and started again',
    async () => {
      await broker.kill()
      await broker.start()
    },
  ],
  [
    'is stopped and started again',
    async () => {
      await broker.stop()
      await broker.start()
    },
  ],
  [
    'hangs for longer than a request waits',
    async () => {
      broker.freeze()
      await pause(17_000)
      broker.thaw()
    },
  ],
]

for (const [what, strike] of faults) {
  test(`what was answered is there once, what failed is not, and readers go on, when a broker ${what}`, async () => {
    const log = await openLog([broker.address])
    const topic = await createTopic(log, 2)
    const readers = [0, 1].map((partition) => log.openReader({ topic, partition, offset: 0, onReady: () => {} }))
    const producing = produceSteadily(log, topic)
    const { committed, unknown, failed } = producing.fates
    await untilGrown(committed, 10)
    await strike()
    await untilGrown(committed, committed.size + 10)
    await producing.stop()

    const read: (string | null)[] = []
    for (const [partition, reader] of readers.entries()) {
      const { end } = await log.offsets(topic, partition)
      read.push(...valuesOf(await takeUntil(reader, end)))
    }
    assert.equal(new Set(read).size, read.length, 'a record came twice')
    for (const value of committed) assert.ok(read.includes(value), `${value} was answered and is lost`)
    for (const value of failed) assert.ok(!read.includes(value), `${value} failed and is there`)
    for (const value of read) assert.ok(committed.has(value!) || unknown.has(value!), `${value} is nobody's`)
    // Both records of a transaction, or none.
    for (const value of read) assert.ok(read.includes(value!.replace(/-[ab]$/, value!.endsWith('a') ? '-b' : '-a')))
    assert.deepEqual(log.problems(), [])
    await log.close()
  })
}

test('a broker that is not there is a transient fault at the start, and a problem that is told and passes later', async () => {
  const log = await openLog([broker.address])
  const topic = await createTopic(log)
  await broker.stop()
  await assert.rejects(openLog([broker.address]), TransientFault)
  await assert.rejects(log.produce([record(topic, 'x')]), TransientFault)
  assert.equal(log.problems().length, 1)
  await broker.start()
  const [outcome] = await log.produce([record(topic, 'y')])
  assert.ok(outcome !== undefined && 'offset' in outcome)
  assert.deepEqual(log.problems(), [])
  await log.close()
})

async function untilGrown(set: ReadonlySet<string>, size: number): Promise<void> {
  for (const givenUpAt = Date.now() + 90_000; set.size < size; await pause(20)) {
    assert.ok(Date.now() < givenUpAt, `only ${set.size} records were produced`)
  }
}
