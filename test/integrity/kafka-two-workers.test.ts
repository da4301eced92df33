// Two workers of one application, started with the same flags and the same data directory, as by mistake. They share the
// partitions, double nothing, and when one is killed the other has all of them within the session timeout.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { bounds } from '../../src/adapters/kafka/options.ts'
import { type Daemon, Site } from '../support/daemon.ts'
import { startBroker, type KafkaBroker } from '../support/kafka/broker.ts'
import { openLog } from '../support/kafka/kafka-world.ts'
import { audit, orderFile } from './audit.ts'
import { KafkaDoor } from './kafka-door.ts'
import { kafkaEvidence, storesIn } from './kafka-evidence.ts'
import { orderId, Shop } from './shop.ts'

let broker: KafkaBroker
before(async () => {
  // Of its own: topics have the names that the order workflow gives them.
  broker = await startBroker()
})
after(() => broker.dispose())

const app = 'shop'
const partitions = 6
const orders = 150
/** Beside the session timeout: the rebalance, and opening the partitions. */
const takeoverMs = 10_000

/** The partitions that run in it. */
async function runningIn(daemon: Daemon): Promise<readonly number[]> {
  const { partitions: views } = await daemon.health()
  return views.filter(({ phase }) => phase === 'running').map(({ partition }) => partition)
}

test('two workers with one data directory share the work, and one of them carries on without the other', async (t) => {
  const site = Site.of(t, { 'workflows/order.yaml': readFileSync(orderFile, 'utf8') })
  const flags = ['--brokers', broker.address, '--app', app, '--partitions', `${partitions}`]
  const [first, second] = await Promise.all([site.start(...flags), site.start(...flags)])
  await first.until(async () => {
    const found = [await runningIn(first), await runningIn(second)]
    const isShared = found.every((own) => own.length === partitions / 2)
    return isShared && new Set(found.flat()).size === partitions ? true : undefined
  })

  const log = await openLog([broker.address])
  t.after(() => log.close())
  const shop = new Shop({ door: new KafkaDoor(log), orders, partitions })
  const running = shop.run()
  await first.until(() => Promise.resolve(shop.acknowledged > 1.5 * orders ? true : undefined))
  for (const daemon of [first, second]) assert.ok((await daemon.counter('instance_started')) > 0)
  await first.kill()
  const killedMs = Date.now()
  await second.until(async () => ((await runningIn(second)).length === partitions ? true : undefined))
  const tookMs = Date.now() - killedMs
  assert.ok(tookMs < bounds.sessionTimeoutMs + takeoverMs, `it took ${tookMs} ms`)

  await running
  await second.until(async () => {
    const { items } = await second.client.listInstances({ status: 'EXECUTING', limit: 1 })
    return items.length === 0 ? true : undefined
  })
  assert.equal(await second.counter('alarms'), 0)
  await second.stop()
  // Of both, each in a part of the directory that it had taken for itself.
  const stores = await storesIn(join(site.directory, 'data'), app)
  assert.ok(stores.length >= partitions)
  const { evidence, violations } = await kafkaEvidence({ brokers: [broker.address], app, partitions, stores })
  const audited = {
    orders: Array.from({ length: orders }, (_, i) => orderId(i)),
    acknowledged: shop.acknowledgedByTopic,
  }
  assert.deepEqual([...violations, ...audit(evidence, audited)], [])
})
