// npm run fuzz -- [--runs N] [--only NAME] [--seed S]           every target, or one; one JSON line at the end
// npm run fuzz -- --only NAME --seed S --path P                 one violation again, as it was shrunk
import { parseArgs } from 'node:util'
import type { FuzzResult, Violation } from './campaign.ts'
import { targets } from './targets.ts'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '200000' },
    only: { type: 'string' },
    seed: { type: 'string', default: '1' },
    path: { type: 'string' },
  },
})
const { only, path } = values
const runs = wholeNumber('runs', values.runs)
const seed = wholeNumber('seed', values.seed)
const chosen = Object.entries(targets).filter(([name]) => only === undefined || name === only)
if (chosen.length === 0) throw new Error(`--only: expected one of ${Object.keys(targets).join(', ')}`)
if (path !== undefined && only === undefined) throw new Error('--path belongs to a target: name it with --only')

const results: { [target: string]: FuzzResult } = {}
for (const [name, fuzzTarget] of chosen) {
  results[name] = await fuzzTarget({
    runs,
    seed,
    ...(path === undefined ? {} : { path }),
    onProgress: (done, bad) => process.stderr.write(`\r${name}: ${done} of ${runs}, ${bad} violations`),
  })
  process.stderr.write('\n')
}

const violations: Violation[] = []
const missing: string[] = []
for (const [name, result] of Object.entries(results)) {
  violations.push(...result.violations)
  // A path is one input: it is not a campaign.
  if (path === undefined) missing.push(...result.missing.map((each) => `${name}: ${each}`))
}
const each = (part: (result: FuzzResult) => unknown): object =>
  Object.fromEntries(Object.entries(results).map(([name, result]) => [name, part(result)]))
const total = Object.values(results).reduce((sum, result) => sum + result.runs, 0)
process.stdout.write(
  `${JSON.stringify({
    runs: total,
    faults: each(({ faults }) => faults),
    violations,
    coverage: each(({ coverage }) => coverage),
    missing,
    slowestMs: each(({ slowestMs }) => slowestMs),
    largestMiB: each(({ largestBytes }) => Math.round(largestBytes / 1_048_576)),
  })}\n`,
)
process.exitCode = violations.length + missing.length > 0 ? 1 : 0

function wholeNumber(name: string, text: string): number {
  const number = Number(text)
  if (text !== '' && Number.isSafeInteger(number) && number >= 0) return number
  throw new Error(`--${name}: expected a whole number, found ${JSON.stringify(text)}`)
}
