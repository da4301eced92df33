// Orders through a daemon that is killed with -9 on the way, then an audit of what it left behind.
//
//   node test/integrity/kill9.ts --orders 10000 --kills 10
//
// Prints progress on stderr and one JSON line on stdout; exits with 1 where there is a violation.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Site } from '../support/daemon.ts'
import { audit, orderFile } from './audit.ts'
import { orderId, Shop } from './shop.ts'

export interface CampaignOptions {
  readonly orders: number
  readonly kills: number
  readonly onProgress?: (text: string) => void
}

export interface CampaignResult {
  readonly runs: number
  readonly faults: number
  readonly violations: readonly string[]
  readonly coverage: { readonly [what: string]: number }
}

const partitions = 6
const lookEveryMs = 5
const tellEveryMs = 2_000
/** A daemon that comes up takes about so long; a second kill somewhere in there meets it restoring, or just begun. */
const comingUpMs = 2_000

/** Runs one campaign in a directory of its own. */
export async function killCampaign({ orders, kills, onProgress = () => {} }: CampaignOptions): Promise<CampaignResult> {
  const site = new Site()
  const beganMs = Date.now()
  try {
    site.write('workflows/order.yaml', readFileSync(orderFile, 'utf8'))
    const shop = new Shop({ site, orders, partitions })
    // An order takes three acknowledgements: the kills are spread over all of them.
    const killAt = Array.from({ length: kills }, (_, i) => Math.floor(((i + 0.3 + 0.6 * Math.random()) * 3 * orders) / kills))
    let told = Date.now()
    const tell = (): void => {
      told = Date.now()
      onProgress(`${shop.acknowledged} of ${3 * orders} records acknowledged, ${shop.faults.kills} kills`)
    }
    const looking = setInterval(() => {
      if (Date.now() - told > tellEveryMs) tell()
      if (killAt[0] === undefined || shop.acknowledged < killAt[0]) return
      killAt.shift()
      // Every third kill is a double one.
      if (killAt.length % 3 === 1 && killAt.shift() !== undefined) shop.crash(Math.random() * comingUpMs)
      else shop.crash()
      tell()
    }, lookEveryMs)
    try {
      await shop.run()
    } finally {
      clearInterval(looking)
    }
    const daemon = await shop.settled()
    const { counters } = await daemon.health()
    await daemon.stop()
    onProgress('everything is acknowledged and has ended; auditing')
    const violations = await audit({
      directory: join(site.directory, 'data', 'log'),
      app: daemon.report.app,
      partitions,
      orders: Array.from({ length: orders }, (_, i) => orderId(i)),
      acknowledged: {
        orders: shop.placed.acknowledged,
        'payment-events': shop.paid.acknowledged,
        'warehouse-events': shop.shipped.acknowledged,
      },
    })
    const { kills: killed, callsCutShort } = shop.faults
    return {
      runs: 1,
      faults: killed,
      violations,
      coverage: {
        orders,
        acknowledged: shop.acknowledged,
        paymentCommandsRead: shop.commandsRead['payment-commands'],
        warehouseCommandsRead: shop.commandsRead['warehouse-commands'],
        callsCutShort,
        foundAfterwards: shop.placed.found + shop.paid.found + shop.shipped.found,
        alarms: counters['alarms'] ?? 0,
        engineFaults: counters['engine_faults'] ?? 0,
        seconds: Math.round((Date.now() - beganMs) / 100) / 10,
      },
    }
  } finally {
    await site.close()
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { orders: { type: 'string', default: '10000' }, kills: { type: 'string', default: '10' } },
  })
  const { violations, ...result } = await killCampaign({
    orders: Number(values.orders),
    kills: Number(values.kills),
    onProgress: (text) => console.error(text),
  })
  for (const violation of violations.slice(0, 20)) console.error(violation)
  console.log(JSON.stringify({ ...result, violations: violations.length }))
  process.exitCode = violations.length === 0 ? 0 : 1
}
