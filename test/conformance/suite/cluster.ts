// Three brokers: leaders, coordinators and controllers that move while transactions are under way, and copies that are lost.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite } from 'node:test'
import { OutcomeUnknown, TransientFault } from '../../../src/base/errors.ts'
import type { Assignment, Log } from '../../../src/runtime/ports.ts'
import { createTopicWith } from '../../support/kafka/admin.ts'
import { startCluster } from '../../support/kafka/cluster.ts'
import type { KafkaCluster } from '../../support/kafka/cluster.ts'
import type { KafkaBroker } from '../../support/kafka/broker.ts'
import { createTopic, pause, readFrom, record, valuesOf } from '../../support/kafka/kafka-world.ts'
import { casesOf } from './adapter.ts'
import type { Adapter } from './adapter.ts'
import { leaveOpen } from './left-open.ts'
import { openAtLast, produceSteadily } from './steady.ts'
import type { SteadyProducer } from './steady.ts'

const partitions = 3

export function clusterCases(adapter: Adapter): void {
  const rule = casesOf(adapter)
  suite('a cluster', () => {
    let cluster: KafkaCluster
    let log: Log
    before(async () => {
      cluster = await startCluster()
      log = await adapter.openLog(cluster.addresses)
    })
    after(async () => {
      await log.close()
      await cluster.dispose()
    })

    async function untilWhole(topic: string): Promise<void> {
      for (let partition = 0; partition < partitions; partition++) await cluster.untilInSync(topic, partition)
    }

    /** One broker goes while transactions over three partitions are under way, then comes back. */
    async function whileProducing(
      pick: (producing: SteadyProducer, topic: string) => Promise<KafkaBroker>,
      how: 'kill' | 'stop',
    ): Promise<void> {
      const topic = await createTopic(log, partitions)
      const producing = produceSteadily(log, topic, partitions)
      await producing.untilMore(10)
      const broker = await pick(producing, topic)
      await broker[how]()
      await producing.untilMore(10)
      await broker.start()
      await producing.untilMore(10)
      await untilWhole(topic)
      await producing.stopAndCheck()
    }

    rule('leader-killed', 'a leader that is killed in mid-batch loses, doubles and tears no transaction', () =>
      whileProducing((_, topic) => cluster.leaderOf(topic, 1), 'kill'),
    )

    rule('leader-moves', 'a leader that hands over in mid-batch loses, doubles and tears no transaction', () =>
      whileProducing((_, topic) => cluster.leaderOf(topic, 0), 'stop'),
    )

    rule('coordinator-killed', 'a transaction coordinator that is killed loses, doubles and tears no transaction', () =>
      whileProducing(({ transactionalId }) => cluster.coordinatorOf('transaction', transactionalId), 'kill'),
    )

    rule('coordinator-moves', 'a transaction coordinator that hands over loses, doubles and tears no transaction', () =>
      whileProducing(({ transactionalId }) => cluster.coordinatorOf('transaction', transactionalId), 'stop'),
    )

    rule('rolling-restart', 'brokers that are restarted in turn lose, double and tear no transaction', async () => {
      const topic = await createTopic(log, partitions)
      const producing = produceSteadily(log, topic, partitions)
      for (const broker of cluster.brokers) {
        await producing.untilMore(5)
        await broker.stop()
        await broker.start()
        await untilWhole(topic)
      }
      await producing.untilMore(5)
      await producing.stopAndCheck()
    })

    rule(
      'left-open-on-moved-coordinator',
      'what a predecessor left open is aborted by its successor after the coordinator moved',
      async () => {
        const topic = await createTopic(log)
        const id = randomUUID()
        const leftOpen = await leaveOpen(cluster.addresses, log, topic, id)
        const coordinator = await cluster.coordinatorOf('transaction', id)
        await coordinator.kill()
        await leftOpen.endsBy(await openAtLast(log, id))
        await coordinator.start()
        await cluster.untilInSync(topic, 0)
      },
    )

    rule(
      'too-few-copies',
      'where too few copies are in sync nothing is told as committed that is not, and it goes on when they are back',
      async () => {
        const topic = `t-${randomUUID()}`
        await createTopicWith(cluster.addresses, topic, { 'min.insync.replicas': '3' }, 3)
        const id = randomUUID()
        let producer = await openAtLast(log, id)
        await producer.transact([record(topic, 'before')])
        const leader = await cluster.leaderOf(topic, 0)
        const other = cluster.brokers.find((broker) => broker !== leader)!
        await other.kill()
        const failure = await producer.transact([record(topic, 'struck')]).then(
          () => undefined,
          (error: unknown) => error,
        )
        assert.ok(failure instanceof TransientFault || failure instanceof OutcomeUnknown, String(failure))
        await other.start()
        await cluster.untilInSync(topic, 0)
        if (failure instanceof OutcomeUnknown) {
          await producer.close()
          producer = await openAtLast(log, id)
        }
        await producer.transact([record(topic, 'after')])
        const read = valuesOf(await readFrom(log, topic))
        assert.deepEqual(read, ['before', 'after'])
      },
    )

    rule('group-coordinator-killed', 'a member whose coordinator is killed is confirmed by the next one', async () => {
      const groupId = randomUUID()
      const assignments: Assignment[] = []
      const group = { brokers: cluster.addresses, groupId, topic: `${groupId}.inbox`, partitions: 6 }
      const membership = adapter.createMembership(group)
      await membership.join(
        (assignment) => assignments.push(assignment),
        async () => [],
      )
      assert.equal(await membership.confirms(5), true)
      const coordinator = await cluster.coordinatorOf('group', groupId)
      await coordinator.kill()
      for (const givenUpAt = Date.now() + 60_000; !(await membership.confirms(5)); await pause(100)) {
        assert.ok(Date.now() < givenUpAt, 'nobody confirms')
      }
      assert.equal(assignments.at(-1)!.owned.length, 6)
      await coordinator.start()
      await membership.leave()
    })
  })
}
