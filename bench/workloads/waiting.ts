// waiting: what one event costs while very many instances wait, what memory they take, and how long a worker takes to
// start among them. Each size runs in a process of its own (waiting-process.ts), so that its memory is its own.
//
//   listener   instances that wait for a record; then 10,000 of them get theirs
//   timer      the same, each with a timeout of a day: as many timers
//   kept       records that came before anybody wanted them; then 10,000 instances begin that want one
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { LogName } from '../logs.ts'

export const waitingKinds = ['listener', 'timer', 'kept'] as const
export type WaitingKind = (typeof waitingKinds)[number]

export interface Waiting {
  /** Of the main thread. */
  readonly microsecondsPerEvent: number
  readonly residentMiB: number
  /** A worker that begins among them, until it is ready. */
  readonly startSeconds: number
}

/** Has `count` of them wait. Logs of Kafka are left out: a store there is read as this one is. */
export function runWaiting(kind: WaitingKind, count: number, log: LogName = 'embedded'): Promise<Waiting> {
  const script = join(import.meta.dirname, 'waiting-process.ts')
  const child = spawn(process.execPath, [script, kind, String(count), log], { stdio: ['ignore', 'pipe', 'inherit'] })
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
