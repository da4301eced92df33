// Orders on a real Kafka, through workers that are killed with -9, put to sleep past every timeout, joined and left by
// others, and over a broker that is restarted on the way; then an audit of what Kafka's own consumer reads, and of the
// stores, copies included, at every kill.
//
// The broker is one of its own, whatever KAFKA_BROKERS says: it is restarted.
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import type { KafkaClientName } from '../../src/base/kafka-settings.ts'
import { topicsOf } from '../../src/records/keys.ts'
import { Site } from '../support/daemon.ts'
import { startBroker } from '../support/kafka/broker.ts'
import { openLog } from '../support/kafka/kafka-world.ts'
import { audit, orderFile } from './audit.ts'
import type { CampaignOptions, CampaignResult } from './campaign.ts'
import { Crew } from './crew.ts'
import { KafkaDoor } from './kafka-door.ts'
import { kafkaEvidence } from './kafka-evidence.ts'
import { spread, strikeWhile } from './kills.ts'
import { orderId, Shop, type Door } from './shop.ts'

export interface KafkaCampaignOptions extends CampaignOptions {
  readonly workers: number
  readonly orders: number
  readonly kills: number
  /** Of the broker: every second one by kill -9. */
  readonly restarts: number
  /** Workers that sleep. */
  readonly zombies: number
  /** Joins and leaves of workers beside those. */
  readonly rebalances: number
  /** By which the workers talk to it. */
  readonly client?: KafkaClientName
}

const app = 'shop'
const partitions = 12
/** Longer than the session of the group (10 s) and the timeout of a transaction (60 s). */
const asleepMs = 75_000
/** The shop goes slower while much happens: what strikes meets a worker at work. */
const paceMs = { each: 250, max: 3_000 } as const

/** Runs one campaign with a broker and a directory of its own. */
export async function kafkaCampaign(options: KafkaCampaignOptions): Promise<CampaignResult> {
  const {
    workers,
    orders,
    kills,
    restarts,
    zombies,
    rebalances,
    client = 'platformatic',
    onProgress = () => {},
  } = options
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
    const place = ['--brokers', broker.address, '--client', client, '--app', app]
    const flags = [...place, '--partitions', `${partitions}`, '--log-level', 'warn']
    const crew = new Crew({ site, app, flags, workers })
    await crew.ready()
    const door = new KafkaDoor(log)
    const shop = new Shop({ door: paced(door, () => crew.pending), orders, partitions })
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
    const acknowledgements = 3 * orders
    const strikes = [
      ...spread(kills, acknowledgements, (i) => crew.kill(i)),
      ...spread(restarts, acknowledgements, restart),
      ...spread(zombies, acknowledgements, (i) => crew.sleep(i, asleepMs)),
      ...spread(Math.ceil(rebalances / 2), acknowledgements, () => crew.invite()),
    ]
    await strikeWhile(shop, crew, strikes, (acknowledged) =>
      onProgress(
        `${acknowledged} of ${acknowledgements} records acknowledged, ${crew.kills} kills, ${crew.slept} zombies, ${crew.guestChanges} joins and leaves, ${restarted} restarts of the broker`,
      ),
    )
    await restarting
    await crew.settled()
    const { stores: last, counters } = await crew.stop()
    onProgress('everything is acknowledged and has ended; auditing')
    const stores = [...crew.stores, ...last]
    const { evidence, violations } = await kafkaEvidence({ brokers, app, partitions, stores })
    const all = [
      ...violations,
      ...audit(evidence, {
        orders: Array.from({ length: orders }, (_, i) => orderId(i)),
        acknowledged: shop.acknowledgedByTopic,
      }),
    ]
    const whole = new Set(last.map(({ partition }) => partition)).size
    if (whole !== partitions) all.push(`I5: stores of ${whole} partitions are left, of ${partitions}`)
    return {
      runs: 1,
      faults: crew.kills + restarted + crew.slept + crew.guestChanges,
      violations: all,
      coverage: {
        workers,
        orders,
        acknowledged: shop.acknowledged,
        paymentCommandsRead: shop.commandsRead['payment-commands'],
        warehouseCommandsRead: shop.commandsRead['warehouse-commands'],
        kills: crew.kills,
        brokerRestarts: restarted,
        zombies: crew.slept,
        joinsAndLeaves: crew.guestChanges,
        callsCutShort: door.callsCutShort,
        foundAfterwards: shop.foundAfterwards,
        forwarded: evidence.topics.get(topicsOf(app).inbox)?.ends.reduce((sum, end) => sum + end, 0) ?? 0,
        storesCompared: stores.length,
        valuesCompared: stores.reduce((sum, { values }) => sum + values.size, 0),
        alarms: counters.get('alarms') ?? 0,
        engineFaults: counters.get('engine_faults') ?? 0,
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

/** The same door, the slower the more happens behind it. */
function paced(door: Door, pending: () => number): Door {
  return {
    async send(topic, records) {
      await pause(Math.min(paceMs.max, paceMs.each * pending()))
      return door.send(topic, records)
    },
    read: (...place) => door.read(...place),
    ends: (topic) => door.ends(topic),
  }
}
