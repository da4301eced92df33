// waiting: what one event costs while very many instances wait, what memory they take, and how long a worker takes to
// start among them. Each size runs in a process of its own (waiting-process.ts), so that its memory is its own.
//
//   listener   instances that wait for a record; then 10,000 of them get theirs
//   timer      the same, each with a timeout of a day: as many timers
//   crowd      all wait for one value, and each record is for the one that waits longest
//   kept       records that came before anybody wanted them; then 10,000 instances begin that want one
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { median, numberText, type Figure, type Goal } from '../figures.ts'

export const waitingKinds = ['listener', 'timer', 'crowd', 'kept'] as const
export type WaitingKind = (typeof waitingKinds)[number]

export interface Waiting {
  /** Of the main thread. */
  readonly microsecondsPerEvent: number
  readonly residentMiB: number
  /** A worker that begins among them, until it is ready. */
  readonly startSeconds: number
}

/** Few enough to be in memory, whatever a worker keeps there. */
const few = 1_000
/** More are not kept, and would take long to come to one partition. */
const most: { readonly [Kind in WaitingKind]?: number } = { crowd: 100_000, kept: 100_000 }

/** What an event costs among many against among few, for each kind. @param many instances that wait */
export async function measureWaiting(
  many: number,
  goals: { readonly waitingMemory: Goal; readonly waitingEvent: Goal },
  tell: (line: string) => void,
): Promise<readonly Figure[]> {
  const figures: Figure[] = []
  for (const kind of waitingKinds) {
    const count = Math.min(many, most[kind] ?? many)
    const small = await runWaiting(kind, few)
    const large = await runWaiting(kind, count)
    const what = `${numberText(count)} that wait (${kind})`
    tell(`${what}: ${JSON.stringify({ small, large })}`)
    const ratio = large.microsecondsPerEvent / small.microsecondsPerEvent
    // Nobody has set one for a crowd.
    const goal = kind === 'crowd' ? undefined : goals.waitingEvent
    figures.push(
      median(`an event among ${numberText(few)} (${kind})`, 'µs/event', [small.microsecondsPerEvent]),
      median(`an event among ${numberText(count)} against that (${kind})`, 'times', [ratio], goal),
      median(`${what}: memory`, 'MiB', [large.residentMiB], goals.waitingMemory),
      median(`${what}: start of a worker`, 's', [large.startSeconds]),
    )
  }
  return figures
}

/** Has `count` of them wait, on the embedded log: a store on Kafka is read as this one is. */
function runWaiting(kind: WaitingKind, count: number): Promise<Waiting> {
  const script = join(import.meta.dirname, 'waiting-process.ts')
  const child = spawn(process.execPath, [script, kind, String(count)], { stdio: ['ignore', 'pipe', 'inherit'] })
  return new Promise((resolve, reject) => {
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) resolve(JSON.parse(text))
      else reject(new Error(`${count} of ${kind}: its process ended with ${code}`))
    })
  })
}
