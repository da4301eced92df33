// A crash at every request of a run, and another one while it recovers from the first. Random programs, one machine,
// nothing else that fails: run after run, each dies at the next point.
import { quietPlan, type Plan } from './plan.ts'
import { simulate } from './run.ts'

export interface CrashPointsOptions {
  /** Of the first program. */
  readonly from: number
  /** How many random programs. */
  readonly programs: number
  /** Every so manieth point; 1 is each. */
  readonly stride: number
  readonly onProgress: (seed: number, runs: number, violations: number) => void
}

export interface CrashPointsResult {
  readonly runs: number
  readonly faults: { readonly crash: number; readonly crashInRecovery: number }
  readonly violations: readonly {
    readonly seed: number
    readonly at: readonly number[]
    readonly violations: readonly string[]
  }[]
  readonly coverage: { readonly programs: number; readonly points: number }
}

/** A worker makes about so many requests from its start until its partitions run: a second crash meets one of them. */
const recoveryPoints = 60

export async function crashPoints({
  from,
  programs,
  stride,
  onProgress,
}: CrashPointsOptions): Promise<CrashPointsResult> {
  const found: { seed: number; at: readonly number[]; violations: readonly string[] }[] = []
  const faults = { crash: 0, crashInRecovery: 0 }
  let runs = 0
  let points = 0
  for (let seed = from; seed < from + programs; seed++) {
    const plan = quietPlan(seed)
    for (let point = 0; ; point += stride) {
      const once = await die(plan, [point])
      if (once.deaths === 0) break
      // Over the points of a run the second crash comes at each point of a recovery.
      const at = [point, point + 1 + ((point / stride) % recoveryPoints)]
      const twice = await die(plan, at)
      runs += 2
      points += 1
      faults.crash += 1
      faults.crashInRecovery += twice.deaths - 1
      if (once.violations.length > 0) found.push({ seed, at: [point], violations: once.violations })
      if (twice.violations.length > 0) found.push({ seed, at, violations: twice.violations })
    }
    onProgress(seed, runs, found.length)
  }
  return { runs, faults, violations: found, coverage: { programs, points } }
}

async function die(plan: Plan, at: readonly number[]): Promise<{ deaths: number; violations: readonly string[] }> {
  const { world, violations } = await simulate({ ...plan, crashPoints: at })
  return { deaths: world.scheduler.crashPointsReached, violations }
}
