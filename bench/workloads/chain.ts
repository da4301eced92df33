// local chain: ten built-in tasks that wait for nobody; one record in, three commands out.
import { readFile } from 'node:fs/promises'
import { withEngine } from '../../src/bench/engine.ts'
import { keyedRecord } from '../../src/bench/feed.ts'
import { runThroughput, type Throughput, type ThroughputOptions } from '../../src/bench/throughput.ts'

export const chainTasks = 10

const file = 'local-chain.yaml'

/** Runs the workload "local chain"; every instance has completed when it resolves. */
export async function runChain(options: ThroughputOptions): Promise<Throughput> {
  const text = await readFile(new URL(`../workflows/${file}`, import.meta.url), 'utf8')
  return withEngine(
    options.ground,
    // Its topics are the run's, and go with it.
    (app) => ({ file, text: text.replaceAll('topic: ', `topic: ${app}-`) }),
    (engine) => runThroughput(engine, options, (parcel) => parcelRecord(engine.app, parcel)),
  )
}

const parcelRecord = (app: string, parcel: string) =>
  keyedRecord(`${app}-parcels`, parcel, { parcel, weight: 12.5, to: 'Paris' })
