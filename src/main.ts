// The composition root: the only file that names every adapter.
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedLog } from './adapters/embedded/log.ts'
import { soleMembership } from './adapters/embedded/membership.ts'
import { destroyLevelStore, openLevelStore } from './adapters/level/store.ts'
import { writeBehind } from './adapters/level/write-behind.ts'
import { claimWorkerDirectory } from './adapters/level/worker-directory.ts'
import { openKafkaLog } from './adapters/platformatic/log.ts'
import { createKafkaMembership } from './adapters/platformatic/membership.ts'
import type { KafkaOptions } from './adapters/platformatic/options.ts'
import { topicDetails } from './adapters/platformatic/topic-details.ts'
import { systemClock } from './adapters/system/clock.ts'
import { createIds } from './adapters/system/ids.ts'
import { kafkaCredentials } from './adapters/system/kafka-credentials.ts'
import { createLogger } from './adapters/system/log.ts'
import { createSecrets } from './adapters/system/secrets.ts'
import { watchStrayErrors } from './adapters/system/stray-errors.ts'
import { watchDirectory } from './adapters/system/watch.ts'
import { DefinitionError, StoreCorrupted } from './base/errors.ts'
import { limits } from './base/limits.ts'
import { silentLogger, type Logger } from './base/logger.ts'
import { measure } from './bench/measure.ts'
import { processSurroundings } from './cli/process-surroundings.ts'
import { createProgram, type RunningWorker, type StartOptions } from './cli/program.ts'
import type { InspectedTopic, NeededTopic } from './cli/surroundings.ts'
import type { WorkerConfig } from './config/worker-config.ts'
import { readWorkflowFiles } from './definition/folder.ts'
import { loadWorkflows } from './definition/parse.ts'
import { httpHandler } from './handlers/http.ts'
import { loadHandlers } from './handlers/registry.ts'
import { HandlerThreads } from './handlers/threads.ts'
import { startHttpServer } from './http/server.ts'
import { topicsOf } from './records/keys.ts'
import { createAppTopics, neededTopics, type NeededTopics } from './runtime/app-topics.ts'
import type { Log, Membership, OpenStore } from './runtime/ports.ts'
import { persist } from './runtime/persist.ts'
import { inspectTopics as inspect } from './runtime/topic-check.ts'
import { Worker } from './runtime/worker.ts'
import { WorkflowDirectory } from './runtime/workflow-directory.ts'

/** What a worker stands on: one of the two ways to run. */
interface Ground {
  readonly logKind: 'embedded' | 'kafka'
  readonly log: Log
  readonly membership: Membership
  readonly openStore: OpenStore
  /** Others may add partitions to topics of a shared log. */
  readonly refreshEveryMs: number
  close(): Promise<void>
}

/** Starts a worker; resolves when it is ready. @throws {ConfigError} */
export async function startWorker(config: WorkerConfig, options: StartOptions): Promise<RunningWorker> {
  const logger = createLogger({ level: config.logLevel, isJson: options.jsonLogs || !process.stderr.isTTY })
  const ids = createIds()
  const workerId = ids.next()
  const threadsMax = Math.min(availableParallelism(), limits.handlerThreadsMax)
  const threads = new HandlerThreads({ graceMs: limits.handlerThreadGraceMs, idleMax: threadsMax })
  const handlers = await loadHandlers(config.handlers, threads)
  const closers: (() => Promise<void>)[] = []
  const closeAll = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close()
  }
  const stopWatching = watchStrayErrors(logger)
  closers.push(async () => stopWatching())
  closers.push(() => threads.close())
  try {
    const ground =
      config.brokers === undefined
        ? await embedded(config, logger)
        : await kafka(config, config.brokers, logger, workerId)
    closers.push(() => ground.close())
    const worker = await Worker.start({
      cachedBytesMax: limits.cachedBytesMax,
      ...ground,
      app: config.app,
      partitions: config.partitions,
      workerId,
      clock: systemClock,
      ids,
      handlers,
      http: httpHandler({ allowed: config.httpAllow, nowMs: () => systemClock.nowMs() }),
      secrets: createSecrets({ directory: config.secrets, env: process.env }),
      handlersMax: config.handlersPerWorker,
      threadsMax,
      logger,
      partitionsOf: partitionsBy(config),
      createsTopics: config.topicsCreate,
    })
    closers.push(() => worker.stop())
    const directory = new WorkflowDirectory({
      directory: config.workflows,
      handlers: handlers.names,
      logger,
      publish: (files, problems) =>
        worker.publish({ source: config.source, revision: config.revision, files }, problems),
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

async function embedded({ data, app, partitions }: WorkerConfig, logger: Logger): Promise<Ground> {
  const log = await openEmbeddedLog({ directory: join(data, 'log'), app, clock: systemClock, logger })
  return {
    logKind: 'embedded',
    log,
    membership: soleMembership(partitions),
    openStore: () => Promise.reject(new Error('the embedded log is its own store')),
    refreshEveryMs: 0,
    close: () => log.close(),
  }
}

async function kafka(
  config: WorkerConfig,
  brokers: readonly string[],
  logger: Logger,
  workerId: string,
): Promise<Ground> {
  const { data, app, partitions } = config
  const own = await claimWorkerDirectory(data)
  const secured = kafkaCredentials(config, process.env)
  if (secured.sasl !== undefined && secured.tls === undefined)
    logger.warn(
      { mechanism: secured.sasl.mechanism },
      'SASL without TLS: who is on the network reads and changes what is sent, and by PLAIN and OAUTHBEARER who we are as well',
    )
  const connection = { brokers, clientId: `${app}-${workerId}`, ...secured, clock: systemClock, logger }
  const log = await persist(
    { clock: systemClock, logger, what: `reaching Kafka at ${brokers.join(', ')}`, isOver: () => false },
    () => openKafkaLog(connection),
  )
  return {
    logKind: 'kafka',
    log,
    membership: createKafkaMembership({ ...connection, groupId: app, topic: topicsOf(app).inbox, partitions }),
    openStore: async (partition) => {
      const place = { directory: join(own.directory, app, String(partition)), app, partition }
      try {
        return writeBehind(await openLevelStore(place))
      } catch (error) {
        if (!(error instanceof StoreCorrupted)) throw error
        // Nothing is lost with it: the changelog has it all.
        logger.warn(
          { partition, error: error.message },
          `the store of partition ${partition} is damaged: restoring it from the changelog`,
        )
        await destroyLevelStore(place.directory)
        return writeBehind(await openLevelStore(place))
      }
    },
    refreshEveryMs: 30_000,
    async close() {
      await log.close()
      await own.release()
    },
  }
}

const partitionsBy =
  ({ topics, partitions }: WorkerConfig) =>
  (topic: string): number =>
    topics.get(topic)?.partitions ?? partitions

/** Makes what an application needs on Kafka. @throws {DefinitionError} @throws {ConfigError} @throws {TransientFault} */
export async function createTopics(config: WorkerConfig): Promise<readonly NeededTopic[]> {
  const needed = await needsOf(config)
  const log = await openKafkaLog(administration(config))
  try {
    return await createAppTopics({ ...needed, log })
  } finally {
    await log.close()
  }
}

/** Looks at what an application needs on Kafka. @throws {DefinitionError} @throws {ConfigError} @throws {TransientFault} */
export async function inspectTopics(config: WorkerConfig): Promise<readonly InspectedTopic[]> {
  const needed = neededTopics(await needsOf(config))
  const names = needed.map(({ name }) => name)
  return inspect(config.app, needed, await topicDetails(administration(config), names))
}

async function needsOf(config: WorkerConfig): Promise<NeededTopics> {
  const { workflows, problems } = loadWorkflows(await readWorkflowFiles(config.workflows))
  if (problems.length > 0) throw new DefinitionError(problems)
  const { app, partitions } = config
  return { app, partitions, workflows, partitionsOf: partitionsBy(config) }
}

function administration(config: WorkerConfig): KafkaOptions {
  const { app, brokers = [] } = config
  const secured = kafkaCredentials(config, process.env)
  return { brokers, clientId: app, ...secured, clock: systemClock, logger: silentLogger }
}

/** Runs the command line; resolves with the exit code. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  // Timers of the clock keep no process alive, and a start that waits for Kafka has nothing else that does.
  const alive = setInterval(() => {}, 2 ** 30)
  try {
    return await createProgram(
      processSurroundings({ startWorker, createTopics, inspectTopics, measure, loadHandlers }),
    ).run(argv)
  } finally {
    clearInterval(alive)
  }
}
