// The process that embedded-crash.test.ts kills: four producers, each counting up in three places at once, from where
// the state says it was. An acknowledged count is told on standard output.
import { writeSync } from 'node:fs'
import { openEmbeddedLog } from '../../src/adapters/embedded/log.ts'
import { systemClock } from '../../src/adapters/system/clock.ts'
import { silentLogger } from '../../src/base/logger.ts'

const directory = process.argv[2]!
const log = await openEmbeddedLog({ directory, app: 'crash', clock: systemClock, logger: silentLogger })
await log.createTopics([
  { name: 'a', partitions: 2, cleanup: 'unlimited' },
  { name: 's', partitions: 1, cleanup: 'compacted' },
])
const state = await log.openStoreOf('s', 0)

async function count(name: string): Promise<never> {
  const producer = await log.openProducer(name)
  const last = state.get(name)
  for (let next = last === undefined ? 0 : Number(Buffer.from(last).toString()) + 1; ; next++) {
    const key = Buffer.from(name)
    const value = Buffer.from(`${next}`)
    await producer.transact([
      { topic: 'a', partition: 0, key, value },
      { topic: 'a', partition: 1, key, value },
      { topic: 's', partition: 0, key, value },
    ])
    writeSync(1, `${name} ${next}\n`)
  }
}

await Promise.all(['p', 'q', 'r', 't'].map(count))
