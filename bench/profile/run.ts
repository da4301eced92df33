// `--profile`: each throughput workload once under the profiler. Leaves a .cpuprofile and returns where the time went.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Profiler } from 'node:inspector/promises'
import { runFloor } from '../../src/bench/floor.ts'
import { orderRecordsIn } from '../../src/bench/order.ts'
import { runOrder } from '../../src/bench/throughput.ts'
import { numberText } from '../figures.ts'
import type { Grounds } from '../grounds.ts'
import type { BenchOptions } from '../options.ts'
import { warmUpInstances } from '../suite.ts'
import { tableText } from '../table.ts'
import { runChain } from '../workloads/chain.ts'
import { stages } from './places.ts'
import { profiled } from './record.ts'
import { summarise, type ProfileSummary } from './summary.ts'

const functionsShown = 30

/** Profiles the chosen workloads into `directory`; one text for each. */
export async function profileAll(
  options: BenchOptions,
  grounds: Grounds,
  directory: string,
): Promise<readonly string[]> {
  const { instances, only, name } = options
  const ground = await grounds.on(options.logs[0] ?? 'embedded')
  const texts: string[] = []
  const profile = async (
    workload: string,
    run: (measure: <T>(work: () => Promise<T>) => Promise<T>) => Promise<unknown>,
  ): Promise<void> => {
    let taken: Profiler.Profile | undefined
    await run((work) => profiled(work, (profile) => (taken = profile)))
    if (taken === undefined) return
    const file = join(directory, `${name}-${workload}.cpuprofile`)
    await writeFile(file, JSON.stringify(taken))
    texts.push(`${workload}: ${file}\n${summaryText(summarise(taken, functionsShown), instances)}`)
  }
  const throughput = { ground, instances, warmUp: warmUpInstances }
  if (only.has('floor')) {
    const records = instances * orderRecordsIn
    await profile('floor', (measure) => runFloor({ ground, records, warmUpRecords: records, measure }))
  }
  if (only.has('order')) await profile('order', (measure) => runOrder({ ...throughput, measure }))
  if (only.has('chain')) await profile('chain', (measure) => runChain({ ...throughput, measure }))
  return texts
}

/** Microseconds are per instance. */
function summaryText({ totalMs, byStage, byRoom, functions }: ProfileSummary, instances: number): string {
  const cells = (ms: number): readonly string[] => [
    numberText((ms * 1_000) / instances),
    `${((100 * ms) / totalMs).toFixed(1)} %`,
  ]
  return [
    tableText([
      ['stage', 'µs/instance', 'part'],
      ...stages.flatMap((stage) => {
        const ms = byStage.get(stage)
        return ms === undefined ? [] : [[stage, ...cells(ms)]]
      }),
    ]),
    tableText([['room', 'µs/instance', 'part'], ...Array.from(byRoom, ([room, ms]) => [room, ...cells(ms)])]),
    tableText([
      ['function', 'µs/instance', 'part'],
      ...functions.map(({ name, place, selfMs }) => [`${name} ${place}`, ...cells(selfMs)]),
    ]),
    '',
  ].join('\n\n')
}
