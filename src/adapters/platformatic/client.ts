// `@platformatic/kafka` as a client: its protocol and its connections. Its `Producer` and `Consumer` are not used: their
// retries and their filter are what has to be controlled.
// The versions are those of Kafka 3.5, which every later broker still speaks.
import {
  addPartitionsToTxnV3,
  ConfigResourceTypes,
  createTopicsV7,
  deleteRecordsV2,
  deleteTopicsV6,
  describeConfigsV4,
  endTxnV3,
  findCoordinatorV4,
  heartbeatV4,
  initProducerIdV4,
  joinGroupV7,
  leaveGroupV5,
  listOffsetsV8,
  metadataV12,
  saslHandshakeV1,
  syncGroupV5,
} from '@platformatic/kafka'
import type { API } from '@platformatic/kafka'
import { byTopic } from '../kafka/by-topic.ts'
import { wireOf } from '../kafka/client.ts'
import type { Broker, Client, Translated } from '../kafka/client.ts'
import { Connections } from './connections.ts'
import { fetchBytes, produceBytes } from './raw-apis.ts'

export const platformaticClient: Client = {
  name: '@platformatic/kafka',
  guarantee: 'exactly-once',
  connect(connection, requestTimeoutMs) {
    const connections = new Connections(connection, requestTimeoutMs)
    const askAt =
      (broker: Broker): Ask =>
      (api, ...fields) =>
        connections.ask(broker, api, ...fields)
    return wireOf(requests, askAt, () => connections.close())
  },
}

type Ask = <Fields extends unknown[], Answer>(
  api: { readonly api: API<Fields, Answer> },
  ...fields: Fields
) => Promise<Answer>

const coordinatorKinds = { group: 0, transaction: 1 } as const
const timestamps = { earliest: -2n, latest: -1n } as const
const readCommitted = 1
const noReplica = -1
const noEpoch = -1
const noSession = [0, -1] as const
const groupProtocol = 'consumer'
/** Explicitly none: a fresh client that claims an id and epoch (0, 0) is refused as fenced. */
const noId = { producerId: -1n, producerEpoch: -1 }

const requests: Translated<Ask> = {
  async metadata(ask, names) {
    const { controllerId, brokers, topics } = await ask(metadataV12, names && [...names], false, false)
    return {
      controllerId,
      brokers: brokers.map(({ nodeId: id, host, port }) => ({ id, host, port })),
      topics: topics.map(({ name, topicId: id, errorCode, isInternal, partitions }) => ({
        name: name ?? '',
        id,
        errorCode,
        isInternal,
        partitions: partitions.map(({ partitionIndex, leaderId, replicaNodes }) => ({
          partition: partitionIndex,
          leader: leaderId,
          replicas: replicaNodes.length,
        })),
      })),
    }
  },
  async findCoordinator(ask, kind, key) {
    const { coordinators } = await ask(findCoordinatorV4, coordinatorKinds[kind], [key])
    return coordinators[0]!
  },
  async listOffset(ask, { topic: name, partition }, timestamp, isCommitted) {
    const asked = { partitionIndex: partition, currentLeaderEpoch: noEpoch, timestamp: timestamps[timestamp] }
    const isolation = isCommitted ? readCommitted : 0
    const { topics } = await ask(listOffsetsV8, noReplica, isolation, [{ name, partitions: [asked] }])
    const { errorCode, offset } = topics[0]!.partitions[0]!
    return { errorCode, offset: Number(offset) }
  },
  async deleteRecords(ask, { topic: name, partition }, before, timeoutMs) {
    const partitions = [{ partitionIndex: partition, offset: BigInt(before) }]
    const { topics } = await ask(deleteRecordsV2, [{ name, partitions }], timeoutMs)
    return topics[0]!.partitions[0]!
  },
  async describeTopics(ask, topics, settings) {
    const resources = topics.map((resourceName) => ({
      resourceType: ConfigResourceTypes.TOPIC,
      resourceName,
      configurationKeys: settings && [...settings],
    }))
    const { results } = await ask(describeConfigsV4, resources, false, false)
    return results.map(({ resourceName, errorCode, configs }) => ({
      topic: resourceName,
      errorCode,
      settings: new Map(configs.map(({ name, value }) => [name, value ?? null])),
    }))
  },
  async createTopics(ask, topics, timeoutMs) {
    const asked = topics.map(({ name, partitions, settings }) => ({
      name,
      numPartitions: partitions,
      replicationFactor: -1,
      assignments: [],
      configs: Object.entries(settings).map(([setting, value]) => ({ name: setting, value })),
    }))
    const { topics: made } = await ask(createTopicsV7, asked, timeoutMs, false)
    return made.map(({ name, errorCode, errorMessage }) => ({ name, errorCode, message: errorMessage ?? null }))
  },
  async deleteTopics(ask, names, timeoutMs) {
    const topics = names.map((name) => ({ name }))
    const { responses } = await ask(deleteTopicsV6, topics, timeoutMs)
    return responses.map(({ name, errorCode, errorMessage }) => ({
      name: name ?? '',
      errorCode,
      message: errorMessage ?? null,
    }))
  },
  initProducerId(ask, transactionalId, timeoutMs, { producerId, producerEpoch } = noId) {
    return ask(initProducerIdV4, transactionalId, timeoutMs, producerId, producerEpoch)
  },
  async addPartitionsToTxn(ask, transactionalId, held, places) {
    const topics = byTopic(places).map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partition }) => partition),
    }))
    // Version 3: from 4 on the request is for brokers, and wants the rights of one.
    const transaction = { transactionalId, ...held, verifyOnly: false, topics }
    const { resultsByTransaction } = await ask(addPartitionsToTxnV3, [transaction])
    const partitions = resultsByTransaction[0]!.topicResults.flatMap(({ name, resultsByPartition }) =>
      resultsByPartition.map(({ partitionIndex, partitionErrorCode }) => ({
        topic: name,
        partition: partitionIndex,
        errorCode: partitionErrorCode,
      })),
    )
    return { partitions, errorCode: partitions.find(({ errorCode }) => errorCode !== 0)?.errorCode ?? 0 }
  },
  endTxn(ask, transactionalId, { producerId, producerEpoch }, isCommit) {
    return ask(endTxnV3, transactionalId, producerId, producerEpoch, isCommit)
  },
  async saslHandshake(ask, mechanism) {
    const { mechanisms } = await ask(saslHandshakeV1, mechanism)
    return { mechanisms: mechanisms ?? [] }
  },
  async produce(ask, transactionalId, batches, timeoutMs) {
    const { responses } = await ask(produceBytes, transactionalId, byTopic(batches), timeoutMs)
    return responses.flatMap(({ name, partitionResponses }) =>
      partitionResponses.map(({ index, errorCode, baseOffset, recordErrors }) => ({
        topic: name,
        partition: index,
        errorCode,
        baseOffset: Number(baseOffset),
        record: recordErrors[0]?.batchIndex,
      })),
    )
  },
  async fetch(ask, positions, { waitMs, bytesMax, partitionBytesMax }) {
    const topics = byTopic(positions).map(({ partitions }) => ({
      topicId: partitions[0]!.topicId,
      partitions: partitions.map(({ partition, offset }) => ({
        partition,
        fetchOffset: BigInt(offset),
        partitionMaxBytes: partitionBytesMax,
        currentLeaderEpoch: noEpoch,
        lastFetchedEpoch: noEpoch,
      })),
    }))
    const answer = await ask(fetchBytes, waitMs, 1, bytesMax, readCommitted, ...noSession, topics, [], '')
    const partitions = answer.topics.flatMap((topic) =>
      topic.partitions.map((fetched) => ({ ...fetched, topicId: topic.topicId })),
    )
    return { errorCode: answer.errorCode, partitions }
  },
  async joinGroup(ask, group, memberId, { sessionTimeoutMs, rebalanceTimeoutMs, protocol, metadata }) {
    const timeouts = [sessionTimeoutMs, rebalanceTimeoutMs] as const
    const protocols = [{ name: protocol, metadata }]
    const joined = await ask(joinGroupV7, group, ...timeouts, memberId, null, groupProtocol, protocols)
    return { ...joined, generation: joined.generationId }
  },
  syncGroup(ask, group, { generation, memberId, protocol }, assignments) {
    return ask(syncGroupV5, group, generation, memberId, null, groupProtocol, protocol, [...assignments])
  },
  heartbeat(ask, group, { generation, memberId }) {
    return ask(heartbeatV4, group, generation, memberId, null)
  },
  leaveGroup(ask, group, memberId) {
    return ask(leaveGroupV5, group, [{ memberId }])
  },
}
