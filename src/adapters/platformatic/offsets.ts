// Where a partition begins and ends, and forgetting its beginning: requests to the one broker that leads it.
import { deleteRecordsV2, listOffsetsV8 } from '@platformatic/kafka'
import type { Broker } from '@platformatic/kafka'
import { TransientFault } from '../../base/errors.ts'
import type { Offsets } from '../../runtime/ports.ts'
import type { Cluster } from './cluster.ts'
import { errorOf, faultOf, isLeaderMove, unanswered } from './faults.ts'
import type { KafkaError, Operation } from './faults.ts'
import { bounds } from './options.ts'
import { Retry } from './retry.ts'
import { NoAnswer } from './wire.ts'

const atEarliest = -2n
const atLatest = -1n
const uncommitted = 0
const committed = 1

/** @throws {TransientFault} Also where there is no such topic or partition. */
export async function offsetsOf(cluster: Cluster, topic: string, partition: number): Promise<Offsets> {
  return atLeader(cluster, topic, partition, 'Read', async (leader) => {
    // Answered in this order, so that they fit: earliest <= committed end <= end.
    const [earliest, committedEnd, end] = await Promise.all([
      listOffset(cluster, leader, topic, partition, atEarliest, uncommitted),
      listOffset(cluster, leader, topic, partition, atLatest, committed),
      listOffset(cluster, leader, topic, partition, atLatest, uncommitted),
    ])
    if (typeof earliest === 'string') return earliest
    if (typeof committedEnd === 'string') return committedEnd
    if (typeof end === 'string') return end
    return { earliest, committedEnd, end }
  })
}

/** Forgets the records of a partition below `before`. @throws {TransientFault} */
export async function deleteRecords(cluster: Cluster, topic: string, partition: number, before: number): Promise<void> {
  const partitions = [{ partitionIndex: partition, offset: BigInt(before) }]
  await atLeader(cluster, topic, partition, 'Delete', async (leader) => {
    const topics = [{ name: topic, partitions }]
    const answer = await cluster.wire.ask(leader, deleteRecordsV2, topics, bounds.brokerTimeoutMs)
    return errorOf(answer.topics[0]!.partitions[0]!.errorCode) ?? before
  })
}

async function listOffset(
  cluster: Cluster,
  leader: Broker,
  name: string,
  partitionIndex: number,
  timestamp: bigint,
  isolation: number,
): Promise<number | KafkaError> {
  const partitions = [{ partitionIndex, currentLeaderEpoch: -1, timestamp }]
  const answer = await cluster.wire.ask(leader, listOffsetsV8, -1, isolation, [{ name, partitions }])
  const found = answer.topics[0]!.partitions[0]!
  return errorOf(found.errorCode) ?? Number(found.offset)
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
