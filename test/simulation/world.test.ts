import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Assignment, Store } from '../../src/runtime/ports.ts'
import { createWorld } from './world.ts'
import type { World, WorldNode } from './world.ts'

const at = (offset: number) => ({ topicId: 't', offset })

/** Joins the group; gives what the process was last told. */
function join(node: WorldNode): { owned: () => readonly number[] } {
  let last: Assignment | undefined
  void node.membership.join(
    (assignment) => (last = assignment),
    async () => [],
  )
  return { owned: () => last?.owned ?? [] }
}

function passMs(world: World, ms: number): Promise<boolean> {
  const untilMs = world.scheduler.clock.nowMs() + ms
  return world.scheduler.runUntil(() => world.scheduler.clock.nowMs() >= untilMs, 10_000)
}

test('partitions of a process that died are given away when its session times out (S5)', async () => {
  const world = createWorld({ seed: 1, partitions: 2 })
  join(world.start('w1'))
  const survivor = join(world.start('w2'))
  await passMs(world, 8_000)
  assert.equal(survivor.owned().length, 1)
  world.crash('w1')
  await passMs(world, 9_000)
  assert.equal(survivor.owned().length, 1)
  await passMs(world, 5_000)
  assert.deepEqual(survivor.owned(), [0, 1])
  assert.deepEqual(world.coordinator.members(), ['w2'])
})

test('a process that was paused past its session finds out when it goes on, and joins again', async () => {
  const world = createWorld({ seed: 1, partitions: 2 })
  const zombie = join(world.start('w1'))
  const other = join(world.start('w2'))
  await passMs(world, 8_000)
  const before = zombie.owned()
  world.pause('w1')
  await passMs(world, 15_000)
  assert.deepEqual([zombie.owned(), other.owned()], [before, [0, 1]])
  world.heal()
  await passMs(world, 10_000)
  assert.equal(zombie.owned().length, 1)
  assert.deepEqual(world.coordinator.members(), ['w1', 'w2'])
})

test('a restarted process finds its disk, less what the crash of its machine took', async () => {
  const world = createWorld({ seed: 1, partitions: 1 })
  let store: Store | undefined
  const open = async (name: string) => {
    store = await world.start(name).openStore(0)
  }
  void open('w1')
  await passMs(world, 100)
  for (const offset of [1, 2, 3]) void store!.apply([], at(offset)).then(() => undefined)
  await passMs(world, 100)
  const written = store!.position!.offset
  world.crash('w1')
  void open('w1')
  await passMs(world, 100)
  assert.equal(store!.position!.offset, written)
  world.crash('w1', { loseBatches: 3 })
  void open('w1')
  await passMs(world, 100)
  assert.equal(store!.position, undefined)
  assert.deepEqual(world.disk('w1').dump(0), [])
})

test('the processes of a world, restarts included, make ids of their own', () => {
  const world = createWorld({ seed: 1, partitions: 1 })
  const made = [world.start('w1').ids.next(), world.start('w2').ids.next()]
  world.crash('w1')
  made.push(world.start('w1').ids.next())
  assert.equal(new Set(made.map((id) => id.slice(10))).size, 3)
})

test('the clock of one machine jumps alone', () => {
  const world = createWorld({ seed: 1, partitions: 1 })
  const [one, two] = [world.start('w1'), world.start('w2')]
  world.jumpClock('w1', -3_600_000)
  assert.equal(two.clock.nowMs() - one.clock.nowMs(), 3_600_000)
})
