// Topics: what they are, and how those of an application are made. What exists is never changed in here.
import { TransientFault } from '../../base/errors.ts'
import type { TopicInfo, TopicSpec } from '../../runtime/ports.ts'
import type { Cluster, TopicMetadata } from './cluster.ts'
import { describe, errorOf, faultOf, isForbidden, isLeaderMove } from './faults.ts'
import { bounds } from './options.ts'
import { Retry } from './retry.ts'

/** What a batch adds to its one record: the batch's head, lengths, and a little for headers. */
const batchOverheadBytes = 128

const dayMs = 24 * 60 * 60_000

/** Replication factor and min.insync.replicas are the operator's: the brokers' defaults are used. */
const configs: Readonly<Record<TopicSpec['cleanup'], Readonly<Record<string, string>>>> = {
  compacted: {
    'cleanup.policy': 'compact',
    // A restore reads all that compaction has left: compact early, and close segments soon enough to be compacted.
    'min.cleanable.dirty.ratio': '0.2',
    'segment.bytes': `${64 * 1_048_576}`,
    'segment.ms': `${dayMs}`,
    // A store that was away for long could bring back what was deleted meanwhile, and is restored from nothing.
    'delete.retention.ms': `${7 * dayMs}`,
  },
  unlimited: { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' },
  retained: { 'cleanup.policy': 'delete', 'retention.ms': `${7 * dayMs}` },
}

/** What is assumed of a topic whose configuration may not be read: Kafka's own default. */
const tombstonesKeptDefaultMs = dayMs

/** The largest batch of each topic, in bytes, remembered: it seldom changes, and a batch that is refused tells. */
export class BatchLimits {
  readonly #cluster: Cluster
  readonly #bytes = new Map<string, number>()
  readonly #tombstonesKeptMs = new Map<string, number>()

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  of(topic: string): number {
    return this.#bytes.get(topic) ?? bounds.batchBytesDefault
  }

  /** How long the topic keeps tombstones where it is compacted, in milliseconds, as it was when it was last learnt. */
  tombstonesKeptMs(topic: string): number {
    return this.#tombstonesKeptMs.get(topic) ?? tombstonesKeptDefaultMs
  }

  /** A batch of so many bytes was too large. */
  isBelow(topic: string, bytes: number): void {
    this.#bytes.set(topic, Math.floor(bytes / 2))
  }

  /** Reads those that are not known; a topic whose configuration may not be read has Kafka's default. */
  async learn(topics: readonly string[], isFresh = false): Promise<void> {
    const asked = topics.filter((topic) => isFresh || !this.#bytes.has(topic))
    if (asked.length === 0) return
    const settings = ['max.message.bytes', 'delete.retention.ms']
    const answer = await this.#cluster.ask((broker) =>
      this.#cluster.wire.ask(broker, 'describeTopics', asked, settings),
    )
    for (const { topic, errorCode, settings: found } of answer) {
      const numberOf = (key: string): number => Number(found.get(key) ?? Number.NaN)
      const bytes = numberOf('max.message.bytes')
      const keptMs = numberOf('delete.retention.ms')
      this.#bytes.set(topic, errorCode === 0 && bytes > 0 ? bytes : bounds.batchBytesDefault)
      this.#tombstonesKeptMs.set(topic, errorCode === 0 && keptMs >= 0 ? keptMs : tombstonesKeptDefaultMs)
    }
  }
}

/** What is known of topics that exist. @throws {NoAnswer} */
export async function topicInfos(limits: BatchLimits, topics: readonly TopicMetadata[]): Promise<readonly TopicInfo[]> {
  const found = topics.filter((topic) => topic.error === undefined)
  await limits.learn(
    found.map((topic) => topic.name),
    true,
  )
  return found.map(({ name, id, leaders }) => ({
    name,
    id,
    partitions: leaders.length,
    recordBytesMax: Math.max(0, limits.of(name) - batchOverheadBytes),
    tombstonesKeptMs: limits.tombstonesKeptMs(name),
  }))
}

/**
 * Makes the topics that do not exist, and waits until their partitions are led.
 * @throws {TransientFault} with the broker's reason: not authorised, a policy, too few brokers, … @throws {NoAnswer}
 */
export async function createTopics(cluster: Cluster, specs: readonly TopicSpec[]): Promise<void> {
  const retry = new Retry(cluster.options.clock)
  const refused = new Map<string, string>()
  for (;;) {
    const topics = await cluster.refresh(specs.map((spec) => spec.name))
    if (topics.every(isLed)) return
    const missing = specs.filter((_, at) => topics[at]!.error === 'UNKNOWN_TOPIC_OR_PARTITION')
    if (missing.length > 0) await create(cluster, missing, refused)
    const hidden = topics.find(({ error }) => error === 'TOPIC_AUTHORIZATION_FAILED')
    if (hidden !== undefined) throw faultOf('TOPIC_AUTHORIZATION_FAILED', `topic ${hidden.name}`, 'Describe')
    const [problem] = refused
    if (problem !== undefined) throw new TransientFault(`topic ${problem[0]} was not created: ${problem[1]}`)
    if (!(await retry.again())) {
      const waiting = topics.find((topic) => !isLed(topic))!
      throw faultOf(waiting.error ?? 'LEADER_NOT_AVAILABLE', `topic ${waiting.name}`)
    }
  }
}

const isLed = ({ error, leaders }: TopicMetadata) => error === undefined && leaders.every((leader) => leader >= 0)

async function create(cluster: Cluster, specs: readonly TopicSpec[], refused: Map<string, string>): Promise<void> {
  const topics = specs.map(({ name, partitions, cleanup }) => ({ name, partitions, settings: configs[cleanup] }))
  const controller = await cluster.controller()
  const answer = await cluster.wire.ask(controller, 'createTopics', topics, bounds.brokerTimeoutMs)
  for (const { name, errorCode, message } of answer) {
    const error = errorOf(errorCode)
    const isPassing = error === 'NOT_CONTROLLER' || error === 'REQUEST_TIMED_OUT'
    // Another worker that starts now may make it as well.
    if (error === undefined || error === 'TOPIC_ALREADY_EXISTS' || isPassing || isLeaderMove(error)) continue
    refused.set(name, isForbidden(error) ? describe(error, 'Create') : (message ?? describe(error)))
  }
}
