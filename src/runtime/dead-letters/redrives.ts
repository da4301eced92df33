// Letters that are redriven: the original goes to its topic again, and a mark beside the letter says so.
//
// R1. Record and mark are one transaction: there is neither without the other.
// R2. The producer is opened before anything is read, and only then are marks learnt, up to the end as it is then: whoever
//     redrove before us is fenced, and what they did is seen. So a letter is redriven once, however often, and at however many
//     workers, that is asked; `again` is for those who want it once more.
// R3. A call over many has an end: what dies after its first page is not redriven by it, or it would go on for ever.
import { OutcomeUnknown, PartitionFenced, RecordRefused, TransientFault } from '../../base/errors.ts'
import { limits } from '../../base/limits.ts'
import { partitionOf } from '../../base/partitioner.ts'
import { coordinates } from '../../engine/message.ts'
import { readLetter, redriveMarkRecord, redrivenRecord, sizesOf, type Letter } from '../../records/dead-letter.ts'
import { ownTopics, topicsOf, type AppTopics } from '../../records/keys.ts'
import type {
  RedriveAnswer,
  RedriveManyAnswer,
  RedriveManyRequest,
  RedriveOptions,
  RedriveRefusal,
  RedriveRefusalCode,
  RedriveResult,
} from '../faces/dead-letter-face.ts'
import type { DeadLetterPartition } from './dead-letter-partition.ts'
import { fits, placeView } from './dead-letter-views.ts'
import type { Clock, Log, LogRecord, Producer } from '../ports.ts'

/** Records looked at in one call, and how long it may take to begin with another: answers come before callers give up. */
const recordsLookedAtMax = 20_000
const beginsWithinMs = 10_000

/** Where a call over many goes on; `ends` are those of the first call. R3 */
interface Cursor {
  readonly partition: number
  readonly offset: number
  readonly ends: readonly number[]
}

export class Redrives {
  readonly #log: Log
  readonly #clock: Clock
  readonly #topics: AppTopics
  /** As those of the partitions begin, so that who may write by theirs may by this one. */
  readonly #transactionalId: string
  #last: Promise<unknown> = Promise.resolve()

  constructor(log: Log, clock: Clock, app: string) {
    this.#log = log
    this.#clock = clock
    this.#topics = topicsOf(app)
    this.#transactionalId = `${app}-redrive`
  }

  /** Redrives the letter at an offset. @throws {TransientFault} @throws {OutcomeUnknown} */
  one(partition: DeadLetterPartition | undefined, offset: number, options: RedriveOptions): Promise<RedriveAnswer> {
    return this.#inTurn(async (producer) => {
      const none = refusal('dead-letter-not-found', `there is no letter at this place, or it is not kept any more`)
      if (partition === undefined) return { outcome: 'refused', ...none }
      const { earliest, end } = await partition.offsets()
      if (offset < earliest || offset >= end) return { outcome: 'refused', ...none }
      await partition.learn(offset, end) // R2
      for await (const record of partition.read(offset, offset + 1)) {
        const letter = readLetter(record)
        if (letter === undefined) break
        const redriven = partition.redriven(offset)
        if (redriven !== undefined && options.again !== true) return { outcome: 'already-redriven', redriven }
        return await this.#redrive(producer, partition, letter, record, options)
      }
      return { outcome: 'refused', ...none }
    })
  }

  /** Redrives those that a filter wants, up to a bound. @throws {TransientFault} @throws {OutcomeUnknown} */
  many(partitions: readonly DeadLetterPartition[], request: RedriveManyRequest): Promise<RedriveManyAnswer> {
    return request.isDryRun === true
      ? this.#many(undefined, partitions, request)
      : this.#inTurn((producer) => this.#many(producer, partitions, request))
  }

  async #many(
    producer: Producer | undefined,
    partitions: readonly DeadLetterPartition[],
    request: RedriveManyRequest,
  ): Promise<RedriveManyAnswer> {
    const results: RedriveResult[] = []
    let alreadyRedriven = 0
    const begunAtMs = this.#clock.nowMs()
    let lookedAt = 0
    const answer = (next?: string, stopped?: RedriveManyAnswer['stopped']): RedriveManyAnswer => ({
      redriven: results.filter(({ outcome }) => outcome === 'redriven').length,
      failed: results.filter(({ outcome }) => outcome === 'failed').length,
      alreadyRedriven,
      results,
      ...(stopped === undefined ? {} : { stopped }),
      ...(next === undefined ? {} : { next }),
    })
    const cursor = request.cursor === undefined ? await beginning(partitions) : cursorOf(request.cursor)
    let at = cursor
    try {
      for (const partition of partitions.slice(cursor.partition)) {
        const { earliest, end } = await partition.offsets()
        const from = partition.number === cursor.partition ? Math.max(cursor.offset, earliest) : earliest
        at = { ...cursor, partition: partition.number, offset: from }
        const to = Math.min(cursor.ends[partition.number] ?? 0, end) // R3
        if (from >= to) continue
        await partition.learn(from, end) // R2
        for await (const record of partition.read(from, to)) {
          at = { ...at, offset: record.offset }
          const isEnough = results.length >= request.limit || lookedAt >= recordsLookedAtMax
          if (isEnough || this.#clock.nowMs() - begunAtMs > beginsWithinMs) return answer(textOfCursor(at))
          lookedAt += 1
          const letter = readLetter(record)
          if (letter === undefined || !fits(letter, record, request)) continue
          if (partition.redriven(record.offset) !== undefined && request.again !== true) {
            alreadyRedriven += 1
            continue
          }
          results.push(await this.#result(producer, partition, letter, record, request))
        }
      }
      return answer()
    } catch (error) {
      const fault = faultOf(error)
      if (results.length === 0 || fault === undefined) throw fault ?? error
      const code = fault instanceof OutcomeUnknown ? 'outcome-unknown' : 'not-ready'
      return answer(textOfCursor(at), { code, message: fault.message })
    }
  }

  /** With no producer nothing is done: it would be redriven, or would not. */
  async #result(
    producer: Producer | undefined,
    partition: DeadLetterPartition,
    letter: Letter,
    record: LogRecord,
    options: RedriveOptions,
  ): Promise<RedriveResult> {
    const base = { partition: record.partition, offset: record.offset, source: placeView(letter.source) }
    if (producer === undefined) {
      const to = await this.#target(letter, record, options)
      return 'code' in to ? { ...base, outcome: 'failed', ...to } : { ...base, outcome: 'pending' }
    }
    const answer = await this.#redrive(producer, partition, letter, record, options)
    return answer.outcome === 'refused' ? { ...base, ...answer, outcome: 'failed' } : { ...base, ...answer }
  }

  async #redrive(
    producer: Producer,
    partition: DeadLetterPartition,
    letter: Letter,
    record: LogRecord,
    options: RedriveOptions,
  ): Promise<Exclude<RedriveAnswer, { outcome: 'already-redriven' }>> {
    const to = await this.#target(letter, record, options)
    if ('code' in to) return { outcome: 'refused', ...to }
    const mark = { letter: record.offset, ...to, by: options.by }
    const { topic } = partition
    try {
      // R1
      const ends = await producer.transact([
        { ...to, ...redrivenRecord(letter, record, to.topic) },
        { topic, partition: partition.number, ...redriveMarkRecord(mark) },
      ])
      partition.mark(mark, this.#clock.nowMs())
      const end = ends.find((each) => each.topic === to.topic && each.partition === to.partition)
      return { outcome: 'redriven', to: { ...to, offset: end?.lastOffset ?? 0 } }
    } catch (error) {
      if (!(error instanceof RecordRefused)) throw error
      return { outcome: 'refused', ...refusal('redrive-refused', `${error.reason}: ${error.message}`) }
    }
  }

  /** The topic and partition that a letter goes to, or why it cannot. */
  async #target(
    letter: Letter,
    record: LogRecord,
    { toTopic }: RedriveOptions,
  ): Promise<{ readonly topic: string; readonly partition: number } | RedriveRefusal> {
    const { source, bytes, key } = letter
    if (!letter.isKept) {
      const size = bytes.key + bytes.value + bytes.headers
      const message = `the record was too large to be kept (${size} bytes), and would be again: it is at ${coordinates(source)} as long as that topic keeps it`
      return refusal('not-kept', message)
    }
    const topic = toTopic ?? source.topic
    if (ownTopics(this.#topics).has(topic))
      return refusal('topic-reserved', `${topic} belongs to dagger-worker itself: nothing is redriven to it`)
    const sizes = sizesOf(redrivenRecord(letter, record, topic))
    // It would die again, and its letter could not keep it.
    if (sizes.key + sizes.value + sizes.headers > limits.sourceRecordBytesMax)
      return refusal('redrive-refused', 'record-too-large: with the headers that say so, it would be too large')
    const info = (await this.#log.describeTopics([topic])).get(topic)
    if (info === undefined) return refusal('redrive-refused', `unknown-topic: there is no topic ${topic}`)
    if (topic === source.topic && source.partition >= info.partitions)
      return refusal('redrive-refused', `bad-partition: ${topic} has no partition ${source.partition} any more`)
    const elsewhere = key === null ? source.partition % info.partitions : partitionOf(key, info.partitions)
    return { topic, partition: topic === source.topic ? source.partition : elsewhere }
  }

  /** One after the other: each opens the producer anew. R2 */
  #inTurn<Result>(act: (producer: Producer) => Promise<Result>): Promise<Result> {
    const turn = this.#last.then(async () => {
      try {
        const producer = await this.#log.openProducer(this.#transactionalId)
        try {
          return await act(producer)
        } finally {
          await producer.close()
        }
      } catch (error) {
        throw faultOf(error) ?? error
      }
    })
    this.#last = turn.catch(() => {}) // its own caller is told
    return turn
  }
}

async function beginning(partitions: readonly DeadLetterPartition[]): Promise<Cursor> {
  const ends = await Promise.all(partitions.map(async (partition) => (await partition.offsets()).committedEnd))
  return { partition: 0, offset: 0, ends }
}

/** "3@17/20.9.40": go on at 3@17, up to these ends. */
function cursorOf(text: string): Cursor {
  const [partition = 0, offset = 0, ...ends] = text.split(/[@/.]/).map(Number)
  return { partition, offset, ends }
}

function textOfCursor({ partition, offset, ends }: Cursor): string {
  return `${partition}@${offset}/${ends.join('.')}`
}

function refusal(code: RedriveRefusalCode, message: string): RedriveRefusal {
  return { code, message }
}

/** A fault that passes, as callers are told of it; undefined: it is none. */
function faultOf(error: unknown): TransientFault | OutcomeUnknown | undefined {
  if (error instanceof TransientFault || error instanceof OutcomeUnknown) return error
  if (error instanceof PartitionFenced)
    return new TransientFault('another worker redrives letters now: nothing was done here', { cause: error })
  return undefined
}
