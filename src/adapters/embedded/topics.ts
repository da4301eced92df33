// Which topics there are: made, read back at open, and found when a record looks for its partition.
import { randomBytes } from 'node:crypto'
import { limits } from '../../base/limits.ts'
import { RecordRefused } from '../../base/errors.ts'
import { partitionOf } from '../../base/partitioner.ts'
import type { OutgoingRecord, TopicInfo, TopicSpec } from '../../runtime/ports.ts'
import { payloadBytes } from './codec.ts'
import type { Database } from './database.ts'
import { configError, dataCorrupted } from './faults.ts'
import type { RoutedRecord } from './group.ts'
import { numberMax, offsetOf, partitionRange, topicKey, topicRange } from './layout.ts'
import { headEntry, PartitionLog, segmentEntry, topicEntry, type Topic, type TopicEntry } from './partition-log.ts'

export class Topics {
  readonly #byName = new Map<string, Topic>()
  readonly byNumber = new Map<number, Topic>()

  /** Reads all topics with the heads and segments of their partitions, into the objects that exist already. @throws {ConfigError} */
  async load(database: Database): Promise<void> {
    for await (const page of database.pages(topicRange, 1_000)) {
      for (const [key, entry] of page) {
        const number = key.readUInt16BE(1)
        if (!this.byNumber.has(number)) this.add(number, topicEntry.decode(key, entry))
      }
    }
    for (const { partitions } of this.byNumber.values()) {
      for (const partition of partitions) await loadPartition(database, partition)
    }
  }

  /** The entry of a topic to be made, with its number and its key. @throws {ConfigError} DW_TOPIC */
  design(spec: TopicSpec, number: number): { entry: TopicEntry; key: Buffer; value: Buffer } {
    const { name, partitions, cleanup } = spec
    if (!/^[a-zA-Z0-9._-]{1,249}$/.test(name) || name === '.' || name === '..') {
      throw configError('DW_TOPIC', `'${name}' is no name for a topic: up to 249 letters, digits, '.', '_' and '-'`)
    }
    if (!Number.isInteger(partitions) || partitions < 1 || partitions > numberMax || number > numberMax) {
      throw configError(
        'DW_TOPIC',
        `topic ${name} with ${partitions} partitions: 1 to ${numberMax} of each are possible`,
      )
    }
    const entry: TopicEntry = { name, id: randomBytes(16).toString('base64url'), partitions, cleanup }
    const key = topicKey(number)
    return { entry, key, value: topicEntry.encode(key, entry) }
  }

  add(number: number, entry: TopicEntry): void {
    const { name, id, partitions, cleanup } = entry
    const topic: Topic = {
      info: { name, id, partitions, recordBytesMax: limits.recordBytesMax },
      number,
      cleanup,
      partitions: Array.from({ length: partitions }, (_, index) => new PartitionLog(name, number, index, cleanup)),
      roundRobin: 0,
    }
    this.#byName.set(name, topic)
    this.byNumber.set(number, topic)
  }

  find(name: string): Topic | undefined {
    return this.#byName.get(name)
  }

  findPartition(topic: string, partition: number): PartitionLog | undefined {
    return this.#byName.get(topic)?.partitions[partition]
  }

  /** Sorted by name. */
  list(): TopicInfo[] {
    return Array.from(this.#byName.values(), ({ info }) => info).sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** Checks records and finds the partition of each; `bytes` are those of keys, values and headers. @throws {RecordRefused} */
  route(records: readonly OutgoingRecord[]): { routed: RoutedRecord[]; bytes: number } {
    const routed: RoutedRecord[] = []
    let bytes = 0
    for (const [index, record] of records.entries()) {
      const topic = this.#byName.get(record.topic)
      if (topic === undefined) throw new RecordRefused(index, 'unknown-topic', `there is no topic ${record.topic}`)
      const recordBytes = payloadBytes(record)
      if (recordBytes > topic.info.recordBytesMax) {
        const message = `a record of ${recordBytes} bytes: topic ${record.topic} takes ${topic.info.recordBytesMax}`
        throw new RecordRefused(index, 'record-too-large', message)
      }
      if (topic.cleanup === 'compacted' && record.key === null) {
        throw new RecordRefused(index, 'key-missing', `topic ${record.topic} is compacted: its records need a key`)
      }
      const partition = topic.partitions[numberOf(record, topic)]
      if (partition === undefined) {
        const message = `topic ${record.topic} has ${topic.partitions.length} partitions, not one of number ${record.partition}`
        throw new RecordRefused(index, 'bad-partition', message)
      }
      bytes += recordBytes
      routed.push({ partition, record })
    }
    return { routed, bytes }
  }
}

function numberOf({ partition, key }: OutgoingRecord, topic: Topic): number {
  if (partition !== undefined) return partition
  if (key !== null) return partitionOf(key, topic.partitions.length)
  topic.roundRobin = (topic.roundRobin + 1) % topic.partitions.length
  return topic.roundRobin
}

async function loadPartition(database: Database, partition: PartitionLog): Promise<void> {
  const { topic, topicNumber, index, cleanup, headKey } = partition
  const entry = database.get(headKey)
  const head = entry === undefined ? { earliest: 0, end: 0 } : headEntry.decode(headKey, entry)
  partition.end = head.end
  // A trim that was asked for while nothing could be written is kept; it is written with the next group.
  partition.earliest = Math.max(partition.earliest, head.earliest)
  partition.durableEarliest = head.earliest
  partition.segment = head.segment
  if (cleanup === 'compacted') return
  const [last] = await database.list(partitionRange('chunk', topicNumber, index), 1, true)
  const lastOffset = last === undefined ? head.earliest - 1 : offsetOf(last[0])
  if (Math.max(lastOffset, head.earliest - 1) !== head.end - 1) {
    throw dataCorrupted(database.directory, `${topic}/${index} ends at ${head.end}, its records at ${lastOffset + 1}`)
  }
  if (cleanup === 'unlimited') return
  partition.segments = []
  for await (const page of database.pages(partitionRange('segment', topicNumber, index), 1_000)) {
    for (const [key, value] of page) {
      const segment = segmentEntry.decode(key, value)
      if (segment.lastOffset >= partition.earliest) partition.segments.push(segment)
    }
  }
}
