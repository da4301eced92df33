// The world outside of the workers: customers who place orders, and services that answer commands; early, late, twice
// or to nobody, drawn from the seed. They talk to the broker as plain clients do and never fail themselves.
import type { MemoryBroker } from '../../src/adapters/memory/broker.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'

/** Topics and their partitions: fewer, more and as many as the application has. */
export const outsideTopics = {
  orders: 3,
  reminders: 4,
  fragiles: 1,
  'payment-commands': 2,
  'payment-events': 5,
  'shipping-commands': 4,
  'shipping-events': 3,
  answers: 4,
} as const
type TopicName = keyof typeof outsideTopics

export interface Placed {
  readonly topic: 'orders' | 'reminders' | 'fragiles'
  readonly key: string
  /** How many start records carry this key. */
  readonly times: number
}

export class Outside {
  readonly placed: Placed[] = []
  /** Replies by their number, with what they were about. */
  readonly replies = new Map<number, string>()
  /** Start records that are not JSON or do not say what they should. */
  poison = 0
  readonly #broker: MemoryBroker
  readonly #scheduler: Scheduler
  readonly #random: Random
  readonly #read = new Map<string, number>()
  readonly #answeredEarly = new Set<string>()

  constructor(broker: MemoryBroker, scheduler: Scheduler) {
    this.#broker = broker
    this.#scheduler = scheduler
    this.#random = scheduler.random.stream('outside')
    for (const [name, partitions] of Object.entries(outsideTopics))
      broker.createTopic({ name, partitions, cleanup: 'retained' })
    for (const topic of ['payment-commands', 'shipping-commands'] as const) {
      for (let partition = 0; partition < outsideTopics[topic]; partition++) {
        broker.subscribe(topic, partition, () =>
          scheduler.enqueue(`services look at ${topic}/${partition}`, () => this.#serve(topic, partition)),
        )
      }
    }
  }

  /** Places `count` instances of all kinds over `withinMs` of virtual time. */
  place(count: number, withinMs: number): void {
    for (let number = 0; number < count; number++) this.#later(this.#random.int(withinMs), () => this.#placeOne(number))
  }

  #placeOne(number: number): void {
    const random = this.#random
    if (random.chance(0.05)) {
      this.poison += 1
      this.#produce('orders', `poison-${number}`, random.pick(['{ not json', '[]', '{"size":1}']))
      return
    }
    const topic = random.pick(['orders', 'orders', 'reminders', 'fragiles'] as const)
    const key = `${topic}-${number}`
    const times = random.chance(0.15) ? 2 : 1
    this.placed.push({ topic, key, times })
    const value = { id: key, size: random.int(5), about: `about-${Math.floor(number / 4)}` }
    for (let time = 0; time < times; time++)
      this.#later(time * random.int(3_000), () => this.#produce(topic, key, value))
    if (topic === 'orders' && random.chance(0.2)) {
      // The answer is there before the question was asked.
      this.#answeredEarly.add(key)
      this.#later(random.int(200), () => this.#pay(key))
    }
    if (topic !== 'orders') {
      const answers = random.pick([0, 1, 1, 2])
      for (let answer = 0; answer < answers; answer++) this.#later(random.int(20_000), () => this.#answer(value.about))
    }
  }

  #serve(topic: 'payment-commands' | 'shipping-commands', partition: number): void {
    const place = `${topic}/${partition}`
    const { records, nextOffset } = this.#broker.fetch(topic, partition, this.#read.get(place) ?? 0, 1_000)
    this.#read.set(place, nextOffset)
    for (const { value } of records) {
      const command = JSON.parse(Buffer.from(value ?? '').toString()) as { id: string; task: string }
      const delayMs = this.#random.int(3_000)
      if (command.task === 'charge') {
        const times = this.#answeredEarly.delete(command.id)
          ? this.#random.chance(0.3)
            ? 1
            : 0
          : this.#random.chance(0.2)
            ? 2
            : 1
        for (let time = 0; time < times; time++)
          this.#later(delayMs + time * this.#random.int(4_000), () => this.#pay(command.id))
      } else if (command.task === 'ship') {
        const parcel = `parcel-${command.id}`
        this.#later(delayMs / 2, () =>
          this.#reply('shipping-events', parcel, { parcel, id: command.id, kind: 'packed' }),
        )
        this.#later(delayMs, () => this.#reply('shipping-events', parcel, { parcel, id: command.id, kind: 'shipped' }))
        if (this.#random.chance(0.1))
          this.#reply('shipping-events', 'nobody', { parcel: 'parcel-nobody', id: 'nobody', kind: 'shipped' })
      }
    }
  }

  #pay(id: string): void {
    this.#reply('payment-events', id, { id, status: 'paid' })
  }

  #answer(about: string): void {
    this.#reply('answers', about, { about })
  }

  #reply(topic: TopicName, about: string, value: object): void {
    const number = this.replies.size
    this.replies.set(number, about)
    this.#produce(topic, about, { ...value, reply: number })
  }

  #produce(topic: TopicName, key: string, value: object | string): void {
    // Another partitioner than Kafka's own: whoever produces decides.
    const partition = this.#random.int(outsideTopics[topic])
    const bytes = Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
    this.#broker.produce(topic, partition, [
      { timestampMs: this.#scheduler.clock.nowMs(), key: Buffer.from(key), value: bytes, headers: [] },
    ])
  }

  #later(delayMs: number, run: () => void): void {
    this.#scheduler.clock.after(delayMs, () => this.#scheduler.enqueue('outside', run))
  }
}
