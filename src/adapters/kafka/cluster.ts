// What is known of the cluster: which brokers there are, which topics, who leads each partition. Known things are kept
// until somebody finds them wrong (`forget`) and asks again; questions at the same time about one topic are one request.
import { TransientFault } from '../../base/errors.ts'
import { errorOf } from './faults.ts'
import type { KafkaError } from './faults.ts'
import { bounds } from './options.ts'
import { NoAnswer } from './client.ts'
import type { Broker, KafkaOptions, Wire } from './client.ts'

export interface TopicMetadata {
  readonly name: string
  /** Empty where the topic is not there. */
  readonly id: string
  /** The leader of each partition; -1 where there is none now. */
  readonly leaders: readonly number[]
  /** Why nothing is known of it. */
  readonly error?: KafkaError
}

export class Cluster {
  readonly options: KafkaOptions
  /** For requests that are answered at once. */
  readonly wire: Wire
  readonly #bootstrap: readonly Broker[]
  readonly #topics = new Map<string, TopicMetadata>()
  readonly #asked = new Map<string, Promise<readonly TopicMetadata[]>>()
  #brokers = new Map<number, Broker>()
  #controllerId = -1
  /** Rotates, so that one broker that hangs does not hold up everything. */
  #turn = 0
  #trouble: string | undefined

  constructor(options: KafkaOptions) {
    this.options = options
    this.wire = this.connect()
    this.#bootstrap = options.brokers.map(brokerOf)
  }

  /** Connections of a purpose of its own. */
  connect(requestTimeoutMs: number = bounds.requestTimeoutMs): Wire {
    return this.options.client.connect(this.options, requestTimeoutMs)
  }

  /** What keeps the cluster from answering now, in words. */
  get trouble(): string | undefined {
    return this.#trouble
  }

  /** A topic as it is known; asked for where it is not. @throws {NoAnswer} */
  async topic(name: string): Promise<TopicMetadata> {
    return this.#topics.get(name) ?? (await this.refresh([name]))[0]!
  }

  /** What is known now, without asking. */
  known(name: string): TopicMetadata | undefined {
    return this.#topics.get(name)
  }

  forget(name: string): void {
    this.#topics.delete(name)
  }

  /** The topics of these names as they are now, in this order. @throws {NoAnswer} */
  async refresh(names: readonly string[]): Promise<readonly TopicMetadata[]> {
    const key = names.join(' ')
    const asked = this.#asked.get(key)
    if (asked !== undefined) return asked
    const asking = this.#readNamed(names).finally(() => this.#asked.delete(key))
    this.#asked.set(key, asking)
    return asking
  }

  /** All topics that may be seen, Kafka's own left out. @throws {NoAnswer} */
  all(): Promise<readonly TopicMetadata[]> {
    return this.#read(null)
  }

  /** The broker that leads a partition; undefined while there is none, or the partition is not there. */
  leaderOf(topic: TopicMetadata, partition: number): Broker | undefined {
    return this.#brokers.get(topic.leaders[partition] ?? -1)
  }

  /** Any broker will do. @throws {NoAnswer} when none can be asked */
  async ask<Answer>(request: (broker: Broker) => Promise<Answer>): Promise<Answer> {
    const brokers = [...this.#brokers.values(), ...this.#bootstrap]
    let last: unknown
    for (let tried = 0; tried < brokers.length; tried++) {
      const broker = brokers[this.#turn % brokers.length]!
      try {
        const answer = await request(broker)
        this.#trouble = undefined
        return answer
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error
        if (!(last instanceof NoAnswer && last.refusal !== undefined)) last = error
        this.#turn += 1
      }
    }
    const reason = last instanceof Error ? last.message : 'no brokers are known'
    this.#trouble = `Kafka cannot be reached at ${this.options.brokers.join(', ')}: ${reason}`
    throw last
  }

  /** The broker that makes topics. @throws {NoAnswer} */
  async controller(): Promise<Broker> {
    if (this.#brokers.get(this.#controllerId) === undefined) await this.#read([])
    const controller = this.#brokers.get(this.#controllerId) ?? this.#brokers.values().next().value
    if (controller === undefined) throw new NoAnswer(false, new Error('no broker is registered yet'))
    return controller
  }

  async close(): Promise<void> {
    await this.wire.close()
  }

  async #readNamed(names: readonly string[]): Promise<readonly TopicMetadata[]> {
    const found = new Map((await this.#read([...names])).map((topic) => [topic.name, topic]))
    return names.map((name) => found.get(name) ?? { name, id: '', leaders: [], error: 'UNKNOWN_TOPIC_OR_PARTITION' })
  }

  async #read(names: string[] | null): Promise<readonly TopicMetadata[]> {
    const answer = await this.ask((broker) => this.wire.ask(broker, 'metadata', names))
    this.#brokers = new Map(answer.brokers.map(({ id, host, port }) => [id, { host, port }]))
    this.#controllerId = answer.controllerId
    const topics: TopicMetadata[] = []
    for (const { name, id, errorCode, isInternal, partitions } of answer.topics) {
      if (isInternal && names === null) continue
      const leaders: number[] = []
      for (const { partition, leader } of partitions) leaders[partition] = leader
      const error = errorOf(errorCode)
      const topic = { name, id: error === undefined ? id : '', leaders, ...(error === undefined ? {} : { error }) }
      if (error === undefined) this.#topics.set(name, topic)
      else this.#topics.delete(name)
      topics.push(topic)
    }
    return topics
  }
}

/** "host:port", "[::1]:9092". */
function brokerOf(address: string): Broker {
  const colon = address.lastIndexOf(':')
  const host = address.slice(0, colon).replace(/^\[(.*)\]$/, '$1')
  const port = Number(address.slice(colon + 1))
  if (colon < 1 || !Number.isInteger(port)) throw new TransientFault(`"${address}" is not host:port`)
  return { host, port }
}
