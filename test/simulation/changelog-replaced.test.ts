// A changelog that is deleted and made anew while workers run: refused, and nothing that may be the last copy is wiped.
// No campaign can heal from it, a person has to choose; so it has a run of its own.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { topicsOf } from '../../src/records/keys.ts'
import { Fleet } from './fleet.ts'
import { app, quietPlan } from './plan.ts'
import { compileRelease } from './programs/compile.ts'
import { createWorld } from './world.ts'
import { Outside } from './outside.ts'

const { changelog } = topicsOf(app)
const unreadable = { timestampMs: 0, key: null, value: Buffer.from('{ not json'), headers: [] }

/** Two workers on two partitions, with a standby of each, that have run for a while. */
async function running(seed: number) {
  const plan = quietPlan(seed)
  const { partitions, programs } = plan
  const world = createWorld({ seed, partitions, standbys: 1 })
  const outside = new Outside(world.broker, world.scheduler, plan)
  const fleet = new Fleet(world, {
    app,
    partitions,
    releases: programs.releases.map(compileRelease),
    updates: false,
    journal: [],
  })
  const names = ['w1', 'w2']
  for (const name of names) fleet.start(name)
  await passMs(40_000)
  assert.ok(outside.produced.length > 0)

  async function passMs(ms: number): Promise<void> {
    const untilMs = world.scheduler.clock.nowMs() + ms
    assert.ok(await world.scheduler.runUntil(() => world.scheduler.clock.nowMs() >= untilMs, 100_000))
  }
  /** Which partitions of whom have what position. */
  const positions = () =>
    names.flatMap((name) =>
      world
        .disk(name)
        .partitions()
        .map((one) => [name, one, world.disk(name).position(one)] as const),
    )
  const values = () =>
    names.map((name) =>
      world
        .disk(name)
        .partitions()
        .map((one) => world.disk(name).dump(one)),
    )
  return { world, fleet, partitions, programs, names, passMs, positions, values }
}

for (const seed of [1, 2, 3]) {
  test(`P5: a changelog made anew stops its partitions, and no store is wiped (seed ${seed})`, async () => {
    const { world, fleet, partitions, names, passMs, positions, values } = await running(seed)
    const before = positions()
    assert.equal(before.length, names.length * partitions)
    world.broker.deleteTopic(changelog)
    world.broker.createTopic({ name: changelog, partitions, cleanup: 'compacted' })
    const stored = values()
    for (const name of names) world.crash(name)
    fleet.startTheDead(names)
    await passMs(60_000)
    const phases = [...fleet.running.values()].flatMap((worker) => worker.view().partitions)
    assert.equal(phases.length, partitions)
    for (const { phase, reason } of phases) {
      assert.equal(phase, 'stopped')
      assert.match(reason ?? '', /^DW_CHANGELOG_REPLACED/)
    }
    assert.deepEqual(positions(), before)
    assert.deepEqual(values(), stored)
    for (let partition = 0; partition < partitions; partition++)
      assert.equal(world.broker.offsets(changelog, partition).end, 0)
  })

  test(`P5: the same under workers that go on running (seed ${seed})`, async () => {
    const { world, fleet, partitions, programs, passMs, positions } = await running(seed)
    const before = positions()
    world.broker.deleteTopic(changelog)
    world.broker.createTopic({ name: changelog, partitions, cleanup: 'compacted' })
    // Every partition gets something to write.
    for (const { name, partitions: count } of world.broker.listTopics()) {
      if (name.startsWith(app) || programs.commandTopics.includes(name)) continue
      for (let partition = 0; partition < count; partition++) world.broker.produce(name, partition, [unreadable])
    }
    await passMs(120_000)
    for (const [name, partition, position] of positions()) {
      const known = before.find(([one, other]) => one === name && other === partition)
      assert.equal(position?.topicId, known?.[2]?.topicId, `${name} partition ${partition} keeps its store`)
    }
    const phases = [...fleet.running.values()].flatMap((worker) => worker.view().partitions)
    assert.deepEqual(
      phases.map(({ phase, reason = '' }) => [phase, reason.split(':')[0]]),
      Array.from({ length: partitions }, () => ['stopped', 'DW_CHANGELOG_REPLACED']),
    )
    for (let partition = 0; partition < partitions; partition++)
      assert.deepEqual(world.broker.fetch(changelog, partition, 0, 100).records, [])
  })
}
