// One simulated run: workers of the real runtime on a world with faults, customers and services outside; then the
// faults stop, everything heals, and the invariants are checked. Equal options give a byte-identical trace.
import { loadWorkflows } from '../../src/definition/parse.ts'
import { silentLogger } from '../../src/base/logger.ts'
import type { WorkerView } from '../../src/runtime/face.ts'
import { Worker } from '../../src/runtime/worker.ts'
import { checkAll } from './checks.ts'
import { noFaults, roughNetwork, type FaultPlan } from './faults.ts'
import { simulatedHandlers, type Journal } from './handlers.ts'
import { Outside } from './outside.ts'
import { simulatedWorkflows } from './workflows.ts'
import { createWorld, type World } from './world.ts'

export interface RunOptions {
  readonly seed: number | string
  readonly workers?: number
  readonly partitions?: number
  readonly standbys?: number
  readonly instances?: number
  readonly faults?: FaultPlan
  /** Crashes, pauses, expulsions and clock jumps on top, drawn from the seed. */
  readonly misfortunes?: number
  readonly failAfterOperations?: number
}

export interface RunResult {
  readonly violations: readonly string[]
  readonly world: World
  readonly steps: number
  readonly traceHash: string
  readonly counters: ReadonlyMap<string, number>
  /** Of each worker that runs at the end, what it says of itself. */
  readonly views: ReadonlyMap<string, WorkerView>
}

const app = 'sim'
const { byFile } = loadWorkflows([{ file: 'simulated.yaml', text: simulatedWorkflows }], { handlers: ['examine'] })

export async function simulate(options: RunOptions): Promise<RunResult> {
  const {
    seed,
    workers = 2,
    partitions = 4,
    standbys = 1,
    instances = 12,
    faults = noFaults,
    misfortunes = 0,
  } = options
  const world = createWorld({
    seed,
    partitions,
    standbys,
    faults,
    ...(options.failAfterOperations === undefined ? {} : { failAfterOperations: options.failAfterOperations }),
  })
  const { scheduler } = world
  const outside = new Outside(world.broker, scheduler)
  const journal: Journal = []
  const counters = new Map<string, number>()
  const running = new Map<string, Worker>()
  const names = Array.from({ length: workers }, (_, number) => `w${number + 1}`)
  const collect = (name: string): void => {
    for (const [counter, by] of Object.entries(running.get(name)?.view().counters ?? {}))
      counters.set(counter, (counters.get(counter) ?? 0) + by)
    running.delete(name)
  }
  const start = (name: string): void => {
    collect(name)
    void startWorker(world, name, partitions, journal).then((worker) => running.set(name, worker))
  }
  const isDead = (name: string): boolean => !world.expectNode(name).process.isAlive()
  const startTheDead = (): void => {
    for (const name of names) if (isDead(name)) start(name)
  }

  for (const name of names) start(name)
  outside.place(instances, 15_000)
  const misfortune = scheduler.random.stream('misfortune')
  for (let blow = 0; blow < misfortunes; blow++) {
    await scheduler.runUntil(() => false, 20 + misfortune.int(400))
    strike(world, misfortune.pick(names), misfortune)
    if (misfortune.chance(0.7)) startTheDead()
  }
  world.heal()
  // Sessions of the dead end, handlers that hang time out, retries and listeners' timeouts come.
  const untilMs = scheduler.clock.nowMs() + 180_000
  while (scheduler.clock.nowMs() < untilMs) {
    startTheDead()
    await scheduler.runUntil(() => scheduler.clock.nowMs() >= untilMs || names.some(isDead), 500)
  }
  const views = new Map([...running].map(([name, worker]) => [name, worker.view()] as const))
  for (const name of names) collect(name)
  const violations = checkAll({ world, outside, journal, app, partitions })
  return { violations, world, steps: scheduler.steps, traceHash: scheduler.trace.hash(), counters, views }
}

function strike(
  world: World,
  name: string,
  random: { int(below: number): number; pick<T>(list: readonly T[]): T },
): void {
  switch (random.pick(['crash', 'crash', 'power', 'pause', 'resume', 'expel', 'clock'] as const)) {
    case 'crash':
      return world.crash(name)
    case 'power':
      return world.crash(name, { loseBatches: random.int(6) })
    case 'pause':
      return world.pause(name)
    case 'resume':
      return world.resume(name)
    case 'expel':
      return world.expel(name)
    case 'clock':
      return world.jumpClock(name, random.pick([-3_600_000, -1_000, 1_000, 10_000]))
  }
}

async function startWorker(world: World, name: string, partitions: number, journal: Journal): Promise<Worker> {
  const node = world.start(name)
  const random = world.scheduler.random.stream(`handlers ${name} ${world.scheduler.steps}`)
  const worker = await Worker.start({
    app,
    partitions,
    workerId: name,
    logKind: 'memory',
    log: node.log,
    membership: node.membership,
    openStore: node.openStore,
    clock: node.clock,
    ids: node.ids,
    handlers: simulatedHandlers(node.clock, random, journal),
    handlersMax: 4,
    logger: silentLogger,
    partitionsOf: () => 4,
    createsTopics: true,
    refreshEveryMs: 20_000,
  })
  await worker.publish(app, byFile, [])
  return worker
}

/** A bad day: rough network, misfortunes. */
export const swarm = (seed: number): RunOptions => ({
  seed,
  workers: 2 + (seed % 2),
  faults: roughNetwork,
  misfortunes: 6,
})
