// A daemon with many lives: killed with -9 when it is told to, and started anew with the same flags and directory.
//
//   at once    in the midst of whatever it does
//   starting   at once, and its successor again while that one comes up: opening, restoring, or just begun
//   stopping   a while after SIGTERM: in the midst of its graceful stop
//   frozen     after SIGSTOP for a while, asleep or just awoken
import { setTimeout as pause } from 'node:timers/promises'
import { ApiProblem } from '../../src/cli/calls.ts'
import type { Daemon, Site } from '../support/daemon.ts'

export const manners = ['at once', 'starting', 'stopping', 'frozen'] as const
export type Manner = (typeof manners)[number]

/** The state that a kill met it in; `stopped` had come to the end of its graceful stop, and it was no kill. */
type Met = 'running' | 'starting' | 'stopping' | 'stopped' | 'asleep' | 'awoken'

export interface KilledDaemonOptions {
  readonly site: Site
  readonly flags: readonly string[]
  /** Called when it has just died, before it starts anew: what it left behind can be looked at. */
  readonly onDead?: () => Promise<void>
}

/** How long each may take, at most: a daemon comes up, stops, and is asleep in about so many milliseconds. */
const withinMs = { starting: 2_000, stopping: 100, frozen: 2_000, awake: 20, found: 2_000 } as const

export class KilledDaemon {
  readonly #options: KilledDaemonOptions
  #daemon: Promise<Daemon>
  readonly #broken = Promise.withResolvers<never>()
  readonly #met: Record<Met, number> = { running: 0, starting: 0, stopping: 0, stopped: 0, asleep: 0, awoken: 0 }
  #kills = 0
  #slept = 0
  #cutShort = 0

  constructor(options: KilledDaemonOptions) {
    this.#options = options
    this.#daemon = this.#start()
    this.#daemon.catch(this.#broken.reject)
    // Who waits for it, or asks next, is told.
    this.#broken.promise.catch(() => {})
  }

  get kills(): number {
    return this.#kills
  }

  /** How often it slept and came back. */
  get slept(): number {
    return this.#slept
  }

  /** How many met it in which state. */
  get met(): Readonly<Record<Met, number>> {
    return this.#met
  }

  /** Questions whose answer was lost. */
  get callsCutShort(): number {
    return this.#cutShort
  }

  /** The daemon of now, once it is ready. */
  get ready(): Promise<Daemon> {
    return this.#daemon
  }

  /** Rejects when it cannot be started anew: for those who wait for something else meanwhile. */
  get broken(): Promise<never> {
    return this.#broken.promise
  }

  /** kill -9 now, in some manner, and start anew. */
  crash(manner: Manner): Promise<unknown> {
    return this.#next(async (daemon) => {
      this.#met[await this.#bring(daemon, manner)] += 1
      await this.#end(daemon)
      if (manner === 'starting') {
        const next = this.#launch()
        const isReady = next.ready().then(
          () => true,
          () => false,
        )
        await pause(Math.random() * withinMs.starting)
        await this.#end(next)
        this.#met[(await isReady) ? 'running' : 'starting'] += 1
      }
      return this.#start()
    })
  }

  /** SIGSTOP for so long; it goes on by itself, and is ready again. */
  sleep(ms: number): Promise<unknown> {
    return this.#next(async (daemon) => {
      daemon.signal('SIGSTOP')
      await pause(ms)
      daemon.signal('SIGCONT')
      // What it took itself to be while it slept, it finds out within a moment.
      await pause(withinMs.found)
      await daemon.until(async () => ((await daemon.health()).isReady ? true : undefined))
      this.#slept += 1
      return daemon
    })
  }

  #next(step: (daemon: Daemon) => Promise<Daemon>): Promise<Daemon> {
    this.#daemon = this.#daemon.then(step)
    this.#daemon.catch(this.#broken.reject)
    return this.#daemon
  }

  /** Asks until a daemon answers. What a daemon that was not killed says no to is thrown. */
  async ask<Answer>(question: (daemon: Daemon) => Promise<Answer>): Promise<Answer> {
    for (;;) {
      const answer = await this.askOnce(question)
      if (answer !== undefined) return answer.given
    }
  }

  /** undefined: it was killed meanwhile. What a daemon that was not killed says no to is thrown. */
  async askOnce<Answer>(question: (daemon: Daemon) => Promise<Answer>): Promise<{ given: Answer } | undefined> {
    const asked = this.#daemon
    const daemon = await asked
    try {
      return { given: await question(daemon) }
    } catch (error) {
      if (asked === this.#daemon) throw error
      this.#cutShort += 1
      return undefined
    }
  }

  /** The daemon, once every instance has come to its end and nothing is under way any more. */
  async settled(): Promise<Daemon> {
    await this.ask((daemon) =>
      daemon.until(async () => {
        if (!(await daemon.health()).isReady) return undefined
        // While a partition moves nobody can tell for all of them.
        const page = await daemon.client.listInstances({ status: 'EXECUTING', limit: 1 }).catch(unlessNotReady)
        return page?.items.length === 0 && page.next === undefined ? true : undefined
      }),
    )
    return this.#daemon
  }

  /** Brings it into the state in which it is to be killed. */
  async #bring(daemon: Daemon, manner: Manner): Promise<Met> {
    switch (manner) {
      case 'at once':
      case 'starting':
        return 'running'
      case 'stopping':
        daemon.signal('SIGTERM')
        await pause(Math.random() * withinMs.stopping)
        return daemon.isRunning ? 'stopping' : 'stopped'
      case 'frozen':
        daemon.signal('SIGSTOP')
        await pause(Math.random() * withinMs.frozen)
        if (Math.random() < 0.5) return 'asleep'
        daemon.signal('SIGCONT')
        await pause(Math.random() * withinMs.awake)
        return 'awoken'
    }
  }

  async #end(daemon: Daemon): Promise<void> {
    if (daemon.isRunning) this.#kills += 1
    await daemon.kill()
    await this.#options.onDead?.()
  }

  #launch(): Daemon {
    return this.#options.site.launch(...this.#options.flags)
  }

  async #start(): Promise<Daemon> {
    const daemon = this.#launch()
    await daemon.ready()
    return daemon
  }
}

function unlessNotReady(error: unknown): undefined {
  if (!(error instanceof ApiProblem) || error.status !== 503) throw error
}
