// A worker in somebody else's process. It is the one that `dagger-worker start` runs, HTTP API included, and is composed by
// composition.ts; that is loaded when a worker is started, so that authors of handlers who import from here load next to nothing.
import type { ConfigValues } from './config/worker-config.ts'
import type {
  Action,
  ActionAnswer,
  InstanceFilter,
  InstancePage,
  InstanceView,
  OnUpdate,
  StartAnswer,
  StartRequest,
  WorkerView,
} from './runtime/face.ts'

/** What a configuration file holds; paths are relative to the working directory. */
export type WorkerSettings = Partial<ConfigValues>

export interface WorkerOptions {
  /** Told of every update, whether or not the topic has it; one, or several that are told in turns. */
  readonly onUpdate?: OnUpdate | readonly OnUpdate[]
}

/** A worker that runs in this process. What it is asked of instances that run elsewhere throws `Unavailable`. */
export interface EmbeddedWorker {
  /** Where its HTTP API listens. */
  readonly url: string
  view(): WorkerView
  /** Resolves when the start is committed. @throws {Unavailable} */
  startInstance(request: StartRequest): Promise<StartAnswer>
  /** Resolves when what was done is committed. @param by who does it, for the instance's history @throws {Unavailable} */
  operateInstance(id: string, action: Action, by: string): Promise<ActionAnswer>
  /** As it was committed last. @throws {Unavailable} */
  findInstance(id: string): Promise<InstanceView | undefined>
  /** The latest of a workflow with a business key. @throws {Unavailable} */
  findInstanceByKey(workflow: string, key: string): Promise<InstanceView | undefined>
  /** Newest first, of those that run here. @throws {Unavailable} */
  listInstances(filter: InstanceFilter): Promise<InstancePage>
  /** Finishes what is under way and closes everything; may be called more than once. */
  stop(): Promise<void>
  /** Resolves when the worker has stopped. */
  readonly stopped: Promise<void>
}

/** Starts a worker in this process; resolves once it is ready. @throws {ConfigError} With every problem of its settings. */
export async function startWorker(settings: WorkerSettings, options: WorkerOptions = {}): Promise<EmbeddedWorker> {
  const { startEmbedded } = await import('./composition.ts')
  const { onUpdate = [] } = options
  const running = await startEmbedded(settings, typeof onUpdate === 'function' ? [onUpdate] : onUpdate)
  const { worker, url, stopped } = running
  return {
    url,
    view: () => worker.view(),
    startInstance: (request) => worker.instances.start(request),
    operateInstance: (id, action, by) => worker.instances.operate(id, action, by),
    findInstance: (id) => worker.instances.find(id),
    findInstanceByKey: (workflow, key) => worker.instances.findByKey(workflow, key),
    listInstances: (filter) => worker.instances.list(filter),
    stop: () => running.stop(),
    stopped,
  }
}
