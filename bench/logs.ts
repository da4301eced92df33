// The logs that workloads can run on. Another one is another line here: workloads know the port only.
import { setTimeout as pause } from 'node:timers/promises'
import { Admin } from '@platformatic/kafka'
import { openEmbeddedLog } from '../src/adapters/embedded/log.ts'
import { openKafkaLog } from '../src/adapters/platformatic/log.ts'
import { systemClock } from '../src/adapters/system/clock.ts'
import { silentLogger } from '../src/base/logger.ts'
import type { Log } from '../src/runtime/ports.ts'
import { startBroker, type KafkaBroker } from '../test/support/kafka/broker.ts'

const lookAgainMs = 20

/** Opens a log that is empty; what it keeps lies below the directory, or goes when it is closed. */
export type OpenLog = (directory: string) => Promise<Log>

/** The application's name, which a log may be bound to. */
export const app = 'bench'

export const logNames = ['embedded', 'kafka'] as const
export type LogName = (typeof logNames)[number]

export const logs: { readonly [name in LogName]: OpenLog } = {
  embedded: (directory) => openEmbeddedLog({ directory, app, clock: systemClock, logger: silentLogger }),
  kafka: openOnBroker,
}

/** One for the whole sitting: the first runs on a broker measure how it is compiled. */
let broker: Promise<KafkaBroker> | undefined

/** Its topics go when it is closed, so that no run sees those of another. */
async function openOnBroker(): Promise<Log> {
  const { address } = await (broker ??= startBroker())
  const log = await openKafkaLog({ brokers: [address], clientId: app, clock: systemClock, logger: silentLogger })
  const left = await log.listTopics()
  if (left.length > 0) throw new Error(`topics of a run before: ${left.map(({ name }) => name).join(', ')}`)
  return {
    ...log,
    async close() {
      await deleteTopics(
        address,
        (await log.listTopics()).map(({ name }) => name),
      )
      while ((await log.listTopics()).length > 0) await pause(lookAgainMs)
      await log.close()
    },
  }
}

async function deleteTopics(address: string, topics: string[]): Promise<void> {
  const admin = new Admin({ clientId: app, bootstrapBrokers: [address] })
  try {
    if (topics.length > 0) await admin.deleteTopics({ topics })
  } finally {
    await admin.close()
  }
}

/** The broker that workloads on `logs.kafka` share; for those that start workers as processes of their own. */
export async function sharedBroker(): Promise<string> {
  return (await (broker ??= startBroker())).address
}

/** Ends what the logs were opened on. */
export async function closeLogs(): Promise<void> {
  await (await broker)?.dispose()
}
