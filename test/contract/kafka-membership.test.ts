// Who owns which partition, in a real consumer group.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { Admin } from '@platformatic/kafka'
import { createKafkaMembership, type MemberMemory } from '../../src/adapters/kafka/membership.ts'
import { platformaticClient } from '../../src/adapters/platformatic/client.ts'
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

const nothingLacks = async (): Promise<readonly number[]> => []

async function joinGroup(
  groupId: string,
  options: { lacks?: () => Promise<readonly number[]>; memory?: MemberMemory } = {},
): Promise<Worker> {
  const assignments: Assignment[] = []
  const membership = createKafkaMembership({
    client: platformaticClient,
    brokers: brokers(),
    clientId: 'membership',
    groupId,
    topic: `${groupId}.inbox`,
    partitions,
    standbys: 1,
    ...(options.memory === undefined ? {} : { memory: options.memory }),
    clock: systemClock,
    logger: silentLogger,
  })
  await membership.join((assignment) => assignments.push(assignment), options.lacks ?? nothingLacks)
  return { membership, assignments, owned: () => assignments.at(-1)!.owned }
}

async function until(isSo: () => boolean): Promise<void> {
  for (const givenUpAt = Date.now() + settleMs; !isSo(); await pause(20)) assert.ok(Date.now() < givenUpAt)
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

test('a newcomer keeps copies of its share first, and is given it once they are near', async () => {
  const groupId = randomUUID()
  const a = await joinGroup(groupId)
  let lacks = 1_000_000
  const b = await joinGroup(groupId, { lacks: async () => Array.from({ length: partitions }, () => lacks) })
  await until(() => a.assignments.length === 2)
  assert.deepEqual([a.owned().length, b.owned().length], [partitions, 0])
  assert.deepEqual(b.assignments.at(-1)!.standby, a.owned())
  lacks = 0
  await untilShared([a, b])
  assert.deepEqual(b.assignments.at(-1)!.standby, a.owned())
  assert.deepEqual(a.assignments.at(-1)!.standby, b.owned())
  await Promise.all([a.membership.leave(), b.membership.leave()])
})

test('who comes back where its predecessor died need not wait for the session of that one', async () => {
  const groupId = randomUUID()
  const notes: string[] = []
  const memory = { recall: async () => notes.at(-1), note: async (id: string) => void notes.push(id) }
  // As after kill -9: nobody says that it has left.
  const dead = await joinGroup(groupId, { memory })
  const startedAt = Date.now()
  const successor = await joinGroup(groupId, { memory })
  assert.equal(successor.owned().length, partitions)
  const tookMs = Date.now() - startedAt
  assert.ok(tookMs < 8_000, `it took ${tookMs} ms; a session is 10 s`)
  assert.equal(notes.length, 2)
  await dead.membership.leave()
  await successor.membership.leave()
})
