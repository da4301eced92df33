// The transactional producer of a client of the memory broker, in the steps that a real client takes:
//
//   begin ──► append, one a partition ──► commit
//     │ refused: abort       │ unanswered: abort by a new epoch, so that what is late cannot land
//
//   R1. Only the commit can leave an outcome unknown, or an abort that was itself left without an answer.
//   R2. After that the producer is of no use: a commit or abort that is still under way may decide the next transaction
//       of the same epoch (transactions.ts, T2).
import { assert } from '../../base/assert.ts'
import { OutcomeUnknown, PartitionFenced, RecordRefused, TransientFault } from '../../base/errors.ts'
import { partitionOf } from '../../base/partitioner.ts'
import type { CommittedEnd, OutgoingRecord, Producer } from '../../runtime/ports.ts'
import { BrokerError } from './broker-error.ts'
import type { MemoryBroker } from './broker.ts'
import { faultOf, isUnanswered } from './faults.ts'
import type { Pace } from './pace.ts'
import type { BrokerRecord, ProducerSession } from './partition-log.ts'

/** The records of one transaction that go to one partition, and where they stand in the caller's list. */
interface Batch {
  readonly topic: string
  readonly partition: number
  readonly records: BrokerRecord[]
  readonly indexes: number[]
}

export class MemoryProducer implements Producer {
  readonly #broker: MemoryBroker
  readonly #pace: Pace
  readonly #nowMs: () => number
  #session: ProducerSession
  #state: 'ready' | 'busy' | 'outcome-unknown' | 'fenced' | 'closed' = 'ready'
  /** The next sequence number of each partition in this epoch. */
  readonly #sequences = new Map<string, number>()
  #keylessRecords = 0

  constructor(broker: MemoryBroker, session: ProducerSession, pace: Pace, nowMs: () => number) {
    this.#broker = broker
    this.#session = session
    this.#pace = pace
    this.#nowMs = nowMs
  }

  async transact(records: readonly OutgoingRecord[]): Promise<readonly CommittedEnd[]> {
    if (this.#state === 'fenced') throw new PartitionFenced(`${this.#session.transactionalId} was taken over`)
    assert(this.#state === 'ready', `R2: transact on a producer that is ${this.#state}`)
    if (records.length === 0) return []
    const batches = this.#batches(records)
    this.#state = 'busy'
    const ends = await this.#produce(batches)
    await this.#commit()
    this.#become('ready')
    return ends
  }

  async close(): Promise<void> {
    this.#state = 'closed'
  }

  async #produce(batches: readonly Batch[]): Promise<readonly CommittedEnd[]> {
    const ends: CommittedEnd[] = []
    // A request that is late must carry the session that it was made in: the epoch is what gets it refused.
    const session = this.#session
    let sending: Batch | undefined
    try {
      await this.#request('begin', () => this.#broker.begin(session, batches))
      for (const batch of batches) {
        sending = batch
        const firstOffset = await this.#append(batch)
        ends.push({
          topic: batch.topic,
          partition: batch.partition,
          lastOffset: firstOffset + batch.records.length - 1,
        })
      }
      return ends
    } catch (error) {
      const fault = this.#noteFenced(faultOf(error, (recordIndex) => sending?.indexes[recordIndex] ?? 0))
      if (fault instanceof PartitionFenced) throw fault
      const isSomethingUnderWay = isUnanswered(error)
      // A begin that was refused has opened nothing.
      if (sending !== undefined || isSomethingUnderWay) await this.#abort(isSomethingUnderWay)
      this.#become('ready')
      throw fault
    }
  }

  async #append({ topic, partition, records }: Batch): Promise<number> {
    const place = `${topic}/${partition}`
    const sequence = this.#sequences.get(place) ?? 0
    const session = this.#session
    const firstOffset = await this.#request(`append ${place}`, () =>
      this.#broker.append(session, topic, partition, sequence, records),
    )
    this.#sequences.set(place, sequence + records.length)
    return firstOffset
  }

  async #commit(): Promise<void> {
    const session = this.#session
    try {
      await this.#request('commit', () => this.#broker.end(session, 'committed'))
    } catch (error) {
      const fault = this.#noteFenced(faultOf(error))
      if (fault instanceof PartitionFenced) throw fault
      throw this.#outcomeUnknown(error) // R1
    }
  }

  /** Decides the open transaction against us; with requests under way the epoch is raised, so that they are refused. */
  async #abort(isSomethingUnderWay: boolean): Promise<void> {
    const session = this.#session
    try {
      if (isSomethingUnderWay) {
        const raise = () => this.#broker.initialiseProducer(session.transactionalId, session)
        this.#session = await this.#request('abort', raise)
        this.#sequences.clear()
      } else {
        await this.#request('abort', () => this.#broker.end(session, 'aborted'))
      }
    } catch (error) {
      const fault = this.#noteFenced(faultOf(error))
      if (fault instanceof PartitionFenced) throw fault
      throw this.#outcomeUnknown(error) // R1
    }
  }

  #request<T>(operation: string, apply: () => T): Promise<T> {
    return this.#pace(`${operation} by ${this.#session.transactionalId}`, apply)
  }

  #noteFenced(fault: unknown): unknown {
    if (fault instanceof PartitionFenced) this.#become('fenced')
    return fault
  }

  #outcomeUnknown(cause: unknown): unknown {
    // Anything but a missing or a strange answer is a bug in the pace or the broker, and is to be seen as one.
    if (!isUnanswered(cause) && !(cause instanceof BrokerError)) return cause
    this.#become('outcome-unknown')
    return new OutcomeUnknown(`no answer to the end of a transaction of ${this.#session.transactionalId}`, { cause })
  }

  #become(state: 'ready' | 'outcome-unknown' | 'fenced'): void {
    if (this.#state !== 'closed') this.#state = state
  }

  /** The records by partition, in the order of first use. @throws {RecordRefused} before anything is sent */
  #batches(records: readonly OutgoingRecord[]): readonly Batch[] {
    const batches = new Map<string, Batch>()
    for (const [index, record] of records.entries()) {
      const partition = this.#partitionFor(record, index)
      const place = `${record.topic}/${partition}`
      const batch = batches.get(place) ?? { topic: record.topic, partition, records: [], indexes: [] }
      batches.set(place, batch)
      const { key, value, headers = [] } = record
      batch.records.push({ timestampMs: this.#nowMs(), key, value, headers })
      batch.indexes.push(index)
    }
    return [...batches.values()]
  }

  /** From the client's view of the topics, which a real client refreshes before it refuses. */
  #partitionFor(record: OutgoingRecord, index: number): number {
    const topic = this.#broker.findTopic(record.topic)
    if (topic === undefined) throw new RecordRefused(index, 'unknown-topic', `no topic ${record.topic}`)
    if (record.partition === undefined) {
      return record.key === null ? this.#keylessRecords++ % topic.partitions : partitionOf(record.key, topic.partitions)
    }
    if (record.partition < 0 || record.partition >= topic.partitions) {
      throw new RecordRefused(index, 'bad-partition', `${record.topic} has no partition ${record.partition}`)
    }
    return record.partition
  }
}

/** Opens a producer of a transactional id. @throws {TransientFault} */
export async function openMemoryProducer(
  broker: MemoryBroker,
  transactionalId: string,
  pace: Pace,
  nowMs: () => number,
): Promise<Producer> {
  try {
    const session = await pace(`open-producer ${transactionalId}`, () => broker.initialiseProducer(transactionalId))
    return new MemoryProducer(broker, session, pace, nowMs)
  } catch (error) {
    throw isUnanswered(error) ? new TransientFault('no answer to open-producer', { cause: error }) : faultOf(error)
  }
}
