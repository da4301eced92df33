// What the search found, as data (found.json) for the tests, and as a table (README.md) for people.
import { readFile, writeFile } from 'node:fs/promises'
import type { Caught } from './hunt.ts'
import { plants } from './plants.ts'

/** By the name of the plant; undefined was not found, and what was never searched for is not there. */
export type Found = ReadonlyMap<string, Caught | undefined>

interface Row {
  readonly name: string
  /** null: not found. */
  readonly seed: number | null
  readonly violation: string
}

/** The bar of reliability.md is 28 of 30. More are planted, and no more of them may stay unfound. */
const foundMin = 28
const missedMax = 2

const data = new URL('found.json', import.meta.url)
const table = new URL('README.md', import.meta.url)

export async function readFound(): Promise<Found> {
  const rows = JSON.parse(await readFile(data, 'utf8')) as Row[]
  return new Map(rows.map(({ name, seed, violation }) => [name, seed === null ? undefined : { seed, violation }]))
}

/** Writes both, in the order of the plants; what is no plant any more is left out. */
export async function writeFound(found: Found): Promise<void> {
  const rows = rowsOf(found)
  await writeFile(data, `${JSON.stringify(rows, undefined, 2)}\n`)
  await writeFile(table, tableOf(found))
}

/** The names of those that were not found. */
export const missedIn = (found: Found): readonly string[] =>
  [...found].flatMap(([name, caught]) => (caught === undefined ? [name] : []))

export function isEnough(found: Found): boolean {
  const missed = missedIn(found).length
  return missed <= missedMax && found.size - missed >= foundMin
}

/** The table as a page. */
export function tableOf(found: Found): string {
  const rows = rowsOf(found)
  const lines = rows.map(({ name, seed, violation }) => {
    const { trap, file } = plants.find((plant) => plant.name === name)!
    return `| ${[name, trap, file, seed?.toString() ?? 'not found', violation].map(cell).join(' | ')} |`
  })
  return `# Planted bugs

Each is a plausible mistake in the code that runs in production, or in the broker that it runs on here, put in while it is
loaded ([hook.ts](hook.ts)). The seeds of the campaign run from 1 on until one has a violation: so many it took. ${rows.length - missedIn(found).length} of ${rows.length} are found.

\`\`\`sh
node test/simulation/planted/main.ts                           # all; writes this table
node test/simulation/planted/main.ts --only kept-taken-twice
\`\`\`

What a bug does, made smaller and told step by step:

\`\`\`sh
DW_PLANTED=kept-taken-twice node --import ./test/simulation/planted/hook.ts test/simulation/main.ts --shrink --seed 1
\`\`\`

| bug | trap | planted in | seeds needed | what was violated |
| --- | --- | --- | --- | --- |
${lines.join('\n')}
`
}

function rowsOf(found: Found): readonly Row[] {
  return plants.flatMap(({ name }): Row[] => {
    if (!found.has(name)) return []
    const caught = found.get(name)
    return [{ name, seed: caught?.seed ?? null, violation: shortened(caught?.violation ?? '') }]
  })
}

/** What comes late in a violation are values of the one run. */
const shownMax = 140
const shortened = (text: string): string =>
  text.length > shownMax && !text.endsWith('…') ? `${text.slice(0, shownMax)}…` : text

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
