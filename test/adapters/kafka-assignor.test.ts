import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { assign } from '../../src/adapters/platformatic/assignor.ts'
import type { Member } from '../../src/adapters/platformatic/assignor.ts'
import { decodeSubscription, encodeSubscription } from '../../src/adapters/platformatic/group-bytes.ts'

const partitions = 12

const anyMembers = fc
  .uniqueArray(fc.string({ minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 15 })
  .chain((ids) =>
    fc.tuple(
      ...ids.map((id) =>
        fc.record({
          id: fc.constant(id),
          owned: fc.uniqueArray(fc.nat(partitions + 3)),
          generation: fc.nat(5),
        }),
      ),
    ),
  )

test('A1, A2: every partition has one owner, and members own the same number, give or take one', () => {
  fc.assert(
    fc.property(anyMembers, (members) => {
      const assigned = [...assign(members, partitions).values()]
      assert.deepEqual(
        assigned.flat().sort((a, b) => a - b),
        Array.from({ length: partitions }, (_, partition) => partition),
      )
      const counts = assigned.map((own) => own.length)
      assert.ok(Math.max(...counts) - Math.min(...counts) <= 1)
    }),
  )
})

test('A3: what is balanced stays as it is, whatever order the members are named in', () => {
  fc.assert(
    fc.property(anyMembers, fc.infiniteStream(fc.nat()), (members, order) => {
      const settled: Member[] = [...assign(members, partitions)].map(([id, owned]) => ({ id, owned, generation: 6 }))
      const shuffled = settled.toSorted(() => (order.next().value! % 2 === 0 ? 1 : -1))
      const again = assign(shuffled, partitions)
      for (const { id, owned } of settled) assert.deepEqual(again.get(id), owned)
    }),
  )
})

test('A3: of two that claim a partition the later generation is believed', () => {
  const slept: Member = { id: 'a', owned: [0, 1, 2, 3], generation: 3 }
  const owner: Member = { id: 'b', owned: [0, 1], generation: 7 }
  const assigned = assign([slept, owner], 4)
  assert.deepEqual(assigned.get('b'), [0, 1])
  assert.deepEqual(assigned.get('a'), [2, 3])
})

test('what a member says is understood, and what cannot be read is a member that owns nothing', () => {
  assert.deepEqual(decodeSubscription('m', encodeSubscription('app.inbox', [3, 5], 8)), {
    id: 'm',
    owned: [3, 5],
    generation: 8,
  })
  for (const bytes of [Buffer.alloc(0), Buffer.from('nonsense'), encodeSubscription('app.inbox', [-1, 0.5], 8)]) {
    assert.deepEqual(decodeSubscription('m', bytes), { id: 'm', owned: [], generation: 0 })
  }
})
