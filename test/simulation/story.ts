// A run told to a person: what was planned, then what happened, without the small talk, then what is wrong.
import type { Plan } from './plan.ts'
import { run } from './outcome.ts'

/** Lines of the trace that are told at most, counted from the end. */
const linesMax = 400
/** Goes on all the time and is about nothing: heartbeats, and answers that came as they should. */
const smallTalk = /heartbeat|is answered$| timer$|services look at|^\d+ \d+ outside$/

/** Runs a plan and tells it, a line for each thing. */
export async function tell(plan: Plan): Promise<string> {
  const { violations, result } = await run(plan)
  const happened = (result?.world.scheduler.trace.lines ?? []).filter((line) => !smallTalk.test(line))
  const left = happened.length - linesMax
  return [
    ...tellPlan(plan),
    '',
    `What happened: step, milliseconds, who and what${left > 0 ? ` (the first ${left} lines are left out)` : ''}`,
    ...happened.slice(-linesMax).map((line) => `  ${line}`),
    '',
    violations.length === 0 ? 'Nothing is violated.' : 'What is violated',
    ...violations.map((violation) => `  ${violation}`),
  ].join('\n')
}

function tellPlan({ seed, machines, partitions, standbys, network, programs, acts, strikes }: Plan): readonly string[] {
  const rates = Object.entries(network).flatMap(([kind, rate]) =>
    typeof rate === 'number' && rate > 0 ? [`${kind} ${Math.round(rate * 1_000) / 1_000}`] : [],
  )
  const inTime = acts.toSorted((a, b) => a.atMs - b.atMs)
  return [
    `Seed ${seed}: ${machines} machines, ${partitions} partitions, ${standbys} standbys each`,
    `Network: ${rates.join(', ') || 'does as it is told'}`,
    '',
    'Workflows',
    ...programs.releases.flatMap((texts, release) =>
      texts.flatMap((text) => [
        `  # release ${release + 1}`,
        ...text
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
