// The figures of the last commit, to stand beside those of now. Of the commit, and not of the file: the file is written
// by every run, so that the second run of a sitting would be compared with the first, and the work on a change with
// itself. Figures of another machine say nothing beside these; ratios may.
import { execFileSync } from 'node:child_process'
import { numberText, type Figure } from './figures.ts'
import type { Machine } from './machine.ts'

/** Of loads that differ by more, one sitting had a core less. */
const loadsApart = 1

/** What a result file holds. */
export interface Measured {
  /** ISO 8601 */
  readonly at: string
  readonly instances: number
  readonly seconds: number
  readonly runs: number
  readonly machine: Machine
  readonly figures: readonly Figure[]
}

/** What a run was compared with. */
export interface Comparison {
  /** That last changed the result file. */
  readonly commit: string
  readonly at: string
  /** What makes the comparison a lesser one, in sentences. */
  readonly notes: readonly string[]
  readonly figures: readonly FigureBefore[]
}

export interface FigureBefore {
  readonly what: string
  readonly before: number
  /** 0.1: it is larger by a tenth. */
  readonly change: number
}

/** Undefined where nothing of this name was committed, or there is no git. */
export function readBaseline(name: string): { readonly commit: string; readonly measured: Measured } | undefined {
  const file = `results/${name}.json`
  try {
    return { commit: git('log', '-1', '--format=%h', '--', file), measured: JSON.parse(git('show', `HEAD:./${file}`)) }
  } catch {
    return undefined
  }
}

function git(...argv: readonly string[]): string {
  return execFileSync('git', argv, {
    cwd: import.meta.dirname,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim()
}

/** Compares the figures that both have. */
export function compare(
  now: Measured,
  { commit, measured: before }: NonNullable<ReturnType<typeof readBaseline>>,
): Comparison {
  const figures = now.figures.flatMap(({ what, unit, value }) => {
    const former = before.figures.find((figure) => figure.what === what && figure.unit === unit)
    return former === undefined ? [] : [{ what, before: former.value, change: value / former.value - 1 }]
  })
  return { commit, at: before.at, notes: notesOf(now, before), figures }
}

function notesOf(now: Measured, before: Measured): readonly string[] {
  const machine = (['cpu', 'cores', 'node'] as const).flatMap((key) =>
    differs(key, before.machine[key], now.machine[key]),
  )
  const form = (['instances', 'seconds', 'runs'] as const).flatMap((key) => differs(key, before[key], now[key]))
  const [loadBefore, loadNow] = [before.machine.load, now.machine.load]
  const isBusy = Math.abs(loadNow - loadBefore) > loadsApart
  return [
    ...(isBusy ? [`Load ${numberText(loadBefore)} → ${numberText(loadNow)}: other programs are in the figures.`] : []),
    ...(machine.length > 0 ? [`Another machine (${machine.join('; ')}): compare ratios only.`] : []),
    ...(form.length > 0 ? [`Another form of the runs (${form.join('; ')}).`] : []),
  ]
}

const differs = (what: string, before: string | number, now: string | number): readonly string[] =>
  before === now ? [] : [`${what} ${before} → ${now}`]

/** "+12 %", "-3 %". */
export function changeText(change: number): string {
  const percent = Math.round(100 * change)
  return `${percent > 0 ? '+' : ''}${percent} %`
}
