// Many seeds, one after the other: what was violated, which faults came, and what never occurred (I20).
import { countsOf, requiredIn } from './checks/coverage.ts'
import { hashOf } from './checks/logs.ts'
import { run } from './outcome.ts'
import { planOf } from './plan.ts'
import type { RunResult } from './run.ts'

export interface CampaignOptions {
  readonly from: number
  readonly seeds: number
  readonly onProgress: (done: number, violations: number) => void
  /** Called as soon as a seed is found to violate something. */
  readonly onViolation?: (seed: number, violations: readonly string[]) => void
}

export interface CampaignResult {
  readonly runs: number
  readonly faults: { readonly [kind: string]: number }
  readonly violations: readonly { readonly seed: number; readonly violations: readonly string[] }[]
  /** How often each thing happened, over all runs. */
  readonly coverage: { readonly [counter: string]: number }
  /** I20: what has to occur in a campaign and did not. */
  readonly missing: readonly string[]
}

/** Every so manieth seed is run twice (I11). */
const againEvery = 50

export async function campaign({ from, seeds, onProgress, onViolation }: CampaignOptions): Promise<CampaignResult> {
  const faults: { [kind: string]: number } = {}
  const coverage: { [counter: string]: number } = {}
  const found: { seed: number; violations: readonly string[] }[] = []
  for (let seed = from; seed < from + seeds; seed++) {
    const { violations, result } = await run(planOf(seed))
    const again = result !== undefined && seed % againEvery === 0 ? (await run(planOf(seed))).result : result
    const all = [...violations]
    if (again?.traceHash !== result?.traceHash) all.push('I11: run again, the seed gave another trace')
    if (again !== result && committedHashOf(again) !== committedHashOf(result))
      all.push('I11: run again, the seed committed something else')
    if (all.length > 0) {
      found.push({ seed, violations: all })
      onViolation?.(seed, all)
    }
    for (const [kind, times] of result?.world.scheduler.faultCounts ?? []) faults[kind] = (faults[kind] ?? 0) + times
    for (const [counter, times] of result === undefined ? [] : countsOf(result))
      coverage[counter] = (coverage[counter] ?? 0) + times
    onProgress(seed - from + 1, found.length)
  }
  const missing = requiredIn(seeds).filter((counter) => (coverage[counter] ?? 0) === 0)
  return { runs: seeds, faults, violations: found, coverage, missing }
}

const committedHashOf = (result: RunResult | undefined): string | undefined =>
  result === undefined ? undefined : hashOf(result.finished.committed.history)
