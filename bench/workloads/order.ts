// order: all instances started as fast as they go in, each command answered at once; from the first start record to
// the last instance completed.
import { withEngine, workflowFile, type Engine } from '../engine.ts'
import { completedSoFar, untilCompleted } from '../completion.ts'
import { feed, keyedRecord } from '../feed.ts'
import type { OpenLog } from '../logs.ts'
import { Responder } from '../responder.ts'

export const orderTasks = 4
/** Of each instance: its start and two answers. */
export const orderRecordsIn = 3

export interface ThroughputOptions {
  readonly openLog: OpenLog
  readonly instances: number
  /** Run before the measurement begins, in the same worker: a daemon is not cold. */
  readonly warmUp: number
  /** Called with what is to be measured; a profiler steps in here. */
  readonly measure?: <T>(run: () => Promise<T>) => Promise<T>
}

export interface Throughput {
  readonly completed: number
  readonly seconds: number
  /** What the main thread computed meanwhile: other people's load lengthens it far less than the seconds. */
  readonly cpuSeconds: number
}

/** Runs the workload "order"; every instance has completed when it resolves. */
export async function runOrder(options: ThroughputOptions): Promise<Throughput> {
  return withEngine(options.openLog, await workflowFile('order'), async (engine) => {
    const responder = new Responder(engine.log)
    try {
      return await Promise.race([runThroughput(engine, options, order), responder.failure])
    } finally {
      responder.close()
    }
  })
}

/** Warms up, then measures: from the first start record to the last instance completed. */
export async function runThroughput(
  { log, worker }: Engine,
  { instances, warmUp, measure = (run) => run() }: ThroughputOptions,
  start: (id: string) => ReturnType<typeof keyedRecord>,
): Promise<Throughput> {
  const runAll = async (prefix: string, count: number): Promise<number> => {
    const before = completedSoFar(worker)
    const startedAtMs = performance.now()
    await feed(log, count, (index) => start(`${prefix}-${index}`))
    await untilCompleted(worker, before + count)
    return (performance.now() - startedAtMs) / 1_000
  }
  await runAll('warm', warmUp)
  const before = process.threadCpuUsage()
  const seconds = await measure(() => runAll('o', instances))
  const { user, system } = process.threadCpuUsage(before)
  return { completed: completedSoFar(worker) - warmUp, seconds, cpuSeconds: (user + system) / 1_000_000 }
}

export const order = (orderId: string) =>
  keyedRecord('orders', orderId, { orderId, amount: 120.5, currency: 'EUR', customer: `C-${orderId}` })
