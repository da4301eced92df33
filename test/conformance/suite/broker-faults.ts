// A broker that dies, stops and hangs while records are produced and read: what the faults of the port promise must hold.
import assert from 'node:assert/strict'
import { after, before, suite } from 'node:test'
import { TransientFault } from '../../../src/base/errors.ts'
import { startBroker } from '../../support/kafka/broker.ts'
import type { KafkaBroker } from '../../support/kafka/broker.ts'
import { createTopic, pause, record } from '../../support/kafka/kafka-world.ts'
import { casesOf } from './adapter.ts'
import type { Adapter } from './adapter.ts'
import { produceSteadily } from './steady.ts'

export function brokerFaultsCases(adapter: Adapter): void {
  const rule = casesOf(adapter)
  suite('a broker that fails', () => {
    let broker: KafkaBroker
    before(async () => {
      // A broker of its own, whatever others share: it is killed.
      broker = await startBroker()
    })
    after(() => broker.dispose())

    const faults: readonly [string, string, () => Promise<void>][] = [
      [
        'killed',
        'is killed and started again',
        async () => {
          await broker.kill()
          await broker.start()
        },
      ],
      [
        'stopped',
        'is stopped and started again',
        async () => {
          await broker.stop()
          await broker.start()
        },
      ],
      [
        'hung',
        'hangs for longer than a request waits',
        async () => {
          broker.freeze()
          await pause(17_000)
          broker.thaw()
        },
      ],
    ]

    for (const [id, what, strike] of faults) {
      const title = `what was answered is there once, what failed is not, and readers go on, when a broker ${what}`
      rule(`broker-${id}`, title, async () => {
        const log = await adapter.openLog([broker.address])
        const topic = await createTopic(log, 2)
        const producing = produceSteadily(log, topic, 2)
        await producing.untilMore(10)
        await strike()
        await producing.untilMore(10)
        await producing.stopAndCheck()
        assert.deepEqual(log.problems(), [])
        await log.close()
      })
    }

    rule(
      'broker-away',
      'a broker that is not there is a transient fault at the start, and a problem that is told and passes later',
      async () => {
        const log = await adapter.openLog([broker.address])
        const topic = await createTopic(log)
        await broker.stop()
        await assert.rejects(adapter.openLog([broker.address]), TransientFault)
        await assert.rejects(log.produce([record(topic, 'x')]), TransientFault)
        assert.equal(log.problems().length, 1)
        await broker.start()
        const [outcome] = await log.produce([record(topic, 'y')])
        assert.ok(outcome !== undefined && 'offset' in outcome)
        assert.deepEqual(log.problems(), [])
        await log.close()
      },
    )
  })
}
