// `npm run bench`: runs the workloads, prints a table, writes bench/results/<name>.json and .svg. See bench/README.md.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tuneCollector } from '../src/adapters/system/collector.ts'
import { changeText, compare, readBaseline, type Comparison } from './baseline.ts'
import { chartSvg } from './chart.ts'
import { isReached, numberText, partOfAim, type Figure } from './figures.ts'
import { Grounds } from './grounds.ts'
import { describeMachine, type Machine } from './machine.ts'
import { readOptions, usage, type BenchOptions } from './options.ts'
import { profileAll } from './profile/run.ts'
import { measureAll } from './suite.ts'
import { tableText } from './table.ts'

const results = join(import.meta.dirname, 'results')
const tell = (line: string): void => void process.stderr.write(`${line}\n`)

async function run(options: BenchOptions): Promise<void> {
  tuneCollector()
  await mkdir(results, { recursive: true })
  const machine = describeMachine()
  tell(
    `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, ` +
      `load ${numberText(machine.load)}, a sync takes ${numberText(machine.syncMs)} ms; logs: ${options.logs.join(', ')}`,
  )
  const grounds = new Grounds(tell)
  try {
    if (options.isProfiled) {
      for (const text of await profileAll(options, grounds, results)) console.log(text)
      return
    }
    await report(options, machine, await measureAll(options, grounds, tell))
  } finally {
    await grounds.dispose()
  }
}

async function report(options: BenchOptions, machine: Machine, figures: readonly Figure[]): Promise<void> {
  const { name, logs, instances, seconds, runs } = options
  const measured = { at: new Date().toISOString(), logs, instances, seconds, runs, machine, figures }
  const baseline = readBaseline(name)
  const comparison = baseline === undefined ? undefined : compare(measured, baseline)
  console.log(figuresText(figures, comparison))
  if (comparison !== undefined) {
    tell(`before: bench/results/${name}.json of the commit ${comparison.commit}, measured at ${comparison.at}`)
    for (const note of comparison.notes) tell(note)
  }
  const kept = comparison === undefined ? measured : { ...measured, comparedWith: comparison }
  await writeFile(join(results, `${name}.json`), `${JSON.stringify(kept, undefined, 2)}\n`)
  await writeFile(join(results, `${name}.svg`), chartSvg('dagger-worker', figures, comparison))
  tell(`written: bench/results/${name}.json and .svg`)
}

function figuresText(figures: readonly Figure[], comparison: Comparison | undefined): string {
  return tableText([
    ['', 'measured', '', 'before', 'change', 'at least', 'aim', 'of the aim', 'runs'],
    ...figures.map((figure) => {
      const { what, value, unit, goal, runs } = figure
      const former = comparison?.figures.find((each) => each.what === what)
      const formerCells = former === undefined ? ['', ''] : [numberText(former.before), changeText(former.change)]
      const goalCells =
        goal === undefined
          ? ['', '', '']
          : [
              `${numberText(goal.atLeast)}${isReached(figure, goal) ? ' ✓' : ' ✗'}`,
              numberText(goal.aim),
              `${Math.round(100 * partOfAim(figure, goal))} %`,
            ]
      const runCell = runs.length > 1 ? runs.map(numberText).join(' ') : ''
      return [what, numberText(value), unit, ...formerCells, ...goalCells, runCell]
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
if (options !== undefined) await run(options)
