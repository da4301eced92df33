// Topics as an operator sees them, with replicas and settings. No part of the log's port: a worker asks for none of it.
import { ConfigError } from '../../base/errors.ts'
import type { FoundTopic } from '../../runtime/topic-check.ts'
import { Cluster } from './cluster.ts'
import { describe, errorOf, isForbidden, unanswered } from './faults.ts'
import { NoAnswer, type KafkaOptions } from './client.ts'

/** The topics of these names that there are, by name; a text says why one may not be seen. @throws {TransientFault} @throws {ConfigError} */
export async function topicDetails(
  options: KafkaOptions,
  names: readonly string[],
): Promise<ReadonlyMap<string, FoundTopic | string>> {
  const cluster = new Cluster(options)
  try {
    return await details(cluster, names)
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error
    throw error.refusal === undefined ? unanswered(error, 'Kafka') : new ConfigError([error.refusal])
  } finally {
    await cluster.close()
  }
}

async function details(cluster: Cluster, names: readonly string[]): Promise<ReadonlyMap<string, FoundTopic | string>> {
  const found = new Map<string, FoundTopic | string>()
  const { topics } = await cluster.ask((broker) => cluster.wire.ask(broker, 'metadata', names))
  for (const { name, errorCode, partitions } of topics) {
    const error = errorOf(errorCode)
    if (error === 'UNKNOWN_TOPIC_OR_PARTITION') continue
    if (error !== undefined && isForbidden(error)) found.set(name, describe(error, 'Describe'))
    else {
      const replicas = Math.min(...partitions.map((partition) => partition.replicas))
      found.set(name, { partitions: partitions.length, replicas })
    }
  }
  const seen = [...found].filter((entry): entry is [string, FoundTopic] => typeof entry[1] !== 'string')
  if (seen.length === 0) return found
  const seenNames = seen.map(([name]) => name)
  const described = await cluster.ask((broker) => cluster.wire.ask(broker, 'describeTopics', seenNames, null))
  const settings = new Map(
    described
      .filter(({ errorCode }) => errorCode === 0)
      .map((one) => [one.topic, new Map([...one.settings].map(([name, value]) => [name, value ?? '']))]),
  )
  for (const [name, topic] of seen) {
    const own = settings.get(name)
    if (own !== undefined) found.set(name, { ...topic, settings: own })
  }
  return found
}
