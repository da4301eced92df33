// The logs that workloads can run on. Another one is another line here: workloads know the port only.
import { openEmbeddedLog } from '../src/adapters/embedded/log.ts'
import { openKafkaLog } from '../src/adapters/platformatic/log.ts'
import { systemClock } from '../src/adapters/system/clock.ts'
import { silentLogger } from '../src/base/logger.ts'
import type { Log } from '../src/runtime/ports.ts'
import { startBroker } from '../test/support/kafka/broker.ts'

/** Opens a log that is empty; what it keeps lies below the directory, or goes when it is closed. */
export type OpenLog = (directory: string) => Promise<Log>

/** The application's name, which a log may be bound to. */
export const app = 'bench'

export const logNames = ['embedded', 'kafka'] as const
export type LogName = (typeof logNames)[number]

export const logs: { readonly [name in LogName]: OpenLog } = {
  embedded: (directory) => openEmbeddedLog({ directory, app, clock: systemClock, logger: silentLogger }),
  kafka: openOnNewBroker,
}

/** A broker of its own, on the same cores, so that no run sees the topics of another. */
async function openOnNewBroker(): Promise<Log> {
  const broker = await startBroker()
  try {
    const log = await openKafkaLog({
      brokers: [broker.address],
      clientId: app,
      clock: systemClock,
      logger: silentLogger,
    })
    return {
      ...log,
      async close() {
        await log.close()
        await broker.dispose()
      },
    }
  } catch (error) {
    await broker.dispose()
    throw error
  }
}
