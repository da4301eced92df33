// One reader: what was fetched ahead for it, and where it stands. The fetcher brings records and trouble; this keeps them
// in order for the one who takes.
import { TransientFault } from '../../base/errors.ts'
import { OffsetGone } from '../../runtime/ports.ts'
import type { Behind, LogRecord, Reader, ReaderOptions } from '../../runtime/ports.ts'
import { Ahead } from './ahead.ts'
import type { Committed } from './committed.ts'

/** What a reader asks of the one that fetches for it. */
export interface FetchesFor {
  /** There is room again, and nothing is under way. */
  want(reader: KafkaReader): void
  remove(reader: KafkaReader): void
  /** A reader that has so much ahead is not fetched for. */
  readonly aheadBytesMax: number
}

export class KafkaReader implements Reader {
  readonly topic: string
  readonly partition: number
  /** The creation of the topic that it reads: offsets of another one mean something else. */
  topicId: string | undefined
  /** The fetcher's: in a request, or waiting for a place in one. */
  isQueued = false
  readonly #fetcher: FetchesFor
  readonly #onReady: () => void
  readonly #ahead: Ahead
  #fetchOffset: number
  #committedEnd: number | undefined
  #failure: OffsetGone | TransientFault | undefined
  #isClosed = false

  constructor(options: ReaderOptions, fetcher: FetchesFor) {
    this.topic = options.topic
    this.partition = options.partition
    this.topicId = options.topicId
    this.#fetchOffset = options.offset
    this.#onReady = options.onReady
    this.#fetcher = fetcher
    this.#ahead = new Ahead(options.topic, options.partition)
  }

  take(max: number): readonly LogRecord[] {
    if (this.#isClosed) return []
    const records = this.#ahead.take(max)
    if (records.length === 0 && this.#failure !== undefined) throw this.#failure
    this.#fetcher.want(this)
    return records
  }

  get position(): number {
    return this.#ahead.peek()?.offset ?? this.#fetchOffset
  }

  get behind(): Behind | undefined {
    if (this.#committedEnd === undefined) return undefined
    const next = this.#ahead.peek()
    const records = Math.max(0, this.#committedEnd - (next?.offset ?? this.#fetchOffset))
    return { records, sinceMs: next?.timestampMs }
  }

  /** Where the next fetch begins. */
  get fetchOffset(): number {
    return this.#fetchOffset
  }

  get wantsRecords(): boolean {
    return !this.#isClosed && !(this.#failure instanceof OffsetGone) && this.#ahead.bytes < this.#fetcher.aheadBytesMax
  }

  /** Takes what was fetched from `fetchOffset` on. */
  accept({ batches, nextOffset, committedEnd }: Committed): void {
    this.#failure = undefined
    this.#committedEnd = committedEnd
    if (nextOffset === this.#fetchOffset) return
    this.#ahead.add(batches, this.#fetchOffset)
    this.#fetchOffset = nextOffset
    this.#tell()
  }

  /** What the next `take` throws when there are no records left; `OffsetGone` for good. */
  fail(failure: OffsetGone | TransientFault): void {
    const isNews = this.#failure === undefined || failure instanceof OffsetGone
    this.#failure = failure
    if (isNews) this.#tell()
  }

  close(): void {
    this.#isClosed = true
    this.#ahead.clear()
    this.#fetcher.remove(this)
  }

  #tell(): void {
    if (!this.#isClosed) this.#onReady()
  }
}
