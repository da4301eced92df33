// Keeps trying what the world around refuses for now: a broker that is not there yet, a publication that was fenced by
// another worker's. Says so once a try, and gives up only when told to.
import type { Logger } from '../base/logger.ts'
import { cureOf, faultOf } from './faults.ts'
import type { Clock } from './ports.ts'

export interface PersistOptions {
  readonly clock: Clock
  readonly logger: Logger
  /** What is tried, for the log: "joining the group". */
  readonly what: string
  readonly isOver: () => boolean
}

const waitMs = { first: 100, max: 10_000 } as const

/** The result of the first try that works. @throws what trying again does not cure, and the last fault once it is over */
export async function persist<Result>(options: PersistOptions, attempt: () => Promise<Result>): Promise<Result> {
  const { clock, logger, what, isOver } = options
  for (let tries = 0; ; tries++) {
    try {
      return await attempt()
    } catch (error) {
      const cure = cureOf(faultOf(error))
      if ((cure !== 'reopen' && cure !== 'confirm') || isOver()) throw error
      const delayMs = Math.min(waitMs.max, waitMs.first * 2 ** tries)
      logger.warn(
        { error: String(error), delayMs },
        `${what}: ${error instanceof Error ? error.message : String(error)}; trying again`,
      )
      await new Promise<void>((resolve) => void clock.after(delayMs, resolve))
    }
  }
}
