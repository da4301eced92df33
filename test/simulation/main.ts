// npm run simulate: see `--help`. One JSON line at the end on stdout; progress and stories of failures on stderr.
import { parseArgs } from 'node:util'
import { campaign } from './campaign.ts'
import { crashPoints } from './crash-points.ts'
import { planOf } from './plan.ts'
import { shrink } from './shrink.ts'
import { tell } from './story.ts'

const help = `npm run simulate -- [--seeds N] [--seed S]      N seeds from S on, by default 500 from 1
npm run simulate -- --story [--seed S]            one seed, told step by step
npm run simulate -- --shrink [--seed S]           one seed that fails, made smaller and told
npm run simulate -- --crash-points [--seeds N]    N random programs, a crash at each request of theirs (100)

One JSON line at the end: { runs, faults, violations, coverage, missing }. Exits with 1 where an invariant is violated, or
where something never occurred that a campaign has to have seen.`

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    seed: { type: 'string', default: '1' },
    story: { type: 'boolean', default: false },
    shrink: { type: 'boolean', default: false },
    'crash-points': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const seed = Number(values.seed)
/** Shrinking takes a minute: of many failing seeds the first ones are told, the others are named. */
const toldMax = 3

if (values.help) process.stdout.write(`${help}\n`)
else if (values.story) process.stdout.write(`${await tell(planOf(seed))}\n`)
else if (values.shrink) process.stdout.write(`${await tellShrunk(seed)}\n`)
else if (values['crash-points']) await runCrashPoints(Number(values.seeds ?? '100'))
else await runCampaign(Number(values.seeds ?? '500'))

async function runCampaign(seeds: number): Promise<void> {
  const startedAtMs = performance.now()
  const result = await campaign({
    from: seed,
    seeds,
    onProgress: (done, bad) => {
      if (done % 10 === 0) process.stderr.write(`\r${done} of ${seeds} seeds, ${bad} with violations`)
    },
    onViolation: (failing, violations) => process.stderr.write(`\nseed ${failing}: ${violations.join('\n  ')}\n`),
  })
  process.stderr.write('\n')
  const perSecond = Math.round((result.runs / (performance.now() - startedAtMs)) * 10_000) / 10
  for (const { seed: failing } of result.violations.slice(0, toldMax))
    process.stderr.write(`${await tellShrunk(failing)}\n`)
  finish({ ...result, perSecond }, result.violations.length + result.missing.length)
}

async function runCrashPoints(programs: number): Promise<void> {
  const result = await crashPoints({
    from: seed,
    programs,
    stride: 1,
    onProgress: (at, runs, bad) => process.stderr.write(`\rprogram ${at}: ${runs} runs so far, ${bad} with violations`),
  })
  process.stderr.write('\n')
  finish(result, result.violations.length)
}

async function tellShrunk(failing: number): Promise<string> {
  const { plan, violations, runs } = await shrink(planOf(failing))
  if (violations.length === 0) return `Seed ${failing} violates nothing.`
  return `${await tell(plan)}\n\nMade smaller in ${runs} runs. All of it: npm run simulate -- --story --seed ${failing}`
}

function finish(result: object, bad: number): void {
  process.stdout.write(`${JSON.stringify(result)}\n`)
  process.exitCode = bad > 0 ? 1 : 0
}
