// `--profile`: each throughput workload once under the profiler. Leaves a .cpuprofile and returns where the time went.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Profiler } from 'node:inspector/promises'
import { numberText } from '../figures.ts'
import { logs } from '../logs.ts'
import type { BenchOptions } from '../options.ts'
import { warmUpInstances } from '../suite.ts'
import { tableText } from '../table.ts'
import { runChain } from '../workloads/chain.ts'
import { runFloor } from '../workloads/floor.ts'
import { orderRecordsIn, runOrder } from '../workloads/order.ts'
import { runRestore } from '../workloads/restore.ts'
import { stages } from './places.ts'
import { profiled } from './record.ts'
import { summarise, type ProfileSummary } from './summary.ts'

const functionsShown = 30

/** Profiles the chosen workloads into `directory`; one text for each. */
export async function profileAll(options: BenchOptions, directory: string): Promise<readonly string[]> {
  const { instances, values, only, name } = options
  const openLog = logs[options.logs[0] ?? 'embedded']
  const texts: string[] = []
  const profile = async (
    workload: string,
    count: number,
    run: (measure: <T>(work: () => Promise<T>) => Promise<T>) => Promise<unknown>,
  ): Promise<void> => {
    let taken: Profiler.Profile | undefined
    await run((work) => profiled(work, (profile) => (taken = profile)))
    if (taken === undefined) return
    const file = join(directory, `${name}-${workload}.cpuprofile`)
    await writeFile(file, JSON.stringify(taken))
    texts.push(`${workload}: ${file}\n${summaryText(summarise(taken, functionsShown), count)}`)
  }
  const throughput = { openLog, instances, warmUp: warmUpInstances }
  if (only.has('floor')) {
    const records = instances * orderRecordsIn
    await profile('floor', instances, (measure) => runFloor({ openLog, records, warmUpRecords: records, measure }))
  }
  if (only.has('order')) await profile('order', instances, (measure) => runOrder({ ...throughput, measure }))
  if (only.has('chain')) await profile('chain', instances, (measure) => runChain({ ...throughput, measure }))
  if (only.has('restore')) await profile('restore', values, (measure) => runRestore({ openLog, values, measure }))
  return texts
}

/** Microseconds are per instance, or per value restored. */
function summaryText({ totalMs, byStage, byRoom, functions }: ProfileSummary, count: number): string {
  const cells = (ms: number): readonly string[] => [
    numberText((ms * 1_000) / count),
    `${((100 * ms) / totalMs).toFixed(1)} %`,
  ]
  return [
    tableText([
      ['stage', 'µs each', 'part'],
      ...stages.flatMap((stage) => {
        const ms = byStage.get(stage)
        return ms === undefined ? [] : [[stage, ...cells(ms)]]
      }),
    ]),
    tableText([['room', 'µs each', 'part'], ...Array.from(byRoom, ([room, ms]) => [room, ...cells(ms)])]),
    tableText([
      ['function', 'µs each', 'part'],
      ...functions.map(({ name, place, selfMs }) => [`${name} ${place}`, ...cells(selfMs)]),
    ]),
    '',
  ].join('\n\n')
}
