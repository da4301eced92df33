// The group as the client carries it: members that share, come, go and are thrown out. Its rules are in
// ../../contract/kafka-membership.test.ts.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { suite } from 'node:test'
import { Admin } from '@platformatic/kafka'
import type { Assignment, Membership } from '../../../src/runtime/ports.ts'
import { pause } from '../../support/kafka/kafka-world.ts'
import { casesOf } from './adapter.ts'
import type { Adapter } from './adapter.ts'

const partitions = 12
const settleMs = 30_000

interface Member {
  readonly membership: Membership
  readonly assignments: Assignment[]
}

/** @param companion the adapter of the others in a group of two clients */
export function groupCases(adapter: Adapter, companion: Adapter, brokers: () => readonly string[]): void {
  const rule = casesOf(adapter)

  async function join(groupId: string, by: Adapter = adapter): Promise<Member> {
    const assignments: Assignment[] = []
    const membership = by.createMembership({ brokers: brokers(), groupId, topic: `${groupId}.inbox`, partitions })
    await membership.join(
      (assignment) => assignments.push(assignment),
      async () => [],
    )
    return { membership, assignments }
  }

  const ownedBy = ({ assignments }: Member): readonly number[] => assignments.at(-1)!.owned

  async function until(what: string, isSo: () => boolean): Promise<void> {
    for (const givenUpAt = Date.now() + settleMs; !isSo(); await pause(20)) assert.ok(Date.now() < givenUpAt, what)
  }

  const untilShared = (members: readonly Member[]) =>
    until('every partition is owned once, by all members alike', () => {
      const owned = members.flatMap(ownedBy)
      const share = partitions / members.length
      const isWhole = owned.length === partitions && new Set(owned).size === partitions
      return isWhole && members.every((member) => ownedBy(member).length === share)
    })

  async function share(first: Member, second: Member): Promise<void> {
    await untilShared([first, second])
    const [one, other] = [ownedBy(first)[0]!, ownedBy(second)[0]!]
    assert.equal(await first.membership.confirms(one), true)
    assert.equal(await first.membership.confirms(other), false)
    assert.equal(await second.membership.confirms(other), true)
    await first.membership.leave()
    await untilShared([second])
    await second.membership.leave()
  }

  suite('a group', () => {
    rule(
      'group-shared',
      'members share the partitions, confirm their own, and take over from one that leaves',
      async () => {
        const groupId = randomUUID()
        await share(await join(groupId), await join(groupId))
      },
    )

    rule('group-of-two-clients', `it shares a group with members by ${companion.name}, whoever leads it`, async () => {
      const groupId = randomUUID()
      await share(await join(groupId), await join(groupId, companion))
    })

    rule('group-thrown-out', 'a member that is thrown out gives everything up and joins again', async () => {
      const groupId = randomUUID()
      const member = await join(groupId)
      const admin = new Admin({ clientId: 'operator', bootstrapBrokers: [...brokers()] })
      const described = await admin.describeGroups({ groups: [groupId] })
      const members = [...described.get(groupId)!.members.values()].map(({ id }) => ({ memberId: id }))
      await admin.removeMembersFromConsumerGroup({ groupId, members })
      await admin.close()
      await until('it is told of a new generation', () => member.assignments.length === 3)
      assert.deepEqual(
        member.assignments.map(({ owned }) => owned.length),
        [partitions, 0, partitions],
      )
      assert.equal(await member.membership.confirms(0), true)
      await member.membership.leave()
    })
  })
}
