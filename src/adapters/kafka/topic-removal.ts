// Removes topics from a cluster. No part of the log's port: a worker never removes a topic, only a benchmark its own.
import { Cluster } from './cluster.ts'
import { describe, errorOf, isForbidden, isLeaderMove, unanswered } from './faults.ts'
import type { KafkaOptions } from './client.ts'
import { bounds } from './options.ts'
import { Retry } from './retry.ts'
import { NoAnswer } from './client.ts'

/** A topic that is still there, and why. */
export interface TopicLeft {
  readonly name: string
  readonly reason: string
}

const passing: ReadonlySet<string> = new Set(['NOT_CONTROLLER', 'REQUEST_TIMED_OUT', 'THROTTLING_QUOTA_EXCEEDED'])

/** Removes the topics that are chosen, waits until no broker names them, and gives those that stay. @throws {TransientFault} */
export async function removeTopics(
  options: KafkaOptions,
  isChosen: (name: string) => boolean,
): Promise<readonly TopicLeft[]> {
  const cluster = new Cluster(options)
  try {
    return await remove(cluster, isChosen)
  } catch (error) {
    throw error instanceof NoAnswer ? unanswered(error, 'Kafka') : error
  } finally {
    await cluster.close()
  }
}

async function remove(cluster: Cluster, isChosen: (name: string) => boolean): Promise<readonly TopicLeft[]> {
  const retry = new Retry(cluster.options.clock)
  const refused = new Map<string, string>()
  for (;;) {
    const names = (await cluster.all()).map(({ name }) => name).filter(isChosen)
    const open = names.filter((name) => !refused.has(name))
    if (open.length > 0 && (await retry.again())) await ask(cluster, open, refused)
    else return names.map((name) => ({ name, reason: refused.get(name) ?? 'it is still there' }))
  }
}

async function ask(cluster: Cluster, names: readonly string[], refused: Map<string, string>): Promise<void> {
  const answer = await cluster.wire.ask(await cluster.controller(), 'deleteTopics', names, bounds.brokerTimeoutMs)
  for (const { name, errorCode, message } of answer) {
    const error = errorOf(errorCode)
    if (error === undefined || passing.has(error) || isLeaderMove(error)) continue
    refused.set(name, isForbidden(error) ? describe(error, 'Delete') : (message ?? describe(error)))
  }
}
