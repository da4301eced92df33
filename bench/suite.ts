// Which workloads are run, in which order, and the figures that come of them.
import { runLatency } from '../src/bench/latency.ts'
import { againstFloor, floorRate, orderRate, rateOf } from '../src/bench/rates.ts'
import type { Ground } from '../src/bench/site.ts'
import { goalsOn, median, type Figure, type Goal } from './figures.ts'
import type { Grounds, LogName } from './grounds.ts'
import type { BenchOptions, WorkloadName } from './options.ts'
import { chainTasks, runChain } from './workloads/chain.ts'
import { measureWaiting } from './workloads/waiting.ts'
import { measureRecovery } from './workloads/recovery.ts'
import { measureRestore } from './workloads/restore.ts'
import { measureTwo } from './workloads/two.ts'
import { runWide, wideForms, wideSizes } from './workloads/wide.ts'

const latencyInstancesPerSecond = 50
const wideRuns = 3
/** Instances run before the measurement: V8 has compiled by then what is hot. */
export const warmUpInstances = 3_000

/** The engine's own cost is the same on every log, and only a cluster has two workers. */
const isOn = (log: LogName, name: WorkloadName): boolean =>
  name === 'two' || name === 'restore' || name === 'recovery'
    ? log === 'kafka'
    : log === 'embedded' || (name !== 'chain' && name !== 'wide' && name !== 'waiting')

/** Runs the chosen workloads; floor and order alternate, so that both see the same noise. */
export async function measureAll(
  options: BenchOptions,
  grounds: Grounds,
  tell: (line: string) => void,
): Promise<readonly Figure[]> {
  const figures: Figure[] = []
  for (const log of options.logs) {
    const found = await measureOn(log, options, grounds, (line) => tell(`${log}, ${line}`))
    figures.push(...found.map((figure) => ({ ...figure, what: `${log}: ${figure.what}` })))
  }
  return figures
}

async function measureOn(
  log: LogName,
  options: BenchOptions,
  grounds: Grounds,
  tell: (line: string) => void,
): Promise<readonly Figure[]> {
  const { instances, seconds, runs } = options
  const goals = goalsOn[log]
  const load = { instances, warmUp: warmUpInstances }
  const isWanted = (name: WorkloadName): boolean => options.only.has(name) && isOn(log, name)
  if (![...options.only].some(isWanted)) return []
  const ground = await grounds.on(log)
  const floors: number[] = []
  const orders: number[] = []
  const chains: number[] = []
  const told: number[] = []
  const orderCpu: number[] = []
  const toldCpu: number[] = []
  const chainCpu: number[] = []
  for (let run = 1; run <= runs; run++) {
    if (isWanted('floor') || isWanted('order')) {
      floors.push(await floorRate(ground, load))
      tell(`floor ${run}/${runs}: ${Math.round(floors.at(-1) ?? 0)} records/s`)
    }
    if (isWanted('order')) {
      const order = await orderRate(ground, load)
      orders.push(order.tasksPerSecond)
      orderCpu.push(order.cpuMicros)
      tell(`order ${run}/${runs}: ${Math.round(order.tasksPerSecond)} tasks/s`)
    }
    if (isWanted('told')) {
      const order = await orderRate({ ...ground, updates: true }, load)
      told.push(order.tasksPerSecond)
      toldCpu.push(order.cpuMicros)
      tell(`order with updates ${run}/${runs}: ${Math.round(order.tasksPerSecond)} tasks/s`)
    }
    if (isWanted('chain')) {
      const chain = rateOf(await runChain({ ground, ...load }), chainTasks)
      chains.push(chain.tasksPerSecond)
      chainCpu.push(chain.cpuMicros)
      tell(`local chain ${run}/${runs}: ${Math.round(chain.tasksPerSecond)} tasks/s`)
    }
  }
  const figures: Figure[] = []
  if (floors.length > 0) figures.push(median('floor', 'records/s', floors))
  if (orders.length > 0) {
    const ratios = orders.map((tasks, run) => againstFloor(tasks, floors[run] ?? Number.NaN))
    figures.push(median('order', 'tasks/s', orders, goals.order))
    figures.push(median('order against the floor', 'ratio', ratios, goals.orderAgainstFloor))
    figures.push(median('order, main thread', 'µs/task', orderCpu))
  }
  if (told.length > 0) {
    figures.push(median('order with updates', 'tasks/s', told))
    figures.push(median('order with updates, main thread', 'µs/task', toldCpu))
  }
  if (chains.length > 0) {
    figures.push(median('local chain', 'tasks/s', chains, goals.chain))
    figures.push(median('local chain, main thread', 'µs/task', chainCpu))
  }
  if (isWanted('wide')) figures.push(...(await measureWide(ground, goals.wide, tell)))
  if (isWanted('waiting')) figures.push(...(await measureWaiting(options.waiting, goals, tell)))
  if (isWanted('two')) {
    const cluster = { ground, brokers: await grounds.brokers() }
    figures.push(...(await measureTwo({ ...cluster, ...load, runs }, goals.two, tell)))
  }
  if (isWanted('restore')) figures.push(...(await measureRestore(ground, options.values, tell)))
  if (isWanted('recovery'))
    figures.push(...(await measureRecovery(ground, await grounds.brokers(), options.open, tell)))
  if (isWanted('latency')) {
    const pace = { instancesPerSecond: latencyInstancesPerSecond, seconds }
    const latency = await runLatency({ ground, ...pace, warmUp: warmUpInstances })
    tell(`latency: ${latency.completed} instances`)
    figures.push(median('order latency, p50', 'ms', [latency.p50Ms]))
    figures.push(median('order latency, p99', 'ms', [latency.p99Ms], goals.latencyP99))
    figures.push(median('order latency, longest', 'ms', [latency.maxMs]))
  }
  return figures
}

/** The sizes alternate three times: what one costs against another is told by what ran beside it. */
async function measureWide(ground: Ground, goal: Goal, tell: (line: string) => void): Promise<readonly Figure[]> {
  const figures: Figure[] = []
  for (const form of wideForms) {
    const runs = wideSizes[form].map((size) => ({ size, costs: [] as number[] }))
    // Compiled by then.
    await runWide(form, runs[0]?.size ?? 1, { ground })
    for (let run = 1; run <= wideRuns; run++) {
      for (const { size, costs } of runs) {
        const { cpuSeconds, records } = await runWide(form, size, { ground })
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
