// Which partition each record goes to, and in which batches: one batch of a partition at a time, none larger than its
// topic takes, records in their order.
import { partitionOf } from '../../base/partitioner.ts'
import { RecordRefused } from '../../base/errors.ts'
import type { OutgoingRecord } from '../../runtime/ports.ts'
import type { Cluster, TopicMetadata } from './cluster.ts'
import { recordFault } from './faults.ts'
import { batchHeadBytes } from './record-batch.ts'
import type { BatchLimits } from './topics.ts'

export interface Batch {
  readonly topic: string
  readonly partition: number
  readonly records: readonly OutgoingRecord[]
  /** Where each record stands in the list that was handed over. */
  readonly indices: readonly number[]
  /** At most; what varies is a few bytes a record. */
  readonly bytes: number
}

/** The partitions that a list of records touches, each with its batches in order. */
export interface PartitionBatches {
  readonly topic: string
  readonly partition: number
  readonly batches: readonly Batch[]
}

/** Lengths, attributes and deltas of a record at their longest. */
const recordOverheadBytes = 30
const headerOverheadBytes = 10

/** What the record takes in a batch, in bytes, or a little less. */
export function bytesOf({ key, value, headers = [] }: OutgoingRecord): number {
  let bytes = recordOverheadBytes + (key?.length ?? 0) + (value?.length ?? 0)
  // A UTF-16 unit is at most three bytes in UTF-8.
  for (const header of headers) bytes += headerOverheadBytes + header.key.length * 3 + header.value.length
  return bytes
}

/**
 * Says where each record goes: to its own partition, its key's, or `keyless` of its topic's partitions, which the caller
 * changes with each list; or why it can go nowhere. @throws {NoAnswer}
 */
export async function place(
  cluster: Cluster,
  records: readonly OutgoingRecord[],
  keyless: number,
): Promise<readonly (number | Error)[]> {
  /** Of each topic the highest partition that is named. */
  const named = new Map<string, number>()
  for (const { topic, partition = 0 } of records) {
    if (partition > (named.get(topic) ?? -1)) named.set(topic, partition)
  }
  const topics = new Map<string, TopicMetadata>()
  for (const [name, partition] of named) {
    const known = await cluster.topic(name)
    // Partitions may have been added.
    topics.set(name, partition < known.leaders.length ? known : (await cluster.refresh([name]))[0]!)
  }
  return records.map((record, index) => placeOne(record, index, topics.get(record.topic)!, keyless))
}

function placeOne(record: OutgoingRecord, index: number, topic: TopicMetadata, keyless: number): number | Error {
  if (topic.error !== undefined) return recordFault(topic.error, index, `topic ${topic.name}`)
  const count = topic.leaders.length
  const { key, partition } = record
  if (partition === undefined) return key === null ? keyless % count : partitionOf(key, count)
  if (Number.isInteger(partition) && partition >= 0 && partition < count) return partition
  return new RecordRefused(index, 'bad-partition', `topic ${topic.name} has ${count} partitions, none is ${partition}`)
}

/** Cuts records into batches; `partitions` says where each goes. */
export function batch(
  records: readonly OutgoingRecord[],
  partitions: readonly number[],
  limits: BatchLimits,
): readonly PartitionBatches[] {
  const topics = new Map<string, Building[]>()
  const all: Building[] = []
  for (const [index, record] of records.entries()) {
    const { topic } = record
    const partition = partitions[index]!
    let ofTopic = topics.get(topic)
    if (ofTopic === undefined) topics.set(topic, (ofTopic = []))
    let building = ofTopic[partition]
    if (building === undefined) all.push((building = ofTopic[partition] = { topic, partition, batches: [] }))
    const bytes = bytesOf(record)
    let last = building.batches.at(-1)
    if (last === undefined || last.bytes + bytes > limits.of(topic)) {
      building.batches.push((last = { topic, partition, records: [], indices: [], bytes: batchHeadBytes }))
    }
    last.records.push(record)
    last.indices.push(index)
    last.bytes += bytes
  }
  return all
}

interface Building {
  readonly topic: string
  readonly partition: number
  readonly batches: (Batch & { readonly records: OutgoingRecord[]; readonly indices: number[]; bytes: number })[]
}
