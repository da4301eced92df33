import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { nearRecords, place, type Member, type Share } from '../../src/runtime/placement.ts'

const partitions = 12
const all = Array.from({ length: partitions }, (_, partition) => partition)
const far = nearRecords + 1

const member = (id: string, said: Partial<Member> = {}): Member => ({
  id,
  owned: [],
  standby: [],
  generation: 1,
  lacks: [],
  standbys: 1,
  ...said,
})
/** What members say once they have what they were given, and all of it is near. */
const settled = (members: readonly Member[], shares: ReadonlyMap<string, Share>, generation: number): Member[] =>
  members.map((one) => {
    const { owned, standby } = shares.get(one.id)!
    const lacks = all.map((partition) => (owned.includes(partition) || standby.includes(partition) ? 0 : far))
    return { ...one, owned, standby, generation, lacks }
  })
const ownersOf = (shares: ReadonlyMap<string, Share>): readonly number[] =>
  [...shares.values()].flatMap(({ owned }) => owned).sort((a, b) => a - b)

const anyMembers = fc
  .uniqueArray(fc.string({ minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 15 })
  .chain((ids) =>
    fc.tuple(
      ...ids.map((id) =>
        fc.record({
          id: fc.constant(id),
          owned: fc.uniqueArray(fc.nat(partitions + 3)),
          standby: fc.uniqueArray(fc.nat(partitions + 3)),
          generation: fc.nat(5),
          lacks: fc.array(fc.constantFrom(0, 1, nearRecords, far, 1_000_000), { maxLength: partitions + 3 }),
          standbys: fc.nat(3),
        }),
      ),
    ),
  )

test('A1, A5: every partition has one owner, and as many standbys that are others as there can be', () => {
  fc.assert(
    fc.property(anyMembers, (members) => {
      const shares = place(members, partitions)
      assert.deepEqual(ownersOf(shares), all)
      const wanted = Math.min(Math.max(...members.map(({ standbys }) => standbys)), members.length - 1)
      for (const partition of all) {
        const keepers = members.filter(({ id }) => shares.get(id)!.standby.includes(partition))
        const owner = members.find(({ id }) => shares.get(id)!.owned.includes(partition))
        assert.ok(!keepers.includes(owner!))
        assert.ok(keepers.length >= wanted)
      }
      for (const { standby, warming } of shares.values()) {
        assert.ok(warming.every((partition) => standby.includes(partition)))
        assert.equal(new Set(standby).size, standby.length)
      }
    }),
  )
})

/** Shares anew until nothing changes. */
function rest(members: readonly Member[]): readonly Member[] {
  let said = members
  let before: ReadonlyMap<string, Share> | undefined
  let shares = place(said, partitions)
  for (let round = 1; !isDeepStrictEqual(shares, before); round++) {
    assert.ok(round < 12, 'it comes to rest')
    said = settled(said, shares, round)
    before = shares
    shares = place(said, partitions)
  }
  const all = [...shares.values()]
  assert.ok(all.every(({ warming }) => warming.length === 0))
  const counts = (what: 'owned' | 'standby'): number[] => all.map((share) => share[what].length)
  assert.ok(Math.max(...counts('owned')) - Math.min(...counts('owned')) <= 1)
  const wanted = Math.min(Math.max(...members.map(({ standbys }) => standbys)), members.length - 1)
  assert.equal(
    counts('standby').reduce((sum, count) => sum + count, 0),
    wanted * partitions,
  )
  assert.ok(Math.max(...counts('standby')) - Math.min(...counts('standby')) <= 2)
  return said
}

test('A2, A5: members come to rest soon, with the same number owned and about the same number kept', () => {
  fc.assert(
    fc.property(anyMembers, fc.array(fc.tuple(fc.boolean(), fc.nat(20)), { maxLength: 5 }), (members, changes) => {
      let said = rest(members)
      for (const [isJoin, which] of changes) {
        if (!isJoin && said.length === 1) continue
        const others = said.filter((_, at) => isJoin || at !== which % said.length)
        const newcomer = member(`new-${which}`, { generation: 0, lacks: all.map(() => far) })
        said = rest(isJoin && !said.some(({ id }) => id === newcomer.id) ? [...others, newcomer] : others)
      }
    }),
    { numRuns: 300 },
  )
})

test('the order in which members are named makes no difference', () => {
  fc.assert(
    fc.property(anyMembers, fc.infiniteStream(fc.nat()), (members, order) => {
      const shuffled = members.toSorted(() => (order.next().value! % 2 === 0 ? 1 : -1))
      const [one, other] = [place(members, partitions), place(shuffled, partitions)]
      for (const { id } of members) assert.deepEqual(other.get(id), one.get(id))
    }),
  )
})

test('A3: of two that claim a partition the later generation is believed', () => {
  const slept = member('a', { owned: [0, 1, 2, 3], generation: 3 })
  const owner = member('b', { owned: [0, 1], generation: 7 })
  const shares = place([slept, owner], 4)
  assert.deepEqual(shares.get('b')!.owned, [0, 1])
  assert.deepEqual(shares.get('a')!.owned, [2, 3])
})

test('A3: what a member leaves behind goes to the nearest copies', () => {
  const lacks = (...near: number[]): number[] => all.map((partition) => (near.includes(partition) ? 10 : 500_000))
  const b = member('b', { owned: [4, 5, 6, 7], standby: [2, 3], lacks: lacks(2, 3, 4, 5, 6, 7) })
  const c = member('c', { owned: [8, 9, 10, 11], standby: [0, 1], lacks: lacks(0, 1, 8, 9, 10, 11) })
  const shares = place([b, c], partitions)
  assert.deepEqual(shares.get('b')!.owned, [2, 3, 4, 5, 6, 7])
  assert.deepEqual(shares.get('c')!.owned, [0, 1, 8, 9, 10, 11])
})

test('A4: a newcomer warms its share up while the others go on, and is given it once it is near', () => {
  const a = member('a', { owned: all, lacks: all.map(() => 0) })
  const newcomer = member('b', { generation: 0, lacks: all.map(() => 1_000_000) })
  const first = place([a, newcomer], partitions)
  assert.deepEqual(first.get('a')!.owned, all)
  assert.equal(first.get('b')!.warming.length, 6)
  assert.equal(first.get('b')!.standby.length, 12)
  const half = { ...newcomer, standby: first.get('b')!.standby, lacks: all.map((at) => (at < 9 ? 5 : 900_000)) }
  const second = place([a, half], partitions)
  const moved = second.get('b')!.owned
  assert.ok(moved.length > 0 && moved.every((partition) => partition < 9))
  assert.ok(moved.every((partition) => second.get('a')!.standby.includes(partition)))
})

test('A4: with no near copy and no owner left, the one that is due begins at once', () => {
  const members = ['a', 'b'].map((id) => member(id, { generation: 0, lacks: all.map(() => 1_000_000) }))
  const shares = place(members, partitions)
  assert.deepEqual(
    [...shares.values()].map(({ owned, warming }) => [owned.length, warming.length]),
    [
      [6, 0],
      [6, 0],
    ],
  )
})

test('A5: a near copy is kept until the one that is to replace it is near', () => {
  const near = (...list: number[]): number[] => all.map((partition) => (list.includes(partition) ? 0 : 1_000_000))
  const a = member('a', { owned: [0, 1, 2, 3], standby: [4, 5, 6, 7, 8, 9], lacks: near(0, 1, 2, 3, 4, 5, 6, 7, 8, 9) })
  const b = member('b', {
    owned: [4, 5, 6, 7],
    standby: [0, 1, 2, 3, 10, 11],
    lacks: near(0, 1, 2, 3, 4, 5, 6, 7, 10, 11),
  })
  const c = member('c', { owned: [8, 9, 10, 11], lacks: near(8, 9, 10, 11) })
  const first = place([a, b, c], partitions)
  const { standby, warming } = first.get('c')!
  assert.deepEqual(warming, standby)
  assert.equal(standby.length, 4)
  assert.deepEqual([first.get('a')!.standby, first.get('b')!.standby], [a.standby, b.standby])
  const second = place(settled([a, b, c], first, 2), partitions)
  assert.deepEqual(
    [...second.values()].map((share) => [share.owned.length, share.standby.length]),
    [
      [4, 4],
      [4, 4],
      [4, 4],
    ],
  )
})

test('what a member of an older release does not say makes it a member as any other', () => {
  const old = member('old', { owned: all, standbys: 0 })
  const shares = place([old, member('new', { generation: 0, lacks: all.map(() => far) })], partitions)
  assert.equal(shares.get('old')!.owned.length, 12)
  assert.equal(shares.get('new')!.warming.length, 6)
})
