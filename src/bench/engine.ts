// A worker as src/composition.ts composes it, with one workflow and no door to the outside: records are produced straight
// into its log.
import { join } from 'node:path'
import { soleMembership } from '../adapters/embedded/membership.ts'
import { openLevelStore } from '../adapters/level/store.ts'
import { writeBehind } from '../adapters/level/write-behind.ts'
import { systemClock } from '../adapters/system/clock.ts'
import { createIds } from '../adapters/system/ids.ts'
import { limits } from '../base/limits.ts'
import { silentLogger } from '../base/logger.ts'
import type { WorkflowFile } from '../definition/folder.ts'
import { loadWorkflows } from '../definition/parse.ts'
import { handlerSource } from '../handlers/registry.ts'
import { Metrics } from '../runtime/metrics/metrics.ts'
import { Worker } from '../runtime/worker.ts'
import { unlessAborted, withSite, type Ground, type Site } from './site.ts'

export interface Engine extends Site {
  readonly worker: Worker
  /** Stops the worker and starts another on what it left; resolves to the milliseconds until that one is ready. */
  restart(): Promise<number>
}

/** Runs with a worker that is ready and serves one workflow, and stops it afterwards. */
export function withEngine<T>(
  ground: Ground,
  workflow: (app: string) => WorkflowFile,
  run: (engine: Engine) => Promise<T>,
): Promise<T> {
  return withSite(ground, async (site) => {
    const { signal } = site
    let worker = await unlessAborted(signal, startWorker(site))
    try {
      await unlessAborted(signal, publish(worker, workflow(site.app)))
      await unlessAborted(signal, worker.whenReady())
      return await run({
        ...site,
        get worker() {
          return worker
        },
        async restart() {
          await worker.stop()
          const beganAtMs = performance.now()
          worker = await startWorker(site)
          await worker.whenReady()
          return performance.now() - beganAtMs
        },
      })
    } finally {
      await worker.stop()
    }
  })
}

function startWorker({ log, app, partitions, directory, updates = false }: Site): Promise<Worker> {
  const ids = createIds()
  return Worker.start({
    cachedBytesMax: limits.cachedBytesMax,
    app,
    partitions,
    workerId: ids.next(),
    logKind: log.isShared ? 'kafka' : 'embedded',
    log,
    // Of a group of one nothing is left behind on a cluster.
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
    updates,
    refreshEveryMs: 0,
    metrics: new Metrics(() => performance.now()),
  })
}

async function publish(worker: Worker, workflow: WorkflowFile): Promise<void> {
  const { byFile, problems } = loadWorkflows([workflow], { handlers: [] })
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join('\n'))
  await worker.publish({ source: 'bench', files: byFile })
}
