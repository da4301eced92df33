// Where a partition begins and ends, and forgetting its beginning: requests to the one broker that leads it.
import { TransientFault } from '../../base/errors.ts'
import type { Offsets } from '../../runtime/ports.ts'
import type { Cluster } from './cluster.ts'
import { errorOf, faultOf, isLeaderMove, unanswered } from './faults.ts'
import type { KafkaError, Operation } from './faults.ts'
import { bounds } from './options.ts'
import { Retry } from './retry.ts'
import { NoAnswer } from './client.ts'
import type { Broker, Place } from './client.ts'

/** @throws {TransientFault} Also where there is no such topic or partition. */
export async function offsetsOf(cluster: Cluster, topic: string, partition: number): Promise<Offsets> {
  return atLeader(cluster, topic, partition, 'Read', async (leader) => {
    // Answered in this order, so that they fit: earliest <= committed end <= end.
    const [earliest, committedEnd, end] = await Promise.all([
      listOffset(cluster, leader, { topic, partition }, 'earliest', false),
      listOffset(cluster, leader, { topic, partition }, 'latest', true),
      listOffset(cluster, leader, { topic, partition }, 'latest', false),
    ])
    if (typeof earliest === 'string') return earliest
    if (typeof committedEnd === 'string') return committedEnd
    if (typeof end === 'string') return end
    return { earliest, committedEnd, end }
  })
}

/** Forgets the records of a partition below `before`. @throws {TransientFault} */
export async function deleteRecords(cluster: Cluster, topic: string, partition: number, before: number): Promise<void> {
  await atLeader(cluster, topic, partition, 'Delete', async (leader) => {
    const place = { topic, partition }
    const answer = await cluster.wire.ask(leader, 'deleteRecords', place, before, bounds.brokerTimeoutMs)
    return errorOf(answer.errorCode) ?? before
  })
}

async function listOffset(
  cluster: Cluster,
  leader: Broker,
  place: Place,
  timestamp: 'earliest' | 'latest',
  isCommitted: boolean,
): Promise<number | KafkaError> {
  const { errorCode, offset } = await cluster.wire.ask(leader, 'listOffset', place, timestamp, isCommitted)
  return errorOf(errorCode) ?? offset
}

/** Asks the leader of a partition, and again where it has moved; a string is a refusal. */
async function atLeader<Answer extends object | number>(
  cluster: Cluster,
  topic: string,
  partition: number,
  operation: Operation,
  ask: (leader: Broker) => Promise<Answer | KafkaError>,
): Promise<Answer> {
  const where = `${topic}/${partition}`
  const retry = new Retry(cluster.options.clock)
  for (;;) {
    let error: KafkaError
    try {
      const metadata = await cluster.topic(topic)
      const leader = cluster.leaderOf(metadata, partition)
      if (metadata.error !== undefined) throw faultOf(metadata.error, where, operation)
      if (metadata.leaders.length <= partition) {
        cluster.forget(topic)
        throw new TransientFault(`${where}: the topic has ${metadata.leaders.length} partitions`)
      }
      const answer = leader === undefined ? 'LEADER_NOT_AVAILABLE' : await ask(leader)
      if (typeof answer !== 'string') return answer
      error = answer
    } catch (failure) {
      if (!(failure instanceof NoAnswer)) throw failure
      cluster.forget(topic)
      if (!(await retry.again())) throw unanswered(failure, where)
      continue
    }
    cluster.forget(topic)
    if (!isLeaderMove(error) || !(await retry.again())) throw faultOf(error, where, operation)
  }
}
