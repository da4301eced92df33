// What is out of order for a while, beyond single requests: links that are cut, partitions without a leader or with too
// few replicas, coordinators that are away. The wire asks about links, and every request about the broker as it is
// carried out; the outside world and the checkers, which are not on the wire, never notice.
import { BrokerError } from '../../src/adapters/memory/broker-error.ts'

export type Outage =
  /** Nothing of a machine arrives; one way: what it sends arrives, and no answer comes back. */
  | { readonly what: 'cut'; readonly machine: string; readonly isOneWay: boolean }
  /** The group has no coordinator: nobody joins, and heartbeats are lost. */
  | { readonly what: 'group' }
  /** Of "topic/partition": no reads, no writes, no markers. */
  | { readonly what: 'leaderless'; readonly place: string }
  /** Of "topic/partition": no writes, as too few replicas are in sync. */
  | { readonly what: 'min-isr'; readonly place: string }
  | { readonly what: 'coordinator'; readonly transactionalId: string }

/** The first words of operations, as the adapters name them (pace.ts). */
const ofGroup: ReadonlySet<string> = new Set(['join', 'heartbeat', 'assignment', 'leave'])
const ofPlace: ReadonlySet<string> = new Set(['append', 'deliver', 'offsets', 'delete-records'])
const ofTransactions: ReadonlySet<string> = new Set(['open-producer', 'begin', 'commit', 'abort'])

export class Outages {
  readonly #lasting = new Set<Outage>()

  /** Lasts until the result is called. */
  begin(outage: Outage): () => void {
    // An object of its own: two alike may overlap.
    const one = { ...outage }
    this.#lasting.add(one)
    return () => void this.#lasting.delete(one)
  }

  /** What becomes of a request that a machine sends now: it never arrives, or its answer does not. */
  silenced(machine: string, operation: string): 'request' | 'answer' | undefined {
    for (const one of this.#lasting) {
      if (one.what === 'cut' && one.machine === machine) return one.isOneWay ? 'answer' : 'request'
      if (one.what === 'group' && ofGroup.has(firstWord(operation))) return 'request'
    }
    return undefined
  }

  /** The broker's part, when a request is carried out. @throws {BrokerError} */
  check(operation: string): void {
    if (this.#lasting.size === 0) return
    const words = operation.split(' ')
    const [kind = '', subject = ''] = words
    for (const one of this.#lasting) {
      if (one.what === 'leaderless' && one.place === subject && ofPlace.has(kind))
        throw new BrokerError('NOT_LEADER_OR_FOLLOWER', `${subject} has no leader`)
      if (one.what === 'min-isr' && one.place === subject && kind === 'append')
        throw new BrokerError('NOT_ENOUGH_REPLICAS', `${subject} has too few replicas in sync`)
      if (one.what !== 'coordinator') continue
      const transactionalId = ofTransactions.has(kind) ? words.at(-1) : undefined
      if (one.transactionalId === transactionalId)
        throw new BrokerError('NOT_COORDINATOR', `the coordinator of ${transactionalId} has moved`)
    }
  }

  isLeaderless(place: string): boolean {
    for (const one of this.#lasting) if (one.what === 'leaderless' && one.place === place) return true
    return false
  }
}

function firstWord(text: string): string {
  const end = text.indexOf(' ')
  return end === -1 ? text : text.slice(0, end)
}
