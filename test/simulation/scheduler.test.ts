import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LostAnswer } from '../../src/adapters/memory/pace.ts'
import { noFaults, requestFaultKinds, roughNetwork } from './faults.ts'
import type { FaultPlan } from './faults.ts'
import { createRandom } from './random.ts'
import { Scheduler } from './scheduler.ts'
import { startToyWorker } from './toy-worker.ts'
import type { Mistake } from './toy-worker.ts'
import { createWorld } from './world.ts'
import type { World } from './world.ts'

const partitions = 2
const recordsEach = 8
/** The runs are short: what is rare would not be seen in them. */
const storm: FaultPlan = { ...roughNetwork, transientError: 0.05, lostAnswer: 0.1, lateRequest: 0.05 }

interface Run {
  seed: number
  faults?: FaultPlan
  crashPoints?: readonly number[]
  mistake?: Mistake
  /** Crashes, pauses and expulsions on top, drawn from the seed. */
  isRough?: boolean
}

/** Runs two toy workers over a few records to the end; whoever dies is started again. */
async function runToy({ seed, faults = noFaults, crashPoints = [], mistake, isRough = false }: Run): Promise<World> {
  const world = createWorld({
    seed,
    partitions,
    faults,
    crashPoints,
  })
  const { broker, scheduler } = world
  for (const name of ['in', 'out']) broker.createTopic({ name, partitions, cleanup: 'unlimited' })
  broker.createTopic({ name: 'toy.changelog', partitions, cleanup: 'compacted' })
  const start = (name: string) => void startToyWorker(world.start(name), mistake)
  const startTheDead = () => {
    for (const { name, process } of world.nodes()) if (!process.isAlive()) start(name)
  }

  start('w1')
  start('w2')
  const misfortune = scheduler.random.stream('misfortune')
  for (let sent = 0; sent < recordsEach; sent++) {
    for (let partition = 0; partition < partitions; partition++) broker.produce('in', partition, [record(sent)])
    await scheduler.runUntil(() => false, misfortune.int(60))
    if (isRough) {
      const victim = misfortune.pick(world.nodes())
      const strike = misfortune.pick(['crash', 'pause', 'resume', 'expel'] as const)
      world[strike](victim.name)
    }
    startTheDead()
  }
  world.heal()
  // Long enough for the sessions of the dead to end; whoever dies meanwhile is started again.
  const untilMs = scheduler.clock.nowMs() + 60_000
  for (let round = 0; round < 100 && scheduler.clock.nowMs() < untilMs; round++) {
    await scheduler.runUntil(() => scheduler.clock.nowMs() >= untilMs, 200)
    startTheDead()
  }
  return world
}

function record(number: number) {
  return { timestampMs: 0, key: null, value: Buffer.from(`r${number}`), headers: [] }
}

function committed(world: World, topic: string, partition: number): string[] {
  const { earliest } = world.broker.offsets(topic, partition)
  const { records } = world.broker.fetch(topic, partition, earliest, 10_000)
  return records.map((one) => Buffer.from(one.value!).toString())
}

/** Each input once, in order; nothing left open. */
function isExactlyOnce(world: World): boolean {
  const expected = Array.from({ length: recordsEach }, (_, number) => `r${number}`).join()
  for (let partition = 0; partition < partitions; partition++) {
    if (committed(world, 'out', partition).join() !== expected) return false
  }
  return world.broker.unfinishedTransactions().length === 0
}

test('a worker that dies at any request, before or after it is carried out, reflects each input exactly once', async () => {
  let survives = 0
  for (; ; survives++) {
    const world = await runToy({ seed: 7, crashPoints: [survives] })
    assert.ok(isExactlyOnce(world), `dies at ${survives}\n${world.scheduler.trace.story()}`)
    if (world.scheduler.crashPointsReached === 0) break
  }
  assert.ok(survives > 100)
})

test('exactly once holds through lost answers, late requests, crashes, zombies and expulsions, for each seed', async () => {
  const faultsSeen = new Set<string>()
  for (let seed = 0; seed < 60; seed++) {
    const world = await runToy({ seed, faults: storm, isRough: true })
    assert.ok(isExactlyOnce(world), `seed ${seed}\n${world.scheduler.trace.story()}`)
    for (const fault of world.scheduler.faultCounts.keys()) faultsSeen.add(fault)
  }
  assert.deepEqual(
    requestFaultKinds.filter((kind) => !faultsSeen.has(kind)),
    [],
  )
})

for (const mistake of ['takes-unknown-for-failed', 'restores-before-fencing'] as const) {
  test(`a worker that ${mistake.replaceAll('-', ' ')} is found out`, async () => {
    let found = 0
    for (let seed = 0; seed < 60 && found === 0; seed++) {
      if (!isExactlyOnce(await runToy({ seed, faults: storm, isRough: true, mistake }))) found++
    }
    assert.equal(found, 1)
  })
}

test('one seed gives one trace, byte for byte, and another seed another', async () => {
  const run = async (seed: number) => (await runToy({ seed, faults: storm, isRough: true })).scheduler.trace
  const [first, second, other] = [await run(3), await run(3), await run(4)]
  assert.equal(first.hash(), second.hash())
  assert.deepEqual(first.lines, second.lines)
  assert.notEqual(first.hash(), other.hash())
})

test('what one stream of random numbers draws does not shift another', () => {
  const quiet = createRandom(5)
  const busy = createRandom(5)
  busy.next()
  busy.stream('a').next()
  const expected = [quiet.stream('b').next(), quiet.stream('b').int(1_000)]
  assert.deepEqual([busy.stream('b').next(), busy.stream('b').int(1_000)], expected)
  assert.notEqual(quiet.stream('a').next(), quiet.stream('b').next())
})

test('random numbers spread evenly', () => {
  const random = createRandom('spread')
  const counts = [0, 0, 0, 0, 0, 0, 0, 0]
  for (let drawn = 0; drawn < 80_000; drawn++) counts[random.int(8)]!++
  for (const count of counts) assert.ok(count > 9_500 && count < 10_500, String(count))
})

test('with nothing to run, time jumps to the next timer', async () => {
  const scheduler = new Scheduler(1)
  const startMs = scheduler.clock.nowMs()
  const seenMs: number[] = []
  const clock = scheduler.clockFor(scheduler.spawn('w1'))
  clock.after(60_000, () => seenMs.push(clock.nowMs() - startMs))
  clock.after(3_600_000, () => seenMs.push(clock.nowMs() - startMs))
  assert.equal(await scheduler.runUntilQuiet(), true)
  assert.equal(seenMs[0], 60_000)
  assert.ok(seenMs[1]! >= 3_600_000)
})

test('quiet within a horizon leaves later timers alone', async () => {
  const scheduler = new Scheduler(1)
  let rings = 0
  scheduler.clock.after(1_000, () => rings++)
  scheduler.clock.after(90_000, () => rings++)
  assert.equal(await scheduler.runUntilQuiet({ horizonMs: 10_000 }), true)
  assert.equal(rings, 1)
})

test('nothing of a dead process runs, and nobody answers it', async () => {
  const scheduler = new Scheduler(1)
  const process = scheduler.spawn('w1')
  const happened: string[] = []
  scheduler.clockFor(process).after(10, () => happened.push('timer'))
  scheduler.enqueue('its step', () => happened.push('step'), process)
  void scheduler
    .localPaceFor(process)('store-apply', () => happened.push('disk'))
    .then(() => happened.push('answer'))
  process.crash()
  void scheduler.paceFor(process)('append', () => happened.push('network'))
  assert.equal(await scheduler.runUntilQuiet(), true)
  assert.deepEqual(happened, [])
})

test('what a process had on the wire when it died may be carried out or vanish', async () => {
  const outcomes = new Set<boolean>()
  for (let seed = 0; seed < 40; seed++) {
    const scheduler = new Scheduler(seed)
    const process = scheduler.spawn('w1')
    let isCarriedOut = false
    void scheduler.paceFor(process)('append', () => {
      isCarriedOut = true
    })
    process.crash()
    await scheduler.runUntilQuiet()
    outcomes.add(isCarriedOut)
  }
  assert.equal(outcomes.size, 2)
})

test('a paused process gets its answers when it goes on', async () => {
  const scheduler = new Scheduler(1)
  const process = scheduler.spawn('w1')
  const happened: string[] = []
  void scheduler
    .paceFor(process)('append', () => happened.push('carried out'))
    .then(() => happened.push('answered'))
  process.pause()
  await scheduler.runUntilQuiet()
  assert.deepEqual(happened, ['carried out'])
  process.resume()
  await scheduler.runUntilQuiet()
  assert.deepEqual(happened, ['carried out', 'answered'])
})

test('a late request is carried out after its client gave up', async () => {
  const scheduler = new Scheduler(1)
  const pace = scheduler.paceFor(scheduler.spawn('w1'), { ...noFaults, lateRequest: 1, delayMsMax: 100 })
  const happened: string[] = []
  const request = pace('commit', () => happened.push('carried out'))
  const refused = assert.rejects(request, LostAnswer).then(() => happened.push('given up'))
  await scheduler.runUntilQuiet()
  await refused
  assert.deepEqual(happened, ['given up', 'carried out'])
})

test('once healed, no fault is injected', async () => {
  const scheduler = new Scheduler(1)
  const pace = scheduler.paceFor(scheduler.spawn('w1'), { ...noFaults, lostAnswer: 1, touches: () => true })
  scheduler.heal()
  let answer = 0
  void pace('commit', () => 1).then((value) => (answer = value))
  await scheduler.runUntilQuiet()
  assert.equal(answer, 1)
})
