// One simulated run: workers of the real runtime on a world with faults, customers and services outside; then the
// faults stop, everything heals, and the invariants are checked. Equal plans give a byte-identical trace.
import { loadWorkflows } from '../../src/definition/parse.ts'
import type { Workflow } from '../../src/definition/workflow.ts'
import { silentLogger } from '../../src/base/logger.ts'
import type { WorkerView } from '../../src/runtime/face.ts'
import { Worker } from '../../src/runtime/worker.ts'
import { checkAll } from './checks.ts'
import { simulatedHandlers, type Journal } from './handlers.ts'
import { Outside } from './outside.ts'
import type { Plan } from './plan.ts'
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
}

/** Sessions of the dead end, handlers that hang time out, retries and listeners' timeouts come. */
const healingMs = 180_000
const app = 'sim'

type Files = ReadonlyMap<string, readonly Workflow[] | 'broken'>

export async function simulate(plan: Plan): Promise<RunResult> {
  const { seed, machines, partitions, standbys, network, strikes, crashPoints } = plan
  const world = createWorld({ seed, partitions, standbys, faults: network, crashPoints })
  const { scheduler } = world
  const outside = new Outside(world.broker, scheduler, plan)
  const releases = plan.programs.releases.map(compile)
  const journal: Journal = []
  const counters = new Map<string, number>()
  const running = new Map<string, Worker>()
  const names = Array.from({ length: machines }, (_, number) => `w${number + 1}`)
  const collect = (name: string): void => {
    for (const [counter, by] of Object.entries(running.get(name)?.view().counters ?? {}))
      counters.set(counter, (counters.get(counter) ?? 0) + by)
    running.delete(name)
  }
  const start = (name: string): void => {
    collect(name)
    void startWorker(world, name, partitions, journal, releases[0]!).then((worker) => running.set(name, worker))
  }
  const isDead = (name: string): boolean => !world.expectNode(name).process.isAlive()
  const startTheDead = (): void => {
    for (const name of names) if (isDead(name)) start(name)
  }

  for (const name of names) start(name)
  for (const one of strikes) {
    await scheduler.runUntil(() => scheduler.steps >= one.atStep, one.atStep)
    strike(world, one)
    if (one.restarts) startTheDead()
  }
  world.heal()
  const untilMs = scheduler.clock.nowMs() + healingMs
  while (scheduler.clock.nowMs() < untilMs) {
    startTheDead()
    await scheduler.runUntil(() => scheduler.clock.nowMs() >= untilMs || names.some(isDead), 500)
  }
  const views = new Map([...running].map(([name, worker]) => [name, worker.view()] as const))
  for (const name of names) collect(name)
  const violations = checkAll({ plan, world, outside, journal, workflows: byVersion(releases), app, partitions })
  return { violations, world, steps: scheduler.steps, traceHash: scheduler.trace.hash(), counters, views }
}

const compiled = new Map<string, Files>()

/** The files of a release; most seeds share some. */
function compile(texts: readonly string[]): Files {
  const text = texts.join('\n---\n')
  const known = compiled.get(text)
  if (known !== undefined) return known
  const { byFile, problems } = loadWorkflows([{ file: 'simulated.yaml', text }], { handlers: ['examine'] })
  if (problems.length > 0)
    throw new Error(`a program of the simulation is not valid: ${JSON.stringify(problems)}\n${text}`)
  compiled.set(text, byFile)
  return byFile
}

function byVersion(releases: readonly Files[]): ReadonlyMap<string, Workflow> {
  const found = new Map<string, Workflow>()
  for (const files of releases)
    for (const workflows of files.values())
      if (workflows !== 'broken') for (const workflow of workflows) found.set(workflow.version, workflow)
  return found
}

async function startWorker(
  world: World,
  name: string,
  partitions: number,
  journal: Journal,
  files: Files,
): Promise<Worker> {
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
  await worker.publish(app, files, [])
  return worker
}
