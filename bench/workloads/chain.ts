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
    () => ({ file, text }),
    (engine) => runThroughput(engine, options, parcelRecord),
  )
}

const parcelRecord = (parcel: string) => keyedRecord('parcels', parcel, { parcel, weight: 12.5, to: 'Paris' })
