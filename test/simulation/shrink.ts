// Makes a failing plan smaller: leaves out what can be left out so that the same invariant is still violated. What is
// left is what matters. Streams are named by what they are for, so the rest goes on much as before.
import { parse } from 'yaml'
import type { Act, Plan } from './plan.ts'
import { isRead } from './programs.ts'
import { run, type Outcome } from './outcome.ts'

export interface Shrunk {
  readonly plan: Plan
  readonly violations: readonly string[]
  /** Runs that it took. */
  readonly runs: number
}

const runsMax = 300

/** The smallest plan that was found in `runsMax` runs; the plan itself where it violates nothing. */
export async function shrink(plan: Plan, runPlan: (plan: Plan) => Promise<Outcome> = run): Promise<Shrunk> {
  let { violations } = await runPlan(plan)
  const wanted = invariantsOf(violations)
  let best = plan
  let runs = 1
  async function accepts(candidate: Plan): Promise<boolean> {
    if (runs >= runsMax) return false
    runs += 1
    const outcome = await runPlan(candidate)
    if (!invariantsOf(outcome.violations).some((invariant) => wanted.includes(invariant))) return false
    best = candidate
    violations = outcome.violations
    return true
  }
  for (let isSmaller = wanted.length > 0; isSmaller;) {
    isSmaller = false
    for (const simplify of simplifications) {
      const simpler = simplify(best)
      if (simpler !== undefined && (await accepts(simpler))) isSmaller = true
    }
    const strikes = await leaveOut(best.strikes, (left) => accepts({ ...best, strikes: left }))
    const acts = await leaveOut(best.acts, (left) => accepts({ ...best, acts: left }))
    const workflows = await leaveOut(namesIn(best), (left) => accepts(withOnly(left, best)))
    isSmaller ||= strikes || acts || workflows
  }
  return { plan: best, violations, runs }
}

/** Halves first, then smaller pieces down to one; true where something was left out. */
async function leaveOut<Item>(
  items: readonly Item[],
  accepts: (left: readonly Item[]) => Promise<boolean>,
): Promise<boolean> {
  let left = items
  for (let size = Math.ceil(left.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < left.length;) {
      const without = [...left.slice(0, at), ...left.slice(at + size)]
      if (await accepts(without)) left = without
      else at += size
    }
  }
  return left.length < items.length
}

const rates = [
  'transientError',
  'lostAnswer',
  'lateRequest',
  'repeatedRequest',
  'delay',
  'arrivesAfterCrash',
  'markerDelayMsMax',
] as const

/** Each leaves one thing out, or gives undefined where it is out already. */
const simplifications: readonly ((plan: Plan) => Plan | undefined)[] = [
  ...rates.map((rate) => (plan: Plan) => {
    if (plan.network[rate] === 0) return undefined
    return { ...plan, network: { ...plan.network, [rate]: 0 } }
  }),
  (plan) => (plan.machines > 1 ? { ...plan, machines: plan.machines - 1, strikes: withoutMachine(plan) } : undefined),
  (plan) => (plan.standbys > 0 ? { ...plan, standbys: 0 } : undefined),
  (plan) => {
    const { releases } = plan.programs
    if (releases.length <= 1) return undefined
    return { ...plan, programs: { ...plan.programs, releases: releases.slice(0, 1) } }
  },
]

function withoutMachine({ machines, strikes }: Plan): Plan['strikes'] {
  return strikes.filter((strike) => !('machine' in strike) || strike.machine !== `w${machines}`)
}

const nameOf = (text: string): string => (parse(text) as { workflow: string }).workflow

/** Of all workflows of all releases. */
const namesIn = ({ programs }: Plan): string[] => [...new Set(programs.releases.flat().map(nameOf))]

/** The plan with these workflows alone, and without what is done for the others: none of it would come to anything. */
function withOnly(names: readonly string[], plan: Plan): Plan {
  const releases = plan.programs.releases.map((texts) => texts.filter((text) => names.includes(nameOf(text))))
  const isForThem = (act: Act): boolean =>
    act.kind !== 'produce' ? names.includes(act.workflow) : releases.some((texts) => isRead(act.topic, texts))
  return { ...plan, programs: { ...plan.programs, releases }, acts: plan.acts.filter(isForThem) }
}

/** "I8: …" is of I8. */
const invariantsOf = (violations: readonly string[]): string[] => [
  ...new Set(violations.map((violation) => violation.split(':')[0]!)),
]
