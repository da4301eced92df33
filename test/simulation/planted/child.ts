// One process of the search: runs the seeds that it is given, in order, until one of them has a violation. Says on stdout,
// a line of JSON each, which seed begins and what was violated; hunt.ts listens.
//
//   node --import …/hook.ts …/child.ts 1 2 3      these seeds
//   node --import …/hook.ts …/child.ts 1..2000    all of them
import { writeSync } from 'node:fs'
import { plantedFiles } from './hook.ts'
import { violationsOf } from './subject.ts'

export interface Report {
  readonly seed: number
  /** undefined: it begins. */
  readonly violations?: readonly string[]
}

/** Written at once: the process may end in the next moment, which is what a planted bug is for. */
const tell = (report: Report): void => void writeSync(1, `${JSON.stringify(report)}\n`)

function* seedsOf(texts: readonly string[]): Generator<number> {
  for (const text of texts) {
    const [from = NaN, to = from] = text.split('..').map(Number)
    for (let seed = from; seed <= to; seed++) yield seed
  }
}

if (process.env['DW_PLANTED'] !== undefined && plantedFiles.size === 0)
  throw new Error(`nothing that was loaded holds the bug ${process.env['DW_PLANTED']}`)
for (const seed of seedsOf(process.argv.slice(2))) {
  tell({ seed })
  const violations = await violationsOf(seed)
  if (violations.length === 0) continue
  tell({ seed, violations })
  break
}
