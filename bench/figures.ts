// What is measured, and what it should be.
import { bounds } from '../src/adapters/kafka/options.ts'
import { median as medianOf } from '../src/bench/statistics.ts'

export interface Goal {
  readonly atLeast: number
  readonly aim: number
}

export interface Figure {
  readonly what: string
  readonly value: number
  readonly unit:
    | 'tasks/s'
    | 'records/s'
    | 'µs/task'
    | 'µs/event'
    | 'values/s'
    | 's/1,000'
    | 'MiB'
    | 's'
    | 'ms'
    | 'ratio'
    | 'times'
  /** Of each run, where there were several; the value is their median. */
  readonly runs: readonly number[]
  readonly goal?: Goal
}

/** What is to be small. */
const isBounded = (unit: Figure['unit']): boolean => unit === 'ms' || unit === 's' || unit === 'MiB' || unit === 'times'

const anywhere = {
  wide: { atLeast: 1.5, aim: 1 },
  /** Of a million that wait. */
  waitingMemory: { atLeast: 1_024, aim: 400 },
  waitingEvent: { atLeast: 1.5, aim: 1.1 },
  /** With CPU to spare. */
  two: { atLeast: 1.7, aim: 1.9 },
  orderAgainstFloor: { atLeast: 0.5, aim: 0.8 },
  chain: { atLeast: 100_000, aim: 250_000 },
} as const

const sessionSeconds = bounds.sessionTimeoutMs / 1_000

/** On Kafka alone. */
export const recoveryGoals = {
  /** Of a million values. */
  restore: { atLeast: 60, aim: 15 },
  /** From the kill: the session of the dead worker, and then what is left to be done. */
  takeOver: { atLeast: sessionSeconds + 5, aim: sessionSeconds + 1 },
} as const

export const goalsOn = {
  embedded: { ...anywhere, order: { atLeast: 15_000, aim: 40_000 }, latencyP99: { atLeast: 20, aim: 8 } },
  kafka: { ...anywhere, order: { atLeast: 25_000, aim: 50_000 }, latencyP99: { atLeast: 100, aim: 40 } },
} as const satisfies { readonly [log: string]: { readonly [name: string]: Goal } }

/** How much of the aim is reached: 1 is all of it, for times as for throughput. */
export function partOfAim({ value, unit }: Figure, { aim }: Goal): number {
  return isBounded(unit) ? aim / value : value / aim
}

export function isReached({ value, unit }: Figure, { atLeast }: Goal): boolean {
  return isBounded(unit) ? value <= atLeast : value >= atLeast
}

/** A figure from several runs: their median. */
export function median(what: string, unit: Figure['unit'], runs: readonly number[], goal?: Goal): Figure {
  return { what, value: medianOf(runs), unit, runs, ...(goal === undefined ? {} : { goal }) }
}

/** "13,700", "0.52", "8.1". */
export function numberText(value: number): string {
  const digits = value >= 1_000 ? 0 : value >= 10 ? 1 : 2
  return value.toLocaleString('en', { maximumFractionDigits: digits })
}
