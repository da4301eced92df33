// Many seeds, one after the other: what was violated, which faults came, and what never occurred (I20).
import { run } from './outcome.ts'
import { planOf } from './plan.ts'

export interface CampaignOptions {
  readonly from: number
  readonly seeds: number
  readonly onProgress: (done: number, violations: number) => void
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

/** Events and refusals that a campaign has to have seen. */
const required = [
  'instance_started',
  'instance_not_started',
  'instance_completed',
  'instance_failed',
  'task_submitted',
  'task_executing',
  'task_retry_scheduled',
  'task_completed',
  'task_failed',
  'task_skipped',
  'task_stopped',
  'vars_set',
  'timer_armed',
  'timer_fired',
  'channel_joined',
  'channel_left',
  'channel_matched',
  'record_kept',
  'record_unkept_matched',
  'record_unkept_purged',
  'record_returned',
  'record_dead_lettered',
  'rejected_timer_superseded',
  'rejected_task_not_open',
  'rejected_not_waiting',
]

/** Every so manieth seed is run twice (I11). */
const againEvery = 50

export async function campaign({ from, seeds, onProgress }: CampaignOptions): Promise<CampaignResult> {
  const faults: { [kind: string]: number } = {}
  const coverage: { [counter: string]: number } = {}
  const found: { seed: number; violations: readonly string[] }[] = []
  for (let seed = from; seed < from + seeds; seed++) {
    const { violations, result } = await run(planOf(seed))
    const differs =
      result !== undefined &&
      seed % againEvery === 0 &&
      (await run(planOf(seed))).result?.traceHash !== result.traceHash
    const all = differs ? [...violations, 'I11: run again, the seed gave another trace'] : violations
    if (all.length > 0) found.push({ seed, violations: all })
    for (const [kind, times] of result?.world.scheduler.faultCounts ?? []) faults[kind] = (faults[kind] ?? 0) + times
    for (const [counter, times] of result?.counters ?? []) coverage[counter] = (coverage[counter] ?? 0) + times
    onProgress(seed - from + 1, found.length)
  }
  const missing = required.filter((counter) => (coverage[counter] ?? 0) === 0)
  return { runs: seeds, faults, violations: found, coverage, missing }
}
