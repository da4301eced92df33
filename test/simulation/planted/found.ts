// What the search found, as data (found.json) for the test, and as a table (README.md) for people.
import { readFile, writeFile } from 'node:fs/promises'
import type { Caught } from './hunt.ts'
import { plants } from './plants.ts'

export type Found = ReadonlyMap<string, Caught | undefined>

const data = new URL('found.json', import.meta.url)
const table = new URL('README.md', import.meta.url)

/** By the name of the plant; what was never searched for is not there. */
export async function readFound(): Promise<Found> {
  const rows = JSON.parse(await readFile(data, 'utf8')) as Row[]
  return new Map(rows.map(({ name, seed, violation }) => [name, seed === null ? undefined : { seed, violation }]))
}

interface Row {
  readonly name: string
  /** null: not found. */
  readonly seed: number | null
  readonly violation: string
}

/** Writes both, in the order of the plants; what is no plant any more is left out. */
export async function writeFound(found: Found): Promise<void> {
  const rows = plants.flatMap(({ name }): Row[] => {
    if (!found.has(name)) return []
    const caught = found.get(name)
    return [{ name, seed: caught?.seed ?? null, violation: shortened(caught?.violation ?? '') }]
  })
  await writeFile(data, `${JSON.stringify(rows, undefined, 2)}\n`)
  await writeFile(table, tableOf(rows))
}

/** Ids and keys of one run tell nobody anything in a table. */
const shownMax = 140
const shortened = (text: string): string => (text.length > shownMax ? `${text.slice(0, shownMax)}…` : text)

function tableOf(rows: readonly Row[]): string {
  const traps = new Map(plants.map(({ name, trap, file }) => [name, { trap, file }]))
  const lines = rows.map(({ name, seed, violation }) => {
    const { trap = '', file = '' } = traps.get(name) ?? {}
    return `| ${[name, trap, file, seed === null ? 'not found' : String(seed), violation].map(cell).join(' | ')} |`
  })
  const foundCount = rows.filter(({ seed }) => seed !== null).length
  return `# Planted bugs

Each is a plausible mistake in the code that runs in production, put in while it is loaded ([hook.ts](hook.ts)). The
seeds of the campaign run from 1 on until one has a violation: so many it took. ${foundCount} of ${rows.length} are found.

\`\`\`sh
node test/simulation/planted/main.ts                        # all; writes this table
node test/simulation/planted/main.ts --only kept-taken-twice
DW_PLANTED=kept-taken-twice node --import ./test/simulation/planted/hook.ts test/simulation/main.ts --seeds 1 --seed 1 --story
\`\`\`

| bug | trap | planted in | seeds needed | what was violated |
| --- | --- | --- | --- | --- |
${lines.join('\n')}
`
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
