// Reads committed records of one partition ahead of its user, one fetch at a time, when the broker says that there is
// something new. A fetch goes through the pace, so what arrives first across partitions is the simulation's choice.
// A lost answer is asked for again. An offset that is gone, or another creation of the topic, ends the reader.
import { TransientFault } from '../../base/errors.ts'
import { OffsetGone } from '../../runtime/ports.ts'
import type { Behind, LogRecord, Reader, ReaderOptions } from '../../runtime/ports.ts'
import { BrokerError } from './broker-error.ts'
import type { MemoryBroker } from './broker.ts'
import { isUnanswered } from './faults.ts'
import type { Pace } from './pace.ts'

/** Enough to keep a loop busy, little enough that a simulation sees many deliveries. */
const recordsAheadMax = 500

export class MemoryReader implements Reader {
  readonly #broker: MemoryBroker
  readonly #options: ReaderOptions
  readonly #pace: Pace
  readonly #unsubscribe: () => void
  #ahead: LogRecord[] = []
  #taken = 0
  #nextFetch: number
  #topicId: string | undefined
  #isFetching = false
  #hasNews = true
  #isClosed = false
  #failure: OffsetGone | TransientFault | undefined

  constructor(broker: MemoryBroker, options: ReaderOptions, pace: Pace) {
    this.#broker = broker
    this.#options = options
    this.#pace = pace
    this.#nextFetch = options.offset
    this.#topicId = options.topicId
    this.#unsubscribe = broker.subscribe(options.topic, options.partition, () => {
      this.#hasNews = true
      void this.#fetchAhead()
    })
    void this.#fetchAhead()
  }

  take(max: number): readonly LogRecord[] {
    if (this.#isClosed) return []
    const records = this.#ahead.slice(this.#taken, this.#taken + max)
    this.#taken += records.length
    if (this.#taken === this.#ahead.length) {
      this.#ahead = []
      this.#taken = 0
      if (records.length === 0 && this.#failure !== undefined) throw this.#failure
      void this.#fetchAhead()
    }
    return records
  }

  get position(): number {
    return this.#ahead[this.#taken]?.offset ?? this.#nextFetch
  }

  get behind(): Behind | undefined {
    const { topic, partition } = this.#options
    if ((this.#broker.findTopic(topic)?.partitions ?? 0) <= partition) return undefined
    const { committedEnd } = this.#broker.offsets(topic, partition)
    return { records: Math.max(0, committedEnd - this.position), sinceMs: this.#ahead[this.#taken]?.timestampMs }
  }

  close(): void {
    this.#isClosed = true
    this.#unsubscribe()
  }

  /** Fetches until nothing is new or enough is ahead; runs once at a time. */
  async #fetchAhead(): Promise<void> {
    if (this.#isFetching) return
    this.#isFetching = true
    while (this.#hasNews && !this.#isClosed && this.#ahead.length < recordsAheadMax) {
      this.#hasNews = false
      if (await this.#fetch()) this.#options.onReady()
    }
    this.#isFetching = false
  }

  /** One fetch; true when the reader has moved, or has failed. */
  async #fetch(): Promise<boolean> {
    const { topic, partition } = this.#options
    const offset = this.#nextFetch
    try {
      const fetched = await this.#pace(`deliver ${topic}/${partition}`, () =>
        this.#broker.fetch(topic, partition, offset, recordsAheadMax),
      )
      if (this.#isClosed) return false
      this.#topicId ??= fetched.topicId
      if (this.#topicId !== fetched.topicId) return this.#end()
      this.#failure = undefined
      for (const record of fetched.records) this.#ahead.push({ topic, partition, ...record })
      this.#nextFetch = fetched.nextOffset
      if (fetched.nextOffset < fetched.committedEnd) this.#hasNews = true
      return fetched.nextOffset > offset
    } catch (error) {
      if (this.#isClosed) return false
      if (isUnanswered(error)) {
        this.#hasNews = true
        return false
      }
      if (!(error instanceof BrokerError)) throw error
      if (error.code === 'OFFSET_OUT_OF_RANGE') return this.#end()
      this.#failure = new TransientFault(error.message, { cause: error })
      return true
    }
  }

  /** The position does not exist (any more) in the topic as it is now. */
  #end(): true {
    const { topic, partition } = this.#options
    const exists = (this.#broker.findTopic(topic)?.partitions ?? 0) > partition
    const { earliest, end } = exists ? this.#broker.offsets(topic, partition) : { earliest: 0, end: 0 }
    this.#failure = new OffsetGone(`offset ${this.#nextFetch} of ${topic}/${partition} is gone`, earliest, end)
    this.#unsubscribe()
    return true
  }
}
