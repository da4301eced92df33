// A run told to a person: what was planned, then what happened, without the small talk, then what is wrong.
import { parse, stringify } from 'yaml'
import { ManualClock } from '../../src/adapters/memory/clock.ts'
import type { Plan } from './plan.ts'
import { run } from './outcome.ts'

/** Lines of the trace that are told at most, counted from the end. */
const linesMax = 400
/** Goes on all the time and is about nothing: heartbeats, looks at topics, and answers that came as they should. */
const smallTalk = /heartbeat|describe-topics$|is answered$| timer$|services look at|^\d+ \d+ outside$/
/** Every simulated world begins then. */
const beganAtMs = new ManualClock().nowMs()

/** Runs a plan and tells it, a line for each thing. */
export async function tell(plan: Plan): Promise<string> {
  const { violations, result } = await run(plan)
  const happened = (result?.world.scheduler.trace.lines ?? []).filter((line) => !smallTalk.test(line))
  const left = happened.length - linesMax
  return [
    ...tellPlan(plan),
    '',
    `What happened, by step and millisecond${left > 0 ? ` (the first ${left} lines are left out)` : ''}`,
    ...happened.slice(-linesMax).map(tellLine),
    '',
    violations.length === 0 ? 'Nothing is violated.' : 'What is violated',
    ...violations.map((violation) => `  ${violation}`),
  ].join('\n')
}

/** "1248 1767225618622 w1 …": times are those of the plan, counted from the beginning. */
function tellLine(line: string): string {
  const [step = '', atMs = '', ...what] = line.split(' ')
  return `  ${step.padStart(6)} ${String(Number(atMs) - beganAtMs).padStart(7)} ${what.join(' ')}`
}

function tellPlan({ seed, machines, partitions, standbys, network, programs, acts, strikes }: Plan): readonly string[] {
  const rates = Object.entries(network).flatMap(([kind, rate]) =>
    typeof rate === 'number' && rate > 0 ? [`${kind} ${Math.round(rate * 1_000) / 1_000}`] : [],
  )
  const inTime = acts.toSorted((a, b) => a.atMs - b.atMs)
  return [
    `Seed ${seed}: ${machines} machines, ${partitions} partitions, ${standbys} standbys each`,
    `Network: ${rates.join(', ') || 'does as it is told'}`,
    `Millisecond 0 is ${beganAtMs}`,
    '',
    'Workflows',
    ...programs.releases.flatMap((texts, release) =>
      texts.flatMap((text) => [
        `  # release ${release + 1}`,
        ...stringify(parse(text))
          .trim()
          .split('\n')
          .map((line) => `  ${line}`),
      ]),
    ),
    '',
    'What the outside does, by millisecond',
    ...inTime.map(({ atMs, ...act }) => `  ${String(atMs).padStart(6)} ${JSON.stringify(act).slice(0, 300)}`),
    '',
    'What strikes, by step',
    ...strikes.map(({ atStep, ...strike }) => `  ${String(atStep).padStart(6)} ${JSON.stringify(strike)}`),
  ]
}
