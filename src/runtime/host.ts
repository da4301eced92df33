// One partition in one worker, through all its incarnations: owner, standby, or neither. What the group says is wanted;
// what a fault means is looked up in faults.ts and done here.
//
//   none ──owner──▶ Partition (open, run) ──fault──▶ cure ──▶ a new Partition, or stopped, or none
//     └──standby──▶ Standby (follows the changelog) ──owner──▶ the same store, with next to nothing to restore
import type { Fault } from '../base/errors.ts'
import type { OwnCommand } from './batch.ts'
import type { Executor } from './executor.ts'
import { cureOf, faultOf, reasonOf } from './faults.ts'
import { Partition } from './partition.ts'
import type { PartitionOptions } from './partition-options.ts'
import type { Metrics } from './metrics/metrics.ts'
import type { Behind, Membership, OpenStore, Store, TopicInfo } from './ports.ts'
import { startingPoint, type RestoreProgress } from './restore.ts'
import { Standby } from './standby.ts'
import { Bell } from './wake.ts'
import { watched, type WatchedStore } from './watched-store.ts'

export type Role = 'owner' | 'standby' | 'none'

export interface HostOptions extends Omit<PartitionOptions, 'store' | 'own'> {
  readonly openStore: OpenStore
  /** Whether there is a store of the partition, left by an earlier worker. */
  readonly hasStore?: (partition: number) => boolean
  readonly membership: Membership
  readonly executor: Executor
  readonly metrics: Metrics
}

/** Between tries: grows to ten seconds, and starts over once an incarnation has committed something. */
const backoffMs = { first: 100, max: 10_000 } as const

export class PartitionHost {
  /** Commands of this worker that wait for the partition. */
  readonly own: OwnCommand[] = []
  readonly #options: HostOptions
  readonly #bell = new Bell()
  #wanted: Role = 'none'
  #store: Promise<Store> | undefined
  #opened: WatchedStore | undefined
  #current: Partition | undefined
  #standby: Standby | undefined
  #runner: Promise<void> | undefined
  #hasEnded = false
  #isClosing = false
  #tries = 0
  #stoppedBecause: string | undefined
  #trouble: string | undefined

  constructor(options: HostOptions) {
    this.#options = options
  }

  /** The incarnation that runs now: its committed rows can be asked. */
  get running(): Partition | undefined {
    const phase = this.#current?.phase
    return phase === 'running' || phase === 'draining' ? this.#current : undefined
  }

  get role(): Role {
    return this.#wanted
  }

  get phase(): Partition['phase'] | 'stopped' {
    if (this.#stoppedBecause !== undefined) return 'stopped'
    return this.#current?.phase ?? 'created'
  }

  /** Why it does not run, or does not read everything that it should, in words. */
  get reason(): string | undefined {
    return this.#stoppedBecause ?? this.#trouble ?? this.#current?.sources.trouble
  }

  get restoring(): RestoreProgress | undefined {
    return this.phase === 'restoring' ? this.#current?.restoring : undefined
  }

  /** Up to where its store stands in the changelog; undefined while there is none. */
  get position(): number | undefined {
    return this.#opened?.position?.offset
  }

  /** How far its warm copy here is behind, where there is one and that is known. */
  get copyBehind(): Behind | undefined {
    return this.#standby?.behind
  }

  /** Why it will not go on by itself, which only a bug of ours or a disk that hangs can be; undefined: it does. */
  get stuck(): string | undefined {
    return this.#hasEnded ? 'its loop has ended' : this.#opened?.stuck()
  }

  /** Takes a command of this worker, decided with the next batch. */
  submit(command: OwnCommand): void {
    this.own.push(command)
    this.#current?.ring()
  }

  /** What the group wants from now on. */
  become(role: Role): void {
    if (role === this.#wanted && this.#runner !== undefined) return
    this.#wanted = role
    if (role !== 'owner') this.#current?.drain()
    this.#bell.ring()
    this.#runner ??= this.#live().catch((error: unknown) => this.#end(error))
  }

  async refreshSources(): Promise<void> {
    await this.running?.refreshSources()
  }

  /** No fault but a bug of ours gets here. */
  #end(error: unknown): void {
    const { logger, partition } = this.#options
    this.#hasEnded = true
    logger.error(
      { partition, err: error },
      `partition ${partition}: its loop has ended, which is a bug in dagger-worker`,
    )
  }

  /** Finishes what is under way and closes the store. */
  async close(): Promise<void> {
    this.#isClosing = true
    this.become('none')
    this.#bell.ring() // it may be none already, and wait for another role
    await this.#runner
    const store = this.#store
    this.#store = undefined
    this.#opened = undefined
    await (await store)?.close()
  }

  /**
   * How many records of the changelog its copy here lacks: all of them where there is none that can be used.
   * @throws {TransientFault}
   */
  async lacks(changelog: TopicInfo): Promise<number> {
    if (this.running !== undefined) return 0
    const { log, clock, partition, hasStore } = this.#options
    const offsets = await log.offsets(changelog.name, partition)
    try {
      const isThere = !this.#isClosing && (this.#store !== undefined || hasStore?.(partition) === true)
      const store = isThere ? await this.#openStore() : undefined
      const from = store && startingPoint(store, changelog, offsets, `${changelog.name}/${partition}`, clock)
      return offsets.end - (from ?? offsets.earliest)
    } catch {
      // What is wrong with it is told when it is wanted.
      return offsets.end - offsets.earliest
    }
  }

  /** Kept open from then on, for a quick return. */
  #openStore(): Promise<Store> {
    const { partition, openStore, log, clock, topics } = this.#options
    const open = async (): Promise<Store> => {
      const store = (await log.openStoreOf?.(topics.changelog, partition)) ?? (await openStore(partition))
      return (this.#opened = watched(store, clock))
    }
    const opening = (this.#store ??= open())
    opening.catch(() => {
      if (this.#store === opening) this.#store = undefined
    })
    return opening
  }

  async #live(): Promise<void> {
    while (!this.#isClosing) {
      switch (this.#wanted) {
        case 'owner':
          await this.#beOwner()
          break
        case 'standby':
          await this.#beStandby()
          break
        case 'none':
          await this.#bell.heard()
          break
      }
    }
  }

  async #beOwner(): Promise<void> {
    const { partition, logger } = this.#options
    let current: Partition | undefined
    try {
      const store = await this.#openStore()
      // Somebody else's meanwhile: to open it now would fence them.
      if (this.#wanted !== 'owner') return
      current = new Partition({ ...this.#options, store, own: this.own })
      this.#current = current
      const { metrics } = this.#options
      const beganMs = metrics.nowMs()
      await current.open()
      metrics.histogram('restoreSeconds').record((metrics.nowMs() - beganMs) / 1_000)
      this.#trouble = undefined
      logger.debug({ partition }, 'running')
      if (this.#wanted === 'owner') await current.run()
      this.#tries = 0
      await current.close()
    } catch (error) {
      // What had got somewhere starts its backoff over.
      if (current?.hasCommitted === true) this.#tries = 0
      await current?.close()
      await this.#cure(error)
    } finally {
      this.#current = undefined
      if (this.#wanted !== 'owner') this.#letGo()
    }
  }

  async #beStandby(): Promise<void> {
    const { partition, log, clock, topics } = this.#options
    try {
      const store = await this.#openStore()
      const standby = await Standby.open({ log, store, clock, topic: topics.changelog, partition })
      this.#standby = standby
      try {
        await Promise.race([standby.finished, this.#bell.heard()])
      } finally {
        this.#standby = undefined
        await standby.stop()
      }
    } catch (error) {
      await this.#cure(error)
    }
  }

  async #cure(error: unknown): Promise<void> {
    const { partition, logger, membership, metrics } = this.#options
    const fault = faultOf(error)
    metrics.count('partitionFaults', fault.kind).value += 1
    const cure = cureOf(fault)
    const reason = reasonOf(fault)
    this.#trouble = reason
    logger.warn({ partition, fault: fault.kind, cure, error: fault.message }, `partition ${partition}: ${reason}`)
    switch (cure) {
      case 'reopen':
        await this.#wait()
        return
      case 'confirm':
        await this.#wait()
        // Somebody else's now: the group will say so, or that it is ours again. Until then nothing is opened.
        while (this.#wanted === 'owner' && !(await membership.confirms(partition).catch(() => false)))
          await this.#wait()
        return
      case 'rebuild':
        await this.#rebuild()
        return
      case 'stop':
        await this.#stop(fault)
    }
  }

  /** The log has it all; a store that is the only copy refuses, and then a person has to look. */
  async #rebuild(): Promise<void> {
    try {
      await (await this.#store)?.destroy()
    } catch (error) {
      await this.#stop(faultOf(error))
      return
    }
    this.#store = undefined
    this.#opened = undefined
    await this.#wait()
  }

  /** Until the group, or a person by a restart, wants something else. */
  async #stop(fault: Fault): Promise<void> {
    const { partition, logger, executor } = this.#options
    const role = this.#wanted
    this.#stoppedBecause = reasonOf(fault)
    logger.error(
      { partition, fault: fault.kind, error: fault.stack },
      `partition ${partition} has stopped and needs a person: ${reasonOf(fault)}`,
    )
    executor.abortPartition(partition)
    this.#refuseCalls()
    while (this.#wanted === role && !this.#isClosing) await this.#bell.heard()
    this.#stoppedBecause = undefined
  }

  async #wait(): Promise<void> {
    if (this.#isClosing) return
    const delayMs = Math.min(backoffMs.max, backoffMs.first * 2 ** this.#tries)
    this.#tries += 1
    await this.#bell.heardWithin(delayMs, this.#options.clock)
  }

  /** Somebody else runs it: the handlers stop here, and callers are told to ask again. */
  #letGo(): void {
    this.#options.executor.abortPartition(this.#options.partition)
    this.#refuseCalls()
  }

  #refuseCalls(): void {
    for (const { onLost } of this.own.splice(0)) onLost?.('not-ready')
  }
}
