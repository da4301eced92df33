// A shop around a worker that is killed again and again: a client that places orders, and two services that read their
// commands by offset and answer them. It remembers every acknowledgement, with the place that it names.
//
// Every record of the shop stands in its topic once. A call that was cut short may have been done or not: the shop then
// reads on in the topic, as a client that must not send twice does, and sends again only what is not there. So whatever
// is there twice, or not at all, when all is over, is the worker's doing. Which log it is, and what is asked for records,
// is behind the door.
import type { Json } from '../../src/base/json.ts'

/** By which the shop comes to the topics. */
export interface Door {
  /** Resolves to the place of each record, in order; undefined: it is not known whether they were sent. */
  send(topic: string, records: readonly { readonly key: string; readonly value: Json }[]): Promise<Places | undefined>
  /** Committed records of a partition from an offset on; where there are none it waits for a while. */
  read(topic: string, partition: number, offset: number): Promise<Page>
  /** The end of each partition of now. */
  ends(topic: string): Promise<readonly number[]>
}

export type Places = readonly string[]

export interface Page {
  readonly records: readonly { readonly offset: number; readonly value: Json }[]
  readonly nextOffset: number
}

export interface ShopOptions {
  readonly door: Door
  readonly orders: number
  readonly partitions: number
}

/** The place that an acknowledgement named, by order. */
export type Acknowledged = ReadonlyMap<string, string>

const batchRecords = 50

export class Shop {
  readonly placed: Outbox
  readonly paid: Outbox
  readonly shipped: Outbox
  readonly commandsRead = { 'payment-commands': 0, 'warehouse-commands': 0 }
  readonly #options: ShopOptions
  #isOver = false

  constructor(options: ShopOptions) {
    this.#options = options
    this.placed = new Outbox('orders', options.door)
    this.paid = new Outbox('payment-events', options.door)
    this.shipped = new Outbox('warehouse-events', options.door)
  }

  get acknowledged(): number {
    return this.placed.acknowledged.size + this.paid.acknowledged.size + this.shipped.acknowledged.size
  }

  get acknowledgedByTopic(): { readonly [topic: string]: Acknowledged } {
    return {
      orders: this.placed.acknowledged,
      'payment-events': this.paid.acknowledged,
      'warehouse-events': this.shipped.acknowledged,
    }
  }

  /** Records that were found in their topics after a call that was cut short. */
  get foundAfterwards(): number {
    return this.placed.found + this.paid.found + this.shipped.found
  }

  /** Places and answers everything; resolves when all of it is acknowledged. */
  async run(): Promise<void> {
    const { orders, partitions } = this.#options
    for (let i = 0; i < orders; i++) this.placed.add(orderId(i), { orderId: orderId(i), amount: 1 + (i % 97) })
    const pay = (id: string): Json => ({ orderId: id, status: 'paid' })
    const ship = (id: string): Json => ({ orderId: id, tracking: `T-${id}` })
    const readers = Array.from({ length: partitions }, (_, partition) => [
      this.#serve('payment-commands', partition, this.paid, pay),
      this.#serve('warehouse-commands', partition, this.shipped, ship),
    ])
    const sent = [this.placed.send(orders), this.paid.send(orders), this.shipped.send(orders)]
    await Promise.race([Promise.all(sent), Promise.all(readers.flat())])
    this.#isOver = true
    await Promise.all(readers.flat())
  }

  /** Reads a partition of a command topic to the end of the shop, and answers each command. */
  async #serve(
    topic: keyof Shop['commandsRead'],
    partition: number,
    outbox: Outbox,
    answer: (id: string) => Json,
  ): Promise<void> {
    let offset = 0
    while (!this.#isOver) {
      const page = await this.#options.door.read(topic, partition, offset)
      offset = page.nextOffset
      this.commandsRead[topic] += page.records.length
      for (const record of page.records) outbox.add(idOf(record), answer(idOf(record)))
    }
  }
}

/** Records for one topic, each of which is to be there once. */
class Outbox {
  readonly acknowledged: Map<string, string> = new Map()
  /** Found in the topic after a call whose answer was lost. */
  found = 0
  readonly #topic: string
  readonly #door: Door
  readonly #waiting = new Map<string, Json>()
  /** Where looking for what may have been sent goes on, by partition. */
  readonly #lookedAt: number[] = []
  #wake = (): void => {}

  constructor(topic: string, door: Door) {
    this.#topic = topic
    this.#door = door
  }

  /** A command that comes twice is answered once: what the worker sent is counted elsewhere. */
  add(id: string, value: Json): void {
    if (this.acknowledged.has(id)) return
    this.#waiting.set(id, value)
    this.#wake()
  }

  /** Sends what was added; resolves when so many are acknowledged. */
  async send(count: number): Promise<void> {
    while (this.acknowledged.size < count) {
      const batch = [...this.#waiting].slice(0, batchRecords)
      if (batch.length === 0) {
        await new Promise<void>((resolve) => (this.#wake = resolve))
        continue
      }
      const records = batch.map(([key, value]) => ({ key, value }))
      const places = await this.#door.send(this.#topic, records)
      if (places === undefined) await this.#look()
      else for (const [index, [id]] of batch.entries()) this.#take(id, places[index]!)
    }
  }

  /** Reads on in the topic up to its end of now, and takes what is found there for acknowledged. */
  async #look(): Promise<void> {
    const ends = await this.#door.ends(this.#topic)
    for (const [partition, end] of ends.entries()) {
      for (let offset = this.#lookedAt[partition] ?? 0; offset < end;) {
        const page = await this.#door.read(this.#topic, partition, offset)
        this.#lookedAt[partition] = offset = page.nextOffset
        for (const record of page.records) {
          const id = idOf(record)
          if (!this.#waiting.has(id)) continue
          this.found += 1
          this.#take(id, `${this.#topic}/${partition}@${record.offset}`)
        }
      }
    }
  }

  #take(id: string, place: string): void {
    this.#waiting.delete(id)
    this.acknowledged.set(id, place)
  }
}

export const orderId = (i: number): string => `o-${i}`

function idOf(record: { readonly value: Json }): string {
  return (record.value as { readonly orderId: string }).orderId
}
