// A daemon with many lives: killed with -9 when it is told to, and started anew with the same flags and directory.
import type { Daemon, Site } from '../support/daemon.ts'

export interface KilledDaemonOptions {
  readonly site: Site
  readonly flags: readonly string[]
  /** Called when it has just died, before it starts anew: what it left behind can be looked at. */
  readonly onDead?: () => Promise<void>
}

export class KilledDaemon {
  readonly #options: KilledDaemonOptions
  #daemon: Promise<Daemon>
  readonly #broken = Promise.withResolvers<never>()
  #kills = 0
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

  /** kill -9 now, and start anew. @param again kill the new one too, after so many milliseconds, which may be before it is ready */
  crash(again?: number): void {
    this.#daemon = this.#daemon.then(async (daemon) => {
      await this.#end(daemon)
      if (again !== undefined) {
        const next = this.#launch()
        await new Promise((resolve) => setTimeout(resolve, again))
        await this.#end(next)
      }
      return this.#start()
    })
    this.#daemon.catch(this.#broken.reject)
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
        const { items, next } = await daemon.client.listInstances({ status: 'EXECUTING', limit: 1 })
        return items.length === 0 && next === undefined ? true : undefined
      }),
    )
    return this.#daemon
  }

  async #end(daemon: Daemon): Promise<void> {
    this.#kills += 1
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
