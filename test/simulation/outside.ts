// The world outside of the workers: customers whose acts are planned (acts.ts), and services that answer commands; early,
// late, twice or never, drawn by the command. They talk to the broker as plain clients do and never fail themselves.
//
// A command is JSON { id, instance, task, answer?, isOptional? }: a service that is asked for an answer sends it to that
// topic, once at least unless it is optional, where `reply` is a text that no other record carries.
import type { MemoryBroker } from '../../src/adapters/memory/broker.ts'
import { BrokerError } from '../../src/adapters/memory/broker-error.ts'
import type { BrokerRecord, Outcome, ProducerSession } from '../../src/adapters/memory/partition-log.ts'
import { bytesOf } from './content.ts'
import type { Plan, ProduceAct } from './plan.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'

/** A record of the outside, and where it went. */
export interface Produced {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly atMs: number
  /** As text; bytes that are none are replaced. */
  readonly key: string | null
  readonly value: string | null
  readonly intent: ProduceAct['intent']
  /** False: its transaction was aborted, or not decided yet. */
  readonly isCommitted: boolean
  /** When it could be seen first, as far as its own transaction goes; undefined while it is not committed. */
  readonly committedAtMs: number | undefined
}

/** A client asks a broker that cannot take a record so long afterwards. */
const againMs = 500

interface ServiceCommand {
  readonly id: string
  readonly instance: string
  readonly task: string
  readonly answer?: string
  readonly isOptional?: boolean
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
    const { topics, commandTopics, recordBytesMax } = plan.programs
    for (const [name, partitions] of Object.entries(topics)) {
      const bytesMax = recordBytesMax[name]
      broker.createTopic({
        ...{ name, partitions, cleanup: 'retained' },
        ...(bytesMax === undefined ? {} : { recordBytesMax: bytesMax }),
      })
    }
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

  #answer({ id, instance, task, answer, isOptional = false }: ServiceCommand): void {
    if (answer === undefined) return
    const random = this.#random.stream(`${id} ${task}`)
    const about = `${instance} ${task}`
    const common = { id, parcel: `parcel-${id}`, instance, task }
    const times = random.pick(isOptional ? [0, 1, 1, 2] : [1, 1, 1, 2])
    const delayMs = random.int(random.pick([100, 3_000, 3_000, 8_000]))
    for (let time = 0; time < times; time++) {
      const value = { ...common, status: 'paid', kind: 'shipped', reply: `${about} ${time}` }
      this.#later(delayMs + time * random.int(4_000), () => this.#reply(answer, id, value, random))
    }
    if (random.chance(0.3)) this.#reply(answer, id, { ...common, kind: 'packed', reply: `${about} first` }, random)
    if (random.chance(0.1))
      this.#reply(answer, 'nobody', { id: 'nobody', kind: 'shipped', reply: `${about} nobody` }, random)
  }

  #reply(topic: string, key: string, value: object, random: Random): void {
    const partition = random.int(this.#plan.programs.topics[topic]!)
    const text = JSON.stringify(value)
    this.#produce({ kind: 'produce', atMs: 0, topic, partition, key, value: text, intent: 'record' })
  }

  /** Writes the record, again and again while the broker cannot take it: its topic may be away. */
  #produce(act: ProduceAct): void {
    const { topic, partition, key, value, intent, transaction } = act
    const atMs = this.#nowMs()
    const record: BrokerRecord = { timestampMs: atMs, key: bytesOf(key), value: bytesOf(value), headers: [] }
    const known = {
      ...{ topic, partition, atMs, intent },
      key: record.key === null ? null : record.key.toString(),
      value: record.value === null ? null : record.value.toString(),
    }
    try {
      if (transaction === undefined) {
        const offset = this.#broker.produce(topic, partition, [record])
        this.produced.push({ ...known, offset, isCommitted: true, committedAtMs: atMs })
        return
      }
      const session = this.#broker.initialiseProducer(`outside ${this.produced.length}`)
      this.#broker.begin(session, [{ topic, partition }])
      const offset = this.#broker.append(session, topic, partition, 0, [record])
      const place = this.produced.push({ ...known, offset, isCommitted: false, committedAtMs: undefined }) - 1
      this.#later(transaction.openMs, () => this.#end(session, transaction.outcome, place))
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error
      if (error.code === 'MESSAGE_TOO_LARGE') return // nor would it be taken the next time
      this.#later(againMs, () => this.#produce(act))
    }
  }

  /** Decides the transaction of a record; one that the broker has given up is aborted. */
  #end(session: ProducerSession, outcome: Outcome, place: number): void {
    try {
      this.#broker.end(session, outcome)
    } catch (error) {
      if (error instanceof BrokerError) return
      throw error
    }
    const record = this.produced[place]!
    if (outcome === 'committed') this.produced[place] = { ...record, isCommitted: true, committedAtMs: this.#nowMs() }
  }

  #nowMs(): number {
    return this.#scheduler.clock.nowMs()
  }

  #later(delayMs: number, run: () => void): void {
    this.#scheduler.clock.after(delayMs, () => this.#scheduler.enqueue('outside', run))
  }
}
