// Where one run takes place: a log, a directory and a name that no other run has; all of it goes afterwards.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Log } from '../runtime/ports.ts'

/** What runs take place on. */
export interface Ground {
  /** Of every topic. */
  readonly partitions: number
  /** Aborted: what is under way ends, and cleans up. */
  readonly signal: AbortSignal
  /** Whether instances are told of in the updates' topic. */
  readonly updates?: boolean
  /** The application of the next run: every name that it leaves in a log begins with it. */
  nextApp(): string
  /** Opens a log; what it keeps on this machine lies below the directory. */
  openLog(directory: string, app: string): Promise<Log>
  /** Removes what a run left outside of its directory; the log is closed. */
  clear(app: string): Promise<void>
}

export interface Site {
  readonly log: Log
  readonly app: string
  readonly partitions: number
  readonly signal: AbortSignal
  readonly updates?: boolean
  readonly directory: string
}

/** Runs at a new site. @throws the reason of the ground's signal, once everything is cleaned up */
export async function withSite<T>(ground: Ground, run: (site: Site) => Promise<T>): Promise<T> {
  const { partitions, signal, updates = false } = ground
  signal.throwIfAborted()
  const directory = await mkdtemp(join(tmpdir(), 'dagger-worker-bench-'))
  // The worker's own timers keep no process alive; in a daemon its HTTP server does.
  const alive = setInterval(() => {}, 1_000)
  const app = ground.nextApp()
  try {
    const log = await ground.openLog(join(directory, 'log'), app)
    try {
      return await run({ log, app, partitions, signal, updates, directory })
    } finally {
      await log.close()
      await ground.clear(app)
    }
  } finally {
    clearInterval(alive)
    await rm(directory, { recursive: true, force: true })
  }
}

/** What the promise gives, unless the signal is aborted before: for what may wait for a cluster that is away. */
export async function unlessAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  const aborted = Promise.withResolvers<never>()
  const abort = (): void => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort)
  if (signal.aborted) abort()
  try {
    return await Promise.race([promise, aborted.promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
