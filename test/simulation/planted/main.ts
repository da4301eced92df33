// node test/simulation/planted/main.ts [--seeds 2000] [--only name,…] [--jobs 1] [--clean 100]
//
// Plants each bug in turn and runs the seeds of the campaign, from 1 on, until one has a violation. Before that the first
// seeds run with no bug, and after it every seed that caught one: a seed that has a violation of its own catches nothing.
// What was found goes to found.json and README.md; one JSON line at the end.
import { parseArgs } from 'node:util'
import type { Caught } from './hunt.ts'
import { hunt } from './hunt.ts'
import { isEnough, missedIn, readFound, writeFound } from './found.ts'
import { expectPlant, plants } from './plants.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '2000' },
    only: { type: 'string' },
    jobs: { type: 'string', default: '1' },
    clean: { type: 'string', default: '100' },
  },
})

await expectClean([`1..${values.clean}`])

const chosen = values.only === undefined ? plants : values.only.split(',').map(expectPlant)
const found = new Map<string, Caught | undefined>()
const left = [...chosen]
let runs = 0
await Promise.all(
  Array.from({ length: Number(values.jobs) }, async () => {
    for (let plant = left.shift(); plant !== undefined; plant = left.shift()) {
      const { name } = plant
      const onSeed = (seed: number): void => show(`${name}: ${seed}`)
      const caught = await hunt({ plant: name, seeds: [`1..${values.seeds}`], onSeed })
      runs += caught?.seed ?? Number(values.seeds)
      found.set(name, caught)
      say(`${name}: ${caught === undefined ? 'not found' : `seed ${caught.seed}: ${caught.violation}`}`)
    }
  }),
)

const seeds = new Set([...found.values()].flatMap((caught) => (caught === undefined ? [] : [caught.seed])))
const unproven = [...seeds].filter((seed) => seed > Number(values.clean)).map(String)
if (unproven.length > 0) await expectClean(unproven)

await writeFound(new Map([...(await readFound()), ...found]))
const missed = missedIn(found)
const coverage = { planted: found.size, found: found.size - missed.length }
process.stdout.write(`${JSON.stringify({ runs, faults: found.size, violations: missed, coverage })}\n`)
process.exitCode = (values.only === undefined ? isEnough(found) : missed.length === 0) ? 0 : 1

/** @throws {Error} The simulation has a violation where nothing is planted. */
async function expectClean(seeds: readonly string[]): Promise<void> {
  const caught = await hunt({ plant: undefined, seeds, onSeed: (seed) => show(`no bug: ${seed}`) })
  if (caught !== undefined)
    throw new Error(`seed ${caught.seed} has a violation with no bug planted: ${caught.violation}`)
}

/** What is going on, for whoever looks. */
function show(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001B[K${text}`)
}

function say(text: string): void {
  show('')
  process.stderr.write(`${text}\n`)
}
