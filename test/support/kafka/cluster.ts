// Three real brokers for tests, each a controller too: leaders, coordinators and controllers that move when one is killed.
// Every topic has three copies, two of which have to take what is produced.
import { Admin, FindCoordinatorKeyTypes } from '@platformatic/kafka'
import { freePorts, newClusterId, startBroker } from './broker.ts'
import type { KafkaBroker } from './broker.ts'

export interface KafkaCluster {
  readonly addresses: readonly string[]
  readonly brokers: readonly KafkaBroker[]
  /** Who leads a partition now. */
  leaderOf(topic: string, partition: number): Promise<KafkaBroker>
  /** Who coordinates a transactional id or a group now. */
  coordinatorOf(kind: 'transaction' | 'group', key: string): Promise<KafkaBroker>
  /** Resolves when every copy of a partition is in sync again. */
  untilInSync(topic: string, partition: number): Promise<void>
  dispose(): Promise<void>
}

const nodeIds = [1, 2, 3] as const
/** What the machine of a test can spare for each; none lives long enough to be worth compiling well. */
const javaOptions = ['-Xmx256m', '-XX:TieredStopAtLevel=1']
const settledWithinMs = 60_000
const lookAgainMs = 100

export async function startCluster(): Promise<KafkaCluster> {
  const ports = await freePorts(2 * nodeIds.length)
  const clusterId = newClusterId()
  const places = nodeIds.map((id, at) => ({ id, port: ports[2 * at]!, controllerPort: ports[2 * at + 1]! }))
  const voters = places.map(({ id, controllerPort }) => `${id}@127.0.0.1:${controllerPort}`).join(',')
  // None is up before there is a majority of controllers.
  const brokers = await Promise.all(
    places.map(({ id, ...place }) =>
      startBroker({ ...shared, 'node.id': `${id}`, 'controller.quorum.voters': voters }, undefined, undefined, {
        ...place,
        clusterId,
        javaOptions,
      }),
    ),
  )
  const addresses = brokers.map(({ address }) => address)
  const brokerAt = (port: number): KafkaBroker => brokers.find(({ address }) => address.endsWith(`:${port}`))!

  async function asked<Answer>(ask: (admin: Admin) => Promise<Answer | undefined>): Promise<Answer> {
    const admin = new Admin({ clientId: 'operator', bootstrapBrokers: [...addresses], timeout: 5_000 })
    try {
      for (const givenUpAt = Date.now() + settledWithinMs; ; await pause(lookAgainMs)) {
        const answer = await ask(admin).catch((error: unknown) => {
          if (Date.now() > givenUpAt) throw error
          return undefined
        })
        if (answer !== undefined) return answer
        if (Date.now() > givenUpAt) throw new Error('the cluster does not settle')
      }
    } finally {
      await admin.close()
    }
  }

  async function partitionOf(admin: Admin, topic: string, partition: number) {
    const metadata = await admin.metadata({ topics: [topic], forceUpdate: true })
    const found = metadata.topics.get(topic)?.partitions[partition]
    return found === undefined ? undefined : { ...found, broker: metadata.brokers.get(found.leader) }
  }

  return {
    addresses,
    brokers,
    leaderOf: (topic, partition) =>
      asked(async (admin) => {
        const leader = (await partitionOf(admin, topic, partition))?.broker
        return leader && brokerAt(leader.port)
      }),
    coordinatorOf: (kind, key) =>
      asked(async (admin) => {
        const keyType = FindCoordinatorKeyTypes[kind === 'group' ? 'GROUP' : 'TRANSACTION']
        const [found] = await admin.findCoordinator({ keyType, keys: [key] })
        return found && brokerAt(found.port)
      }),
    async untilInSync(topic, partition) {
      await asked(async (admin) => {
        const found = await partitionOf(admin, topic, partition)
        return found?.isr.length === nodeIds.length || undefined
      })
    },
    async dispose() {
      await Promise.all(brokers.map((broker) => broker.dispose()))
    },
  }
}

const shared = {
  'default.replication.factor': '3',
  'min.insync.replicas': '2',
  'offsets.topic.replication.factor': '3',
  'transaction.state.log.replication.factor': '3',
  'transaction.state.log.min.isr': '2',
  // A copy that says nothing is let go, and a controller that is gone is replaced, within a test's time.
  'replica.lag.time.max.ms': '3000',
  'controller.quorum.fetch.timeout.ms': '1500',
  'controller.quorum.election.timeout.ms': '500',
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
