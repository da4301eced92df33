// two: the workload "order" on one worker process, then on two of the same application, which share its partitions. The
// workers are the command as users start it; this process feeds and answers them, and asks them how far they are.
import { orderRecord, orderTasks } from '../../src/bench/order.ts'
import { untilCounted } from '../../src/bench/completion.ts'
import { feed } from '../../src/bench/feed.ts'
import type { Load } from '../../src/bench/rates.ts'
import { Responder } from '../../src/bench/responder.ts'
import type { Ground, Site } from '../../src/bench/site.ts'
import type { Daemon } from '../../test/support/daemon.ts'
import { untilShared, withDaemons, type Place } from '../daemons.ts'
import { median, numberText, type Figure, type Goal } from '../figures.ts'
import { cpuSecondsOf } from '../processes.ts'

/** Each question costs a worker a tenth of a millisecond. */
const lookEveryMs = 20

export interface TwoOptions extends Load {
  readonly ground: Ground
  readonly brokers: readonly string[]
  /** Of each: with one worker, with two, in turns. */
  readonly runs: number
}

/** One measurement. */
interface Share {
  readonly tasksPerSecond: number
  /** Of each worker, for 1,000 instances that they complete together. */
  readonly cpuSeconds: readonly number[]
}

export async function measureTwo(
  options: TwoOptions,
  goal: Goal,
  tell: (line: string) => void,
): Promise<readonly Figure[]> {
  const ones: Share[] = []
  const twos: Share[] = []
  await runTwo(options, (share) => {
    const shares = share.cpuSeconds.length === 1 ? ones : twos
    shares.push(share)
    const cpu = share.cpuSeconds.map(numberText).join(' and ')
    tell(
      `workers: ${share.cpuSeconds.length}, ${shares.length}/${options.runs}: ` +
        `${Math.round(share.tasksPerSecond)} tasks/s, ${cpu} CPU s for 1,000 instances`,
    )
  })
  const rates = (shares: readonly Share[]) => shares.map(({ tasksPerSecond }) => tasksPerSecond)
  const cpuOf = (shares: readonly Share[], worker: number) =>
    shares.map(({ cpuSeconds }) => cpuSeconds[worker] ?? Number.NaN)
  const inAll = (shares: readonly Share[]) =>
    shares.map(({ cpuSeconds }) => cpuSeconds.reduce((sum, each) => sum + each))
  const over = (upper: readonly number[], lower: readonly number[]) =>
    upper.map((value, run) => value / (lower[run] ?? Number.NaN))
  return [
    median('one worker process', 'tasks/s', rates(ones)),
    median('two worker processes', 'tasks/s', rates(twos)),
    median('two against one', 'ratio', over(rates(twos), rates(ones)), goal),
    median('CPU of the only worker', 's/1,000', cpuOf(ones, 0)),
    median('CPU of the first of two', 's/1,000', cpuOf(twos, 0)),
    median('CPU of the second of two', 's/1,000', cpuOf(twos, 1)),
    median('CPU of two against one', 'times', over(inAll(twos), inAll(ones))),
  ]
}

function runTwo(
  { ground, brokers, runs, instances, warmUp }: TwoOptions,
  found: (share: Share) => void,
): Promise<void> {
  return withDaemons(ground, brokers, async (place) => {
    const first = await launchReady(place, 'first')
    const responder = new Responder(place)
    let measured = 0
    const share = async (workers: readonly Daemon[]): Promise<Share> => {
      await untilShared(workers, place.partitions)
      measured += 1
      await runAll(place, workers, `warm-${measured}`, warmUp * workers.length)
      return runAll(place, workers, `o-${measured}`, instances)
    }
    const runInTurns = async (): Promise<void> => {
      for (let run = 1; run <= runs; run++) {
        found(await share([first]))
        const second = await launchReady(place, 'second')
        found(await share([first, second]))
        await second.stop()
      }
    }
    try {
      await Promise.race([runInTurns(), responder.failure])
    } finally {
      responder.close()
    }
  })
}

async function launchReady(place: Place, data: string): Promise<Daemon> {
  const daemon = place.launch(data)
  await daemon.ready()
  return daemon
}

/** From the first start record to the last completion that the workers count, which is when it is committed. */
async function runAll(site: Site, workers: readonly Daemon[], prefix: string, count: number): Promise<Share> {
  const completed = async (): Promise<number> => {
    const counts = await Promise.all(workers.map((worker) => worker.counter('instance_completed')))
    return counts.reduce((sum, each) => sum + each)
  }
  const before = await completed()
  const cpuBefore = workers.map(({ pid }) => cpuSecondsOf(pid))
  const startedAtMs = performance.now()
  await feed(site, count, (index) => orderRecord(site.app, `${prefix}-${index}`))
  const { signal } = site
  const explain = () => `the workers are ${workers.map(({ url }) => url).join(' and ')}`
  await untilCounted({ count: before + count, of: 'instances', signal, lookEveryMs, completed, explain })
  const seconds = (performance.now() - startedAtMs) / 1_000
  const cpuSeconds = workers.map(({ pid }, at) => (cpuSecondsOf(pid) - (cpuBefore[at] ?? 0)) / (count / 1_000))
  return { tasksPerSecond: (orderTasks * count) / seconds, cpuSeconds }
}
