// What is known in memory of one partition: where it begins and ends, its segments, and who reads it.
//
//   L1. `end` moves only after the records below it are durable: readers see nothing that a crash could take back.
//   L2. `earliest` is durable before anything below it is deleted: a crash between the two leaves garbage, no gap.
import type { LogRecord, TopicInfo, TopicSpec } from '../../runtime/ports.ts'
import { jsonEntry } from './codec.ts'
import { offsetKey, partitionPrefix } from './layout.ts'

export interface Topic {
  readonly info: TopicInfo
  /** Its number in keys. */
  readonly number: number
  readonly cleanup: TopicSpec['cleanup']
  readonly partitions: readonly PartitionLog[]
  /** Where the next record with neither key nor partition goes. */
  roundRobin: number
}

/** What a topic's entry says. */
export interface TopicEntry {
  readonly name: string
  readonly id: string
  readonly partitions: number
  readonly cleanup: TopicSpec['cleanup']
}

/** A run of records of a retained topic that is deleted as a whole. */
export interface Segment {
  readonly bytes: number
  readonly firstMs: number
  readonly lastMs: number
}

export interface ClosedSegment extends Segment {
  readonly lastOffset: number
}

/** What a partition's head entry says. */
export interface Head {
  readonly earliest: number
  readonly end: number
  /** The segment being filled, of retained topics. */
  readonly segment?: Segment
}

/** Who is told of new records: a reader, as the committer sees it. */
export interface Follower {
  /** Takes the records of a group, from offset `first` on, if it has everything before them. True where it did. */
  offer(first: number, records: readonly LogRecord[], bytes: number): boolean
  /** Tells its owner that there is something to take. */
  announce(): void
  /** Fetches what it is behind by, unless it does already or has enough to give. */
  wake(): void
  close(): void
}

export const topicEntry = jsonEntry<TopicEntry>()
export const segmentEntry = jsonEntry<ClosedSegment>()
export const headEntry = jsonEntry<Head>()

export class PartitionLog {
  readonly topic: string
  readonly topicNumber: number
  readonly index: number
  readonly cleanup: TopicSpec['cleanup']
  readonly headKey: Buffer
  readonly readers = new Set<Follower>()
  earliest = 0
  /** `earliest` as it is on disk; never above it. */
  durableEarliest = 0
  end = 0
  /** Oldest first. */
  segments: ClosedSegment[] = []
  segment: Segment | undefined
  /** Below this nothing is left on disk. */
  sweptTo = 0
  /** Bytes appended since the last sweep: as much may lie below `earliest`. */
  bytesSinceSweep = 0
  readonly #chunkPrefix: Buffer
  readonly valuePrefix: Buffer

  constructor(topic: string, topicNumber: number, index: number, cleanup: TopicSpec['cleanup']) {
    this.topic = topic
    this.topicNumber = topicNumber
    this.index = index
    this.cleanup = cleanup
    this.headKey = partitionPrefix('head', topicNumber, index)
    this.#chunkPrefix = partitionPrefix('chunk', topicNumber, index)
    this.valuePrefix = partitionPrefix('value', topicNumber, index)
  }

  /** The key of the chunk that ends with an offset, which is also the least key of a chunk that holds it or a later one. */
  chunkKey(lastOffset: number): Buffer {
    return offsetKey(this.#chunkPrefix, lastOffset)
  }

  segmentKey(lastOffset: number): Buffer {
    return offsetKey(partitionPrefix('segment', this.topicNumber, this.index), lastOffset)
  }

  head(): Head {
    const { earliest, end, segment } = this
    return segment === undefined ? { earliest, end } : { earliest, end, segment }
  }
}
