// The log on Kafka: one per worker. Each part has its own file; here they are put together, and Kafka's habit of writing
// a transaction's markers after it has answered the commit is kept from those who ask where a partition ends.
import { ConfigError, TransientFault } from '../../base/errors.ts'
import type { Problem } from '../../base/errors.ts'
import type { CommittedEnd, Log, Offsets, Producer, TopicInfo } from '../../runtime/ports.ts'
import { Cluster } from './cluster.ts'
import type { TopicMetadata } from './cluster.ts'
import { describe, isForbidden, unanswered } from './faults.ts'
import { Fetcher } from './fetcher.ts'
import { deleteRecords, offsetsOf } from './offsets.ts'
import { bounds } from './options.ts'
import type { KafkaOptions } from './client.ts'
import { produce } from './plain-producer.ts'
import { openTransactionalProducer } from './producer.ts'
import { Retry } from './retry.ts'
import { BatchLimits, createTopics, topicInfos } from './topics.ts'
import { NoAnswer } from './client.ts'

/** Opens the log once a broker has answered. @throws {TransientFault} None does. @throws {ConfigError} None lets us in. */
export async function openKafkaLog(options: KafkaOptions): Promise<Log> {
  const cluster = new Cluster(options)
  try {
    await asked(cluster.refresh([]))
  } catch (error) {
    const answer = error instanceof Error && error.cause instanceof NoAnswer ? error.cause : undefined
    const refusal = answer?.refusal ?? (answer?.mayBeDone === true ? await wantedSasl(cluster) : undefined)
    await cluster.close()
    throw refusal === undefined ? error : new ConfigError([refusal])
  }
  return kafkaLog(cluster)
}

/** A broker that wants to know who we are hangs up on any other request; asked how, it says so. */
async function wantedSasl(cluster: Cluster): Promise<Problem | undefined> {
  const { sasl, brokers } = cluster.options
  if (sasl !== undefined) return undefined
  const any = 'PLAIN'
  const ask = cluster.ask((broker) => cluster.wire.ask(broker, 'saslHandshake', any))
  const mechanisms = await ask.then(
    ({ mechanisms: known }) => known,
    () => [],
  )
  if (mechanisms.length === 0) return undefined
  const message = `Kafka at ${brokers.join(', ')} wants to know who we are: set kafkaSaslMechanism to one of ${mechanisms.join(', ')}, or name another port.`
  return { code: 'DW_KAFKA_SASL', path: 'kafkaSaslMechanism', message }
}

function kafkaLog(cluster: Cluster): Log {
  const limits = new BatchLimits(cluster)
  const fetcher = new Fetcher(cluster)
  const producers = new Set<Producer>()
  const unseen = new Map<string, number>()
  const hidden = new Map<string, { readonly problem: string; readonly untilMs: number }>()

  /** Topics that may not be seen count as not there, which an operator is told. */
  function tellHidden(topics: readonly TopicMetadata[]): void {
    for (const { name, error } of topics) {
      if (error === undefined || !isForbidden(error)) {
        hidden.delete(name)
        continue
      }
      const problem = `topic ${name}: ${describe(error, 'Describe')}, which Read and Write bring`
      if (!hidden.has(name)) cluster.options.logger.warn({ topic: name }, problem)
      hidden.set(name, { problem, untilMs: cluster.options.clock.nowMs() + bounds.hiddenToldMs })
    }
  }

  function problems(): readonly string[] {
    const nowMs = cluster.options.clock.nowMs()
    const told = [...hidden.values()].filter(({ untilMs }) => untilMs > nowMs).map(({ problem }) => problem)
    return cluster.trouble === undefined ? told : [cluster.trouble, ...told]
  }

  function onCommitted(ends: readonly CommittedEnd[]): void {
    for (const { topic, partition, lastOffset } of ends) unseen.set(`${topic}/${partition}`, lastOffset)
  }

  /** Waits until the markers of our own last commit are there: who has committed sees it. */
  async function offsets(topic: string, partition: number): Promise<Offsets> {
    const key = `${topic}/${partition}`
    const retry = new Retry(cluster.options.clock, bounds.markersWaitMs)
    for (;;) {
      const found = await offsetsOf(cluster, topic, partition)
      const lastOffset = unseen.get(key)
      if (lastOffset === undefined || found.committedEnd > lastOffset || !(await retry.again())) {
        if (unseen.get(key) === lastOffset) unseen.delete(key)
        return found
      }
    }
  }

  return {
    isShared: true,
    async describeTopics(names) {
      if (names.length === 0) return new Map()
      const topics = await asked(cluster.refresh(names))
      tellHidden(topics)
      const infos = await asked(topicInfos(limits, topics))
      return new Map(infos.map((info) => [info.name, info]))
    },
    async listTopics() {
      const infos = await asked(cluster.all().then((topics) => topicInfos(limits, topics)))
      return infos.toSorted((a: TopicInfo, b: TopicInfo) => (a.name < b.name ? -1 : 1))
    },
    createTopics: (specs) => asked(createTopics(cluster, specs)),
    offsets,
    async openProducer(transactionalId) {
      const producer = await openTransactionalProducer({ cluster, limits, transactionalId, onCommitted })
      producers.add(producer)
      return {
        transact: (records) => producer.transact(records),
        async close() {
          producers.delete(producer)
          await producer.close()
        },
      }
    },
    openReader: (options) => fetcher.open(options),
    produce: (records) => asked(produce(cluster, limits, records)),
    deleteRecords: (topic, partition, before) => deleteRecords(cluster, topic, partition, before),
    problems,
    async close() {
      await fetcher.close()
      await Promise.all([...producers].map((producer) => producer.close()))
      producers.clear()
      await cluster.close()
    },
  }
}

/** What was only asked for and not answered can be asked again. @throws {TransientFault} */
async function asked<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error
    throw error instanceof TransientFault ? error : unanswered(error, 'Kafka')
  }
}
