// `kafkajs` as a client: its protocol and its connections. Its `Producer` and `Consumer` are not used: a read-committed
// fetch of it gives aborted records, and it waits long for markers (test/conformance/clients.test.ts).
// The versions are the highest that it and the broker speak.
import { byTopic } from '../kafka/by-topic.ts'
import { wireOf } from '../kafka/client.ts'
import type { Appended, Broker, Client, Coded, Fetched, HeldId, Metadata, Translated } from '../kafka/client.ts'
import { Connections } from './connections.ts'
import { exchangeOf } from './internals.ts'
import type { Exchange, Versions } from './internals.ts'
import * as own from './own-requests.ts'

export const kafkajsClient: Client = {
  name: 'kafkajs',
  guarantee: 'exactly-once',
  connect(connection, requestTimeoutMs) {
    const connections = new Connections(connection, requestTimeoutMs)
    const askAt =
      (broker: Broker): Ask =>
      (exchange) =>
        connections.ask(broker, exchange)
    return wireOf(requests, askAt, () => connections.close())
  },
}

/** What an answer looks like is said by whoever asks: kafkajs has no types for it. */
type Ask = <Answer>(exchange: (versions: Versions) => Exchange) => Promise<Answer>

const coordinatorTypes = { group: 0, transaction: 1 } as const
const timestamps = { earliest: -2, latest: -1 } as const
const topicResource = 2
const groupProtocol = 'consumer'

const by = (api: string, fields: object) => (versions: Versions) => exchangeOf(versions, api, fields)

interface OfPartition extends Coded {
  readonly partition: number
}

const requests: Translated<Ask> = {
  metadata: (ask, names) => ask<Metadata>(() => own.metadata(names)),
  async findCoordinator(ask, kind, key) {
    const fields = { groupId: key, coordinatorType: coordinatorTypes[kind] }
    const answer = await ask<Coded & { readonly coordinator: Broker }>(by('GroupCoordinator', fields))
    return { errorCode: answer.errorCode, host: answer.coordinator.host, port: answer.coordinator.port }
  },
  async listOffset(ask, { topic, partition }, timestamp, isCommitted) {
    const topics = [{ topic, partitions: [{ partition, timestamp: timestamps[timestamp] }] }]
    const exchange = by('ListOffsets', { topics, isolationLevel: isCommitted ? 1 : 0 })
    interface Answer {
      readonly responses: readonly { readonly partitions: readonly (OfPartition & { readonly offset: string })[] }[]
    }
    const { errorCode, offset } = (await ask<Answer>(exchange)).responses[0]!.partitions[0]!
    return { errorCode, offset: Number(offset) }
  },
  async deleteRecords(ask, { topic, partition }, before, timeout) {
    const exchange = by('DeleteRecords', { topics: [{ topic, partitions: [{ partition, offset: before }] }], timeout })
    const answer = await ask<{ readonly topics: readonly { readonly partitions: readonly OfPartition[] }[] }>(exchange)
    return answer.topics[0]!.partitions[0]!
  },
  async describeTopics(ask, topics, configNames) {
    const resources = topics.map((name) => ({ type: topicResource, name, configNames: configNames ?? [] }))
    interface Entry {
      readonly configName: string
      readonly configValue: string | null
    }
    interface Answer {
      readonly resources: readonly (Coded & {
        readonly resourceName: string
        readonly configEntries: readonly Entry[]
      })[]
    }
    const answer = await ask<Answer>(by('DescribeConfigs', { resources }))
    return answer.resources.map(({ resourceName, errorCode, configEntries }) => ({
      topic: resourceName,
      errorCode,
      settings: new Map(configEntries.map(({ configName, configValue }) => [configName, configValue])),
    }))
  },
  async createTopics(ask, topics, timeout) {
    const asked = topics.map(({ name, partitions, settings }) => ({
      topic: name,
      numPartitions: partitions,
      configEntries: Object.entries(settings).map(([setting, value]) => ({ name: setting, value })),
    }))
    const { topicErrors } = await ask<TopicErrors>(by('CreateTopics', { topics: asked, timeout }))
    return topicErrors.map(({ topic, errorCode, errorMessage }) => ({
      name: topic,
      errorCode,
      message: errorMessage ?? null,
    }))
  },
  async deleteTopics(ask, topics, timeout) {
    const { topicErrors } = await ask<TopicErrors>(by('DeleteTopics', { topics, timeout }))
    return topicErrors.map(({ topic, errorCode }) => ({ name: topic, errorCode, message: null }))
  },
  initProducerId: (ask, transactionalId, timeoutMs, held) =>
    ask<Coded & HeldId>(() => own.initProducerId(transactionalId, timeoutMs, held)),
  async addPartitionsToTxn(ask, transactionalId, held, places) {
    const topics = byTopic(places).map(({ name, partitions }) => ({
      topic: name,
      partitions: partitions.map(({ partition }) => partition),
    }))
    interface Answer {
      readonly errors: readonly { readonly topic: string; readonly partitionErrors: readonly OfPartition[] }[]
    }
    const { errors } = await ask<Answer>(by('AddPartitionsToTxn', { transactionalId, ...held, topics }))
    const partitions = errors.flatMap(({ topic, partitionErrors }) =>
      partitionErrors.map(({ partition, errorCode }) => ({ topic, partition, errorCode })),
    )
    return { partitions, errorCode: partitions.find(({ errorCode }) => errorCode !== 0)?.errorCode ?? 0 }
  },
  endTxn: (ask, transactionalId, held, transactionResult) =>
    ask<Coded>(by('EndTxn', { transactionalId, ...held, transactionResult })),
  async saslHandshake(ask, mechanism) {
    const answer = await ask<{ readonly enabledMechanisms: readonly string[] }>(by('SaslHandshake', { mechanism }))
    return { mechanisms: answer.enabledMechanisms }
  },
  produce: (ask, transactionalId, batches, timeoutMs) =>
    ask<readonly Appended[]>((versions) => own.produce(versions, transactionalId, batches, timeoutMs)),
  fetch: (ask, positions, bounds) => ask<Fetched>((versions) => own.fetch(versions, positions, bounds)),
  async joinGroup(ask, groupId, memberId, { sessionTimeoutMs, rebalanceTimeoutMs, protocol, metadata }) {
    const timeouts = { sessionTimeout: sessionTimeoutMs, rebalanceTimeout: rebalanceTimeoutMs }
    const groupProtocols = [{ name: protocol, metadata }]
    interface Answer extends Coded {
      readonly generationId: number
      readonly leaderId: string
      readonly memberId: string
      readonly members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[]
    }
    const fields = { groupId, ...timeouts, memberId, protocolType: groupProtocol, groupProtocols }
    const joined = await ask<Answer>(by('JoinGroup', fields))
    return {
      errorCode: joined.errorCode,
      generation: joined.generationId,
      memberId: joined.memberId,
      leader: joined.leaderId,
      members: joined.members.map((member) => ({ memberId: member.memberId, metadata: member.memberMetadata })),
    }
  },
  async syncGroup(ask, groupId, { generation, memberId }, assignments) {
    const groupAssignment = assignments.map((one) => ({ memberId: one.memberId, memberAssignment: one.assignment }))
    const fields = { groupId, generationId: generation, memberId, groupAssignment }
    const answer = await ask<Coded & { readonly memberAssignment: Buffer }>(by('SyncGroup', fields))
    return { errorCode: answer.errorCode, assignment: answer.memberAssignment }
  },
  heartbeat: (ask, groupId, { generation, memberId }) =>
    ask<Coded>(by('Heartbeat', { groupId, groupGenerationId: generation, memberId, groupInstanceId: null })),
  leaveGroup: (ask, groupId, memberId) => ask<Coded>(by('LeaveGroup', { groupId, memberId, groupInstanceId: null })),
}

interface TopicErrors {
  readonly topicErrors: readonly (Coded & { readonly topic: string; readonly errorMessage?: string | null })[]
}
