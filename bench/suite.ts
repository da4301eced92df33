// Which workloads are run, in which order, and the figures that come of them.
import { orderRecordsIn, orderTasks, runOrder } from './workloads/order.ts'
import { chainTasks, runChain } from './workloads/chain.ts'
import { runFloor } from './workloads/floor.ts'
import { runLatency } from './workloads/latency.ts'
import { runRecovery } from './workloads/recovery.ts'
import { runRestore } from './workloads/restore.ts'
import { runWide, wideForms, wideSizes } from './workloads/wide.ts'
import { goalsOn, median, restoredValues, restoreGoal, takeOverGoal, type Figure, type Goal } from './figures.ts'
import { logs, type LogName, type OpenLog } from './logs.ts'
import type { BenchOptions, WorkloadName } from './options.ts'

const latencyInstancesPerSecond = 50
const wideRuns = 3
/** Instances run before the measurement: V8 has compiled by then what is hot. */
export const warmUpInstances = 3_000

/** Runs the chosen workloads; floor and order alternate, so that both see the same noise. */
export async function measureAll(options: BenchOptions, tell: (line: string) => void): Promise<readonly Figure[]> {
  const figures: Figure[] = []
  for (const log of options.logs) {
    const found = await measureOn(log, options, (line) => tell(`${log}, ${line}`))
    figures.push(...found.map((figure) => ({ ...figure, what: `${log}: ${figure.what}` })))
  }
  return figures
}

async function measureOn(
  log: LogName,
  options: BenchOptions,
  tell: (line: string) => void,
): Promise<readonly Figure[]> {
  const { instances, seconds } = options
  const runs = log === 'kafka' ? options.kafkaRuns : options.runs
  const goals = goalsOn[log]
  const openLog = logs[log]
  const throughput = { openLog, instances, warmUp: warmUpInstances }
  // The engine's own cost is the same on every log.
  const isWanted = (name: WorkloadName): boolean =>
    options.only.has(name) && (log === 'embedded' || (name !== 'chain' && name !== 'wide'))
  const floors: number[] = []
  const orders: number[] = []
  const chains: number[] = []
  const orderCpu: number[] = []
  const chainCpu: number[] = []
  for (let run = 1; run <= runs; run++) {
    if (isWanted('floor') || isWanted('order')) {
      const records = instances * orderRecordsIn
      const floor = await runFloor({ openLog, records, warmUpRecords: warmUpInstances * orderRecordsIn })
      floors.push(floor.records / floor.seconds)
      tell(`floor ${run}/${runs}: ${Math.round(floors.at(-1) ?? 0)} records/s`)
    }
    if (isWanted('order')) {
      const order = await runOrder(throughput)
      orders.push((orderTasks * order.completed) / order.seconds)
      orderCpu.push((1_000_000 * order.cpuSeconds) / (orderTasks * order.completed))
      tell(`order ${run}/${runs}: ${Math.round(orders.at(-1) ?? 0)} tasks/s`)
    }
    if (isWanted('chain')) {
      const chain = await runChain(throughput)
      chains.push((chainTasks * chain.completed) / chain.seconds)
      chainCpu.push((1_000_000 * chain.cpuSeconds) / (chainTasks * chain.completed))
      tell(`local chain ${run}/${runs}: ${Math.round(chains.at(-1) ?? 0)} tasks/s`)
    }
  }
  const figures: Figure[] = []
  if (floors.length > 0) figures.push(median('floor', 'records/s', floors))
  if (orders.length > 0) {
    const ratios = orders.map((tasks, run) => ((tasks / orderTasks) * orderRecordsIn) / (floors[run] ?? Number.NaN))
    figures.push(median('order', 'tasks/s', orders, goals.order))
    figures.push(median('order against the floor', 'ratio', ratios, goals.orderAgainstFloor))
    figures.push(median('order, main thread', 'µs/task', orderCpu))
  }
  if (chains.length > 0) {
    figures.push(median('local chain', 'tasks/s', chains, goals.chain))
    figures.push(median('local chain, main thread', 'µs/task', chainCpu))
  }
  if (isWanted('wide')) figures.push(...(await measureWide(openLog, goals.wide, tell)))
  if (isWanted('latency')) {
    const pace = { instancesPerSecond: latencyInstancesPerSecond, seconds }
    const latency = await runLatency({ openLog, ...pace, warmUp: warmUpInstances })
    tell(`latency: ${latency.completed} instances`)
    figures.push(median('order latency, p50', 'ms', [latency.p50Ms]))
    figures.push(median('order latency, p99', 'ms', [latency.p99Ms], goals.latencyP99))
    figures.push(median('order latency, longest', 'ms', [latency.maxMs]))
  }
  if (log === 'kafka' && isWanted('restore')) figures.push(...(await measureRestore(openLog, options.values, tell)))
  if (log === 'kafka' && isWanted('recovery')) figures.push(...(await measureRecovery(options.waiting, tell)))
  return figures
}

/** From nothing; once, as it is long. */
async function measureRestore(
  openLog: OpenLog,
  values: number,
  tell: (line: string) => void,
): Promise<readonly Figure[]> {
  const { seconds, cpuSeconds, rssBytes } = await runRestore({ openLog, values })
  tell(`restore: ${values} values in ${seconds.toFixed(1)} s, main thread ${cpuSeconds.toFixed(1)} s`)
  const goal = values === restoredValues ? restoreGoal : undefined
  return [
    median(`restore of ${values} values`, 's', [seconds], goal),
    median('restore', 'values/s', [values / seconds]),
    median('restore, largest resident set', 'MB', [rssBytes / 1_048_576]),
  ]
}

async function measureRecovery(waiting: number, tell: (line: string) => void): Promise<readonly Figure[]> {
  const { answers, withData, withoutData, takenOver } = await runRecovery(waiting, tell)
  const restarts = [
    ['with its data', withData],
    ['without its data', withoutData],
  ] as const
  return [
    ...restarts.flatMap(([how, { ready, goesOn, workedOff }]) => [
      median(`started ${how}, ${waiting} wait: ready`, 's', [ready]),
      median(`started ${how}: the first goes on`, 's', [goesOn]),
      median(`started ${how}: ${answers} answers worked off`, 's', [workedOff]),
    ]),
    median('taken over, from the kill: the first goes on', 's', [takenOver.first]),
    median('taken over, from the kill: one in each partition', 's', [takenOver.last], takeOverGoal),
  ]
}

/** The sizes alternate three times: what one costs against another is told by what ran beside it. */
async function measureWide(openLog: OpenLog, goal: Goal, tell: (line: string) => void): Promise<readonly Figure[]> {
  const figures: Figure[] = []
  for (const form of wideForms) {
    const runs = wideSizes[form].map((size) => ({ size, costs: [] as number[] }))
    // Compiled by then.
    await runWide(form, runs[0]?.size ?? 1, { openLog })
    for (let run = 1; run <= wideRuns; run++) {
      for (const { size, costs } of runs) {
        const { cpuSeconds, records } = await runWide(form, size, { openLog })
        costs.push((1_000_000 * cpuSeconds) / records)
      }
      const each = runs.map(({ size, costs }) => `${size}: ${(costs.at(-1) ?? Number.NaN).toFixed(0)}`)
      tell(`a record, by the tasks that its instance has as a ${form} ${run}/${wideRuns}: ${each.join(', ')} µs`)
    }
    const [least, ...others] = runs
    if (least === undefined) continue
    figures.push(median(`a record for one of ${least.size} tasks, ${form}`, 'µs/task', least.costs))
    for (const { size, costs } of others) {
      const ratios = costs.map((cost, run) => cost / (least.costs[run] ?? Number.NaN))
      figures.push(median(`one of ${size} against one of ${least.size}, ${form}`, 'times', ratios, goal))
    }
  }
  return figures
}
