// The search for one bug: a process with the bug in it runs seeds until one has a violation. A run that throws, stands
// still or does not end is caught as well: in production nobody would be there to look at the invariants.
//
// What fails before the first seed begins is a mistake of the search itself, and is thrown.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { createInterface } from 'node:readline'
import type { Report } from './child.ts'

export interface Hunt {
  /** undefined: no bug is planted. */
  readonly plant: string | undefined
  /** As child.ts takes them. */
  readonly seeds: readonly string[]
  readonly onSeed?: (seed: number) => void
}

export interface Caught {
  readonly seed: number
  /** The first one, in words. */
  readonly violation: string
}

/** A seed takes a tenth of a second; one that is silent for so long will not end. */
const silentMs = 60_000
/** Node's own exit code of a program that waits for what will never come. */
const unsettled = 13

/** The first of the seeds that has a violation; undefined where none has. @throws {Error} The search itself failed. */
export async function hunt({ plant, seeds, onSeed }: Hunt): Promise<Caught | undefined> {
  const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
  const { DW_PLANTED: _, ...env } = process.env
  const child = spawn(process.execPath, ['--import', file('./hook.ts'), file('./child.ts'), ...seeds], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: plant === undefined ? env : { ...env, DW_PLANTED: plant },
  })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-10_000)))
  const exited = new Promise<number | null>((resolve) => child.on('close', resolve))
  let isSilent = false
  const silence = setTimeout(() => {
    isSilent = true
    child.kill('SIGKILL')
  }, silentMs)

  let last: Report | undefined
  for await (const line of createInterface({ input: child.stdout })) {
    last = JSON.parse(line) as Report
    silence.refresh()
    onSeed?.(last.seed)
  }
  const code = await exited
  clearTimeout(silence)
  if (last === undefined) throw new Error(`${plant ?? 'the search without a bug'} did not begin: ${errors}`)
  const { seed, violations } = last
  if (violations !== undefined) return { seed, violation: violations[0] ?? '' }
  if (isSilent) return { seed, violation: 'the run does not end' }
  if (code === unsettled) return { seed, violation: 'the run stands still' }
  if (code !== 0) return { seed, violation: `the run throws: ${thrownIn(errors)}` }
  return undefined
}

/** The line that names the error, out of what Node prints of one that nobody caught. */
const thrownIn = (errors: string): string =>
  /^(?:\w*(?:Error|Violation|Fault)|\w+) ?(?:\[\w+\])?: .*$/m.exec(errors)?.[0] ?? errors.trim().slice(-200)
