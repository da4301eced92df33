// The composition root: the only file that names every adapter.
import { join } from 'node:path'
import { openEmbeddedLog } from './adapters/embedded/log.ts'
import { openLevelStore } from './adapters/level/store.ts'
import { soleMembership } from './adapters/embedded/membership.ts'
import { systemClock } from './adapters/system/clock.ts'
import { createIds } from './adapters/system/ids.ts'
import { createLogger } from './adapters/system/log.ts'
import { watchDirectory } from './adapters/system/watch.ts'
import { processSurroundings } from './cli/process-surroundings.ts'
import { createProgram, type RunningWorker, type StartOptions } from './cli/program.ts'
import type { WorkerConfig } from './config/worker-config.ts'
import { loadHandlers } from './handlers/registry.ts'
import { startHttpServer } from './http/server.ts'
import { Worker } from './runtime/worker.ts'
import { WorkflowDirectory } from './runtime/workflow-directory.ts'

/** Starts a worker on the embedded log; resolves when it is ready. @throws {ConfigError} */
export async function startWorker(config: WorkerConfig, options: StartOptions): Promise<RunningWorker> {
  const logger = createLogger({ level: config.logLevel, isJson: options.jsonLogs || !process.stderr.isTTY })
  const ids = createIds()
  const workerId = ids.next()
  const handlers = await loadHandlers(config.handlers)
  const closers: (() => Promise<void>)[] = []
  const closeAll = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close()
  }
  try {
    const log = await openEmbeddedLog({
      directory: join(config.data, 'log'),
      app: config.app,
      clock: systemClock,
      logger,
    })
    closers.push(() => log.close())
    const worker = await Worker.start({
      app: config.app,
      partitions: config.partitions,
      workerId,
      logKind: 'embedded',
      log,
      membership: soleMembership(config.partitions),
      openStore: (partition) =>
        openLevelStore({ directory: join(config.data, 'store', String(partition)), app: config.app, partition }),
      clock: systemClock,
      ids,
      handlers,
      handlersMax: config.handlersPerWorker,
      logger,
      partitionsOf: (topic) => config.topics.get(topic)?.partitions ?? config.partitions,
      createsTopics: config.topicsCreate,
      refreshEveryMs: 0,
    })
    closers.push(() => worker.stop())
    const directory = new WorkflowDirectory({
      directory: config.workflows,
      handlers: handlers.names,
      logger,
      publish: (files, problems) => worker.publish(config.source, files, problems),
    })
    closers.push(await watchDirectory(config.workflows, () => void directory.reload()))
    await directory.reload()
    await worker.whenReady()
    const server = await startHttpServer({ worker, host: config.host, port: config.port, logger })
    closers.push(() => server.close())
    let stopping: Promise<void> | undefined
    let markStopped = (): void => {}
    const stopped = new Promise<void>((resolve) => (markStopped = resolve))
    return {
      worker,
      url: server.url,
      stop: () => (stopping ??= closeAll().then(markStopped)),
      stopped,
    }
  } catch (error) {
    await closeAll()
    throw error
  }
}

/** Runs the command line; resolves with the exit code. */
export function runCommandLine(argv: readonly string[]): Promise<number> {
  return createProgram(processSurroundings({ startWorker, loadHandlers })).run(argv)
}
