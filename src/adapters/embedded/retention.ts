// How old records leave: retained topics lose whole segments by age and size, and what lies below a partition's
// `earliest` is deleted from LevelDB behind everyone's back.
//
// A segment is a run of records of one partition with its bytes and times; the closed ones have an entry each and the one
// being filled lies in the head, so opening a log scans no records. Deletion comes after the new `earliest` is durable
// (L2), one range at a time; a partition trimmed again meanwhile is swept once for both.
import type { Logger } from '../../base/logger.ts'
import type { Clock } from '../../runtime/ports.ts'
import type { Database } from './database.ts'
import type { ClosedSegment, PartitionLog, Segment, Topic } from './partition-log.ts'

export interface RetentionLimits {
  readonly ageMs: number
  /** Of a topic: payload bytes over all of its partitions. */
  readonly bytes: number
}

export const retentionDefault: RetentionLimits = { ageMs: 7 * 24 * 3_600_000, bytes: 1_073_741_824 }

/** A topic is this many segments in each partition when it is full: so much of it goes at a time. */
const segmentsPerPartition = 16
const segmentBytesMin = 4_096
/** A partition is swept once this much may lie below its earliest offset: a sweep costs a seek, garbage costs disk. */
const sweepRecords = 512
const sweepBytes = 1_048_576

export class Retention {
  readonly #limits: RetentionLimits
  readonly #topics: ReadonlyMap<number, Topic>
  readonly #database: Database
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #unswept = new Set<PartitionLog>()
  #sweeping: Promise<void> | undefined
  #isClosed = false

  constructor(
    limits: RetentionLimits,
    topics: ReadonlyMap<number, Topic>,
    database: Database,
    clock: Clock,
    logger: Logger,
  ) {
    this.#limits = limits
    this.#topics = topics
    this.#database = database
    this.#clock = clock
    this.#logger = logger
  }

  /** The segment being filled once `bytes` more are in it, and the one before, if it was full. Changes nothing. */
  grow(partition: PartitionLog, bytes: number, nowMs: number): { segment: Segment; closed: ClosedSegment | undefined } {
    const filling = partition.segment
    if (filling === undefined) return { segment: { bytes, firstMs: nowMs, lastMs: nowMs }, closed: undefined }
    const partitions = this.#topics.get(partition.topicNumber)!.partitions.length
    const bytesMax = Math.max(segmentBytesMin, this.#limits.bytes / (segmentsPerPartition * partitions))
    const isFull = filling.bytes >= bytesMax || nowMs - filling.firstMs >= this.#limits.ageMs / segmentsPerPartition
    if (!isFull) return { segment: { ...filling, bytes: filling.bytes + bytes, lastMs: nowMs }, closed: undefined }
    return {
      segment: { bytes, firstMs: nowMs, lastMs: nowMs },
      closed: { ...filling, lastOffset: partition.end - 1 },
    }
  }

  /** Moves `earliest` past the segments of a topic that are too old or too many; returns the partitions it moved. */
  expire(topicNumber: number): ReadonlySet<PartitionLog> {
    const moved = new Set<PartitionLog>()
    const topic = this.#topics.get(topicNumber)
    if (topic?.cleanup !== 'retained') return moved
    const tooOldMs = this.#clock.nowMs() - this.#limits.ageMs
    let bytes = 0
    for (const partition of topic.partitions) {
      if (partition.segment !== undefined && partition.segment.lastMs < tooOldMs) {
        partition.segments.push({ ...partition.segment, lastOffset: partition.end - 1 })
        partition.segment = undefined
        moved.add(partition)
      }
      bytes += partition.segment?.bytes ?? 0
      for (const segment of partition.segments) bytes += segment.bytes
    }
    for (;;) {
      const partition = oldestOf(topic.partitions)
      const segment = partition?.segments[0]
      if (partition === undefined || segment === undefined) return moved
      if (segment.lastMs >= tooOldMs && bytes <= this.#limits.bytes) return moved
      bytes -= segment.bytes
      partition.segments.shift()
      partition.earliest = Math.max(partition.earliest, segment.lastOffset + 1)
      moved.add(partition)
    }
  }

  /** Deletes what lies below a partition's earliest offset, once it is worth it or when `isForced`. */
  sweep(partition: PartitionLog, isForced = false): void {
    const records = partition.durableEarliest - partition.sweptTo
    if (records <= 0 || this.#isClosed) return
    if (!isForced && records < sweepRecords && partition.bytesSinceSweep < sweepBytes) return
    this.#unswept.add(partition)
    this.#sweeping ??= this.#sweepAll()
  }

  /** Ends after the deletion that is under way. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#sweeping
  }

  async #sweepAll(): Promise<void> {
    for (const partition of this.#unswept) {
      this.#unswept.delete(partition)
      if (this.#isClosed) break
      const { sweptTo, durableEarliest: earliest } = partition
      partition.bytesSinceSweep = 0
      try {
        await this.#database.clear({ gte: partition.chunkKey(sweptTo), lt: partition.chunkKey(earliest) })
        if (partition.cleanup === 'retained') {
          await this.#database.clear({ gte: partition.segmentKey(sweptTo), lt: partition.segmentKey(earliest) })
        }
        partition.sweptTo = earliest
      } catch (error) {
        // Garbage costs disk only; the next sweep begins at the same place.
        this.#logger.warn({ error, topic: partition.topic, partition: partition.index }, 'old records were not deleted')
      }
    }
    this.#sweeping = undefined
  }
}

/** The partition with the oldest segment; of equally old ones the one with most, so that none is emptied for another. */
function oldestOf(partitions: readonly PartitionLog[]): PartitionLog | undefined {
  let oldest: PartitionLog | undefined
  for (const partition of partitions) {
    const segment = partition.segments[0]
    if (segment === undefined) continue
    const oldestMs = oldest?.segments[0]?.lastMs ?? Infinity
    const isOlder = segment.lastMs < oldestMs
    if (isOlder || (segment.lastMs === oldestMs && partition.segments.length > oldest!.segments.length)) {
      oldest = partition
    }
  }
  return oldest
}
