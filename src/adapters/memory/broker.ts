// A Kafka broker as a synchronous state machine: no clock, no randomness, no promises. Every method is one request that
// is carried out at once; what is late, lost or repeated is the business of whoever calls (pace.ts).
// It owns topics and who listens to them; partitions keep their records (partition-log.ts), and who may produce is
// decided by the coordinator (transactions.ts). The methods after `// Operators and faults` are for tests and
// simulations: what a person, a timeout or a disaster does to a broker.
import { limits } from '../../base/limits.ts'
import type { Offsets, TopicInfo, TopicSpec } from '../../runtime/ports.ts'
import { BrokerError } from './broker-error.ts'
import { PartitionLog } from './partition-log.ts'
import type { BrokerRecord, CommittedRead, Outcome, ProducerSession } from './partition-log.ts'
import { TransactionCoordinator } from './transactions.ts'
import type { TransactionTiming } from './transactions.ts'

interface Topic {
  readonly info: TopicInfo
  readonly cleanup: TopicSpec['cleanup']
  readonly partitions: readonly PartitionLog[]
}

export interface MemoryTopicSpec extends TopicSpec {
  /** The largest record in bytes; by default Kafka's 1 MiB. */
  readonly recordBytesMax?: number
  /** What the topic says of itself; they go when it is compacted at a later time, or `dropTombstones` is called. */
  readonly tombstonesKeptMs?: number
}

export interface MemoryBrokerOptions extends TransactionTiming {
  /** How long compacted topics keep tombstones, where a topic does not say so itself; for ever by default. */
  readonly tombstonesKeptMs?: number
}

export interface BrokerFetch extends CommittedRead {
  /** The creation of the topic that was read. */
  readonly topicId: string
  /** Where committed reading ends now. */
  readonly committedEnd: number
}

export class MemoryBroker {
  readonly #topics = new Map<string, Topic>()
  readonly #listeners = new Map<string, Set<() => void>>()
  readonly #transactions: TransactionCoordinator
  readonly #tombstonesKeptMs: number | undefined
  #topicsCreated = 0

  constructor(options: MemoryBrokerOptions = {}) {
    this.#transactions = new TransactionCoordinator(options)
    this.#tombstonesKeptMs = options.tombstonesKeptMs
  }

  /** Creates a topic under a new id; one that exists is left alone. */
  createTopic(spec: MemoryTopicSpec): void {
    if (this.#topics.has(spec.name)) return
    this.#topicsCreated++
    const tombstonesKeptMs =
      spec.tombstonesKeptMs ?? (spec.cleanup === 'compacted' ? this.#tombstonesKeptMs : undefined)
    this.#place(spec.cleanup, [], {
      name: spec.name,
      id: `topic-${this.#topicsCreated}`,
      partitions: spec.partitions,
      recordBytesMax: spec.recordBytesMax ?? limits.recordBytesMax,
      ...(tombstonesKeptMs === undefined ? {} : { tombstonesKeptMs }),
    })
  }

  findTopic(name: string): TopicInfo | undefined {
    return this.#topics.get(name)?.info
  }

  /** All topics, sorted by name. */
  listTopics(): readonly TopicInfo[] {
    return [...this.#topics.values()].map((topic) => topic.info).sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** @throws {BrokerError} UNKNOWN_TOPIC_OR_PARTITION */
  offsets(topic: string, partition: number): Offsets {
    const { earliest, committedEnd, end } = this.#expectPartition(topic, partition)
    return { earliest, committedEnd, end }
  }

  /** Committed records of a partition from `offset` on, at most `max`. @throws {BrokerError} */
  fetch(topic: string, partition: number, offset: number, max: number): BrokerFetch {
    const log = this.#expectPartition(topic, partition)
    return {
      ...log.readCommitted(offset, max),
      topicId: this.#topics.get(topic)!.info.id,
      committedEnd: log.committedEnd,
    }
  }

  /** Produces outside of any transaction, as a plain client does; gives the first offset. @throws {BrokerError} */
  produce(topic: string, partition: number, records: readonly BrokerRecord[]): number {
    const log = this.#expectPartition(topic, partition)
    this.#checkRecords(topic, records)
    return log.append(records)
  }

  /** Calls back whenever committed reading of the partition may see something new, or ends; gives the way out. */
  subscribe(topic: string, partition: number, listener: () => void): () => void {
    const place = `${topic}/${partition}`
    const listeners = this.#listeners.get(place) ?? new Set()
    this.#listeners.set(place, listeners.add(listener))
    return () => void listeners.delete(listener)
  }

  /** @throws {BrokerError} UNKNOWN_TOPIC_OR_PARTITION, OFFSET_OUT_OF_RANGE beyond the end */
  deleteRecords(topic: string, partition: number, before: number): void {
    this.#expectPartition(topic, partition).deleteRecords(before)
  }

  /** A session of a transactional id that fences all before it; with `own`, only if that is the current one. */
  initialiseProducer(transactionalId: string, own?: ProducerSession): ProducerSession {
    return this.#transactions.initialise(transactionalId, own)
  }

  /** Opens a transaction over partitions. @throws {BrokerError} */
  begin(session: ProducerSession, partitions: readonly { topic: string; partition: number }[]): void {
    const logs = partitions.map((one) => this.#expectPartition(one.topic, one.partition))
    this.#transactions.begin(session, logs)
  }

  /**
   * Appends to a partition of the open transaction; gives the offset of the first record. `sequence` counts the
   * session's records in this partition, from 0. @throws {BrokerError}
   */
  append(
    session: ProducerSession,
    topic: string,
    partition: number,
    sequence: number,
    records: readonly BrokerRecord[],
  ): number {
    const log = this.#expectPartition(topic, partition)
    this.#transactions.verify(session, log)
    this.#checkRecords(topic, records)
    return log.appendPending(session, sequence, records)
  }

  /** Decides the open transaction. @throws {BrokerError} */
  end(session: ProducerSession, outcome: Outcome): void {
    this.#transactions.end(session, outcome)
  }

  // Operators and faults

  deleteTopic(name: string): void {
    const topic = this.#topics.get(name)
    this.#topics.delete(name)
    for (const log of topic?.partitions ?? []) this.#notify(log)
  }

  /** Adds partitions to a topic up to a count. */
  growTopic(name: string, partitions: number): void {
    const topic = this.#topics.get(name)
    if (topic !== undefined) this.#place(topic.cleanup, topic.partitions, { ...topic.info, partitions })
  }

  /** Compacts; with the time also removes the tombstones that were compacted so long ago that the topic forgets them. */
  compact(topic: string, nowMs?: number): void {
    const found = this.#topics.get(topic)
    const keptMs = nowMs === undefined ? undefined : found?.info.tombstonesKeptMs
    for (const log of found?.partitions ?? []) {
      log.compact()
      if (keptMs !== undefined) log.forgetTombstones(nowMs!, keptMs)
    }
  }

  /** Tells readers to look again: a partition has a leader again. */
  announce(topic: string, partition: number): void {
    this.#notify(this.#expectPartition(topic, partition))
  }

  dropTombstones(topic: string): void {
    for (const log of this.#topics.get(topic)?.partitions ?? []) log.dropTombstones()
  }

  /** Loses the records of a partition from `offset` on. @throws {BrokerError} UNKNOWN_TOPIC_OR_PARTITION */
  truncate(topic: string, partition: number, offset: number): void {
    this.#expectPartition(topic, partition).truncate(offset)
  }

  /** Aborts a transaction that was open too long and fences its producer. */
  expireTransaction(transactionalId: string): void {
    this.#transactions.expireTransaction(transactionalId)
  }

  /** Forgets a transactional id that was not used for long. */
  expireTransactionalId(transactionalId: string): void {
    this.#transactions.expireTransactionalId(transactionalId)
  }

  /** Transactional ids whose transaction is open or not yet marked everywhere; empty at rest. */
  unfinishedTransactions(): readonly string[] {
    return this.#transactions.unfinished()
  }

  /** The session that wrote a record of a transaction, for checkers. @throws {BrokerError} */
  writerOf(topic: string, partition: number, offset: number): ProducerSession | undefined {
    return this.#expectPartition(topic, partition).writerOf(offset)
  }

  #place(cleanup: TopicSpec['cleanup'], kept: readonly PartitionLog[], info: TopicInfo): void {
    const partitions = [...kept]
    for (let partition = kept.length; partition < info.partitions; partition++) {
      const log: PartitionLog = new PartitionLog(info.name, partition, () => {
        // What is still written to a topic that was deleted concerns nobody.
        if (this.#topics.get(info.name)?.partitions[partition] === log) this.#notify(log)
      })
      partitions.push(log)
    }
    this.#topics.set(info.name, { info, cleanup, partitions })
    for (const log of partitions.slice(kept.length)) this.#notify(log)
  }

  #notify(log: PartitionLog): void {
    for (const listener of this.#listeners.get(`${log.topic}/${log.partition}`) ?? []) listener()
  }

  #expectPartition(topic: string, partition: number): PartitionLog {
    const log = this.#topics.get(topic)?.partitions[partition]
    if (log === undefined) throw new BrokerError('UNKNOWN_TOPIC_OR_PARTITION', `no partition ${topic}/${partition}`)
    return log
  }

  #checkRecords(topic: string, records: readonly BrokerRecord[]): void {
    const { info, cleanup } = this.#topics.get(topic)!
    for (const [index, record] of records.entries()) {
      if (recordBytes(record) > info.recordBytesMax) {
        throw new BrokerError('MESSAGE_TOO_LARGE', `record of over ${info.recordBytesMax} bytes for ${topic}`, index)
      }
      if (cleanup === 'compacted' && record.key === null) {
        throw new BrokerError('INVALID_RECORD', `record with no key for the compacted topic ${topic}`, index)
      }
    }
  }
}

function recordBytes(record: BrokerRecord): number {
  let bytes = (record.key?.length ?? 0) + (record.value?.length ?? 0)
  for (const header of record.headers) bytes += Buffer.byteLength(header.key) + header.value.length
  return bytes
}
