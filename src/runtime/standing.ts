// How a partition that runs stands: what it has yet to read, what it keeps, what is overdue.
import { keptTotalsId } from '../engine/state.ts'
import type { Reading } from './reading.ts'
import type { SourceLag } from './lag-face.ts'
import type { Sources } from './sources.ts'
import type { Timers } from './timers.ts'

export class Standing {
  readonly #reading: Reading
  readonly #sources: Sources
  readonly #timers: Timers

  constructor(reading: Reading, sources: Sources, timers: Timers) {
    this.#reading = reading
    this.#sources = sources
    this.#timers = timers
  }

  /** How far each source is behind, as far as the log has told. */
  get lags(): Iterable<SourceLag> {
    return this.#sources.lags()
  }

  /** Records that are kept, and their bytes. @throws {Unavailable} */
  get kept(): { readonly count: number; readonly bytes: number } {
    return this.#reading.read((rows) => rows.find('keptTotals', keptTotalsId)) ?? { count: 0, bytes: 0 }
  }

  /** How long the earliest timer has been due. */
  overdueMs(nowMs: number): number {
    const dueAtMs = this.#timers.nextDueAtMs
    return dueAtMs === undefined ? 0 : Math.max(0, nowMs - dueAtMs)
  }
}
