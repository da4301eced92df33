// The strikes of a plan, and what of the world they put out of order for a while.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Assignment } from '../../src/runtime/ports.ts'
import { noFaults } from './faults.ts'
import { MachineClock } from './machine-clock.ts'
import { planOf } from './plan.ts'
import { simulate } from './run.ts'
import { faultKinds, strikeKinds } from './strikes.ts'
import { createWorld, type World } from './world.ts'

function passMs(world: World, ms: number): Promise<boolean> {
  const untilMs = world.scheduler.clock.elapsedMs + ms
  return world.scheduler.runUntil(() => world.scheduler.clock.elapsedMs >= untilMs, 100_000)
}

const record = { timestampMs: 0, key: null, value: Buffer.from('r'), headers: [] }

/** A world with a topic and one process that joined the group. */
async function started() {
  const world = createWorld({ seed: 1, partitions: 1 })
  world.broker.createTopic({ name: 't', partitions: 1, cleanup: 'unlimited' })
  const node = world.start('w1')
  let last: Assignment | undefined
  void node.membership.join(
    (assignment) => (last = assignment),
    async () => [],
  )
  await passMs(world, 100)
  return { world, node, owned: () => last?.owned ?? [] }
}

/** What becomes of a promise, in words. */
function outcomeOf(promise: Promise<unknown>): { readonly is: string } {
  const outcome = { is: 'pending' }
  promise.then(
    () => (outcome.is = 'answered'),
    (error: { name: string }) => (outcome.is = error.name),
  )
  return outcome
}

test('over many seeds every kind of strike is drawn, in the order of steps', () => {
  const drawn = new Set<string>()
  for (let seed = 1; seed <= 400; seed++) {
    const { strikes } = planOf(seed)
    for (const { what } of strikes) drawn.add(what)
    const steps = strikes.map(({ atStep }) => atStep)
    assert.deepEqual(
      steps,
      steps.toSorted((a, b) => a - b),
    )
  }
  assert.deepEqual([...drawn].sort(), [...strikeKinds].sort())
})

test('what a run counts as faults is among the kinds that a campaign has to see', async () => {
  for (const seed of [1, 2, 3]) {
    const { world } = await simulate(planOf(seed))
    for (const kind of world.scheduler.faultCounts.keys()) assert.ok(faultKinds.includes(kind), kind)
  }
})

test('a machine that is cut off gets no answer and loses its session; one way, its requests still arrive', async () => {
  for (const isOneWay of [false, true]) {
    const { world, node, owned } = await started()
    world.breakFor(15_000, { what: 'cut', machine: 'w1', isOneWay })
    const produced = outcomeOf(node.log.produce([{ topic: 't', partition: 0, key: null, value: record.value }]))
    await passMs(world, 14_000)
    assert.equal(produced.is, 'TransientFault')
    assert.equal(world.broker.offsets('t', 0).end, isOneWay ? 1 : 0)
    assert.deepEqual(world.coordinator.members(), isOneWay ? ['w1'] : [])
    await passMs(world, 20_000)
    assert.deepEqual([world.coordinator.members(), owned()], [['w1'], [0]])
  }
})

test('a partition without a leader takes no requests of workers and no markers, and goes on when it has one', async () => {
  const { world, node } = await started()
  const producer = await new Promise<Awaited<ReturnType<typeof node.log.openProducer>>>((resolve) => {
    void node.log.openProducer('p').then(resolve)
    void passMs(world, 100)
  })
  const written = outcomeOf(producer.transact([{ topic: 't', partition: 0, key: null, value: record.value }]))
  await world.scheduler.runUntil(() => world.broker.offsets('t', 0).end === 1, 1_000)
  world.breakFor(5_000, { what: 'leaderless', place: 't/0' })
  const asked = outcomeOf(node.log.offsets('t', 0))
  await passMs(world, 1_000)
  assert.deepEqual([written.is, asked.is], ['answered', 'TransientFault'])
  assert.equal(world.broker.offsets('t', 0).committedEnd, 0)
  await passMs(world, 5_000)
  assert.equal(world.broker.offsets('t', 0).committedEnd, 2)
})

test('a coordinator that is away refuses its transactional id only, and a partition with few replicas writes only', async () => {
  const { world, node } = await started()
  world.breakFor(5_000, { what: 'coordinator', transactionalId: 'p' })
  world.breakFor(5_000, { what: 'min-isr', place: 't/0' })
  const [p, q] = [outcomeOf(node.log.openProducer('p')), outcomeOf(node.log.openProducer('q'))]
  const read = outcomeOf(node.log.offsets('t', 0))
  await passMs(world, 1_000)
  assert.deepEqual([p.is, q.is, read.is], ['TransientFault', 'answered', 'answered'])
  assert.throws(() => world.cluster.outages.check('append t/0 by p'), { code: 'NOT_ENOUGH_REPLICAS' })
})

test('whatever lasts for a while ends with its time, or when the world heals', async () => {
  const { world } = await started()
  world.pause('w1', 2_000)
  assert.equal(world.expectNode('w1').process.isPaused(), true)
  await passMs(world, 2_000)
  assert.equal(world.expectNode('w1').process.isPaused(), false)
  world.pause('w1', 60_000)
  world.breakFor(60_000, { what: 'leaderless', place: 't/0' })
  world.heal()
  assert.equal(world.expectNode('w1').process.isPaused(), false)
  assert.equal(world.cluster.outages.isLeaderless('t/0'), false)
})

test('the date of a healed world is the latest that any machine has shown, for all of them', async () => {
  const { world, node } = await started()
  world.jumpClock('w1', 3_600_000)
  world.jumpClock('w1', -7_200_000)
  const ahead = world.scheduler.clock.nowMs() + 3_600_000
  world.heal()
  assert.deepEqual([world.scheduler.clock.nowMs(), node.clock.nowMs()], [ahead, ahead])
})

test('a machine’s date stands still or runs fast, and keeps what it gained or lost', () => {
  const world = createWorld({ seed: 1, partitions: 1, faults: noFaults })
  const clock = new MachineClock(world.scheduler.clock)
  const startMs = clock.nowMs()
  clock.run(0)
  world.scheduler.clock.advance(1_000)
  assert.equal(clock.nowMs() - startMs, 0)
  clock.run(2)
  world.scheduler.clock.advance(1_000)
  assert.equal(clock.nowMs() - startMs, 2_000)
  clock.run(1)
  clock.jump(-500)
  world.scheduler.clock.advance(1_000)
  assert.deepEqual([clock.nowMs() - startMs, clock.errorMs], [2_500, -500])
})

test('records that retention or a new creation of a topic takes away are told of', () => {
  const world = createWorld({ seed: 1, partitions: 1 })
  world.broker.createTopic({ name: 't', partitions: 1, cleanup: 'retained' })
  world.broker.produce('t', 0, [record, record])
  world.cluster.deleteRecords('t', 0, 1)
  world.cluster.recreateTopic('t')
  assert.deepEqual(
    world.cluster.losses.map(({ topicId, before }) => [topicId, before]),
    [
      ['topic-1', 1],
      ['topic-1', 2],
    ],
  )
  assert.deepEqual(world.broker.offsets('t', 0), { earliest: 0, committedEnd: 0, end: 0 })
})
