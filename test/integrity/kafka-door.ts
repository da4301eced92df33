// The shop's own way to Kafka, beside the worker: transactions by one producer for each topic, to the partition that
// librdkafka would choose (CRC-32 of the key, not murmur2), and readers of committed records.
import { crc32 } from 'node:zlib'
import { systemClock } from '../../src/adapters/system/clock.ts'
import { OutcomeUnknown, PartitionFenced, TransientFault } from '../../src/base/errors.ts'
import type { Json } from '../../src/base/json.ts'
import { silentLogger } from '../../src/base/logger.ts'
import { persist } from '../../src/runtime/persist.ts'
import type { CommittedEnd, Log, OutgoingRecord, Producer, Reader } from '../../src/runtime/ports.ts'
import { Bell } from '../../src/runtime/wake.ts'
import type { Door, Page, Places } from './shop.ts'

const pageRecords = 500
const waitMs = 500

interface Reading {
  readonly reader: Reader
  readonly bell: Bell
}

export class KafkaDoor implements Door {
  readonly #log: Log
  readonly #producers = new Map<string, Producer>()
  readonly #partitions = new Map<string, number>()
  readonly #readings = new Map<string, Reading>()
  #cutShort = 0

  constructor(log: Log) {
    this.#log = log
  }

  /** Transactions of which it was not known what became of them, or that came to nothing. */
  get callsCutShort(): number {
    return this.#cutShort
  }

  async send(
    topic: string,
    records: readonly { readonly key: string; readonly value: Json }[],
  ): Promise<Places | undefined> {
    const count = await this.#count(topic)
    const outgoing = records.map(({ key, value }) => ({
      topic,
      partition: crc32(key) % count,
      key: Buffer.from(key),
      value: Buffer.from(JSON.stringify(value)),
    }))
    const producer = this.#producers.get(topic) ?? (await this.#open(topic))
    try {
      return placesOf(outgoing, await producer.transact(outgoing))
    } catch (error) {
      const isOver = error instanceof OutcomeUnknown || error instanceof PartitionFenced
      if (!isOver && !(error instanceof TransientFault)) throw error
      this.#cutShort += 1
      // Opened again before anything is looked at: that decides the transaction.
      if (isOver) await producer.close()
      if (isOver) await this.#open(topic)
      return undefined
    }
  }

  async read(topic: string, partition: number, offset: number): Promise<Page> {
    const { reader, bell } = this.#reading(topic, partition, offset)
    try {
      let records = reader.take(pageRecords)
      if (records.length === 0) {
        const cancel = systemClock.after(waitMs, () => bell.ring())
        await bell.heard()
        cancel()
        records = reader.take(pageRecords)
      }
      const values = records.map((record) => ({ offset: record.offset, value: jsonOf(record.value) }))
      return { records: values, nextOffset: reader.position }
    } catch (error) {
      if (!(error instanceof TransientFault)) throw error
      reader.close()
      this.#readings.delete(`${topic}/${partition}`)
      return { records: [], nextOffset: offset }
    }
  }

  async ends(topic: string): Promise<readonly number[]> {
    const ends: number[] = []
    for (let partition = 0; partition < (await this.#count(topic)); partition++)
      ends.push(await this.#persist(async () => (await this.#log.offsets(topic, partition)).committedEnd))
    return ends
  }

  async #open(topic: string): Promise<Producer> {
    const producer = await this.#persist(() => this.#log.openProducer(`shop-${topic}`))
    this.#producers.set(topic, producer)
    return producer
  }

  async #count(topic: string): Promise<number> {
    const known = this.#partitions.get(topic)
    if (known !== undefined) return known
    const count = await this.#persist(async () => (await this.#log.describeTopics([topic])).get(topic)?.partitions)
    if (count === undefined) throw new Error(`there is no topic ${topic}`)
    this.#partitions.set(topic, count)
    return count
  }

  #reading(topic: string, partition: number, offset: number): Reading {
    const key = `${topic}/${partition}`
    const known = this.#readings.get(key)
    if (known?.reader.position === offset) return known
    known?.reader.close()
    const bell = new Bell()
    const reader = this.#log.openReader({ topic, partition, offset, onReady: () => bell.ring() })
    const reading = { reader, bell }
    this.#readings.set(key, reading)
    return reading
  }

  #persist<Result>(attempt: () => Promise<Result>): Promise<Result> {
    return persist({ clock: systemClock, logger: silentLogger, what: 'the shop', isOver: () => false }, attempt)
  }
}

/** Records of one transaction in one partition stand one behind the other: nobody else produces there. */
function placesOf(records: readonly OutgoingRecord[], ends: readonly CommittedEnd[]): Places {
  const next = new Map<number | undefined, number>()
  for (const { partition, lastOffset } of ends) {
    const count = records.filter((record) => record.partition === partition).length
    next.set(partition, lastOffset + 1 - count)
  }
  return records.map(({ topic, partition }) => {
    const offset = next.get(partition)!
    next.set(partition, offset + 1)
    return `${topic}/${partition}@${offset}`
  })
}

const jsonOf = (value: Uint8Array | null): Json => JSON.parse(Buffer.from(value ?? []).toString()) as Json
