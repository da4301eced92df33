// Group membership in memory: a coordinator as Kafka's group coordinator is, and the client of one worker.
// A worker that was expired is not told: it finds out by its next heartbeat, and until then believes what it knew.
// A copy is taken for near once it was kept from one heartbeat to the next.
// A worker that comes back under its name replaces its earlier self, as with static membership.
//   G5. The generation grows with each change of the group; a client never goes back to an older one.
import { TransientFault } from '../../base/errors.ts'
import { nearRecords, place, type Share } from '../../runtime/placement.ts'
import type { Assignment, Membership } from '../../runtime/ports.ts'
import { isUnanswered } from './faults.ts'
import { atOnce } from './pace.ts'
import type { Pace } from './pace.ts'

interface Member {
  readonly session: number
  heardAtMs: number
  /** The generation that it was told. */
  told: number
  readonly onRebalance: () => void
}

const nothing: Share = { owned: [], standby: [], warming: [] }

export class MemoryCoordinator {
  readonly #partitions: number
  readonly #standbys: number
  readonly #nowMs: () => number
  readonly #members = new Map<string, Member>()
  #shares: ReadonlyMap<string, Share> = new Map()
  #generation = 0
  #rebalancedAtMs = 0
  #sessions = 0

  /** A group over `partitions` partitions, each with a copy kept warm by `standbys` members; `nowMs` times sessions. */
  constructor(options: { partitions: number; standbys?: number; nowMs?: () => number }) {
    this.#partitions = options.partitions
    this.#standbys = options.standbys ?? 0
    this.#nowMs = options.nowMs ?? (() => 0)
  }

  /** A number for a new client; of two clients with one name the higher is the later. */
  openSession(): number {
    return ++this.#sessions
  }

  /** Adds or renews a member; false when a later session of its name is in the group. */
  join(workerId: string, session: number, onRebalance: () => void): boolean {
    const known = this.#members.get(workerId)
    if (known !== undefined && known.session >= session) return known.session === session
    this.#members.set(workerId, { session, heardAtMs: this.#nowMs(), told: 0, onRebalance })
    this.#rebalance()
    return true
  }

  leave(workerId: string, session: number): void {
    if (this.#isMember(workerId, session)) this.expire(workerId)
  }

  /** The answer to a heartbeat: what the member has now; undefined for one that is not a member (any more). */
  heartbeat(workerId: string, session: number): Assignment | undefined {
    const member = this.#members.get(workerId)
    if (member?.session !== session) return undefined
    member.heardAtMs = this.#nowMs()
    const isWarm = member.told === this.#generation && this.#shares.get(workerId)!.warming.length > 0
    if (isWarm) this.#rebalance()
    member.told = this.#generation
    const { owned, standby } = this.#shares.get(workerId)!
    return { generation: this.#generation, owned, standby }
  }

  /** Removes a member whose session timed out; it is not told. */
  expire(workerId: string): void {
    if (this.#members.delete(workerId)) this.#rebalance()
  }

  /** Names of the members that were not heard of for so long. */
  silentFor(ms: number): readonly string[] {
    return this.members().filter((name) => this.#nowMs() - this.#members.get(name)!.heardAtMs >= ms)
  }

  /** When the group changed last. */
  get rebalancedAtMs(): number {
    return this.#rebalancedAtMs
  }

  /** Makes a new generation with nothing changed, as a spurious rebalance does. */
  rebalance(): void {
    this.#rebalance()
  }

  /** Names of the members, sorted. */
  members(): readonly string[] {
    return [...this.#members.keys()].sort()
  }

  /** Who owns a partition; undefined while there is no member. */
  ownerOf(partition: number): string | undefined {
    return this.members().find((name) => this.#shares.get(name)!.owned.includes(partition))
  }

  /** Who keeps a warm copy of a partition. */
  standbysOf(partition: number): readonly string[] {
    return this.members().filter((name) => this.#shares.get(name)!.standby.includes(partition))
  }

  #isMember(workerId: string, session: number): boolean {
    return this.#members.get(workerId)?.session === session
  }

  #rebalance(): void {
    this.#generation++
    this.#rebalancedAtMs = this.#nowMs()
    const members = this.members().map((id) => {
      const { owned, standby } = this.#shares.get(id) ?? nothing
      const lacks = Array.from({ length: this.#partitions }, (_, partition) =>
        owned.includes(partition) || standby.includes(partition) ? 0 : nearRecords + 1,
      )
      return { id, owned, standby, generation: 0, lacks, standbys: this.#standbys }
    })
    this.#shares = place(members, this.#partitions)
    for (const member of this.#members.values()) member.onRebalance()
  }
}

/** The membership of one worker, with the heartbeat in the hands of whoever owns the time. */
export interface MemoryMembership extends Membership {
  /** One heartbeat: takes up a new assignment; after an expiry gives up everything and joins again. */
  heartbeat(): Promise<void>
}

/** A client of a coordinator in memory. Nothing is asked again but through the pace: a lost answer costs time only. */
export function createMemoryMembership(
  coordinator: MemoryCoordinator,
  workerId: string,
  pace: Pace = atOnce,
): MemoryMembership {
  let session = coordinator.openSession()
  let onAssignment: ((assignment: Assignment) => void) | undefined
  let generation = 0

  /** Asks until there is an answer, or the worker has left the group. */
  async function ask<T>(operation: string, apply: () => T): Promise<T> {
    for (;;) {
      try {
        return await pace(`${operation} ${workerId}`, apply)
      } catch (error) {
        if (!isUnanswered(error)) throw error
        if (onAssignment === undefined) throw new TransientFault(`${workerId} has left the group`, { cause: error })
      }
    }
  }

  function adopt(assignment: Assignment): void {
    if (assignment.generation <= generation) return // G5
    generation = assignment.generation
    onAssignment?.(assignment)
  }

  async function join(): Promise<void> {
    const joining = session
    await ask('join', () => coordinator.join(workerId, joining, () => void unlessLeft(rebalanced(joining))))
  }

  async function rebalanced(ofSession: number): Promise<void> {
    if (onAssignment === undefined) return
    const assignment = await ask('assignment', () => coordinator.heartbeat(workerId, ofSession))
    if (assignment !== undefined && ofSession === session) adopt(assignment)
  }

  /** Who has left meanwhile needs no answer. */
  async function unlessLeft(request: Promise<unknown>): Promise<void> {
    try {
      await request
    } catch (error) {
      if (onAssignment !== undefined) throw error
    }
  }

  async function heartbeat(): Promise<Assignment | undefined> {
    const asking = session
    const assignment = await ask('heartbeat', () => coordinator.heartbeat(workerId, asking))
    if (asking !== session) return undefined
    if (assignment !== undefined) {
      adopt(assignment)
      return assignment
    }
    if (onAssignment === undefined) return undefined
    // Expired: what is owned is another's by now.
    session = coordinator.openSession()
    onAssignment({ generation, owned: [], standby: [] })
    await join()
    return undefined
  }

  return {
    async join(callback) {
      onAssignment = callback
      await join()
    },
    async heartbeat() {
      if (onAssignment !== undefined) await unlessLeft(heartbeat())
    },
    async confirms(partition) {
      if (onAssignment === undefined) return false
      const assignment = await heartbeat()
      return assignment?.owned.includes(partition) ?? false
    },
    async leave() {
      if (onAssignment === undefined) return
      onAssignment = undefined
      const leaving = session
      try {
        await pace(`leave ${workerId}`, () => coordinator.leave(workerId, leaving))
      } catch (error) {
        // The group then learns of it when the session times out.
        if (!isUnanswered(error)) throw error
      }
    },
  }
}
