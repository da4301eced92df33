// The logs that workloads can run on. Another one is another line here: workloads know the port only.
import { openEmbeddedLog } from '../src/adapters/embedded/log.ts'
import { systemClock } from '../src/adapters/system/clock.ts'
import { silentLogger } from '../src/base/logger.ts'
import type { Log } from '../src/runtime/ports.ts'

/** Opens a log that is empty; what it keeps lies below the directory. */
export type OpenLog = (directory: string) => Promise<Log>

/** The application's name, which a log may be bound to. */
export const app = 'bench'

export const logNames = ['embedded'] as const
export type LogName = (typeof logNames)[number]

export const logs: { readonly [name in LogName]: OpenLog } = {
  embedded: (directory) => openEmbeddedLog({ directory, app, clock: systemClock, logger: silentLogger }),
}
