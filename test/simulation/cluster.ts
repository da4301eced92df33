// The brokers of a world: the memory broker with time, what is out of order with it for a while, and what operators and
// retention do to its topics. Clients meet it by the wire; the outside world and the checkers ask it directly.
//
//   B1. A marker reaches its partition some time after the decision; not before the partition has a leader.
//   B2. A transaction that is open for longer than its timeout is aborted, and its producer fenced.
//   B3. Whatever takes records away is told of in `losses`.
import { assert } from '../../src/base/assert.ts'
import { MemoryBroker } from '../../src/adapters/memory/broker.ts'
import { Outages } from './outages.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'

const transactionTimeoutMs = 10_000
const tombstonesKeptMs = 24 * 3_600_000

/** Records that were deleted, read or unread: those of the partition below an offset, at that time. */
export interface Loss {
  readonly topic: string
  readonly partition: number
  /** The creation of the topic. */
  readonly topicId: string
  readonly before: number
  readonly atMs: number
}

export class Cluster {
  readonly broker: MemoryBroker
  readonly outages = new Outages()
  readonly losses: Loss[] = []
  readonly #scheduler: Scheduler
  readonly #markerDelayMsMax: () => number
  readonly #markerDelays: Random
  /** Decided, and their partition has no leader. */
  #waitingMarkers: { readonly place: string; readonly write: () => void }[] = []

  constructor(scheduler: Scheduler, markerDelayMsMax: () => number) {
    this.#scheduler = scheduler
    this.#markerDelayMsMax = markerDelayMsMax
    this.#markerDelays = scheduler.random.stream('markers')
    this.broker = new MemoryBroker({
      scheduleMarker: (place, write) => this.#mark(place, write),
      takesMarkers: (place) => !this.outages.isLeaderless(place),
      scheduleTimeout: (transactionalId, expire) =>
        scheduler.clock.after(transactionTimeoutMs, () => {
          scheduler.countFault('transaction-timeout')
          scheduler.enqueue(`broker aborts the transaction of ${transactionalId}, open for too long`, expire) // B2
        }),
      tombstonesKeptMs,
    })
  }

  /** A partition may have a leader again: markers that waited for it are written, and readers look again. */
  elect(place: string): void {
    if (this.outages.isLeaderless(place)) return
    const waiting = this.#waitingMarkers.filter((one) => one.place === place)
    this.#waitingMarkers = this.#waitingMarkers.filter((one) => one.place !== place)
    for (const { write } of waiting) write()
    const at = place.lastIndexOf('/')
    const [topic, partition] = [place.slice(0, at), Number(place.slice(at + 1))]
    if ((this.broker.findTopic(topic)?.partitions ?? 0) > partition) this.broker.announce(topic, partition)
  }

  /** Forgets a transactional id that is idle, as brokers do after a week. */
  forgetProducer(transactionalId: string): void {
    if (this.broker.unfinishedTransactions().includes(transactionalId)) return
    this.#scheduler.note(`broker forgets ${transactionalId}`)
    this.broker.expireTransactionalId(transactionalId)
  }

  compact(topic: string): void {
    this.#scheduler.note(`${topic} is compacted`)
    this.broker.compact(topic, this.#scheduler.clock.nowMs())
  }

  growTopic(name: string, by: number): void {
    const partitions = this.#expectTopic(name).partitions + by
    this.#scheduler.note(`${name} grows to ${partitions} partitions`)
    this.broker.growTopic(name, partitions)
  }

  /** Deletes the records of a partition below an offset, whoever has read them. B3 */
  deleteRecords(topic: string, partition: number, before: number): void {
    this.#scheduler.note(`${topic}/${partition} loses what is below ${before}`)
    this.#lose(topic, partition, before)
    this.broker.deleteRecords(topic, partition, before)
  }

  /** Deletes a topic and makes it anew at once, empty. B3 */
  recreateTopic(name: string): void {
    const { partitions } = this.#expectTopic(name)
    this.#scheduler.note(`${name} is deleted and made anew`)
    for (let partition = 0; partition < partitions; partition++)
      this.#lose(name, partition, this.broker.offsets(name, partition).end)
    this.broker.deleteTopic(name)
    this.broker.createTopic({ name, partitions, cleanup: 'retained' })
  }

  /** More than the time that tombstones are kept goes by at once, and compaction forgets what was removed before it. */
  passDay(): void {
    this.#compactAll()
    this.#scheduler.note('a day goes by')
    this.#scheduler.clock.jump(tombstonesKeptMs + 3_600_000)
    this.#compactAll()
  }

  #compactAll(): void {
    for (const { name, tombstonesKeptMs: keptMs } of this.broker.listTopics())
      if (keptMs !== undefined) this.compact(name)
  }

  #lose(topic: string, partition: number, before: number): void {
    const { id } = this.#expectTopic(topic)
    this.losses.push({ topic, partition, topicId: id, before, atMs: this.#scheduler.clock.nowMs() })
  }

  #expectTopic(name: string) {
    const topic = this.broker.findTopic(name)
    assert(topic !== undefined, `there is no topic ${name}`)
    return topic
  }

  /** B1 */
  #mark(place: string, write: () => void): void {
    const delayMs = this.#markerDelays.int(this.#markerDelayMsMax() + 1)
    const run = () => {
      if (!this.outages.isLeaderless(place)) write()
      else this.#waitingMarkers.push({ place, write })
    }
    const step = () => this.#scheduler.enqueue(`broker marks ${place}`, run)
    if (delayMs === 0) return step()
    this.#scheduler.countFault('late-marker')
    this.#scheduler.clock.after(delayMs, step)
  }
}
