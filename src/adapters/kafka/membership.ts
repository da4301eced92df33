// The worker as a member of the application's consumer group, which only says who owns which partition.
//
//   joining ── JoinGroup, SyncGroup ──▶ stable ── Heartbeat every second ──▶ stable
//      ▲                                   │
//      └────── a rebalance, an expired session, an unknown member, a coordinator that moved ──────┘
//
// The loop never ends by an error: it joins again for as long as it is wanted. The client's own loop is not used: after
// a join that fails it sends no heartbeats any more, and its assignments carry the same user data for every member.
//   M1. `onAssignment` is told of each generation, one that changes nothing too: what was let go in doubt is taken again.
//   M2. Before joining anew after the session is lost, everything is given up: it is another's by now.
//   M3. `confirms` is true only by a heartbeat that was sent after the call, in the generation that the partition was
//       given in.
//   M4. Who comes back where its predecessor died says so for it: the group need not wait for its session to end.
//   M5. Who was told to warm copies up joins again once they are near, so that they are given to it.
// Safety does not depend on any of this: a zombie is fenced by the log.
import { nearRecords, place, type Share } from '../../runtime/placement.ts'
import type { Assignment, Membership } from '../../runtime/ports.ts'
import { Cluster } from './cluster.ts'
import { Coordinator } from './coordinator.ts'
import { describe, errorOf, isCoordinatorMove } from './faults.ts'
import type { KafkaError } from './faults.ts'
import { decodeAssignment, decodeSubscription, encodeAssignment, encodeSubscription } from './group-bytes.ts'
import { bounds } from './options.ts'
import { pause, Retry } from './retry.ts'
import { NoAnswer } from './client.ts'
import type { KafkaOptions, Wire } from './client.ts'

export interface MembershipOptions extends KafkaOptions {
  readonly groupId: string
  /** The topic whose partitions stand for those of the application: `<app>.inbox`. */
  readonly topic: string
  readonly partitions: number
  /** Copies of each partition beside its owner's. */
  readonly standbys: number
  /** Outlives the process: what the one before it was in the group. */
  readonly memory?: MemberMemory
}

/** Keeps the name by which the group knows this worker. */
export interface MemberMemory {
  recall(): Promise<string | undefined>
  note(memberId: string): Promise<void>
}

/** The name of the assignor; another way to assign needs another name. */
const protocol = 'dagger-worker'
const nobody = ''
const nothing: Share = { owned: [], standby: [], warming: [] }

export function createKafkaMembership(options: MembershipOptions): Membership {
  return new KafkaMembership(options)
}

class KafkaMembership implements Membership {
  readonly #options: MembershipOptions
  readonly #cluster: Cluster
  readonly #wire: Wire
  readonly #coordinator: Coordinator
  /** A join waits for all other members: it has time, and a connection of its own. */
  readonly #joinWire: Wire
  readonly #joinCoordinator: Coordinator
  #onAssignment: ((assignment: Assignment) => void) | undefined
  #memberId = nobody
  #generation = -1
  #share: Share = nothing
  #lacks: () => Promise<readonly number[]> = async () => []
  /** False from the first word of a rebalance until the next assignment. */
  #isStable = false
  #isWanted = false
  #mustRejoin = false
  #told = { reason: '', at: 0 }
  #running: Promise<void> | undefined
  #wake = () => {}

  constructor(options: MembershipOptions) {
    this.#options = options
    this.#cluster = new Cluster(options)
    this.#wire = this.#cluster.connect()
    this.#coordinator = new Coordinator(this.#cluster, this.#wire, 'group', options.groupId)
    this.#joinWire = this.#cluster.connect(bounds.rebalanceTimeoutMs + bounds.requestTimeoutMs)
    this.#joinCoordinator = new Coordinator(this.#cluster, this.#joinWire, 'group', options.groupId)
  }

  /** Resolves with the first assignment, or when the group was left before there was one. */
  async join(onAssignment: (assignment: Assignment) => void, lacks: () => Promise<readonly number[]>): Promise<void> {
    this.#isWanted = true
    this.#lacks = lacks
    await this.#buryPredecessor()
    await new Promise<void>((resolve) => {
      this.#onAssignment = (assignment) => {
        onAssignment(assignment)
        resolve()
      }
      this.#running ??= this.#run().finally(resolve)
    })
  }

  async confirms(partition: number): Promise<boolean> {
    const retry = new Retry(this.#options.clock, bounds.confirmWithinMs)
    while (this.#isWanted) {
      const generation = this.#generation
      if (this.#isStable && !this.#share.owned.includes(partition)) return false
      if (this.#isStable) {
        const error = await this.#heartbeat().catch((failure: unknown) => this.#unanswered(failure))
        if (error === undefined && this.#isStable && generation === this.#generation) return true // M3
        if (error !== undefined) this.#rebalance(error)
      }
      if (!(await retry.again())) break
    }
    // In doubt is not ours. The next generation says whose it is, to us as well (M1).
    this.#mustRejoin = true
    this.#wake()
    return false
  }

  async leave(): Promise<void> {
    if (!this.#isWanted) return
    this.#isWanted = false
    this.#onAssignment = undefined
    this.#wake()
    if (this.#memberId !== nobody) await this.#leaveAs(this.#memberId)
    await Promise.all([this.#wire.close(), this.#joinWire.close(), this.#cluster.close()])
    await this.#running
  }

  /** M4 */
  async #buryPredecessor(): Promise<void> {
    const predecessor = await this.#options.memory?.recall()
    if (predecessor !== undefined) await this.#leaveAs(predecessor)
  }

  async #leaveAs(memberId: string): Promise<void> {
    const { logger, groupId } = this.#options
    await this.#coordinator.ask('leaveGroup', groupId, memberId).catch((failure: unknown) => {
      // The group learns of it when the session times out.
      if (!(failure instanceof NoAnswer)) throw failure
      logger.warn({ group: groupId }, `${memberId} left without a word to the group: ${failure.message}`)
    })
  }

  async #run(): Promise<void> {
    while (this.#isWanted) {
      try {
        const error = await this.#joinAndSync()
        if (error === undefined) {
          await this.#stayStable()
          continue
        }
        this.#rebalance(error)
        if (this.#isWanted) await this.#sleep(bounds.retryDelayMs.max)
      } catch (failure) {
        this.#isStable = false
        if (!(failure instanceof NoAnswer)) throw failure
        if (this.#isWanted) this.#tell(failure.message)
        if (this.#isWanted) await this.#sleep(bounds.joinRetryMs)
      }
    }
  }

  /** Why the group cannot be joined: when that changes, and every so often. */
  #tell(reason: string): void {
    const now = performance.now()
    if (reason === this.#told.reason && now - this.#told.at < bounds.joinToldMs) return
    this.#told = { reason, at: now }
    this.#options.logger.warn({ group: this.#options.groupId }, `the group cannot be joined: ${reason}`)
  }

  async #joinAndSync(): Promise<KafkaError | undefined> {
    const { groupId, topic, partitions, standbys, memory } = this.#options
    const { owned, standby } = this.#share
    this.#mustRejoin = false
    const lacks = await this.#lacksNow()
    const generation = Math.max(0, this.#generation)
    const said = encodeSubscription(topic, { owned, standby, generation, lacks, standbys })
    const { sessionTimeoutMs, rebalanceTimeoutMs } = bounds
    const joining = { sessionTimeoutMs, rebalanceTimeoutMs, protocol, metadata: said }
    const ask = () => this.#joinCoordinator.ask('joinGroup', groupId, this.#memberId, joining)
    let joined = await ask()
    if (errorOf(joined.errorCode) === 'MEMBER_ID_REQUIRED') {
      this.#memberId = joined.memberId
      await memory?.note(this.#memberId) // M4: before the group counts on it
      joined = await ask()
    }
    const refused = errorOf(joined.errorCode)
    if (refused !== undefined) return refused
    this.#memberId = joined.memberId

    let assignments: { memberId: string; assignment: Buffer }[] = []
    if (joined.leader === joined.memberId) {
      const members = joined.members.map((member) => decodeSubscription(member.memberId, member.metadata))
      assignments = [...place(members, partitions)].map(([memberId, share]) => ({
        memberId,
        assignment: encodeAssignment(topic, share),
      }))
    }
    const member = { generation: joined.generation, memberId: joined.memberId, protocol }
    const synced = await this.#joinCoordinator.ask('syncGroup', groupId, member, assignments)
    const unsynced = errorOf(synced.errorCode)
    if (unsynced !== undefined) return unsynced
    this.#adopt(joined.generation, decodeAssignment(topic, synced.assignment))
  }

  #adopt(generation: number, share: Share): void {
    if (!this.#isWanted) return
    this.#generation = generation
    this.#share = share
    this.#isStable = true
    const { owned, standby, warming } = share
    const { groupId, logger } = this.#options
    logger.debug(
      { group: groupId, generation, partitions: owned.length, standby: standby.length, warming: warming.length },
      'assignment',
    )
    this.#onAssignment?.({ generation, owned, standby }) // M1
    if (warming.length > 0) void this.#warmUp(generation, warming)
  }

  /** M5. Some that are near are not kept waiting for long by others that are not. */
  async #warmUp(generation: number, warming: readonly number[]): Promise<void> {
    let nearForMs = 0
    while (this.#isWanted && this.#generation === generation) {
      await pause(this.#options.clock, bounds.warmingLookMs)
      const lacks = await this.#lacksNow()
      const near = warming.filter((partition) => (lacks[partition] ?? 0) <= nearRecords)
      if (near.length > 0) nearForMs += bounds.warmingLookMs
      if (near.length < warming.length && nearForMs < bounds.warmingWaitMs) continue
      if (this.#generation === generation && this.#isStable) {
        this.#mustRejoin = true
        this.#wake()
      }
      return
    }
  }

  /** What cannot be told now is far: nothing is moved here that need not be. */
  async #lacksNow(): Promise<readonly number[]> {
    const { partitions, clock, logger, groupId } = this.#options
    const far = Array.from({ length: partitions }, (_, partition) =>
      this.#share.owned.includes(partition) ? 0 : Number.MAX_SAFE_INTEGER,
    )
    const told = this.#lacks().catch((error: unknown) => {
      logger.debug({ group: groupId, error: String(error) }, 'it cannot be told how near the copies are')
      return far
    })
    return Promise.race([told, pause(clock, bounds.lacksWithinMs).then(() => far)])
  }

  /** Beats until the group wants to be joined again. A beat without an answer is sent again until the session is over. */
  async #stayStable(): Promise<void> {
    let answeredAt = performance.now()
    while (this.#isWanted && this.#isStable && !this.#mustRejoin) {
      await this.#sleep(bounds.heartbeatMs)
      if (!this.#isWanted || this.#mustRejoin || !this.#isStable) return
      const error = await this.#heartbeat().catch((failure: unknown) => this.#unanswered(failure))
      if (error === undefined) answeredAt = performance.now()
      else if (error === 'REBALANCE_IN_PROGRESS' || !isCoordinatorMove(error)) this.#rebalance(error)
      else if (performance.now() - answeredAt > bounds.sessionTimeoutMs) this.#lose()
    }
  }

  async #heartbeat(): Promise<KafkaError | undefined> {
    const member = { generation: this.#generation, memberId: this.#memberId, protocol }
    const answer = await this.#coordinator.ask('heartbeat', this.#options.groupId, member)
    return errorOf(answer.errorCode)
  }

  #unanswered(failure: unknown): KafkaError {
    if (!(failure instanceof NoAnswer)) throw failure
    return 'COORDINATOR_NOT_AVAILABLE'
  }

  /** What an answer of the group says about where we stand. */
  #rebalance(error: KafkaError): void {
    if (isCoordinatorMove(error)) return
    this.#isStable = false
    this.#wake()
    if (error === 'REBALANCE_IN_PROGRESS') return
    const { groupId, logger } = this.#options
    logger.warn({ group: groupId, generation: this.#generation, error }, describe(error))
    if (error === 'UNKNOWN_MEMBER_ID' || error === 'FENCED_INSTANCE_ID') this.#memberId = nobody
    if (error === 'UNKNOWN_MEMBER_ID' || error === 'FENCED_INSTANCE_ID' || error === 'ILLEGAL_GENERATION') this.#lose()
  }

  /** M2. What was owned stays on the lips (`generation` tells how old that is), so that a quick return moves nothing. */
  #lose(): void {
    this.#isStable = false
    this.#onAssignment?.({ generation: this.#generation, owned: [], standby: [] })
  }

  async #sleep(delayMs: number): Promise<void> {
    const woken = new Promise<void>((resolve) => (this.#wake = resolve))
    await Promise.race([woken, pause(this.#options.clock, delayMs)])
    this.#wake = () => {}
  }
}
