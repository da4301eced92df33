// Orders on a real Kafka, through a worker that is killed with -9 and over a broker that is restarted on the way; then an
// audit of what Kafka's own consumer reads, and of the worker's stores at every kill.
//
//   node test/integrity/kafka-kill9.ts --orders 10000 --kills 10 --restarts 1
//
// Prints progress on stderr and one JSON line on stdout; exits with 1 where there is a violation. The broker is one of its
// own, whatever KAFKA_BROKERS says: it is restarted.
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { topicsOf } from '../../src/records/keys.ts'
import { Site } from '../support/daemon.ts'
import { startBroker } from '../support/kafka/broker.ts'
import { openLog } from '../support/kafka/kafka-world.ts'
import { audit, orderFile } from './audit.ts'
import { tell, type CampaignResult } from './campaign.ts'
import { KafkaDoor } from './kafka-door.ts'
import { kafkaEvidence, storesIn, type StoredState } from './kafka-evidence.ts'
import { KilledDaemon } from './killed-daemon.ts'
import { spread, spreadKills, strikeWhile } from './kills.ts'
import { orderId, Shop } from './shop.ts'

export interface KafkaCampaignOptions {
  readonly orders: number
  readonly kills: number
  /** Of the broker: every second one by kill -9. */
  readonly restarts: number
  readonly onProgress?: (text: string) => void
}

const app = 'shop'
const partitions = 6

/** Runs one campaign with a broker and a directory of its own. */
export async function kafkaKillCampaign(options: KafkaCampaignOptions): Promise<CampaignResult> {
  const { orders, kills, restarts, onProgress = () => {} } = options
  const beganMs = Date.now()
  const broker = await startBroker()
  const brokers = [broker.address]
  const site = new Site()
  const log = await openLog(brokers)
  let restarting = Promise.resolve()
  try {
    site.write('workflows/order.yaml', readFileSync(orderFile, 'utf8'))
    // Laid out otherwise than the application: its records go from partition to partition.
    site.env['DAGGER_WORKER_TOPICS'] = JSON.stringify({ orders: { partitions: 4 } })
    const stores: StoredState[] = []
    const killed = new KilledDaemon({
      site,
      flags: ['--brokers', broker.address, '--app', app, '--partitions', `${partitions}`, '--log-level', 'warn'],
      onDead: async () => {
        const copy = join(site.directory, 'copies', `${killed.kills}`)
        cpSync(join(site.directory, 'data'), copy, { recursive: true })
        stores.push(...(await storesIn(copy, app)))
      },
    })
    await killed.ready
    const door = new KafkaDoor(log)
    const shop = new Shop({ door, orders, partitions })
    let restarted = 0
    const restart = (i: number): void => {
      restarting = restarting.then(async () => {
        await (i % 2 === 0 ? broker.stop() : broker.kill())
        await broker.start()
        restarted += 1
      })
      // Awaited below.
      restarting.catch(() => {})
    }
    const strikes = [...spreadKills(kills, 3 * orders, killed), ...spread(restarts, 3 * orders, restart)]
    await strikeWhile(shop, killed, strikes, (acknowledged) =>
      onProgress(
        `${acknowledged} of ${3 * orders} records acknowledged, ${killed.kills} kills, ${restarted} restarts of the broker`,
      ),
    )
    await restarting
    const daemon = await killed.settled()
    const { counters } = await daemon.health()
    await daemon.stop()
    onProgress('everything is acknowledged and has ended; auditing')
    const last = await storesIn(join(site.directory, 'data'), app)
    const { evidence, violations } = await kafkaEvidence({ brokers, app, partitions, stores: [...stores, ...last] })
    const all = [
      ...violations,
      ...audit(evidence, {
        orders: Array.from({ length: orders }, (_, i) => orderId(i)),
        acknowledged: shop.acknowledgedByTopic,
      }),
    ]
    if (last.length !== partitions) all.push(`I5: ${last.length} stores are left of ${partitions}`)
    return {
      runs: 1,
      faults: killed.kills + restarted,
      violations: all,
      coverage: {
        orders,
        acknowledged: shop.acknowledged,
        paymentCommandsRead: shop.commandsRead['payment-commands'],
        warehouseCommandsRead: shop.commandsRead['warehouse-commands'],
        kills: killed.kills,
        brokerRestarts: restarted,
        callsCutShort: door.callsCutShort,
        foundAfterwards: shop.foundAfterwards,
        forwarded: evidence.topics.get(topicsOf(app).inbox)?.ends.reduce((sum, end) => sum + end, 0) ?? 0,
        storesCompared: stores.length + last.length,
        valuesCompared: [...stores, ...last].reduce((sum, { values }) => sum + values.size, 0),
        alarms: counters['alarms'] ?? 0,
        engineFaults: counters['engine_faults'] ?? 0,
        seconds: Math.round((Date.now() - beganMs) / 100) / 10,
      },
    }
  } finally {
    await site.close()
    await log.close()
    // What went wrong with it was thrown above; a broker that starts is not left behind.
    await restarting.catch(() => {})
    await broker.dispose()
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      orders: { type: 'string', default: '10000' },
      kills: { type: 'string', default: '10' },
      restarts: { type: 'string', default: '1' },
    },
  })
  tell(
    await kafkaKillCampaign({
      orders: Number(values.orders),
      kills: Number(values.kills),
      restarts: Number(values.restarts),
      onProgress: (text) => console.error(text),
    }),
  )
}
