// A run whatever comes of it: what it throws is a violation like any other, and one that does not end is one too.
import type { Plan } from './plan.ts'
import { simulate, type RunResult } from './run.ts'

export interface Outcome {
  readonly violations: readonly string[]
  /** Undefined where the run threw. */
  readonly result: RunResult | undefined
}

/** Runs a plan and catches what is thrown on the way. */
export async function run(plan: Plan): Promise<Outcome> {
  try {
    const result = await simulate(plan)
    return { violations: result.violations, result }
  } catch (error) {
    return {
      violations: [`thrown: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`],
      result: undefined,
    }
  }
}
