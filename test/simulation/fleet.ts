// The workers of a run: which machine runs one, and of which release. Processes come and go; what their workers counted
// is kept.
//
//   off ──start──▶ starting ──▶ running ──leave──▶ stopping ──▶ off            any ──death──▶ off
import { limits } from '../../src/base/limits.ts'
import { silentLogger } from '../../src/base/logger.ts'
import { ConfigError } from '../../src/base/errors.ts'
import { Worker } from '../../src/runtime/worker.ts'
import { simulatedHandlers, type Journal } from './handlers.ts'
import type { Files } from './programs/compile.ts'
import type { World } from './world.ts'

export interface FleetOptions {
  readonly app: string
  readonly partitions: number
  readonly updates: boolean
  /** The oldest first; a machine begins with the first and keeps the one that it was upgraded to. */
  readonly releases: readonly Files[]
  readonly journal: Journal
}

/** A worker that has not stopped so long after it was asked to is killed. */
const graceMs = 30_000

export class Fleet {
  /** What all workers counted, by counter; complete once `retire` was called. */
  readonly counters = new Map<string, number>()
  readonly #world: World
  readonly #options: FleetOptions
  readonly #workers = new Map<string, Worker>()
  readonly #releases = new Map<string, number>()

  constructor(world: World, options: FleetOptions) {
    this.#world = world
    this.#options = options
  }

  /** The workers that run, by machine: those that have started, and are not dead. */
  get running(): ReadonlyMap<string, Worker> {
    return new Map([...this.#workers].filter(([name]) => this.#world.isAlive(name)))
  }

  /** Starts a worker on a machine that has none. */
  start(name: string): void {
    this.retire(name)
    const release = this.#options.releases[this.#releases.get(name) ?? 0]
    if (release === undefined) throw new Error(`there is no release ${this.#releases.get(name)}`)
    void this.#launch(name, release).then((worker) => this.#workers.set(name, worker))
  }

  /** Starts all machines of these that are dead; those that were never started are left alone. */
  startTheDead(names: readonly string[]): void {
    for (const name of names) if (this.isDead(name)) this.start(name)
  }

  isDead(name: string): boolean {
    return this.#world.nodes().some((node) => node.name === name && !node.process.isAlive())
  }

  /** SIGTERM: the worker finishes what is under way and leaves the group, then its process ends and maybe another begins. */
  leave(name: string, returns: boolean): void {
    const { scheduler } = this.#world
    const worker = this.running.get(name)
    const { process } = this.#world.expectNode(name)
    if (!process.isAlive()) return
    scheduler.note(`${name} is asked to stop`)
    // One that is still starting has nothing to finish.
    if (worker === undefined) return process.crash()
    const cancel = scheduler.clock.after(graceMs, () => process.crash())
    void worker.stop().then(() => {
      cancel()
      process.crash()
      if (returns) scheduler.enqueue(`${name} returns`, () => this.startTheDead([name]))
    })
  }

  /** Somebody starts another worker on a machine that has one. @throws unless that is refused */
  startSecond(name: string): void {
    this.#world.scheduler.note(`${name} is started a second time`)
    try {
      this.#world.disk(name).claim()
    } catch (error) {
      if (error instanceof ConfigError && error.problems[0]?.code === 'DW_DATA_IN_USE') return
      throw error
    }
    throw new Error(`two workers use the data directory of ${name}`)
  }

  /** The next start of this machine is of the latest release. */
  upgrade(name: string): void {
    this.#releases.set(name, this.#options.releases.length - 1)
  }

  /** Takes the worker of a machine out of the books; what it counted stays. */
  retire(name: string): void {
    const counted = this.#workers.get(name)?.view().counters ?? {}
    for (const [counter, by] of Object.entries(counted))
      this.counters.set(counter, (this.counters.get(counter) ?? 0) + by)
    this.#workers.delete(name)
  }

  async #launch(name: string, release: Files): Promise<Worker> {
    const { app, partitions, updates, journal } = this.#options
    const { scheduler } = this.#world
    const node = this.#world.start(name)
    const worker = await Worker.start({
      app,
      partitions,
      workerId: name,
      logKind: 'memory',
      log: node.log,
      membership: node.membership,
      openStore: node.openStore,
      clock: node.clock,
      ids: node.ids,
      ...simulatedHandlers({
        clock: node.clock,
        random: scheduler.random.stream('handlers'),
        journal,
        onFault: (kind) => scheduler.countFault(kind),
      }),
      // Of some workers, next to nothing: rows are read from the store again, and beforehand.
      cachedBytesMax: scheduler.random.stream('memory').chance(0.4) ? 40_000 : limits.cachedBytesMax,
      handlersMax: 4,
      threadsMax: 2,
      secrets: { read: () => '' },
      logger: silentLogger,
      partitionsOf: () => 4,
      createsTopics: true,
      updates,
      refreshEveryMs: 20_000,
    })
    await worker.publish({ source: app, files: release })
    return worker
  }
}
