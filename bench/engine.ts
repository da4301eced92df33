// A worker as src/main.ts composes it, with one workflow and no door to the outside: records are produced straight into
// its log.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { soleMembership } from '../src/adapters/embedded/membership.ts'
import { openLevelStore } from '../src/adapters/level/store.ts'
import { writeBehind } from '../src/adapters/level/write-behind.ts'
import { systemClock } from '../src/adapters/system/clock.ts'
import { createIds } from '../src/adapters/system/ids.ts'
import { silentLogger } from '../src/base/logger.ts'
import { readWorkflowFiles, type WorkflowFile } from '../src/definition/folder.ts'
import { loadWorkflows } from '../src/definition/parse.ts'
import { handlerSource } from '../src/handlers/registry.ts'
import type { Log } from '../src/runtime/ports.ts'
import { Worker } from '../src/runtime/worker.ts'
import { app, type OpenLog } from './logs.ts'

/** Of every topic, of the engine's and of the floor's. */
export const partitions = 12

export interface Engine {
  readonly log: Log
  readonly worker: Worker
  /** Stops the worker and starts another on what it left; resolves to the milliseconds until that one is ready. */
  restart(): Promise<number>
}

/** Runs with a log in a new directory, and removes both afterwards. */
export async function withLog<T>(openLog: OpenLog, run: (log: Log, directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'dagger-worker-bench-'))
  // The worker's own timers keep no process alive; in a daemon its HTTP server does.
  const alive = setInterval(() => {}, 1_000)
  try {
    const log = await openLog(join(directory, 'log'))
    try {
      return await run(log, directory)
    } finally {
      await log.close()
    }
  } finally {
    clearInterval(alive)
    await rm(directory, { recursive: true, force: true })
  }
}

/** Runs with a worker that is ready and serves one workflow, and stops it afterwards. */
export function withEngine<T>(
  openLog: OpenLog,
  workflow: WorkflowFile,
  run: (engine: Engine) => Promise<T>,
): Promise<T> {
  return withLog(openLog, async (log, directory) => {
    let worker = await startWorker(log, directory)
    try {
      await publish(worker, workflow)
      await worker.whenReady()
      return await run({
        log,
        get worker() {
          return worker
        },
        async restart() {
          await worker.stop()
          const beganAtMs = performance.now()
          worker = await startWorker(log, directory)
          await worker.whenReady()
          return performance.now() - beganAtMs
        },
      })
    } finally {
      await worker.stop()
    }
  })
}

/** A file of bench/workflows, by its name. */
export async function workflowFile(name: string): Promise<WorkflowFile> {
  const files = await readWorkflowFiles(join(import.meta.dirname, 'workflows'))
  const file = files.find((each) => basename(each.file) === `${name}.yaml`)
  if (file === undefined) throw new Error(`bench/workflows has no ${name}.yaml`)
  return file
}

function startWorker(log: Log, directory: string): Promise<Worker> {
  const ids = createIds()
  return Worker.start({
    app,
    partitions,
    workerId: ids.next(),
    logKind: log.isShared ? 'kafka' : 'embedded',
    log,
    membership: soleMembership(partitions),
    openStore: async (partition) =>
      writeBehind(await openLevelStore({ directory: join(directory, 'store', `${partition}`), app, partition })),
    clock: systemClock,
    ids,
    handlers: handlerSource([]),
    handlersMax: 1,
    threadsMax: 2,
    http: { name: 'http', run: () => null },
    secrets: { read: () => '' },
    logger: silentLogger,
    partitionsOf: () => partitions,
    createsTopics: true,
    refreshEveryMs: 0,
  })
}

async function publish(worker: Worker, workflow: WorkflowFile): Promise<void> {
  const { byFile, problems } = loadWorkflows([workflow], { handlers: [] })
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join('\n'))
  await worker.publish({ source: 'bench', files: byFile })
}
