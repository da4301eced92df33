// Orders through a daemon that is killed with -9 on the way, then an audit of what it left behind: nothing that was
// acknowledged is lost, nothing is doubled. `npm run torture -- kill9`.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Site } from '../support/daemon.ts'
import { audit, orderFile } from './audit.ts'
import type { CampaignOptions, CampaignResult } from './campaign.ts'
import { embeddedEvidence } from './embedded-evidence.ts'
import { KilledDaemon } from './killed-daemon.ts'
import { spreadKills, strikeWhile } from './kills.ts'
import { orderId, Shop, type Door } from './shop.ts'

export interface KillCampaignOptions extends CampaignOptions {
  readonly orders: number
  readonly kills: number
}

const partitions = 6
const pageRecords = 500
const waitMs = 2_000

/** Runs one campaign in a directory of its own. */
export async function killCampaign({
  orders,
  kills,
  onProgress = () => {},
}: KillCampaignOptions): Promise<CampaignResult> {
  const site = new Site()
  const beganMs = Date.now()
  try {
    site.write('workflows/order.yaml', readFileSync(orderFile, 'utf8'))
    const killed = new KilledDaemon({ site, flags: ['--partitions', String(partitions), '--log-level', 'warn'] })
    const shop = new Shop({ door: doorThrough(killed), orders, partitions })
    await strikeWhile(shop, killed, spreadKills(kills, 3 * orders, killed), (acknowledged) =>
      onProgress(`${acknowledged} of ${3 * orders} records acknowledged, ${killed.kills} kills`),
    )
    const daemon = await killed.settled()
    const { counters } = await daemon.health()
    await daemon.stop()
    onProgress('everything is acknowledged and has ended; auditing')
    const log = { directory: join(site.directory, 'data', 'log'), app: daemon.report.app, partitions }
    const violations = audit(await embeddedEvidence(log), {
      orders: Array.from({ length: orders }, (_, i) => orderId(i)),
      acknowledged: shop.acknowledgedByTopic,
    })
    return {
      runs: 1,
      faults: killed.kills,
      violations,
      coverage: {
        orders,
        acknowledged: shop.acknowledged,
        paymentCommandsRead: shop.commandsRead['payment-commands'],
        warehouseCommandsRead: shop.commandsRead['warehouse-commands'],
        ...killed.met,
        callsCutShort: killed.callsCutShort,
        foundAfterwards: shop.foundAfterwards,
        alarms: counters['alarms'] ?? 0,
        engineFaults: counters['engine_faults'] ?? 0,
        seconds: Math.round((Date.now() - beganMs) / 100) / 10,
      },
    }
  } finally {
    await site.close()
  }
}

/** Over the daemon's HTTP API. */
function doorThrough(killed: KilledDaemon): Door {
  return {
    async send(topic, records) {
      const sent = await killed.askOnce((daemon) => daemon.client.produce(topic, records))
      return sent?.given.map(({ partition, offset, error }, index) => {
        if (error !== null) throw new Error(`${topic} refused ${records[index]?.key}: ${error}`)
        return `${topic}/${partition}@${offset}`
      })
    },
    read: (topic, partition, offset) =>
      killed.ask((daemon) => daemon.client.records(topic, partition, { offset, limit: pageRecords, waitMs })),
    async ends(topic) {
      const topics = await killed.ask((daemon) => daemon.client.listTopics())
      return (topics.find(({ name }) => name === topic)?.partitions ?? []).map(({ end }) => end)
    },
  }
}
