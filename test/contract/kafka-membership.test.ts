// Who owns which partition, in a real consumer group.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { Admin } from '@platformatic/kafka'
import { createKafkaMembership } from '../../src/adapters/platformatic/membership.ts'
import { systemClock } from '../../src/adapters/system/clock.ts'
import { silentLogger } from '../../src/base/logger.ts'
import type { Assignment, Membership } from '../../src/runtime/ports.ts'
import { pause } from '../support/kafka/kafka-world.ts'
import { useKafka } from '../support/kafka/use-kafka.ts'

const brokers = useKafka()
const partitions = 12
const settleMs = 30_000

interface Worker {
  readonly membership: Membership
  readonly assignments: Assignment[]
  readonly owned: () => readonly number[]
}

async function joinGroup(groupId: string): Promise<Worker> {
  const assignments: Assignment[] = []
  const membership = createKafkaMembership({
    brokers: brokers(),
    clientId: 'membership',
    groupId,
    topic: `${groupId}.inbox`,
    partitions,
    clock: systemClock,
    logger: silentLogger,
  })
  await membership.join((assignment) => assignments.push(assignment))
  return { membership, assignments, owned: () => assignments.at(-1)!.owned }
}

/** Waits until the workers share all partitions evenly, in one generation. */
async function untilShared(workers: readonly Worker[]): Promise<void> {
  for (const givenUpAt = Date.now() + settleMs; ; await pause(20)) {
    const generations = new Set(workers.map(({ assignments }) => assignments.at(-1)!.generation))
    const owned = workers.flatMap((worker) => worker.owned())
    const counts = workers.map((worker) => worker.owned().length)
    const isEven = Math.max(...counts) - Math.min(...counts) <= 1
    if (generations.size === 1 && owned.length === partitions && new Set(owned).size === partitions && isEven) return
    assert.ok(
      Date.now() < givenUpAt,
      `not shared: ${JSON.stringify(workers.map((worker) => worker.assignments.at(-1)))}`,
    )
  }
}

test('a lone member owns every partition, and a heartbeat confirms it', async () => {
  const alone = await joinGroup(randomUUID())
  assert.deepEqual(
    alone.owned(),
    Array.from({ length: partitions }, (_, partition) => partition),
  )
  assert.equal(await alone.membership.confirms(3), true)
  assert.equal(await alone.membership.confirms(partitions), false)
  await alone.membership.leave()
  assert.equal(await alone.membership.confirms(3), false)
})

test('members share the partitions evenly, keep what they have, and take over from one that leaves', async () => {
  const groupId = randomUUID()
  const a = await joinGroup(groupId)
  const b = await joinGroup(groupId)
  await untilShared([a, b])
  const [ofA, ofB] = [a.owned(), b.owned()]
  const c = await joinGroup(groupId)
  await untilShared([a, b, c])
  assert.ok(a.owned().every((partition) => ofA.includes(partition)))
  assert.ok(b.owned().every((partition) => ofB.includes(partition)))
  const [one, other] = [b.owned()[0]!, c.owned()[0]!]
  assert.equal(await b.membership.confirms(one), true)
  assert.equal(await b.membership.confirms(other), false)
  const ofC = c.owned()
  await b.membership.leave()
  await untilShared([a, c])
  assert.ok(ofC.every((partition) => c.owned().includes(partition)))
  await Promise.all([a.membership.leave(), c.membership.leave()])
})

test('a member that the group has thrown out gives everything up, joins again, and is told a new generation', async () => {
  const groupId = randomUUID()
  const worker = await joinGroup(groupId)
  const { generation } = worker.assignments[0]!
  const admin = new Admin({ clientId: 'operator', bootstrapBrokers: [...brokers()] })
  const described = await admin.describeGroups({ groups: [groupId] })
  const members = [...described.get(groupId)!.members.values()].map(({ id }) => ({ memberId: id }))
  await admin.removeMembersFromConsumerGroup({ groupId, members })
  await admin.close()
  for (const givenUpAt = Date.now() + settleMs; worker.assignments.at(-1)!.generation === generation; await pause(20)) {
    assert.ok(Date.now() < givenUpAt)
  }
  assert.deepEqual(
    worker.assignments.map(({ owned }) => owned.length),
    [partitions, 0, partitions],
  )
  assert.equal(await worker.membership.confirms(0), true)
  await worker.membership.leave()
})
