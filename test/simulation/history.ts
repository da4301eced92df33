// What was committed, in order, as it became visible: an observer that reads every topic from the start, before
// compaction, retention or deletion take anything away. It looks on and changes nothing.
import type { MemoryBroker } from '../../src/adapters/memory/broker.ts'
import type { ProducerSession, StoredRecord } from '../../src/adapters/memory/partition-log.ts'

/** A committed record, when it became visible, and who wrote it: undefined outside of transactions. */
export interface Seen extends StoredRecord {
  readonly topicId: string
  readonly partition: number
  readonly atMs: number
  readonly writer: ProducerSession | undefined
}

interface Watched {
  readonly seen: Seen[]
  topicId: string | undefined
  nextOffset: number
}

const nothing: readonly Seen[] = []

export class History {
  readonly #broker: MemoryBroker
  readonly #nowMs: () => number
  readonly #places = new Map<string, Watched>()

  constructor(broker: MemoryBroker, nowMs: () => number) {
    this.#broker = broker
    this.#nowMs = nowMs
  }

  /** Looks on from now on; the topic may come later, or be made anew. */
  watch(topic: string, partitions: number): void {
    for (let partition = 0; partition < partitions; partition++) {
      const place = `${topic}/${partition}`
      if (this.#places.has(place)) continue
      this.#places.set(place, { seen: [], topicId: undefined, nextOffset: 0 })
      this.#broker.subscribe(topic, partition, () => this.#look(topic, partition))
      this.#look(topic, partition)
    }
  }

  /** Watches what has come into being meanwhile: topics, and partitions of topics that grew. */
  catchUp(): void {
    for (const { name, partitions } of this.#broker.listTopics()) this.watch(name, partitions)
  }

  /** Committed records of a partition in their order; those of a topic made anew follow those of the one before. */
  of(topic: string, partition: number): readonly Seen[] {
    return this.#places.get(`${topic}/${partition}`)?.seen ?? nothing
  }

  /** Committed records of all partitions of a topic. */
  all(topic: string): readonly Seen[] {
    const found: Seen[] = []
    for (let partition = 0; this.#places.has(`${topic}/${partition}`); partition++)
      found.push(...this.of(topic, partition))
    return found
  }

  /** "topic/partition" of all that is watched, sorted. */
  places(): readonly string[] {
    return [...this.#places.keys()].sort()
  }

  #look(topic: string, partition: number): void {
    const watched = this.#places.get(`${topic}/${partition}`)
    const info = this.#broker.findTopic(topic)
    if (watched === undefined || info === undefined || partition >= info.partitions) return
    if (watched.topicId !== info.id) {
      watched.topicId = info.id
      watched.nextOffset = 0
    }
    const { earliest } = this.#broker.offsets(topic, partition)
    const from = Math.max(watched.nextOffset, earliest)
    const { records, nextOffset } = this.#broker.fetch(topic, partition, from, Number.MAX_SAFE_INTEGER)
    watched.nextOffset = nextOffset
    for (const record of records) {
      const writer = this.#broker.writerOf(topic, partition, record.offset)
      watched.seen.push({ ...record, topicId: info.id, partition, atMs: this.#nowMs(), writer })
    }
  }
}
