// What is measured, and what it should be (performance.md, "To reach").
import { bounds } from '../src/adapters/platformatic/options.ts'

export interface Goal {
  readonly atLeast: number
  readonly aim: number
}

export interface Figure {
  readonly what: string
  readonly value: number
  readonly unit: 'tasks/s' | 'records/s' | 'µs/task' | 'ms' | 's' | 'MB' | 'ratio' | 'times' | 'values/s'
  /** Of each run, where there were several; the value is their median. */
  readonly runs: readonly number[]
  readonly goal?: Goal
}

/** What is to be small. */
const isBounded = (unit: Figure['unit']): boolean => unit === 'ms' || unit === 's' || unit === 'times'

const anywhere = {
  wide: { atLeast: 1.5, aim: 1 },
  orderAgainstFloor: { atLeast: 0.5, aim: 0.8 },
  chain: { atLeast: 100_000, aim: 250_000 },
} as const

/** Of so many values. */
export const restoredValues = 1_000_000
export const restoreGoal: Goal = { atLeast: 60, aim: 15 }

const sessionSeconds = bounds.sessionTimeoutMs / 1_000
/** From the kill: the session of the dead worker, and then what is left to be done. */
export const takeOverGoal: Goal = { atLeast: sessionSeconds + 5, aim: sessionSeconds + 1 }

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
  const sorted = runs.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  const value = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2
  return { what, value, unit, runs, ...(goal === undefined ? {} : { goal }) }
}

/** "13,700", "0.52", "8.1". */
export function numberText(value: number): string {
  const digits = value >= 1_000 ? 0 : value >= 10 ? 1 : 2
  return value.toLocaleString('en', { maximumFractionDigits: digits })
}
