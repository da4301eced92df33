// A simulated world: one broker, one group, machines with disks, and processes that run on them. It gives each process
// its ports; what a process does with them, and what is checked afterwards, is the workload's.
//
//   const world = createWorld({ seed: 7, partitions: 3, faults: roughNetwork })
//   const node = world.start('w1')                 // hand node.log, node.membership, … to a worker
//   await world.scheduler.runUntil(() => done, 100_000)
//   world.crash('w1', { loseBatches: 2 })          // and world.start('w1') again
//   world.heal()
//
//   S5. A member that the group has not heard of for longer than the session timeout is expelled: dead, paused, cut off,
//       or joined by a request that arrived after its death.
//   S6. What lasts for a while ends by itself, or when the world heals.
import { assert } from '../../src/base/assert.ts'
import type { MemoryBroker } from '../../src/adapters/memory/broker.ts'
import { MemoryDisk } from '../../src/adapters/memory/disk.ts'
import { seededIds } from '../../src/adapters/memory/ids.ts'
import { createMemoryLog } from '../../src/adapters/memory/log.ts'
import { MemoryCoordinator, createMemoryMembership } from '../../src/adapters/memory/membership.ts'
import { openMemoryStore } from '../../src/adapters/memory/store.ts'
import type { Clock, Ids, Log, Membership, OpenStore } from '../../src/runtime/ports.ts'
import { Cluster } from './cluster.ts'
import { Conduct } from './conduct.ts'
import { noFaults } from './faults.ts'
import type { FaultPlan } from './faults.ts'
import { MachineClock } from './machine-clock.ts'
import type { Outage } from './outages.ts'
import type { SimulatedProcess } from './process.ts'
import { Scheduler } from './scheduler.ts'

const heartbeatMs = 3_000
const sessionTimeoutMs = 10_000

export interface WorldOptions {
  readonly seed: number | string
  /** Partitions of the group. */
  readonly partitions: number
  readonly standbys?: number
  /** Of every process's network; a function is asked for the plan of each request anew. */
  readonly faults?: FaultPlan | (() => FaultPlan)
  /** Kills the process whose request reaches one of these points (wire.ts, S3). */
  readonly crashPoints?: readonly number[]
  /** Told before a process starts: the machine's disk is still as the one before left it. */
  readonly onStart?: (name: string) => void
}

/** A process and the ports it is given. */
export interface WorldNode {
  readonly name: string
  readonly process: SimulatedProcess
  readonly log: Log
  readonly membership: Membership
  readonly openStore: OpenStore
  readonly clock: Clock
  readonly ids: Ids
  /** What the process does with its ports; for checkers. */
  readonly conduct: Conduct
}

export class World {
  readonly scheduler: Scheduler
  readonly cluster: Cluster
  readonly coordinator: MemoryCoordinator
  /** Producers of partitions that somebody opened with no right to it (conduct.ts), in words. */
  readonly trespasses: string[] = []
  readonly #faults: FaultPlan | (() => FaultPlan)
  readonly #onStart: ((name: string) => void) | undefined
  readonly #disks = new Map<string, MemoryDisk>()
  readonly #nodes = new Map<string, WorldNode>()
  readonly #backups = new Map<string, MemoryDisk>()
  readonly #clocks = new Map<string, MachineClock>()
  /** Ends of what lasts for a while. */
  readonly #endings = new Set<() => void>()
  #starts = 0

  constructor({ seed, partitions, standbys = 0, faults = noFaults, crashPoints = [], onStart }: WorldOptions) {
    this.scheduler = new Scheduler(seed, { crashPoints })
    this.#faults = faults
    this.#onStart = onStart
    const { clock } = this.scheduler
    this.cluster = new Cluster(this.scheduler, () => (this.scheduler.isHealed ? 0 : planOf(faults).markerDelayMsMax))
    this.coordinator = new MemoryCoordinator({ partitions, standbys, nowMs: () => clock.elapsedMs })
    this.#checkSessions()
  }

  get broker(): MemoryBroker {
    return this.cluster.broker
  }

  /** Starts a process on the machine of that name, with what is on its disk. */
  start(name: string): WorldNode {
    assert(this.#nodes.get(name)?.process.isAlive() !== true, `${name} runs already`)
    this.#onStart?.(name)
    const { scheduler } = this
    const disk = this.disk(name)
    disk.claim()
    const process = scheduler.spawn(name)
    const pace = scheduler.paceFor(process, this.#faults, this.cluster.outages)
    const localPace = scheduler.localPaceFor(process)
    const machineClock = this.clock(name)
    const clock = scheduler.clockFor(process, () => machineClock.errorMs)
    const ids = scheduler.random.stream(`ids ${name} ${this.#starts++}`)
    const membership = createMemoryMembership(this.coordinator, name, pace)
    const conduct = new Conduct((partition) =>
      this.trespasses.push(`${name} opened the producer of partition ${partition} at ${scheduler.clock.nowMs()}`),
    )
    const node: WorldNode = {
      name,
      process,
      ...conduct.watch({
        log: createMemoryLog(this.broker, { pace, nowMs: () => clock.nowMs() }),
        membership,
        openStore: (partition) => openMemoryStore(disk, partition, localPace),
      }),
      conduct,
      clock,
      ids: seededIds(
        () => ids.next(),
        () => clock.nowMs(),
      ),
    }
    this.#nodes.set(name, node)
    const beat = () => {
      void membership.heartbeat()
      clock.after(heartbeatMs, beat)
    }
    clock.after(heartbeatMs, beat)
    process.onCrash(() => disk.crash())
    return node
  }

  /** kill -9; with `loseBatches` the machine goes down too and each of its stores loses that many unsynced batches. */
  crash(name: string, options: { loseBatches?: number | ((partition: number) => number) } = {}): void {
    this.expectNode(name).process.crash()
    this.disk(name).crash(options.loseBatches ?? 0)
  }

  /** SIGSTOP: what is on the wire goes on without it. It goes on after `forMs`, where given. */
  pause(name: string, forMs?: number): void {
    const { process } = this.expectNode(name)
    this.scheduler.note(`${name} is paused`)
    process.pause()
    if (forMs !== undefined) this.during(forMs, () => this.#goOn(name, process))
  }

  resume(name: string): void {
    this.#goOn(name, this.expectNode(name).process)
  }

  /** Ends a member's session at once; it finds out by its next heartbeat. */
  expel(name: string): void {
    this.scheduler.note(`${name} is expelled`)
    this.coordinator.expire(name)
  }

  /** Moves the date of one machine by `ms`. */
  jumpClock(name: string, ms: number): void {
    this.scheduler.note(`${name} clock jumps by ${ms}`)
    this.clock(name).jump(ms)
  }

  /** The clock of one machine stands still (0) or is fast (2) for `forMs`, and keeps what it gained or lost. */
  runClock(name: string, rate: number, forMs: number): void {
    this.scheduler.note(`${name} clock runs at rate ${rate} for ${forMs} ms`)
    this.clock(name).run(rate)
    this.during(forMs, () => this.clock(name).run(1))
  }

  /** Copies the disk of a machine as it is. */
  backUp(name: string): void {
    this.scheduler.note(`${name} is backed up`)
    this.#backups.set(name, this.disk(name).copy())
  }

  /** The machine dies and finds the disk of its last backup, where there is one. */
  putBack(name: string): void {
    this.crash(name)
    const backup = this.#backups.get(name)
    if (backup === undefined) return
    this.scheduler.note(`${name} has the disk of its backup`)
    this.disk(name).putBack(backup)
  }

  /** Something is out of order for `forMs`. */
  breakFor(forMs: number, outage: Outage): void {
    this.scheduler.note(`for ${forMs} ms: ${JSON.stringify(outage)}`)
    const end = this.cluster.outages.begin(outage)
    this.during(forMs, () => {
      end()
      if (outage.what === 'leaderless') this.cluster.elect(outage.place)
    })
  }

  /** Calls `end` once after `forMs`, or when the world heals (S6). */
  during(forMs: number, end: () => void): void {
    const ending = () => {
      if (this.#endings.delete(ending)) end()
    }
    this.#endings.add(ending)
    this.scheduler.clock.after(forMs, ending)
  }

  /**
   * The faults end, whoever is paused goes on, and all clocks are right: the date is the latest that any machine has
   * shown, so that nothing is due in a future that only a broken clock has seen. The dead stay dead.
   */
  heal(): void {
    this.scheduler.heal()
    for (const end of this.#endings) end()
    for (const { name, process } of this.#nodes.values()) this.#goOn(name, process)
    const { clock } = this.scheduler
    const latestMs = Math.max(clock.nowMs(), ...[...this.#clocks.values()].map((one) => one.latestMs))
    clock.jump(latestMs - clock.nowMs())
    for (const one of this.#clocks.values()) one.setRight()
  }

  /** The latest process of each name, dead or alive, in the order of first starts. */
  nodes(): readonly WorldNode[] {
    return [...this.#nodes.values()]
  }

  isAlive(name: string): boolean {
    return this.#nodes.get(name)?.process.isAlive() === true
  }

  expectNode(name: string): WorldNode {
    const node = this.#nodes.get(name)
    assert(node !== undefined, `${name} was never started`)
    return node
  }

  /** The disk of a machine: for faults and checkers. */
  disk(name: string): MemoryDisk {
    const disk = this.#disks.get(name) ?? new MemoryDisk()
    this.#disks.set(name, disk)
    return disk
  }

  /** The clock of a machine: for faults and checkers. */
  clock(name: string): MachineClock {
    const clock = this.#clocks.get(name) ?? new MachineClock(this.scheduler.clock)
    this.#clocks.set(name, clock)
    return clock
  }

  #goOn(name: string, process: SimulatedProcess): void {
    if (!process.isPaused()) return
    this.scheduler.note(`${name} goes on`)
    process.resume()
  }

  /** S5 */
  #checkSessions(): void {
    for (const name of this.coordinator.silentFor(sessionTimeoutMs)) this.expel(name)
    this.scheduler.clock.after(heartbeatMs, () => this.#checkSessions())
  }
}

const planOf = (faults: FaultPlan | (() => FaultPlan)): FaultPlan => (typeof faults === 'function' ? faults() : faults)

/** A world with no topics and no processes yet; equal options and an equal workload give an equal trace. */
export function createWorld(options: WorldOptions): World {
  return new World(options)
}
