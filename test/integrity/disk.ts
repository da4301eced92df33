// A daemon on a disk that is full, fails, is read-only, locked, or taken away. `npm run torture -- disk`.
//
// Under load, one fault after another: health has to say what is wrong, memory stays bounded, and once the fault is over
// the daemon goes on by itself. At the end the audit of kill9: nothing that was acknowledged is lost, nothing is doubled.
// Then what is wrong when it starts (disk-starts.ts): a refusal with a code, and nothing is touched.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { ApiProblem } from '../../src/cli/calls.ts'
import { type Daemon, Site } from '../support/daemon.ts'
import { audit, orderFile } from './audit.ts'
import type { CampaignOptions, CampaignResult } from './campaign.ts'
import { dataIn, fileSizes, mounted, moved, simulated, type DiskFault, type Volume } from './disk-faults.ts'
import { startsOnBadDisks } from './disk-starts.ts'
import { embeddedEvidence } from './embedded-evidence.ts'
import { orderId, Shop, type Door } from './shop.ts'

export interface DiskCampaignOptions extends CampaignOptions {
  /** How often each fault under load. */
  readonly rounds: number
}

const partitions = 4
/** Two calls' worth. */
const ordersAFault = 100
const pageRecords = 500
const waitMs = 500
const againMs = 50
/** Of the whole daemon: some three times of what it has at rest. */
const residentMaxBytes = 512 * 1_048_576
/** How long a fault stays once it is seen. */
const heldMaxMs = 1_500
const seenWithinMs = 20_000
const healedWithinMs = 30_000

/** Faults under load, then bad starts. */
export async function diskCampaign(options: DiskCampaignOptions): Promise<CampaignResult> {
  const { rounds, onProgress = () => {} } = options
  const beganMs = Date.now()
  const results = [await faultsUnderLoad({ rounds, onProgress })]
  const volume = mounted()
  try {
    if (volume !== undefined) results.push(await faultsUnderLoad({ rounds, volume, onProgress }))
    results.push(await startsOnBadDisks(volume, onProgress))
  } finally {
    volume?.remove()
  }
  const coverage: { [what: string]: number } = {}
  for (const each of results)
    for (const [what, count] of Object.entries(each.coverage))
      coverage[what] = what.endsWith('Max') ? Math.max(coverage[what] ?? 0, count) : (coverage[what] ?? 0) + count
  return {
    runs: results.reduce((sum, { runs }) => sum + runs, 0),
    faults: results.reduce((sum, { faults }) => sum + faults, 0),
    violations: results.flatMap(({ violations }) => violations),
    coverage: { ...coverage, seconds: Math.round((Date.now() - beganMs) / 1_000) },
  }
}

/** A topic that nobody reads: what is written to it fills the disk. */
const fillers = `
workflow: fillers
tasks: [{ name: fill, type: kafka-command, topic: fillers, value: {} }]
`
const filler = 'x'.repeat(500_000)

/** Until it is over: what fills the disk, and what reads it. An order that was delivered is not in memory any more. */
async function fillAndRead(daemon: Daemon, isOver: () => boolean): Promise<void> {
  for (let n = 0; !isOver(); n++, await pause(againMs)) {
    await once(() => daemon.client.produce('fillers', [{ value: filler }]))
    await once(() => daemon.client.findInstanceByKey('order', orderId(n)))
  }
}

/** One daemon that meets each fault as often as there are rounds; on a volume of its own, the faults of that. */
export async function faultsUnderLoad(
  options: DiskCampaignOptions & { readonly volume?: Volume },
): Promise<CampaignResult> {
  const { rounds, volume, onProgress = () => {} } = options
  const site = new Site()
  const violations: string[] = []
  const coverage: { [what: string]: number } = {}
  try {
    site.write('workflows/order.yaml', readFileSync(orderFile, 'utf8'))
    site.write('workflows/fillers.yaml', fillers)
    const data = dataIn(volume?.directory ?? site.directory)
    const each = volume?.faults ?? [...simulated(site), ...fileSizes(), moved(data)]
    const faults = Array.from({ length: rounds }, () => each).flat()
    const daemon = await site.start('--data', data, '--partitions', String(partitions), '--log-level', 'info')
    const orders = ordersAFault * faults.length
    // The shop opens for so many orders with each fault: it is never done before the last.
    let open = 0
    const door = patientDoor(daemon, () => shop.placed.acknowledged.size < open)
    const shop = new Shop({ door, orders, partitions })
    const running = shop.run()
    let isOver = false
    const filling = fillAndRead(daemon, () => isOver)
    // Awaited below; a fault that is seen first is told first.
    for (const work of [running, filling]) work.catch(() => {})
    for (const [index, fault] of faults.entries()) {
      open = ordersAFault * (index + 1)
      await reached(shop, 3 * ordersAFault * (index + 0.5), daemon)
      onProgress(`${fault.name}, at ${shop.acknowledged} of ${3 * orders} acknowledgements`)
      const wrong = (await meet(daemon, fault)).map((what) => `${fault.name}: ${what}`)
      for (const what of wrong) onProgress(what)
      violations.push(...wrong)
      coverage[fault.name] = (coverage[fault.name] ?? 0) + 1
      coverage['residentMebibytesMax'] = Math.max(
        coverage['residentMebibytesMax'] ?? 0,
        Math.round(residentBytes(daemon) / 1_048_576),
      )
    }
    isOver = true
    await Promise.all([running, filling])
    await daemon.until(async () => {
      const { items } = await daemon.client.listInstances({ status: 'EXECUTING', limit: 1 })
      return items.length === 0 ? true : undefined
    })
    const { app } = daemon.report
    if ((await daemon.stop()) !== 0) violations.push('it did not stop well')
    const evidence = await embeddedEvidence({ directory: join(data, 'log'), app, partitions })
    violations.push(
      ...audit(evidence, {
        orders: Array.from({ length: orders }, (_, i) => orderId(i)),
        acknowledged: shop.acknowledgedByTopic,
      }),
    )
    return {
      runs: 1,
      faults: faults.length,
      violations,
      coverage: { ...coverage, acknowledged: shop.acknowledged, foundAfterwards: shop.foundAfterwards },
    }
  } finally {
    await site.close()
  }
}

/** Lets the fault happen, and be over again; gives what was wrong meanwhile. */
async function meet(daemon: Daemon, fault: DiskFault): Promise<readonly string[]> {
  const wrong: string[] = []
  fault.begin(daemon)
  const seen = await within(seenWithinMs, async () =>
    (await complaints(daemon)).some((problem) => fault.says.test(problem)),
  )
  if (!seen) wrong.push(`health does not say so, but ${JSON.stringify(await complaints(daemon))}`)
  await pause(Math.random() * heldMaxMs)
  const resident = residentBytes(daemon)
  if (resident > residentMaxBytes) wrong.push(`it has ${resident} bytes in memory`)
  fault.end(daemon)
  if (!daemon.isRunning) throw new Error(`${fault.name}: the daemon has ended`)
  const healed = await within(healedWithinMs, async () => {
    const { isReady } = await daemon.health()
    return isReady && (await complaints(daemon)).length === 0
  })
  if (!healed) wrong.push(`it does not go on by itself: ${JSON.stringify(await complaints(daemon))}`)
  return wrong
}

/** Everything that health has to say: of the log, and of each partition. */
async function complaints(daemon: Daemon): Promise<readonly string[]> {
  const { problems, partitions: views } = await daemon.health()
  return [...problems, ...views.flatMap(({ reason }) => (reason === undefined ? [] : [reason]))]
}

async function within(ms: number, isSo: () => Promise<boolean>): Promise<boolean> {
  for (const endMs = Date.now() + ms; Date.now() < endMs; await pause(againMs)) if (await isSo()) return true
  return false
}

/** @throws Error with what the daemon said last, when the shop does not get that far. */
async function reached(shop: Shop, acknowledged: number, daemon: Daemon): Promise<void> {
  await daemon.until(
    () => Promise.resolve(shop.acknowledged >= acknowledged ? true : undefined),
    async () => ({ acknowledged: shop.acknowledged, expected: acknowledged, health: await daemon.health() }),
  )
}

function residentBytes({ pid }: Daemon): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(line?.[1]) * 1_024
}

/** Over HTTP; what cannot be answered now is asked again. */
function patientDoor(daemon: Daemon, isOpen: () => boolean): Door {
  const ask = async <Answer>(question: () => Promise<Answer>): Promise<Answer> => {
    for (;;) {
      const answer = await once(question)
      if (answer !== undefined) return answer
      await pause(againMs)
    }
  }
  return {
    async send(topic, records) {
      if (topic === 'orders') while (!isOpen()) await pause(againMs)
      const sent = await once(() => daemon.client.produce(topic, records))
      return sent?.map(({ partition, offset, error }, index) => {
        if (error !== null) throw new Error(`${topic} refused ${records[index]?.key}: ${error}`)
        return `${topic}/${partition}@${offset}`
      })
    },
    read: (topic, partition, offset) =>
      ask(() => daemon.client.records(topic, partition, { offset, limit: pageRecords, waitMs })),
    async ends(topic) {
      const topics = await ask(() => daemon.client.listTopics())
      return (topics.find(({ name }) => name === topic)?.partitions ?? []).map(({ end }) => end)
    },
  }
}

/** undefined: it cannot be answered now. */
async function once<Answer>(question: () => Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await question()
  } catch (error) {
    if (error instanceof ApiProblem && error.status === 503) return undefined
    throw error
  }
}
