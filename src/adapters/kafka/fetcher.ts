// Fetches for all readers of a log, with few requests: one long poll a broker for everything it leads that is wanted.
//
// A poll cannot be changed once it is under way. A reader that comes while one is (it is new, or has room again) gets a
// second, short poll beside it, repeated until the long one is back; then all go on together.
//   R1. A reader is in one request at a time, and a partition once in a request.
//   R2. A reader whose partition cannot be fetched now waits by itself and holds up nobody.
import { TransientFault } from '../../base/errors.ts'
import { OffsetGone } from '../../runtime/ports.ts'
import type { ReaderOptions } from '../../runtime/ports.ts'
import type { Cluster } from './cluster.ts'
import { committedBatches } from './committed.ts'
import { describe, errorOf, isLeaderMove } from './faults.ts'
import type { KafkaError } from './faults.ts'
import { offsetsOf } from './offsets.ts'
import { bounds } from './options.ts'
import { KafkaReader } from './reader.ts'
import type { FetchesFor } from './reader.ts'
import { pause } from './retry.ts'
import { NoAnswer } from './client.ts'
import type { Broker, FetchedPartition, Wire } from './client.ts'

/** One broker: two connections, since it answers one poll after the other on each. */
interface Polls {
  readonly long: Wire
  readonly beside: Wire
  isLongUnderWay: boolean
  isBesideUnderWay: boolean
}

export class Fetcher implements FetchesFor {
  readonly #cluster: Cluster
  readonly #polls = new Map<string, Polls>()
  readonly #readers = new Set<KafkaReader>()
  /** In the order they came: whoever got records last is last. */
  readonly #waiting = new Set<KafkaReader>()
  #isScheduled = false
  #isClosed = false

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  open(options: ReaderOptions): KafkaReader {
    const reader = new KafkaReader(options, this)
    this.#readers.add(reader)
    this.want(reader)
    return reader
  }

  want(reader: KafkaReader): void {
    if (reader.isQueued || this.#isClosed || !reader.wantsRecords) return
    reader.isQueued = true // R1
    this.#waiting.add(reader)
    this.#schedule()
  }

  remove(reader: KafkaReader): void {
    this.#readers.delete(reader)
    this.#waiting.delete(reader)
  }

  get aheadBytesMax(): number {
    const { readAheadBytes, readAheadBytesInAll, readAheadBytesMin } = bounds
    return Math.max(readAheadBytesMin, Math.min(readAheadBytes, readAheadBytesInAll / 2 / this.#readers.size))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#waiting.clear()
    await Promise.all([...this.#polls.values()].flatMap(({ long, beside }) => [long.close(), beside.close()]))
  }

  /** What is wanted in one turn of the event loop goes into one request. */
  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      if (!this.#isClosed) this.#dispatch()
    })
  }

  #dispatch(): void {
    const byLeader = new Map<string, { leader: Broker; readers: KafkaReader[] }>()
    for (const reader of this.#waiting) {
      const topic = this.#cluster.known(reader.topic)
      const leader = topic === undefined ? undefined : this.#cluster.leaderOf(topic, reader.partition)
      if (topic === undefined || leader === undefined || reader.topicId !== topic.id) {
        this.#waiting.delete(reader)
        void this.#look(reader)
        continue
      }
      const key = `${leader.host}:${leader.port}`
      const entry = byLeader.get(key)
      if (entry === undefined) byLeader.set(key, { leader, readers: [reader] })
      else entry.readers.push(reader)
    }
    for (const [key, { leader, readers }] of byLeader) this.#poll(key, leader, readers)
  }

  #poll(key: string, leader: Broker, waiting: readonly KafkaReader[]): void {
    let polls = this.#polls.get(key)
    if (polls === undefined) {
      const [long, beside] = [this.#cluster.connect(), this.#cluster.connect()]
      polls = { long, beside, isLongUnderWay: false, isBesideUnderWay: false }
      this.#polls.set(key, polls)
    }
    if (polls.isBesideUnderWay) return
    const isBeside = polls.isLongUnderWay
    const readers = atOnce(waiting)
    for (const reader of readers) this.#waiting.delete(reader)
    const wire = isBeside ? polls.beside : polls.long
    if (isBeside) polls.isBesideUnderWay = true
    else polls.isLongUnderWay = true
    const waitMs = isBeside ? bounds.fetchBesideWaitMs : bounds.fetchWaitMs
    void this.#fetch(wire, leader, readers, waitMs).finally(() => {
      if (isBeside) polls.isBesideUnderWay = false
      else polls.isLongUnderWay = false
      this.#schedule()
    })
  }

  async #fetch(wire: Wire, leader: Broker, readers: readonly KafkaReader[], waitMs: number): Promise<void> {
    const offsets = new Map(readers.map((reader) => [reader, reader.fetchOffset]))
    const positions = readers.map(({ topic, topicId, partition, fetchOffset }) => ({
      topic,
      topicId: topicId!,
      partition,
      offset: fetchOffset,
    }))
    const { fetchBytesMax: bytesMax, fetchPartitionBytesMax } = bounds
    const partitionBytesMax = Math.ceil(Math.min(fetchPartitionBytesMax, this.aheadBytesMax))
    try {
      const answer = await wire.ask(leader, 'fetch', positions, { waitMs, bytesMax, partitionBytesMax })
      const answered = new Map<string, FetchedPartition>()
      for (const fetched of answer.partitions) answered.set(`${fetched.topicId}/${fetched.partition}`, fetched)
      for (const reader of readers) {
        const fetched = answered.get(`${reader.topicId}/${reader.partition}`)
        const error = errorOf(fetched?.errorCode ?? answer.errorCode)
        if (error !== undefined) void this.#trouble(reader, error)
        else if (fetched === undefined || this.#accept(reader, offsets.get(reader)!, fetched)) {
          reader.isQueued = false
          this.want(reader)
        }
      }
    } catch (failure) {
      if (!(failure instanceof NoAnswer)) {
        this.#cluster.options.logger.warn(
          { error: String(failure) },
          `what ${leader.host}:${leader.port} answered is unreadable`,
        )
      }
      for (const reader of readers) {
        this.#cluster.forget(reader.topic)
        void this.#later(reader)
      }
    }
  }

  /** false: what was fetched cannot be read; it is fetched again later. */
  #accept(reader: KafkaReader, offset: number, fetched: FetchedPartition): boolean {
    const { topic, partition } = reader
    try {
      reader.accept(committedBatches(offset, fetched))
      return true
    } catch (error) {
      this.#cluster.options.logger.warn({ topic, partition, offset, error: String(error) }, 'a batch is unreadable')
      reader.fail(unreadable(reader, error))
      void this.#later(reader) // R2
      return false
    }
  }

  /** R2 */
  async #trouble(reader: KafkaReader, error: KafkaError): Promise<void> {
    const where = `${reader.topic}/${reader.partition}`
    if (error === 'OFFSET_OUT_OF_RANGE') return this.#outOfRange(reader)
    if (isLeaderMove(error)) this.#cluster.forget(reader.topic)
    else {
      const reason = describe(error, 'Read')
      reader.fail(new TransientFault(`${where}: ${reason}`))
      this.#cluster.options.logger.warn({ topic: reader.topic, partition: reader.partition }, reason)
    }
    await this.#later(reader)
  }

  async #later(reader: KafkaReader): Promise<void> {
    await pause(this.#cluster.options.clock, bounds.fetchRetryMs)
    reader.isQueued = false
    this.want(reader)
  }

  /** Finds out who leads the partition now, and whether the topic is still the one that the reader began with. */
  async #look(reader: KafkaReader): Promise<void> {
    const { topic: name, partition } = reader
    try {
      const topic = await this.#cluster.topic(name)
      if (topic.error !== undefined) reader.fail(new TransientFault(`${name}: ${describe(topic.error, 'Read')}`))
      else if (topic.leaders.length <= partition)
        reader.fail(new TransientFault(`${name} has no partition ${partition}`))
      else {
        reader.topicId ??= topic.id
        if (reader.topicId !== topic.id) return await this.#gone(reader, 'the topic was made anew')
        if (this.#cluster.leaderOf(topic, partition) !== undefined) {
          reader.isQueued = false
          this.want(reader)
          return
        }
      }
      this.#cluster.forget(name)
    } catch (error) {
      // Nobody answers; the cluster tells of it by itself.
      if (!(error instanceof NoAnswer || error instanceof TransientFault)) throw error
    }
    await this.#later(reader)
  }

  async #outOfRange(reader: KafkaReader): Promise<void> {
    try {
      await this.#gone(reader, `offset ${reader.fetchOffset} is gone`)
    } catch (error) {
      if (!(error instanceof TransientFault)) throw error
      await this.#later(reader)
    }
  }

  async #gone(reader: KafkaReader, why: string): Promise<void> {
    const { topic, partition } = reader
    const { earliest, end } = await offsetsOf(this.#cluster, topic, partition)
    reader.fail(new OffsetGone(`${topic}/${partition}: ${why}`, earliest, end))
  }
}

/** Those that can be in one request; the others wait for the next. */
function atOnce(waiting: readonly KafkaReader[]): readonly KafkaReader[] {
  const byPartition = new Map<string, KafkaReader>()
  for (const reader of waiting) {
    const key = `${reader.topic}/${reader.partition}`
    if (!byPartition.has(key)) byPartition.set(key, reader) // R1
  }
  return [...byPartition.values()]
}

function unreadable({ topic, partition, fetchOffset }: KafkaReader, cause: unknown): TransientFault {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new TransientFault(`${topic}/${partition} from ${fetchOffset} cannot be read: ${reason}`, { cause })
}
