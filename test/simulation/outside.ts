// The world outside of the workers: customers whose acts are planned (acts.ts), and services that answer commands; early,
// late, twice or never, drawn by the command. They talk to the broker as plain clients do and never fail themselves.
//
// A command is JSON { id, instance, task, answer? }: a service that is asked for an answer sends { id, kind, reply } to
// that topic, where `reply` is a text that no other record carries.
import type { MemoryBroker } from '../../src/adapters/memory/broker.ts'
import type { BrokerRecord } from '../../src/adapters/memory/partition-log.ts'
import type { Plan, ProduceAct } from './plan.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'

/** A record of the outside, and where it went. */
export interface Produced {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly atMs: number
  readonly key: string | null
  readonly value: string | null
  readonly intent: ProduceAct['intent']
  /** False: its transaction was aborted. */
  readonly isCommitted: boolean
}

interface ServiceCommand {
  readonly id: string
  readonly instance: string
  readonly task: string
  readonly answer?: string
}

export class Outside {
  readonly produced: Produced[] = []
  readonly #broker: MemoryBroker
  readonly #scheduler: Scheduler
  readonly #plan: Plan
  readonly #random: Random
  readonly #read = new Map<string, number>()

  constructor(broker: MemoryBroker, scheduler: Scheduler, plan: Plan) {
    this.#broker = broker
    this.#scheduler = scheduler
    this.#plan = plan
    this.#random = scheduler.random.stream('outside')
    const { topics, commandTopics } = plan.programs
    for (const [name, partitions] of Object.entries(topics))
      broker.createTopic({ name, partitions, cleanup: 'retained' })
    for (const topic of commandTopics) {
      for (let partition = 0; partition < topics[topic]!; partition++) {
        broker.subscribe(topic, partition, () =>
          scheduler.enqueue(`services look at ${topic}/${partition}`, () => this.#serve(topic, partition)),
        )
      }
    }
    for (const act of plan.acts) if (act.kind === 'produce') this.#later(act.atMs, () => this.#produce(act))
  }

  #serve(topic: string, partition: number): void {
    const place = `${topic}/${partition}`
    const { records, nextOffset } = this.#broker.fetch(topic, partition, this.#read.get(place) ?? 0, 1_000)
    this.#read.set(place, nextOffset)
    for (const { value } of records) this.#answer(JSON.parse(Buffer.from(value ?? '').toString()) as ServiceCommand)
  }

  #answer({ id, instance, task, answer }: ServiceCommand): void {
    if (answer === undefined) return
    const random = this.#random.stream(`${id} ${task}`)
    const about = `${instance} ${task}`
    const delayMs = random.int(3_000)
    const times = random.pick([1, 1, 1, 1, 2])
    for (let time = 0; time < times; time++) {
      const value = { id, parcel: `parcel-${id}`, status: 'paid', kind: 'shipped', reply: `${about} ${time}` }
      this.#later(delayMs + time * random.int(4_000), () => this.#reply(answer, id, value, random))
    }
    if (random.chance(0.3))
      this.#reply(answer, id, { id, parcel: `parcel-${id}`, kind: 'packed', reply: `${about} first` }, random)
    if (random.chance(0.1))
      this.#reply(answer, 'nobody', { id: 'nobody', kind: 'shipped', reply: `${about} nobody` }, random)
  }

  #reply(topic: string, key: string, value: object, random: Random): void {
    const partition = random.int(this.#plan.programs.topics[topic]!)
    const text = JSON.stringify(value)
    this.#produce({ kind: 'produce', atMs: 0, topic, partition, key, value: text, intent: 'record' })
  }

  #produce({ topic, partition, key, value, intent, isAborted = false }: ProduceAct): void {
    const atMs = this.#scheduler.clock.nowMs()
    const record: BrokerRecord = {
      timestampMs: atMs,
      key: key === null ? null : Buffer.from(key),
      value: value === null ? null : Buffer.from(value),
      headers: [],
    }
    const offset = isAborted ? this.#abort(topic, partition, record) : this.#broker.produce(topic, partition, [record])
    this.produced.push({ topic, partition, offset, atMs, key, value, intent, isCommitted: !isAborted })
  }

  #abort(topic: string, partition: number, record: BrokerRecord): number {
    const session = this.#broker.initialiseProducer(`outside ${this.produced.length}`)
    this.#broker.begin(session, [{ topic, partition }])
    const offset = this.#broker.append(session, topic, partition, 0, [record])
    this.#later(500, () => this.#broker.end(session, 'aborted'))
    return offset
  }

  #later(delayMs: number, run: () => void): void {
    this.#scheduler.clock.after(delayMs, () => this.#scheduler.enqueue('outside', run))
  }
}
