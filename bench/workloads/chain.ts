// local chain: ten built-in tasks that wait for nobody; one record in, three commands out.
import { withEngine, workflowFile } from '../engine.ts'
import { keyedRecord } from '../feed.ts'
import { runThroughput, type Throughput, type ThroughputOptions } from './order.ts'

export const chainTasks = 10

/** Runs the workload "local chain"; every instance has completed when it resolves. */
export async function runChain(options: ThroughputOptions): Promise<Throughput> {
  return withEngine(options.openLog, await workflowFile('local-chain'), (engine) =>
    runThroughput(engine, options, parcelRecord),
  )
}

const parcelRecord = (parcel: string) => keyedRecord('parcels', parcel, { parcel, weight: 12.5, to: 'Paris' })
