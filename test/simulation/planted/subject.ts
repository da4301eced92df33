// All that the planted bugs know of the simulation.
import { planOf } from '../plan.ts'
import { simulate } from '../run.ts'

/** What a seed of the campaign violates, in words; empty where all is well. */
export async function violationsOf(seed: number): Promise<readonly string[]> {
  return (await simulate(planOf(seed))).violations
}
