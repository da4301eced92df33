// What one partition reads: its inbox, and source partition s of every topic where s % partitions is its own number.
// Any topic works with any partition count, and a topic that is laid out as the application is costs no hop.
//
// I6. The position is part of the state and is staged with what was decided: no gap, no overlap.
// Q1. A source that was never read begins where its registration says; that position is committed before anything is
//     read (its first batch is that position alone).
// Q2. An offset that is gone raises an alarm and goes on at the earliest; a topic that was created anew begins at 0. Which
//     of the two it is, only the topic's id tells: such a source is closed until the topics have been looked at again,
//     and its new position is committed first, as that of a source that was never read.
// Q3. A source that cannot be read for now (its topic is away, or may not be read) holds up no other: its reader goes on
//     trying, and the reason is told as long as it lasts.
// Q4. What goes on with instances comes before what begins more of them, as far as no source starves: under load few are
//     open at once, and those that are end soon. Their rows are still in memory when they are asked for.
import { ChangelogReplaced, TransientFault } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import type { Logger } from '../base/logger.ts'
import { positionKey } from '../records/keys.ts'
import { positionCodec, type InputPosition } from '../records/row-codec.ts'
import type { TopicFormat } from '../definition/topic-format.ts'
import type { Registration } from './catalogue.ts'

import { decodingReader } from './decoding-reader.ts'
import { OffsetGone, type Behind, type Log, type LogRecord, type Reader, type Store, type TopicInfo } from './ports.ts'

export interface SourceTopic {
  readonly info: TopicInfo
  /** undefined: the inbox, which begins at 0 and may not be replaced. */
  readonly registration: Registration | undefined
}

export interface SourcesOptions {
  readonly log: Log
  readonly store: Store
  readonly partition: number
  readonly partitions: number
  readonly logger: Logger
  readonly onReady: () => void
  /** By what formats the topic is read now. */
  readonly formatsOn: (topic: string) => readonly TopicFormat[]
  /** True where records of the topic begin instances. */
  readonly isStart: (topic: string) => boolean
  /** What an operator should know: records were lost before they were read. */
  readonly onAlarm: (message: string) => void
}

export class Source {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly isInbox: boolean
  /** Staged with the batch that takes from it. */
  offset: number
  /** True until a first position is committed. */
  isNew: boolean
  reader: Reader | undefined
  /** Q2: where the log said that it begins and ends, when the offset was not there. */
  gone: OffsetGone | undefined
  /** Q3 */
  trouble: string | undefined

  constructor(topic: SourceTopic, partition: number, offset: number, isNew: boolean) {
    this.topic = topic.info.name
    this.topicId = topic.info.id
    this.partition = partition
    this.isInbox = topic.registration === undefined
    this.offset = offset
    this.isNew = isNew
  }

  get position(): InputPosition {
    return { topicId: this.topicId, offset: this.offset }
  }
}

/** The next offset to be read, for who asks how far a partition is. */
export interface SourcePosition {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly isInbox: boolean
  /** Q3 */
  readonly trouble: string | undefined
  /** How far that is behind what is committed, as far as the log has told. */
  readonly behind: Behind | undefined
}

export interface Taken {
  readonly source: Source
  readonly records: readonly LogRecord[]
  /** The position behind them: markers and aborted records that follow are passed. */
  readonly offset: number
}

/** Between looks at the bytes: so many records of the largest size fit into memory for each partition. */
const recordsAtOnce = 32
/** Inbox records are deleted once so many have been passed. */
const trimmedEvery = 1_000

export class Sources {
  readonly #options: SourcesOptions
  readonly #sources = new Map<string, Source>()
  #turn = 0
  #trimmedTo = 0

  constructor(options: SourcesOptions) {
    this.#options = options
  }

  /** Adds what is not read yet; gives the sources whose first position has to be committed (Q1). */
  plan(topics: readonly SourceTopic[]): readonly Source[] {
    const { partition, partitions } = this.#options
    const fresh: Source[] = []
    for (const topic of topics) {
      const isInbox = topic.registration === undefined
      for (let s = isInbox ? partition : partition % partitions; s < topic.info.partitions; s += partitions) {
        const source = this.#add(topic, s)
        if (source?.isNew === true) fresh.push(source)
        if (isInbox) break
      }
    }
    // Their topic is away, or has fewer partitions by now: if it comes back, they are found anew.
    for (const [key, { gone }] of this.#sources) if (gone !== undefined) this.#sources.delete(key)
    return fresh
  }

  /** Why some source cannot be read for now, in words. Q3 */
  get trouble(): string | undefined {
    for (const { trouble } of this.#sources.values()) if (trouble !== undefined) return trouble
    return undefined
  }

  /** How far each is: what was taken and is not committed yet counts as read, and so do markers. */
  get positions(): readonly SourcePosition[] {
    return [...this.#sources.values()].map(({ topic, partition, offset, isInbox, trouble, reader }) => {
      return { topic, partition, offset: reader?.position ?? offset, isInbox, trouble, behind: reader?.behind }
    })
  }

  /** Whether `plan` has to be asked again before anything else. Q2 */
  get hasGone(): boolean {
    for (const { gone } of this.#sources.values()) if (gone !== undefined) return true
    return false
  }

  /** The first position is committed: reading begins. */
  begin(source: Source): void {
    source.isNew = false
    // Unless its topic was made anew meanwhile, and another has taken its place.
    if (this.#sources.get(positionKey(source.topic, source.partition)) === source) this.#open(source)
  }

  /**
   * Records that have arrived, at most `max` and not many more bytes than a batch may have. Each source gives a few in its
   * turn, so that none starves; the rest of the room is for what goes on with instances first. Q4
   */
  take(max: number): readonly Taken[] {
    const sources = [...this.#sources.values()]
    const inTurn = [...sources.slice(this.#turn), ...sources.slice(0, this.#turn)]
    this.#turn = (this.#turn + 1) % Math.max(1, sources.length)
    const taken: Taken[] = []
    let left = max
    let bytes = 0
    const takeFrom = (source: Source): boolean => {
      if (left <= 0 || bytes >= limits.batchBytesMax) return false
      const records = this.#take(source, Math.min(left, recordsAtOnce))
      if (records.length === 0) return false
      taken.push({ source, records, offset: source.offset })
      left -= records.length
      for (const record of records) bytes += record.value?.length ?? 0
      return true
    }
    const more = inTurn.filter(takeFrom)
    const begins = ({ topic }: Source): boolean => this.#options.isStart(topic)
    for (const source of [...more.filter((each) => !begins(each)), ...more.filter(begins)]) while (takeFrom(source));
    return taken
  }

  close(): void {
    for (const source of this.#sources.values()) source.reader?.close()
    this.#sources.clear()
  }

  /** After a commit: forgets what its positions have passed in the inbox; it costs nothing but disk when that fails. */
  trimInbox(
    inputs: readonly { readonly from: { readonly source: Source; readonly offset: number } | undefined }[],
  ): void {
    const last = inputs.findLast(({ from }) => from?.source.isInbox === true)?.from
    if (last === undefined || last.offset - this.#trimmedTo < trimmedEvery) return
    this.#trimmedTo = last.offset
    const { log, logger } = this.#options
    log.deleteRecords(last.source.topic, last.source.partition, last.offset).catch((error: unknown) => {
      logger.warn({ error: String(error) }, 'the inbox could not be trimmed; trying again later')
    })
  }

  #add(topic: SourceTopic, s: number): Source | undefined {
    const { info, registration } = topic
    const key = positionKey(info.name, s)
    const known = this.#sources.get(key)
    if (known?.topicId === info.id && known.gone === undefined) return undefined
    known?.reader?.close()
    if (known?.topicId === info.id && known.gone !== undefined) return this.#goOn(topic, known, known.gone)
    const stored = this.#options.store.get(key)
    let source: Source
    if (stored === undefined) source = new Source(topic, s, firstOffset(registration, s), true)
    else {
      const position = positionCodec.decode(stored)
      if (position.topicId === info.id) source = new Source(topic, s, position.offset, false)
      else if (registration === undefined) {
        throw new ChangelogReplaced(
          `${info.name} was created anew: its commands between partitions are lost. Keep the data directory and restore the topic, or start a new application.`,
        )
      } else {
        this.#options.onAlarm(`topic ${info.name} was created anew; reading it from its start`)
        source = new Source(topic, s, 0, true)
      }
    }
    this.#sources.set(key, source)
    if (!source.isNew) this.#open(source)
    return source
  }

  #take(source: Source, max: number): readonly LogRecord[] {
    if (source.reader === undefined) return []
    try {
      const records = source.reader.take(max)
      if (records.length > 0) source.offset = source.reader.position
      source.trouble = undefined
      return records
    } catch (error) {
      if (error instanceof TransientFault) {
        if (source.trouble === undefined)
          this.#options.logger.warn({ topic: source.topic }, `${error.message}; reading it as soon as that works`)
        source.trouble = error.message
        return []
      }
      if (!(error instanceof OffsetGone)) throw error
      if (source.isInbox)
        throw new ChangelogReplaced(
          `${source.topic}/${source.partition} does not hold offset ${source.offset} any more`,
          { cause: error },
        )
      source.gone = error
      source.reader.close()
      source.reader = undefined
      return []
    }
  }

  /** Q2: the same topic, with fewer records. */
  #goOn(topic: SourceTopic, { partition, offset }: Source, { earliest, end }: OffsetGone): Source {
    const to = Math.max(earliest, Math.min(offset, end))
    const place = `${topic.info.name}/${partition}`
    this.#options.onAlarm(
      `${place}: offset ${offset} is gone; going on at ${to}. Records in between were deleted before they were read.`,
    )
    const source = new Source(topic, partition, to, true)
    this.#sources.set(positionKey(topic.info.name, partition), source)
    return source
  }

  #open(source: Source): void {
    source.reader?.close()
    const { log, onReady, formatsOn } = this.#options
    const { topic, topicId, partition, offset } = source
    const reader = log.openReader({ topic, topicId, partition, offset, onReady })
    const { schemas } = log
    source.reader = source.isInbox
      ? reader
      : decodingReader({ reader, schemas, formats: () => formatsOn(topic), onReady })
  }
}

/** Source partitions that came after the registration begin at 0. */
function firstOffset(registration: Registration | undefined, s: number): number {
  if (registration === undefined || registration.from === 'earliest') return 0
  return registration.ends[s] ?? 0
}
