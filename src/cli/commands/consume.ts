// dagger-worker consume: records of a topic, all partitions merged.
//
// Up to the ends as they are when it starts, records of different partitions are merged by their timestamps; order
// within a partition is the partition's own. With --follow, what comes later is shown as it arrives.
import { type Command, InvalidArgumentError } from 'commander'
import type { RecordView, TopicView } from '../../runtime/face.ts'
import type { Client } from '../client.ts'
import { exitCodes } from '../exit-codes.ts'
import { CommandFailure } from '../failure.ts'
import { compactJson, createOutput, type Output, printable } from '../output.ts'
import { clientFor, type ServerFlag, wholeNumber, withServer } from '../remote.ts'
import type { Surroundings } from '../surroundings.ts'

const pageRecords = 500
const followWaitMs = 20_000

type From = 'earliest' | 'latest' | number

interface ConsumeFlags extends ServerFlag {
  readonly from: From
  readonly partition?: number
  readonly limit?: number
  readonly follow?: true
  readonly json?: true
}

export function addConsume(program: Command, surroundings: Surroundings): void {
  withServer(program.command('consume').argument('<topic>'))
    .summary('read records of a topic')
    .description('Shows the records of a topic, all partitions merged.')
    .option('--from <where>', 'earliest, latest (follows), or an offset', parseFrom, 'earliest')
    .option('--partition <n>', 'only this partition', wholeNumber(0))
    .option('--limit <n>', 'end after so many records', wholeNumber(1))
    .option('--follow', 'go on with what arrives, until Ctrl-C or --limit')
    .option('--json', 'one JSON document a line')
    .addHelpText('after', '\nExample:\n  dagger-worker consume payment-events --follow --json')
    .action((topic: string, flags: ConsumeFlags) => consume(topic, flags, surroundings))
}

async function consume(topic: string, flags: ConsumeFlags, surroundings: Surroundings): Promise<void> {
  const output = createOutput(surroundings)
  const client = clientFor(flags, surroundings)
  const cursors = await openCursors(client, topic, flags)
  let left = flags.limit ?? Number.POSITIVE_INFINITY
  const show = (record: RecordView): void => {
    if (left <= 0) return
    left -= 1
    if (flags.json === true) output.json({ topic, ...record })
    else output.line(recordLine(topic, record, output))
    if (left === 0) client.close()
  }
  try {
    for await (const record of merged(cursors)) show(record)
    if (flags.follow === true || flags.from === 'latest') {
      await Promise.all(cursors.map((cursor) => cursor.follow(show)))
    }
  } catch (error) {
    if (!client.isClosed) throw error
  } finally {
    // One partition that fails ends the polls of the others.
    client.close()
  }
}

/** Where one partition is read. */
class Cursor {
  readonly #client: Client
  readonly #topic: string
  readonly #partition: number
  readonly #end: number
  #offset: number

  constructor(client: Client, topic: string, { partition, end }: TopicView['partitions'][number], offset: number) {
    this.#client = client
    this.#topic = topic
    this.#partition = partition
    this.#end = end
    this.#offset = offset
  }

  /** The records up to the end as it was when the cursor was opened. */
  async *records(): AsyncGenerator<RecordView> {
    while (this.#offset < this.#end) {
      const limit = Math.min(pageRecords, this.#end - this.#offset)
      const page = await this.#client.records(this.#topic, this.#partition, { offset: this.#offset, limit, waitMs: 0 })
      if (page.nextOffset <= this.#offset) return
      this.#offset = page.nextOffset
      yield* page.records
    }
  }

  /** Hands on what arrives, without an end. */
  async follow(show: (record: RecordView) => void): Promise<never> {
    for (;;) {
      const query = { offset: this.#offset, limit: pageRecords, waitMs: followWaitMs }
      const page = await this.#client.records(this.#topic, this.#partition, query)
      this.#offset = page.nextOffset
      for (const record of page.records) show(record)
    }
  }
}

async function openCursors(client: Client, topic: string, flags: ConsumeFlags): Promise<readonly Cursor[]> {
  const topics = await client.listTopics()
  const found = topics.find(({ name }) => name === topic)
  if (found === undefined) {
    throw new CommandFailure(`There is no topic ${topic}. See what there is: dagger-worker topics list`)
  }
  const partitions = found.partitions.filter(({ partition }) => partition === (flags.partition ?? partition))
  if (partitions.length === 0) {
    throw new CommandFailure(
      `Topic ${topic} has no partition ${flags.partition}: expected 0 to ${found.partitions.length - 1}.`,
      exitCodes.usage,
    )
  }
  return partitions.map((partition) => {
    const { earliest, end } = partition
    const wanted = flags.from === 'earliest' ? earliest : flags.from === 'latest' ? end : flags.from
    return new Cursor(client, topic, partition, Math.max(earliest, Math.min(wanted, end)))
  })
}

/** The records of all cursors, the oldest first. */
async function* merged(cursors: readonly Cursor[]): AsyncGenerator<RecordView> {
  const sources = await Promise.all(
    cursors.map(async (cursor) => {
      const records = cursor.records()
      return { records, head: await records.next() }
    }),
  )
  for (;;) {
    let first: (typeof sources)[number] | undefined
    for (const source of sources) {
      if (source.head.done === true) continue
      if (first === undefined || source.head.value.timestamp < first.head.value.timestamp) first = source
    }
    if (first === undefined) return
    yield first.head.value
    first.head = await first.records.next()
  }
}

function recordLine(topic: string, record: RecordView, { style }: Output): string {
  const key = record.key === null ? (record.keyBase64 ?? '-') : printable(record.key)
  const value = record.valueBase64 === undefined ? compactJson(record.value) : `base64 ${record.valueBase64}`
  const headers = Object.entries(record.headers)
  const place = style.dim(`${record.timestamp}  ${topic}/${record.partition}@${record.offset}`)
  return `${place}  ${style.bold(key)}  ${value}${headers.length === 0 ? '' : style.dim(`  ${compactJson(record.headers)}`)}`
}

function parseFrom(text: string): From {
  if (text === 'earliest' || text === 'latest') return text
  if (/^\d+$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Expected earliest, latest or an offset.')
}
