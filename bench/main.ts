// `npm run bench`: runs the workloads, prints a table, writes bench/results/<name>.json and .svg. See bench/README.md.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { chartSvg } from './chart.ts'
import { isReached, numberText, partOfAim, type Figure } from './figures.ts'
import { closeLogs } from './logs.ts'
import { describeMachine } from './machine.ts'
import { readOptions, usage, type BenchOptions } from './options.ts'
import { profileAll } from './profile/run.ts'
import { measureAll } from './suite.ts'
import { tableText } from './table.ts'

const results = join(import.meta.dirname, 'results')
const tell = (line: string): void => void process.stderr.write(`${line}\n`)

async function run(options: BenchOptions): Promise<void> {
  await mkdir(results, { recursive: true })
  const machine = describeMachine()
  tell(
    `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, ` +
      `load ${numberText(machine.load)}, a sync takes ${numberText(machine.syncMs)} ms; logs: ${options.logs.join(', ')}`,
  )
  if (options.isProfiled) {
    for (const text of await profileAll(options, results)) console.log(text)
    return
  }
  const figures = await measureAll(options, tell)
  console.log(figuresText(figures))
  const { name, logs, instances, seconds, runs } = options
  const measured = { at: new Date().toISOString(), logs, instances, seconds, runs, machine, figures }
  await writeFile(join(results, `${name}.json`), `${JSON.stringify(measured, undefined, 2)}\n`)
  await writeFile(join(results, `${name}.svg`), chartSvg('dagger-worker', figures))
  tell(`written: bench/results/${name}.json and .svg`)
}

function figuresText(figures: readonly Figure[]): string {
  return tableText([
    ['', 'measured', '', 'at least', 'aim', 'of the aim', 'runs'],
    ...figures.map((figure) => {
      const { what, value, unit, goal, runs } = figure
      const goalCells =
        goal === undefined
          ? ['', '', '']
          : [
              `${numberText(goal.atLeast)}${isReached(figure, goal) ? ' ✓' : ' ✗'}`,
              numberText(goal.aim),
              `${Math.round(100 * partOfAim(figure, goal))} %`,
            ]
      return [what, numberText(value), unit, ...goalCells, runs.length > 1 ? runs.map(numberText).join(' ') : '']
    }),
  ])
}

let options: BenchOptions | undefined
try {
  options = readOptions(process.argv.slice(2))
} catch (error) {
  tell(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
  process.exitCode = 2
}
if (options !== undefined) {
  try {
    await run(options)
  } finally {
    await closeLogs()
  }
}
