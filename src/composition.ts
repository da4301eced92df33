// The composition root: a worker, and what is done for one on Kafka. With ground.ts the only file that names adapters.
import { availableParallelism } from 'node:os'
import { kafkaClient } from './adapters/clients.ts'
import { openKafkaLog } from './adapters/kafka/log.ts'
import type { KafkaOptions } from './adapters/kafka/client.ts'
import { topicDetails } from './adapters/kafka/topic-details.ts'
import { systemClock } from './adapters/system/clock.ts'
import { createIds } from './adapters/system/ids.ts'
import { kafkaCredentials } from './adapters/system/kafka-credentials.ts'
import { createLogger } from './adapters/system/log.ts'
import { measureProcess } from './adapters/system/process-metrics.ts'
import { createSecrets } from './adapters/system/secrets.ts'
import { watchStrayErrors } from './adapters/system/stray-errors.ts'
import { watchDirectory } from './adapters/system/watch.ts'
import type { Telemetry } from './adapters/telemetry/telemetry.ts'
import { DefinitionError } from './base/errors.ts'
import { limits } from './base/limits.ts'
import { silentLogger, type Logger } from './base/logger.ts'
import type { RunningWorker, StartOptions } from './cli/surroundings.ts'
import { configOf, type WorkerConfig } from './config/worker-config.ts'
import { readWorkflowFiles } from './definition/folder.ts'
import { loadWorkflows } from './definition/parse.ts'
import { httpHandler } from './handlers/http.ts'
import { loadHandlers } from './handlers/registry.ts'
import { HandlerThreads } from './handlers/threads.ts'
import { Doors } from './http/doors.ts'
import { startHttpServer } from './http/server.ts'
import { createAppTopics, neededTopics, type NeededTopics } from './runtime/app-topics.ts'
import type { InspectedTopic, NeededTopic, OnUpdate } from './runtime/face.ts'
import { Metrics } from './runtime/metrics/metrics.ts'
import { inspectTopics as inspect } from './runtime/topic-check.ts'
import { Worker } from './runtime/worker.ts'
import { WorkflowDirectory } from './runtime/workflow-directory.ts'
import { openGround } from './ground.ts'

/** Starts a worker; resolves when it is ready. @throws {ConfigError} */
export async function startWorker(config: WorkerConfig, options: StartOptions): Promise<RunningWorker> {
  let telemetry: Telemetry | undefined
  const logger = createLogger({
    level: config.logLevel,
    isJson: options.jsonLogs || !process.stderr.isTTY,
    ...(config.otel ? { alsoTo: (line: string) => telemetry?.writeLine(line) } : {}),
  })
  const doors = new Doors(config)
  const ids = createIds()
  const workerId = ids.next()
  if (config.otel) telemetry = await telemetryOf(config, workerId, logger)
  const tracer = telemetry?.tracer
  const threadsMax = Math.min(availableParallelism(), limits.handlerThreadsMax)
  const threads = new HandlerThreads({ graceMs: limits.handlerThreadGraceMs, idleMax: threadsMax })
  const handlers = await loadHandlers(config.handlers, threads)
  const closers: (() => Promise<void>)[] = []
  const closeAll = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close()
  }
  closers.push(async () => telemetry?.stop())
  if (options.isGuest !== true) {
    const stopWatching = watchStrayErrors(logger)
    closers.push(async () => stopWatching())
  }
  closers.push(() => threads.close())
  try {
    const ground = await openGround(config, logger, workerId)
    closers.push(() => ground.close())
    const metrics = new Metrics(() => performance.now())
    telemetry?.watch(metrics)
    const stopMeasuring = measureProcess(metrics, config.data)
    closers.push(async () => stopMeasuring())
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
      tracer,
      partitionsOf: partitionsBy(config),
      createsTopics: config.topicsCreate,
      metrics,
      problemsBeside: () => doors.problems(),
      updates: config.updates,
      onUpdate: options.onUpdate ?? [],
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
    // Before all partitions run: those that do are served.
    const server = await startHttpServer({ worker, port: config.port, logger, doors, tracer })
    closers.push(() => server.close())
    worker.fleet.join(server.url)
    await worker.whenReady()
    let stopping: Promise<void> | undefined
    let markStopped = (): void => {}
    const stopped = new Promise<void>((resolve) => (markStopped = resolve))
    return {
      worker,
      url: server.url,
      stop: () => (stopping ??= retire(worker, config.stopDelayMs).then(closeAll).then(markStopped)),
      stopped,
    }
  } catch (error) {
    await closeAll()
    throw error
  }
}

/** Loaded only where it is asked for. */
async function telemetryOf(config: WorkerConfig, workerId: string, logger: Logger): Promise<Telemetry> {
  const { startTelemetry } = await import('./adapters/telemetry/telemetry.ts')
  return startTelemetry({
    workerId,
    messagingSystem: config.brokers === undefined ? 'dagger_worker' : 'kafka',
    logger,
    nowMs: () => systemClock.nowMs(),
  })
}

/** Starts a worker as a guest of this process. @throws {ConfigError} */
export function startEmbedded(settings: object, onUpdate: readonly OnUpdate[]): Promise<RunningWorker> {
  const config = configOf(settings, { env: process.env, workingDirectory: process.cwd() })
  return startWorker(config, { jsonLogs: false, isGuest: true, onUpdate })
}

/** Who sends it work is to hear that it stops, before it does. */
async function retire(worker: Worker, delayMs: number): Promise<void> {
  worker.retire()
  if (delayMs > 0) await new Promise<void>((resolve) => void systemClock.after(delayMs, resolve))
}

const partitionsBy =
  ({ topics, partitions }: WorkerConfig) =>
  (topic: string): number =>
    topics.get(topic)?.partitions ?? partitions

/** Makes what an application needs on Kafka. @throws {DefinitionError} @throws {ConfigError} @throws {TransientFault} */
export async function createTopics(config: WorkerConfig): Promise<readonly NeededTopic[]> {
  const needed = await needsOf(config)
  const log = await openKafkaLog(await administration(config))
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
  return inspect(config.app, needed, await topicDetails(await administration(config), names))
}

async function needsOf(config: WorkerConfig): Promise<NeededTopics> {
  const { workflows, problems } = loadWorkflows(await readWorkflowFiles(config.workflows))
  if (problems.length > 0) throw new DefinitionError(problems)
  const { app, partitions, updates } = config
  return { app, partitions, workflows, updates, partitionsOf: partitionsBy(config) }
}

async function administration(config: WorkerConfig): Promise<KafkaOptions> {
  const { app, brokers = [] } = config
  const secured = kafkaCredentials(config, process.env)
  const client = await kafkaClient(config.client)
  return { client, brokers, clientId: app, ...secured, clock: systemClock, logger: silentLogger }
}
