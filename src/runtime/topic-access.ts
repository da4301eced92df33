// Topics as people use them: produce some records, look at some. Nothing here touches the state.
import { toBase64 } from '../base/base64.ts'
import { ownTopics, type AppTopics } from '../records/keys.ts'
import type {
  ConsumeRequest,
  ProduceRecord,
  ProduceResult,
  RecordView,
  TopicsFace,
  TopicView,
} from './faces/topic-face.ts'
import { OffsetGone, type Clock, type Log, type LogRecord, type OutgoingRecord, type Reader } from './ports.ts'
import { keyView, textOf, valueView } from './record-view.ts'
import { Bell } from './wake.ts'

const encoder = new TextEncoder()

/** Markers and aborted records are passed without a word from the reader: it is looked at again. */
const lookAgainMs = 20
/** A fetch that takes longer is of a disk or a broker in trouble: the caller asks again. */
const fetchedWithinMs = 5_000

export class TopicAccess implements TopicsFace {
  readonly #log: Log
  readonly #clock: Clock

  readonly #topics: AppTopics

  constructor(log: Log, clock: Clock, topics: AppTopics) {
    this.#log = log
    this.#clock = clock
    this.#topics = topics
  }

  /** undefined: no such topic. @throws {TransientFault} Nothing was produced. @throws {OutcomeUnknown} */
  async produce(topic: string, records: readonly ProduceRecord[]): Promise<readonly ProduceResult[] | undefined> {
    if (!(await this.#log.describeTopics([topic])).has(topic)) return undefined
    if (ownTopics(this.#topics).has(topic)) {
      const message = `${topic} belongs to dagger-worker itself: nothing is produced to it`
      return records.map(() => ({ error: 'topic-reserved', message }))
    }
    return this.#log.produce(
      records.map(({ key, value, partition, headers }): OutgoingRecord => ({
        topic,
        key: typeof key === 'string' ? encoder.encode(key) : (key ?? null),
        value,
        ...(partition === undefined ? {} : { partition }),
        ...(headers === undefined ? {} : { headers }),
      })),
    )
  }

  async list(): Promise<readonly TopicView[]> {
    const views: TopicView[] = []
    for (const { name, partitions } of await this.#log.listTopics()) {
      const list = []
      for (let partition = 0; partition < partitions; partition++) {
        const { earliest, committedEnd } = await this.#log.offsets(name, partition)
        list.push({ partition, earliest, end: committedEnd })
      }
      views.push({ name, partitions: list })
    }
    return views
  }

  /** Waits up to `waitMs` for the first record. undefined: no such topic or partition. */
  async consume(request: ConsumeRequest): Promise<{ records: readonly RecordView[]; nextOffset: number } | undefined> {
    const { topic, partition, limit, waitMs } = request
    const info = (await this.#log.describeTopics([topic])).get(topic)
    if (info === undefined || partition < 0 || partition >= info.partitions) return undefined
    const { earliest, committedEnd } = await this.#log.offsets(topic, partition)
    const offset = Math.min(Math.max(request.offset, earliest), committedEnd)
    const bell = new Bell()
    const reader = this.#log.openReader({ topic, partition, offset, onReady: () => bell.ring() })
    let waitedMs = 0
    const wait = (delayMs: number): (() => void) =>
      this.#clock.after(delayMs, () => {
        waitedMs += delayMs
        cancel = wait(lookAgainMs)
        bell.ring()
      })
    let cancel = wait(waitMs)
    try {
      for (;;) {
        const records = take(reader, limit)
        // A new reader fetches first: what was there when the call came is not missed because nobody wanted to wait.
        const isThere = reader.position < committedEnd && waitedMs < waitMs + fetchedWithinMs
        if (records.length > 0 || (waitedMs >= waitMs && !isThere)) {
          return { records: records.map(viewOfRecord), nextOffset: reader.position }
        }
        await bell.heard()
      }
    } finally {
      cancel()
      reader.close()
    }
  }
}

function take(reader: Reader, limit: number): readonly LogRecord[] {
  try {
    return reader.take(limit)
  } catch (error) {
    // Retention was faster than the reader: the caller asks again from what there is.
    if (error instanceof OffsetGone) return []
    throw error
  }
}

function viewOfRecord(record: LogRecord): RecordView {
  const headers: { [key: string]: string } = Object.create(null)
  for (const header of record.headers) headers[header.key] = textOf(header.value) ?? toBase64(header.value)
  return {
    partition: record.partition,
    offset: record.offset,
    timestamp: new Date(record.timestampMs).toISOString(),
    ...keyView(record.key),
    ...valueView(record.value),
    headers,
  }
}
