// order: all instances started as fast as they go in, each command answered at once; from the first start record to
// the last instance completed.
import type { OutgoingRecord } from '../runtime/ports.ts'
import { completedSoFar, untilCompleted } from './completion.ts'
import { withEngine, type Engine } from './engine.ts'
import { feed } from './feed.ts'
import { orderRecord, orderWorkflow } from './order.ts'
import { Responder } from './responder.ts'
import type { Ground } from './site.ts'

export interface ThroughputOptions {
  readonly ground: Ground
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
export function runOrder(options: ThroughputOptions): Promise<Throughput> {
  return withEngine(options.ground, orderWorkflow, async (engine) => {
    const responder = new Responder(engine)
    try {
      const run = runThroughput(engine, options, (id) => orderRecord(engine.app, id))
      return await Promise.race([run, responder.failure])
    } finally {
      responder.close()
    }
  })
}

/** Warms up, then measures: from the first start record to the last instance completed. */
export async function runThroughput(
  engine: Engine,
  { instances, warmUp, measure = (run) => run() }: Omit<ThroughputOptions, 'ground'>,
  start: (id: string) => OutgoingRecord,
): Promise<Throughput> {
  const { worker } = engine
  const runAll = async (prefix: string, count: number): Promise<number> => {
    const before = completedSoFar(worker)
    const startedAtMs = performance.now()
    await feed(engine, count, (index) => start(`${prefix}-${index}`))
    await untilCompleted(engine, before + count)
    return (performance.now() - startedAtMs) / 1_000
  }
  await runAll('warm', warmUp)
  const before = process.threadCpuUsage()
  const seconds = await measure(() => runAll('o', instances))
  const { user, system } = process.threadCpuUsage(before)
  return { completed: completedSoFar(worker) - warmUp, seconds, cpuSeconds: (user + system) / 1_000_000 }
}
