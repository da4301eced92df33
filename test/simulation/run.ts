// One simulated run: workers of the real runtime on a world with faults, customers and services outside; then the
// faults stop, everything heals, and the invariants are checked. Equal plans give a byte-identical trace.
import type { Workflow } from '../../src/definition/workflow.ts'
import type { WorkerView } from '../../src/runtime/face.ts'
import { checkAll } from './checks/all.ts'
import type { Finished } from './checks/finished.ts'
import { imagesOf, type DiskImage } from './checks/stores.ts'
import { Committed } from './committed.ts'
import { topicsOf } from '../../src/records/keys.ts'
import { Fleet } from './fleet.ts'
import type { Journal } from './handlers.ts'
import { History } from './history.ts'
import { Outside } from './outside.ts'
import { People } from './people.ts'
import { app, type Plan } from './plan.ts'
import { compileRelease, type Files } from './programs/compile.ts'
import { Signallers } from './signallers.ts'
import { strike } from './strikes.ts'
import { createWorld, type World } from './world.ts'

export interface RunResult {
  readonly violations: readonly string[]
  readonly world: World
  readonly steps: number
  readonly traceHash: string
  readonly counters: ReadonlyMap<string, number>
  /** Of each worker that runs at the end, what it says of itself. */
  readonly views: ReadonlyMap<string, WorkerView>
  /** What the checkers looked at. */
  readonly finished: Finished
}

export async function simulate(plan: Plan): Promise<RunResult> {
  const rejections: string[] = []
  const note = (reason: unknown): void =>
    void rejections.push(reason instanceof Error ? (reason.stack ?? reason.message) : String(reason))
  process.on('unhandledRejection', note)
  try {
    return await runPlan(plan, rejections)
  } finally {
    process.off('unhandledRejection', note)
  }
}

async function runPlan(plan: Plan, rejections: readonly string[]): Promise<RunResult> {
  const { seed, machines, partitions, standbys, network, strikes, crashPoints } = plan
  const images: DiskImage[] = []
  const world: World = createWorld({
    ...{ seed, partitions, standbys, faults: network, crashPoints },
    onStart: (name) => images.push(...imagesOf(world, name, partitions)),
  })
  const { scheduler } = world
  const history = watch(world, plan)
  const outside = new Outside(world.broker, scheduler, plan)
  const releases = plan.programs.releases.map(compileRelease)
  const journal: Journal = []
  const fleet = new Fleet(world, { app, partitions, updates: plan.updates, releases, journal })
  const names = Array.from({ length: machines }, (_, number) => `w${number + 1}`)
  const late = new Set(strikes.flatMap((one) => (one.what === 'join' ? [one.machine] : [])))

  const { calls } = new People(world, plan.acts, () => fleet.running)
  const signals = new Signallers(world, plan.acts, () => fleet.running)
  for (const name of names) if (!late.has(name)) fleet.start(name)
  for (const one of strikes) {
    await scheduler.runUntil(() => scheduler.steps >= one.atStep, one.atStep)
    strike(world, fleet, one)
    if (one.restarts) fleet.startTheDead(names)
  }
  world.heal()
  const untilMs = scheduler.clock.nowMs() + plan.healingMs
  while (scheduler.clock.nowMs() < untilMs) {
    fleet.startTheDead(names)
    await scheduler.runUntil(() => scheduler.clock.nowMs() >= untilMs || names.some((name) => fleet.isDead(name)), 500)
  }
  const views = new Map([...fleet.running].map(([name, worker]) => [name, worker.view()] as const))
  for (const name of names) fleet.retire(name)
  const { counters } = fleet
  history.catchUp()
  for (const name of names) images.push(...imagesOf(world, name, partitions))
  const committed = new Committed(history, app, partitions)
  const finished: Finished = {
    ...{ plan, world, outside, calls, signals, journal, committed, images, views, rejections },
    releases: releases.map(workflowsOf),
  }
  const violations = checkAll(finished)
  return { violations, world, steps: scheduler.steps, traceHash: scheduler.trace.hash(), counters, views, finished }
}

const workflowsOf = (files: Files): readonly Workflow[] => [...files.values()].flat()

/** An observer of every topic, from before it exists. */
function watch({ broker, scheduler }: World, { partitions, programs }: Plan): History {
  const history = new History(broker, () => scheduler.clock.nowMs())
  for (const topic of Object.values(topicsOf(app))) history.watch(topic, partitions)
  for (const [topic, count] of Object.entries(programs.topics)) history.watch(topic, count)
  return history
}
