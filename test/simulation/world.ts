// A simulated world: one broker, one group, machines with disks, and processes that run on them. It gives each process
// its ports; what a process does with them, and what is checked afterwards, is the workload's.
//
//   const world = createWorld({ seed: 7, partitions: 3, faults: roughNetwork })
//   const node = world.start('w1')                 // hand node.log, node.membership, … to a worker
//   await world.scheduler.runUntil(() => done, 100_000)
//   world.crash('w1', { loseBatches: 2 })          // and world.start('w1') again
//   world.heal()
//
//   S5. A process that is dead or paused for longer than the session timeout is expelled from the group, as is one that
//       joined by a request that arrived after its death.
import { assert } from '../../src/base/assert.ts'
import { MemoryBroker } from '../../src/adapters/memory/broker.ts'
import { MemoryDisk } from '../../src/adapters/memory/disk.ts'
import { seededIds } from '../../src/adapters/memory/ids.ts'
import { createMemoryLog } from '../../src/adapters/memory/log.ts'
import { MemoryCoordinator, createMemoryMembership } from '../../src/adapters/memory/membership.ts'
import { openMemoryStore } from '../../src/adapters/memory/store.ts'
import type { Clock, Ids, Log, Membership, OpenStore } from '../../src/runtime/ports.ts'
import { noFaults } from './faults.ts'
import type { FaultPlan } from './faults.ts'
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
}

export class World {
  readonly scheduler: Scheduler
  readonly broker: MemoryBroker
  readonly coordinator: MemoryCoordinator
  readonly #faults: FaultPlan | (() => FaultPlan)
  readonly #disks = new Map<string, MemoryDisk>()
  readonly #nodes = new Map<string, WorldNode>()
  readonly #skewsMs = new Map<string, number>()
  /** Since when a machine's process sends no heartbeats. */
  readonly #silentSinceMs = new Map<string, number>()
  #starts = 0

  constructor({ seed, partitions, standbys = 0, faults = noFaults, crashPoints = [] }: WorldOptions) {
    this.scheduler = new Scheduler(seed, { crashPoints })
    this.#faults = faults
    this.coordinator = new MemoryCoordinator({ partitions, standbys })
    this.broker = new MemoryBroker({
      // Markers reach each partition on their own, after the coordinator has said that all is committed.
      scheduleMarker: (partition, write) => this.scheduler.enqueue(`broker marks ${partition}`, write),
    })
    this.#checkSessions()
  }

  /** Starts a process on the machine of that name, with what is on its disk. */
  start(name: string): WorldNode {
    assert(this.#nodes.get(name)?.process.isAlive() !== true, `${name} runs already`)
    const { scheduler } = this
    const process = scheduler.spawn(name)
    const pace = scheduler.paceFor(process, this.#faults)
    const localPace = scheduler.localPaceFor(process)
    const disk = this.disk(name)
    const clock = scheduler.clockFor(process, () => this.#skewsMs.get(name) ?? 0)
    const ids = scheduler.random.stream(`ids ${name} ${this.#starts++}`)
    const membership = createMemoryMembership(this.coordinator, name, pace)
    const node: WorldNode = {
      name,
      process,
      log: createMemoryLog(this.broker, { pace, nowMs: () => clock.nowMs() }),
      membership,
      openStore: (partition) => openMemoryStore(disk, partition, localPace),
      clock,
      ids: seededIds(
        () => ids.next(),
        () => clock.nowMs(),
      ),
    }
    this.#nodes.set(name, node)
    this.#silentSinceMs.delete(name)
    const beat = () => {
      void membership.heartbeat()
      clock.after(heartbeatMs, beat)
    }
    clock.after(heartbeatMs, beat)
    process.onCrash(() => {
      disk.crash()
      this.#silentSinceMs.set(name, scheduler.clock.nowMs())
    })
    return node
  }

  /** kill -9; with `loseBatches` the machine goes down too and each of its stores loses that many unsynced batches. */
  crash(name: string, options: { loseBatches?: number } = {}): void {
    this.expectNode(name).process.crash()
    this.disk(name).crash(options.loseBatches ?? 0)
  }

  /** SIGSTOP: what is on the wire goes on without it. */
  pause(name: string): void {
    const node = this.expectNode(name)
    this.scheduler.note(`${name} is paused`)
    node.process.pause()
    this.#silentSinceMs.set(name, this.scheduler.clock.nowMs())
  }

  resume(name: string): void {
    const { process } = this.expectNode(name)
    if (!process.isPaused()) return
    this.scheduler.note(`${name} goes on`)
    process.resume()
    this.#silentSinceMs.delete(name)
  }

  /** Ends a member's session at once; it finds out by its next heartbeat. */
  expel(name: string): void {
    this.scheduler.note(`${name} is expelled`)
    this.coordinator.expire(name)
  }

  /** Moves the date of one machine by `ms`. */
  jumpClock(name: string, ms: number): void {
    this.scheduler.note(`${name} clock jumps by ${ms}`)
    this.#skewsMs.set(name, (this.#skewsMs.get(name) ?? 0) + ms)
  }

  /** The faults end, clocks are set right and whoever is paused goes on; the dead stay dead. */
  heal(): void {
    this.scheduler.heal()
    this.#skewsMs.clear()
    for (const { name, process } of this.#nodes.values()) if (process.isPaused()) this.resume(name)
  }

  /** The latest process of each name, dead or alive, in the order of first starts. */
  nodes(): readonly WorldNode[] {
    return [...this.#nodes.values()]
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

  /** S5 */
  #checkSessions(): void {
    const nowMs = this.scheduler.clock.nowMs()
    for (const name of this.coordinator.members()) {
      if (nowMs - (this.#silentSinceMs.get(name) ?? nowMs) >= sessionTimeoutMs) this.expel(name)
    }
    this.scheduler.clock.after(heartbeatMs, () => this.#checkSessions())
  }
}

/** A world with no topics and no processes yet; equal options and an equal workload give an equal trace. */
export function createWorld(options: WorldOptions): World {
  return new World(options)
}
