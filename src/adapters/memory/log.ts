// A client of the memory broker: the Log port as one worker sees it. Several clients of one broker are several workers.
import { partitionOf } from '../../base/partitioner.ts'
import type { Log, OutgoingRecord, ProduceOutcome, Reader, TopicInfo, TopicSpec } from '../../runtime/ports.ts'
import { BrokerError } from './broker-error.ts'
import type { MemoryBroker } from './broker.ts'
import { faultOf } from './faults.ts'
import { atOnce } from './pace.ts'
import type { Pace } from './pace.ts'
import { openMemoryProducer } from './producer.ts'
import { MemoryReader } from './reader.ts'

export interface MemoryLogOptions {
  /** When requests are carried out and answered; by default at once. */
  readonly pace?: Pace
  /** The time that produced records carry. */
  readonly nowMs?: () => number
}

/** A log over a broker in memory; nothing outlives the process. */
export function createMemoryLog(broker: MemoryBroker, options: MemoryLogOptions = {}): Log {
  const pace = options.pace ?? atOnce
  const nowMs = options.nowMs ?? Date.now
  const readers = new Set<Reader>()

  async function request<T>(operation: string, apply: () => T): Promise<T> {
    try {
      return await pace(operation, apply)
    } catch (error) {
      throw faultOf(error)
    }
  }

  return {
    isShared: true,
    describeTopics: (names) =>
      request('describe-topics', () => {
        const found = new Map<string, TopicInfo>()
        for (const name of names) {
          const topic = broker.findTopic(name)
          if (topic !== undefined) found.set(name, topic)
        }
        return found
      }),
    listTopics: () => request('list-topics', () => broker.listTopics()),
    createTopics: (specs: readonly TopicSpec[]) =>
      request('create-topics', () => {
        for (const spec of specs) broker.createTopic(spec)
      }),
    offsets: (topic, partition) => request(`offsets ${topic}/${partition}`, () => broker.offsets(topic, partition)),
    openProducer: (transactionalId) => openMemoryProducer(broker, transactionalId, pace, nowMs),
    openReader(readerOptions) {
      const reader = new MemoryReader(broker, readerOptions, pace)
      readers.add(reader)
      return reader
    },
    async produce(records) {
      const outcomes: ProduceOutcome[] = []
      for (const record of records) outcomes.push(await request('produce', () => produceOne(broker, record, nowMs())))
      return outcomes
    },
    deleteRecords: (topic, partition, before) =>
      request(`delete-records ${topic}/${partition}`, () => broker.deleteRecords(topic, partition, before)),
    problems: () => [],
    async close() {
      for (const reader of readers) reader.close()
      readers.clear()
    },
  }
}

/** A plain client's record; what the broker refuses is an outcome, not an error. */
function produceOne(broker: MemoryBroker, record: OutgoingRecord, timestampMs: number): ProduceOutcome {
  const partitions = broker.findTopic(record.topic)?.partitions ?? 1
  const partition = record.partition ?? (record.key === null ? 0 : partitionOf(record.key, partitions))
  try {
    const { key, value, headers = [] } = record
    return { partition, offset: broker.produce(record.topic, partition, [{ timestampMs, key, value, headers }]) }
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error
    return { error: error.code, message: error.message }
  }
}
