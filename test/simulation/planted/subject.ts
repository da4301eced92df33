// All that the planted bugs know of the simulation.
import { planOf } from '../plan.ts'
import { simulate } from '../run.ts'

/** I11 takes two runs of one seed: so many seeds apart. */
const twiceEvery = 10

/** What a seed of the campaign violates, in words; empty where all is well. */
export async function violationsOf(seed: number): Promise<readonly string[]> {
  const { violations, traceHash } = await simulate(planOf(seed))
  if (violations.length > 0 || seed % twiceEvery !== 0) return violations
  const again = await simulate(planOf(seed))
  return again.traceHash === traceHash ? [] : ['I11: the same seed gives another trace each time']
}
