// A partition that runs, in numbers: what it has yet to read, what it keeps, what is overdue, how many instances it has.
import { keptTotalsId } from '../../engine/state.ts'
import { Census } from './census.ts'
import { Unavailable } from '../face.ts'
import type { SourceLag } from '../faces/lag-face.ts'
import type { Phase } from '../lifecycle.ts'
import type { Clock } from '../ports.ts'
import type { Reading } from '../reading.ts'
import type { Sources } from '../sources.ts'
import type { Timers } from '../timers.ts'

/** What is asked of the partition itself. */
interface GaugedPartition {
  readonly phase: Phase
  readonly reading: Reading
}

export class Gauges {
  readonly #partition: GaugedPartition
  readonly #sources: Sources
  readonly #timers: Timers
  readonly census: Census

  constructor(partition: GaugedPartition, sources: Sources, timers: Timers, clock: Clock) {
    this.#partition = partition
    this.#sources = sources
    this.#timers = timers
    this.census = new Census(partition.reading, clock, () => partition.phase === 'closed')
  }

  /** How far each source is behind, as far as the log has told. */
  get lags(): Iterable<SourceLag> {
    return this.#sources.positions.flatMap(({ topic, partition, isInbox, behind }) =>
      behind === undefined ? [] : [{ topic, partition, isInbox, ...behind }],
    )
  }

  /** Records that are kept, and their bytes; undefined: the store cannot be read, and is about to be given up. */
  get kept(): { readonly count: number; readonly bytes: number } | undefined {
    try {
      return this.#partition.reading.read((rows) => rows.find('keptTotals', keptTotalsId)) ?? { count: 0, bytes: 0 }
    } catch (error) {
      if (error instanceof Unavailable) return undefined
      throw error
    }
  }

  /** How long the earliest timer has been due. */
  overdueMs(nowMs: number): number {
    const dueAtMs = this.#timers.nextDueAtMs
    return dueAtMs === undefined ? 0 : Math.max(0, nowMs - dueAtMs)
  }
}
