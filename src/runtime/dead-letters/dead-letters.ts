// The dead-letter topic as people use it: its letters listed, shown, and redriven (redrives.ts). Any worker answers for all
// of them: they are records of a topic.
import { readLetter } from '../../records/dead-letter.ts'
import { topicsOf } from '../../records/keys.ts'
import type {
  DeadLetterQuery,
  DeadLettersFace,
  DeadLetterSummary,
  DeadLetterView,
  RedriveAnswer,
  RedriveManyAnswer,
  RedriveManyRequest,
  RedriveOptions,
} from '../faces/dead-letter-face.ts'
import { DeadLetterPartition } from './dead-letter-partition.ts'
import { fits, summaryOf, viewOf } from './dead-letter-views.ts'
import type { Clock, Log } from '../ports.ts'
import { Redrives } from './redrives.ts'

/** Records looked at for one page: a filter that fits nothing ends here and goes on with the cursor. */
const recordsLookedAtMax = 20_000
/** Of a partition: a few for a first page, more and more for a filter that fits little. */
const recordsAtOnce = { first: 64, max: 4_096 } as const

export class DeadLetters implements DeadLettersFace {
  readonly #log: Log
  readonly #clock: Clock
  readonly #topic: string
  readonly #redrives: Redrives
  #topicId: string | undefined
  #partitions: DeadLetterPartition[] = []

  constructor(log: Log, clock: Clock, app: string) {
    this.#log = log
    this.#clock = clock
    this.#topic = topicsOf(app).deadLetter
    this.#redrives = new Redrives(log, clock, app)
  }

  /** Newest first. @throws {TransientFault} */
  async list(
    query: DeadLetterQuery,
  ): Promise<{ readonly items: readonly DeadLetterSummary[]; readonly next?: string }> {
    const before = query.cursor?.split('.').map(Number) ?? []
    const budget = { left: recordsLookedAtMax }
    const streams = (await this.#open()).map((partition) => new LetterStream(partition, query, budget))
    await Promise.all(streams.map((stream, number) => stream.open(before[number])))
    const items: DeadLetterSummary[] = []
    // What a stream has not found yet may be newer than all the others have.
    while (items.length < query.limit && streams.every(({ isUndecided }) => !isUndecided)) {
      const newest = newestOf(streams)
      if (newest?.head === undefined) return { items }
      items.push(newest.head)
      await newest.advance()
    }
    const isAtEnd = streams.every(({ isUndecided, head }) => !isUndecided && head === undefined)
    return isAtEnd ? { items } : { items, next: streams.map(({ position }) => position).join('.') }
  }

  /** @throws {TransientFault} */
  async find(number: number, offset: number): Promise<DeadLetterView | undefined> {
    const partition = (await this.#open())[number]
    if (partition === undefined) return undefined
    const { earliest, committedEnd } = await partition.offsets()
    if (offset < earliest || offset >= committedEnd) return undefined
    await partition.learn(offset, committedEnd)
    for await (const record of partition.read(offset, offset + 1)) return viewOf(record, partition.redriven(offset))
    return undefined
  }

  /** @throws {TransientFault} Nothing was produced. @throws {OutcomeUnknown} Asked again, it is redriven once. */
  async redrive(number: number, offset: number, options: RedriveOptions): Promise<RedriveAnswer> {
    return this.#redrives.one((await this.#open())[number], offset, options)
  }

  /** @throws {TransientFault} Nothing was produced. @throws {OutcomeUnknown} Asked again, each is redriven once. */
  async redriveMany(request: RedriveManyRequest): Promise<RedriveManyAnswer> {
    return this.#redrives.many(await this.#open(), request)
  }

  /** The partitions; those of a topic that was made anew know nothing yet. */
  async #open(): Promise<readonly DeadLetterPartition[]> {
    const info = (await this.#log.describeTopics([this.#topic])).get(this.#topic)
    if (info?.id !== this.#topicId) this.#partitions = []
    this.#topicId = info?.id
    for (let number = this.#partitions.length; number < (info?.partitions ?? 0); number++)
      this.#partitions.push(new DeadLetterPartition(this.#log, this.#clock, this.#topic, number))
    return this.#partitions
  }
}

/** The letters of one partition that a query wants, from the newest on. */
class LetterStream {
  readonly #partition: DeadLetterPartition
  readonly #query: DeadLetterQuery
  readonly #budget: { left: number }
  #page: DeadLetterSummary[] = []
  #before = 0
  #atOnce: number = recordsAtOnce.first
  #earliest = 0
  #end = 0

  constructor(partition: DeadLetterPartition, query: DeadLetterQuery, budget: { left: number }) {
    this.#partition = partition
    this.#query = query
    this.#budget = budget
  }

  async open(before: number | undefined): Promise<void> {
    const { earliest, committedEnd } = await this.#partition.offsets()
    this.#earliest = earliest
    this.#end = committedEnd
    this.#before = Math.max(earliest, Math.min(before ?? committedEnd, committedEnd))
    // However little is left: a page after the other, every stream comes to its end.
    if (this.#before > earliest) await this.#load()
    await this.#find()
  }

  get head(): DeadLetterSummary | undefined {
    return this.#page[0]
  }

  /** It has not been looked at as far as it would have to be. */
  get isUndecided(): boolean {
    return this.#page.length === 0 && this.#before > this.#earliest
  }

  /** Where the next page goes on: before this offset. */
  get position(): number {
    return this.head === undefined ? this.#before : this.head.offset + 1
  }

  async advance(): Promise<void> {
    this.#page.shift()
    await this.#find()
  }

  async #find(): Promise<void> {
    while (this.isUndecided && this.#budget.left > 0) await this.#load()
  }

  async #load(): Promise<void> {
    const partition = this.#partition
    const before = this.#before
    const from = Math.max(this.#earliest, before - this.#atOnce)
    this.#atOnce = Math.min(2 * this.#atOnce, recordsAtOnce.max)
    await partition.learn(before, this.#end)
    const found: DeadLetterSummary[] = []
    let newestMs = -Infinity
    for await (const record of partition.read(from, before)) {
      newestMs = Math.max(newestMs, record.timestampMs)
      const letter = readLetter(record)
      if (letter !== undefined && fits(letter, record, this.#query)) found.push(summaryOf(letter, record, undefined))
    }
    this.#budget.left -= before - from
    for (const each of found.toReversed()) {
      const redriven = partition.redriven(each.offset)
      if (redriven === undefined) this.#page.push(each)
      else if (this.#query.pending !== true) this.#page.push({ ...each, redriven })
    }
    // Times of one partition all but grow: what is before a stretch that is too old is older.
    const isOver = newestMs > -Infinity && newestMs < (this.#query.sinceMs ?? -Infinity)
    this.#before = isOver ? this.#earliest : from
  }
}

function newestOf(streams: readonly LetterStream[]): LetterStream | undefined {
  let newest: LetterStream | undefined
  for (const stream of streams) {
    if (stream.head !== undefined && (newest?.head === undefined || stream.head.at > newest.head.at)) newest = stream
  }
  return newest
}
