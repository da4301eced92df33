import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../../src/adapters/memory/clock.ts'
import { seededIds } from '../../src/adapters/memory/ids.ts'
import { MemoryCoordinator, createMemoryMembership } from '../../src/adapters/memory/membership.ts'
import { LostAnswer } from '../../src/adapters/memory/pace.ts'
import type { MemoryMembership } from '../../src/adapters/memory/membership.ts'
import type { Pace } from '../../src/adapters/memory/pace.ts'
import type { Assignment } from '../../src/runtime/ports.ts'

const turn = () => new Promise((resolve) => setImmediate(resolve))

async function joinAs(coordinator: MemoryCoordinator, name: string, pace?: Pace) {
  const membership = createMemoryMembership(coordinator, name, pace)
  const seen: Assignment[] = []
  await membership.join(
    (assignment) => seen.push(assignment),
    async () => [],
  )
  await turn()
  return { membership, seen, owned: () => seen.at(-1)?.owned ?? [], standby: () => seen.at(-1)?.standby ?? [] }
}

/** Heartbeats, until copies that are warmed up have become partitions. */
async function beat(...workers: readonly { readonly membership: MemoryMembership }[]): Promise<void> {
  for (let round = 0; round < 6; round++) {
    for (const { membership } of workers) await membership.heartbeat()
    await turn()
  }
}

test('partitions are shared evenly, and only as many move as must', async () => {
  const coordinator = new MemoryCoordinator({ partitions: 6 })
  const one = await joinAs(coordinator, 'w1')
  assert.deepEqual(one.owned(), [0, 1, 2, 3, 4, 5])
  const two = await joinAs(coordinator, 'w2')
  assert.deepEqual([one.owned(), two.owned(), two.standby()], [[0, 1, 2, 3, 4, 5], [], [3, 4, 5]])
  await beat(one, two)
  assert.deepEqual(
    [one.owned(), two.owned()],
    [
      [0, 1, 2],
      [3, 4, 5],
    ],
  )
  const three = await joinAs(coordinator, 'w3')
  await beat(one, two, three)
  assert.deepEqual(
    [one.owned(), two.owned(), three.owned()],
    [
      [0, 1],
      [3, 4],
      [2, 5],
    ],
  )
  await three.membership.leave()
  await turn()
  assert.deepEqual(
    [one.owned(), two.owned()],
    [
      [0, 1, 2],
      [3, 4, 5],
    ],
  )
  assert.deepEqual(
    one.seen.map((assignment) => assignment.generation),
    [1, 2, 3, 4, 5, 6],
  )
})

test('a standby is somebody else, and takes over when its owner is gone', async () => {
  const coordinator = new MemoryCoordinator({ partitions: 3, standbys: 1 })
  const one = await joinAs(coordinator, 'w1')
  assert.deepEqual(one.standby(), [])
  const two = await joinAs(coordinator, 'w2')
  const three = await joinAs(coordinator, 'w3')
  await beat(one, two, three)
  for (let partition = 0; partition < 3; partition++) {
    const warm = [one, two, three].filter((worker) => worker.standby().includes(partition))
    assert.equal(warm.length, 1)
    assert.equal(warm[0]!.owned().includes(partition), false)
  }
  const lost = one.owned()[0]!
  const heir = [two, three].find((worker) => worker.standby().includes(lost))!
  coordinator.expire('w1')
  await turn()
  assert.ok(heir.owned().includes(lost))
})

test('a member that was expired believes what it knew, is confirmed nothing, and joins again', async () => {
  const coordinator = new MemoryCoordinator({ partitions: 2 })
  const one = await joinAs(coordinator, 'w1')
  const two = await joinAs(coordinator, 'w2')
  await beat(one, two)
  const [partition] = one.owned()
  assert.equal(await one.membership.confirms(partition!), true)
  coordinator.expire('w1')
  await turn()
  assert.deepEqual([one.owned(), two.owned()], [[partition], [0, 1]])
  assert.equal(await one.membership.confirms(partition!), false)
  await turn()
  assert.ok(one.seen.some(({ owned }) => owned.length === 0))
  await beat(one, two)
  assert.deepEqual(
    [...one.owned(), ...two.owned()].sort((a, b) => a - b),
    [0, 1],
  )
  assert.deepEqual(coordinator.members(), ['w1', 'w2'])
})

test('a heartbeat takes up an assignment that was missed', async () => {
  const coordinator = new MemoryCoordinator({ partitions: 2 })
  let isCut = false
  const one = await joinAs(coordinator, 'w1', (operation, apply) =>
    isCut && operation.startsWith('assignment') ? new Promise(() => {}) : Promise.resolve(apply()),
  )
  isCut = true
  const two = await joinAs(coordinator, 'w2')
  await beat(two)
  assert.deepEqual(one.owned(), [0, 1])
  await one.membership.heartbeat()
  assert.deepEqual(one.owned(), [0])
})

test('a lost answer costs time only, and a worker under the same name replaces its earlier self', async () => {
  const coordinator = new MemoryCoordinator({ partitions: 1 })
  let losses = 0
  const lossy: Pace = async (operation, apply) => {
    const answer = apply()
    if (losses++ % 2 === 0) throw new LostAnswer(operation)
    return answer
  }
  const before = await joinAs(coordinator, 'w1', lossy)
  assert.deepEqual(before.owned(), [0])
  const after = await joinAs(coordinator, 'w1', lossy)
  assert.deepEqual([coordinator.members(), after.owned()], [['w1'], [0]])
  assert.equal(await after.membership.confirms(0), true)
})

test('a worker that has left is confirmed nothing', async () => {
  const coordinator = new MemoryCoordinator({ partitions: 1 })
  const one = await joinAs(coordinator, 'w1')
  await one.membership.leave()
  assert.equal(await one.membership.confirms(0), false)
  assert.deepEqual([coordinator.members(), coordinator.ownerOf(0)], [[], undefined])
})

test('timers are called in the order of their times, those armed on the way included', () => {
  const clock = new ManualClock(1_000)
  const rung: [string, number][] = []
  const ring = (name: string) => () => rung.push([name, clock.nowMs()])
  clock.after(20, ring('b'))
  clock.after(10, () => {
    ring('a')()
    clock.after(5, ring('on the way'))
  })
  clock.after(20, ring('c'))
  const cancel = clock.after(15, ring('cancelled'))
  cancel()
  assert.equal(clock.nextTimerAtMs(), 1_010)
  clock.advance(19)
  assert.deepEqual(rung, [
    ['a', 1_010],
    ['on the way', 1_015],
  ])
  clock.advance(1)
  assert.deepEqual(rung.slice(2), [
    ['b', 1_020],
    ['c', 1_020],
  ])
  assert.deepEqual([clock.nowMs(), clock.nextTimerAtMs()], [1_020, undefined])
})

test('a jump of the date neither wakes nor delays a timer', () => {
  const clock = new ManualClock(0)
  let rings = 0
  clock.after(100, () => rings++)
  clock.jump(3_600_000)
  assert.deepEqual([rings, clock.nowMs(), clock.nextTimerAtMs()], [0, 3_600_000, 3_600_100])
  clock.jump(-7_200_000)
  clock.advance(100)
  assert.deepEqual([rings, clock.nowMs()], [1, -3_600_000 + 100])
})

test('ids are 26 letters and digits, ascend even when the clock goes back, and repeat with their source', () => {
  let nowMs = 5_000
  const random = () => 0.5
  const ids = seededIds(random, () => nowMs--)
  const made = Array.from({ length: 50 }, () => ids.next())
  for (const id of made) assert.match(id, /^[0-9a-z]{26}$/)
  assert.deepEqual(made, made.toSorted())
  assert.equal(new Set(made).size, made.length)
  assert.equal(seededIds(random).next(), seededIds(random).next())
})
