// What an operator should know of: written to the log, and kept to be asked for, the latest of them.
import type { Logger } from '../base/logger.ts'
import { count, type Counters } from './batch.ts'

const keptMax = 20

export class Alarms {
  readonly #logger: Logger
  readonly #counters: Counters
  readonly #kept: string[] = []

  constructor(logger: Logger, counters: Counters) {
    this.#logger = logger
    this.#counters = counters
  }

  get latest(): readonly string[] {
    return this.#kept
  }

  raise(message: string): void {
    this.#logger.error({}, message)
    count(this.#counters, 'alarms')
    this.#kept.push(message)
    if (this.#kept.length > keptMax) this.#kept.shift()
  }
}
