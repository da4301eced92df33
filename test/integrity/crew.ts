// The workers of one application on Kafka, and what happens to them: killed in every manner, put to sleep for longer than
// the group and the broker wait, joined and left by guests. Each has a data directory of its own, and what a worker leaves
// behind when it dies is kept to be looked at.
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import type { Daemon, Site } from '../support/daemon.ts'
import { storesIn, type StoredState } from './kafka-evidence.ts'
import { KilledDaemon, manners, type Manner } from './killed-daemon.ts'

export interface CrewOptions {
  readonly site: Site
  readonly app: string
  readonly flags: readonly string[]
  readonly workers: number
}

export class Crew {
  readonly stores: StoredState[] = []
  readonly #options: CrewOptions
  readonly #members: readonly KilledDaemon[]
  /** Guests come one after the other. */
  #guesting: Promise<void> = Promise.resolve()
  #guests = 0
  #copies = 0
  #pending = 0

  constructor(options: CrewOptions) {
    this.#options = options
    const { site, flags, workers } = options
    this.#members = Array.from({ length: workers }, (_, number) => {
      const data = `data-${number}`
      return new KilledDaemon({ site, flags: [...flags, '--data', data], onDead: () => this.#keep(data) })
    })
  }

  /** All of them, once they are ready. */
  ready(): Promise<readonly Daemon[]> {
    return Promise.all(this.#members.map((member) => member.ready))
  }

  /** Rejects when one cannot be started anew. */
  get broken(): Promise<never> {
    return Promise.race(this.#members.map((member) => member.broken))
  }

  /** What happens to them now and is not over. */
  get pending(): number {
    return this.#pending
  }

  get kills(): number {
    return this.#members.reduce((sum, { kills }) => sum + kills, 0)
  }

  get slept(): number {
    return this.#members.reduce((sum, { slept }) => sum + slept, 0)
  }

  /** Joins and leaves of guests. */
  get guestChanges(): number {
    return this.#guests
  }

  /** kill -9 of the next one, in the next manner. */
  kill(index: number): void {
    const manner: Manner = manners[Math.floor(index / this.#members.length) % manners.length]!
    this.#during(this.#member(index).crash(manner))
  }

  /** Stops the next one for so long, and waits until it is back by itself. */
  sleep(index: number, ms: number): void {
    this.#during(this.#member(index).sleep(ms))
  }

  /** Another worker joins, and leaves once it is ready. */
  invite(): void {
    const { site, flags } = this.#options
    this.#guesting = this.#guesting.then(async () => {
      const guest = await site.start(...flags, '--data', 'data-guest')
      this.#guests += 1
      await guest.stop()
      this.#guests += 1
      await this.#keep('data-guest')
    })
    this.#during(this.#guesting)
  }

  /** Everything that happens to them is over, and nothing is under way in them any more. */
  async settled(): Promise<void> {
    await this.#guesting
    await this.ready()
    await this.#members[0]!.settled()
  }

  /** Stops them; gives the stores that they leave, and the sums of their counters. */
  async stop(): Promise<{ readonly stores: readonly StoredState[]; readonly counters: ReadonlyMap<string, number> }> {
    const counters = new Map<string, number>()
    const daemons = await this.ready()
    for (const daemon of daemons)
      for (const [name, value] of Object.entries((await daemon.health()).counters))
        counters.set(name, (counters.get(name) ?? 0) + value)
    await Promise.all(daemons.map((daemon) => daemon.stop()))
    const { site, app } = this.#options
    const stores = await Promise.all(daemons.map((_, number) => storesIn(join(site.directory, `data-${number}`), app)))
    return { stores: stores.flat(), counters }
  }

  #member(index: number): KilledDaemon {
    return this.#members[index % this.#members.length]!
  }

  #during(strike: Promise<unknown>): void {
    this.#pending += 1
    // Whoever waits for the crew is told of what fails.
    strike.catch(() => {}).finally(() => (this.#pending -= 1))
  }

  async #keep(data: string): Promise<void> {
    const { site, app } = this.#options
    const copy = join(site.directory, 'copies', String(this.#copies++))
    cpSync(join(site.directory, data), copy, { recursive: true })
    this.stores.push(...(await storesIn(copy, app)))
  }
}
