// A shop around a daemon that is killed again and again: a client that places orders, and two services that read their
// commands by offset and answer them. It remembers every acknowledgement, with the place that it names.
//
// Every record of the shop stands in its topic once. A call that was cut short may have been done or not: once the daemon
// is back the shop reads on in the topic, as a client that must not send twice does, and sends again only what is not
// there. So whatever is there twice, or not at all, when all is over, is the daemon's doing.
import type { Json } from '../../src/base/json.ts'
import type { RecordView } from '../../src/runtime/face.ts'
import type { Daemon, Site } from '../support/daemon.ts'

export interface ShopOptions {
  readonly site: Site
  readonly orders: number
  readonly partitions: number
}

/** The place that an acknowledgement named, by order. */
export type Acknowledged = ReadonlyMap<string, string>

const batchRecords = 50
const pageRecords = 500
const waitMs = 2_000

/** How the shop gets at the daemon of the moment. */
type Ask = <Answer>(question: (daemon: Daemon) => Promise<Answer>) => Promise<Answer>

export class Shop {
  readonly placed: Outbox
  readonly paid: Outbox
  readonly shipped: Outbox
  readonly commandsRead = { 'payment-commands': 0, 'warehouse-commands': 0 }
  readonly #options: ShopOptions
  #daemon: Promise<Daemon>
  #kills = 0
  #isOver = false
  /** Calls whose answer was lost. */
  #cutShort = 0

  constructor(options: ShopOptions) {
    this.#options = options
    const ask: Ask = (question) => this.#ask(question)
    const { partitions } = options
    this.placed = new Outbox('orders', partitions, ask)
    this.paid = new Outbox('payment-events', partitions, ask)
    this.shipped = new Outbox('warehouse-events', partitions, ask)
    this.#daemon = this.#start()
  }

  get faults(): { readonly kills: number; readonly callsCutShort: number } {
    return { kills: this.#kills, callsCutShort: this.#cutShort }
  }

  get acknowledged(): number {
    return this.placed.acknowledged.size + this.paid.acknowledged.size + this.shipped.acknowledged.size
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

  /** kill -9 now, and start anew. @param again kill the new one too, after so many milliseconds, which may be before it is ready */
  crash(again?: number): void {
    this.#daemon = this.#daemon.then(async (daemon) => {
      this.#kills += 1
      await daemon.kill()
      if (again !== undefined) {
        const next = this.#launch()
        await new Promise((resolve) => setTimeout(resolve, again))
        this.#kills += 1
        await next.kill()
      }
      return this.#start()
    })
    // Who asks next is told.
    this.#daemon.catch(() => {})
  }

  /** The daemon, once every order has come to its end and nothing is under way any more. */
  async settled(): Promise<Daemon> {
    await this.#ask((daemon) =>
      daemon.until(async () => {
        const { items, next } = await daemon.client.listInstances({ status: 'EXECUTING', limit: 1 })
        return items.length === 0 && next === undefined ? true : undefined
      }),
    )
    return this.#daemon
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
      const page = await this.#ask((daemon) =>
        daemon.client.records(topic, partition, { offset, limit: pageRecords, waitMs }),
      )
      offset = page.nextOffset
      this.commandsRead[topic] += page.records.length
      for (const record of page.records) outbox.add(idOf(record), answer(idOf(record)))
    }
  }

  /** Asks until a daemon answers. What a daemon that was not killed says no to is thrown. */
  async #ask<Answer>(question: (daemon: Daemon) => Promise<Answer>): Promise<Answer> {
    for (;;) {
      const asked = this.#daemon
      const daemon = await asked
      try {
        return await question(daemon)
      } catch (error) {
        if (asked === this.#daemon) throw error
        this.#cutShort += 1
      }
    }
  }

  #launch(): Daemon {
    return this.#options.site.launch('--partitions', String(this.#options.partitions), '--log-level', 'warn')
  }

  async #start(): Promise<Daemon> {
    const daemon = this.#launch()
    await daemon.ready()
    return daemon
  }
}

/** Records for one topic, each of which is to be there once. */
export class Outbox {
  readonly acknowledged: Map<string, string> = new Map()
  /** Found in the topic after a call whose answer was lost. */
  found = 0
  readonly #topic: string
  readonly #ask: Ask
  readonly #waiting = new Map<string, Json>()
  /** Where looking for what may have been sent goes on, by partition. */
  readonly #lookedAt: number[]
  #wake = (): void => {}

  constructor(topic: string, partitions: number, ask: Ask) {
    this.#topic = topic
    this.#ask = ask
    this.#lookedAt = Array.from({ length: partitions }, () => 0)
  }

  /** A command that comes twice is answered once: what the daemon sent is counted elsewhere. */
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
      let isFirst = true
      await this.#ask(async (daemon) => {
        // A call before this one was cut short: what is there already is not sent again.
        if (!isFirst) await this.#look(daemon)
        isFirst = false
        const left = batch.filter(([id]) => this.#waiting.has(id))
        if (left.length === 0) return
        const records = left.map(([key, value]) => ({ key, value }))
        const offsets = await daemon.client.produce(this.#topic, records)
        for (const [index, [id]] of left.entries()) {
          const { partition, offset, error } = offsets[index]!
          if (error !== null) throw new Error(`${this.#topic} refused ${id}: ${error}`)
          this.#take(id, `${this.#topic}/${partition}@${offset}`)
        }
      })
    }
  }

  /** Reads on in the topic up to its end of now, and takes what is found there for acknowledged. */
  async #look(daemon: Daemon): Promise<void> {
    const topic = (await daemon.client.listTopics()).find(({ name }) => name === this.#topic)
    for (const { partition, end } of topic?.partitions ?? []) {
      for (let offset = this.#lookedAt[partition] ?? 0; offset < end;) {
        const page = await daemon.client.records(this.#topic, partition, { offset, limit: pageRecords, waitMs: 0 })
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

function idOf(record: RecordView): string {
  return (record.value as { readonly orderId: string }).orderId
}
