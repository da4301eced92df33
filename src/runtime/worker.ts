// A worker: the partitions that the group gives it, the definitions, the handlers, and the face that is asked.
import type { Logger } from '../base/logger.ts'
import type { Tracer } from '../base/tracing.ts'
import type { Command } from '../engine/command.ts'
import type { Effect } from '../engine/effect.ts'
import type { Problem } from '../base/errors.ts'
import type { HandlerModule, HandlerSource } from '../handlers/contract.ts'
import { topicsOf } from '../records/keys.ts'
import { Alarms } from './alarms.ts'
import { count, type Counters } from './batch.ts'
import { Definitions, type Publication } from './definitions.ts'
import { Executor } from './executor.ts'
import { Explain } from './explain/explain.ts'
import type { Durability, InstancesFace, WorkerFace, WorkerView } from './face.ts'
import { Fleet } from './fleet.ts'
import { PartitionHost } from './host.ts'
import { lacksOf } from './lacks.ts'
import type { Assignment, Clock, Ids, Log, Membership, OpenStore, Secrets } from './ports.ts'
import { prepareTopics } from './app-topics.ts'
import { Calls } from './calls.ts'
import { DeadLetters } from './dead-letters/dead-letters.ts'
import { CommitWindow } from './commit-window.ts'
import { BatchMeasures } from './metrics/batch-measures.ts'
import { Metrics } from './metrics/metrics.ts'
import { persist } from './persist.ts'
import { instancesOf } from './instances.ts'
import { Lists } from './lists.ts'
import { Queries } from './queries.ts'
import { Standing } from './standing.ts'
import { TopicAccess } from './topic-access.ts'
import { untilReady } from './until-ready.ts'
import { tellUpdates, type UpdatesOptions } from './updates.ts'
import { positionsOf, viewOfWorker } from './worker-view.ts'
import { countMoves, observeWorker } from './metrics/worker-metrics.ts'
import { WorkflowQueries } from './workflow-queries.ts'

export interface WorkerOptions extends UpdatesOptions {
  readonly app: string
  readonly partitions: number
  readonly workerId: string
  readonly logKind: WorkerView['log']
  readonly log: Log
  readonly membership: Membership
  readonly openStore: OpenStore
  readonly hasStore?: (partition: number) => boolean
  readonly clock: Clock
  readonly ids: Ids
  readonly handlers: HandlerSource
  /** What performs `http` tasks. */
  readonly http: HandlerModule
  readonly secrets: Secrets
  readonly handlersMax: number
  /** Handlers that run in threads at once. */
  readonly threadsMax: number
  readonly logger: Logger
  /** Absent: no telemetry. */
  readonly tracer?: Tracer | undefined
  /** Of decoded rows in memory, should it own all partitions. */
  readonly cachedBytesMax: number
  /** Partitions of topics that are created for workflows. */
  readonly partitionsOf: (topic: string) => number
  readonly createsTopics: boolean
  /** How often topics are asked for new partitions; 0: never, where nobody else can add some. */
  readonly refreshEveryMs: number
  /** Where it counts and measures; absent: in its own, by its clock. */
  readonly metrics?: Metrics
  /** What else an operator should know, in sentences. */
  readonly problemsBeside?: () => readonly string[]
  /** Where what was committed lies; absent: in memory. */
  readonly durability?: () => Promise<Durability>
}

export class Worker implements WorkerFace {
  readonly #options: WorkerOptions
  readonly definitions: Definitions
  readonly metrics: Metrics
  readonly #executor: Executor
  readonly #hosts: PartitionHost[] = []
  readonly #queries: Queries
  readonly instances: InstancesFace
  readonly workflows: WorkflowQueries
  readonly fleet: Fleet
  readonly deadLetters: DeadLetters
  readonly topics: TopicAccess
  readonly explain: Explain
  readonly lists: Lists
  readonly standing: Standing
  readonly #counters: Counters = new Map()
  readonly #calls: Calls
  readonly #alarms: Alarms
  #definitionProblems: readonly Problem[] = []
  #isStopping = false
  #isRetiring = false
  #cancelRefresh = (): void => {}

  private constructor(options: WorkerOptions) {
    const { app, log, logger, clock, onUpdate = [] } = options
    const topics = topicsOf(app)
    this.#options = options
    this.#alarms = new Alarms(logger, this.#counters)
    this.definitions = new Definitions({ ...options, topics })
    this.metrics = options.metrics ?? new Metrics(() => clock.nowMs())
    this.#executor = new Executor({ ...options, metrics: this.metrics })
    const measures = new BatchMeasures(this.metrics, this.definitions.catalogue)
    const window = new CommitWindow()
    for (let partition = 0; partition < options.partitions; partition++) {
      this.#hosts.push(
        new PartitionHost({
          ...options,
          metrics: this.metrics,
          measures,
          window,
          topics,
          updates: { byDefault: options.updates, isHeard: onUpdate.length > 0 },
          partition,
          definitions: this.definitions,
          executor: this.#executor,
          logger: logger.child({ partition }),
          sourceTopics: () => this.definitions.sourceTopics(),
          perform: (effect) => this.#perform(partition, effect),
          tracing: options.tracer,
          onCommitted: (batch) => {
            options.tracer?.tell(batch.happenings)
            for (const [name, by] of batch.counters) count(this.#counters, name, by)
            measures.settle(batch)
            this.#queries.changed(batch.touched)
            tellUpdates(batch.updates?.heard ?? [], onUpdate, logger)
          },
          onAlarm: (message) => this.#alarms.raise(message),
        }),
      )
    }
    this.#calls = new Calls(this.#hosts, this.definitions, options.ids)
    this.#queries = new Queries({ hosts: this.#hosts, definitions: this.definitions, executor: this.#executor, clock })
    this.instances = instancesOf(this.#calls, this.#queries)
    this.workflows = new WorkflowQueries(this.#hosts, this.definitions.catalogue)
    this.topics = new TopicAccess(log, clock, topics)
    const describe = () => positionsOf(this.#hosts)
    this.fleet = new Fleet({ log, clock, logger, topic: topics.workers, workerId: options.workerId, describe })
    this.deadLetters = new DeadLetters(log, clock, app)
    const { handlersMax } = options
    observeWorker(this.metrics, { worker: this, hosts: this.#hosts, executor: this.#executor, clock, handlersMax })
    const { catalogue } = this.definitions
    const here = { ...options, hosts: this.#hosts, catalogue, executor: this.#executor }
    this.explain = new Explain({ ...here, deadLetters: this.deadLetters })
    this.lists = new Lists(this.#hosts, catalogue)
    const { changelog } = topics
    const durability = options.durability ?? (async (): Promise<Durability> => ({ kind: 'memory' }))
    this.standing = new Standing({ ...here, durability, changelog, fleet: this.fleet, view: () => this.view() })
  }

  /** Makes the application's topics, reads the definitions, joins the group. @throws {ConfigError} DW_PARTITIONS_DIFFER */
  static async start(options: WorkerOptions): Promise<Worker> {
    const worker = new Worker(options)
    await worker.#persist('preparing the topics', () => prepareTopics(options))
    await worker.#persist('reading the definitions', () => worker.definitions.open())
    worker.definitions.onChange(() => worker.#refreshSources())
    await worker.#persist('joining the group', () =>
      options.membership.join(
        (assignment) => worker.#assigned(assignment),
        () => lacksOf(worker.#hosts, options.log, topicsOf(options.app).changelog),
      ),
    )
    worker.#refreshLater()
    return worker
  }

  /**
   * Makes these files the current ones of a source; `problems` are shown until the next time. A lower revision than the
   * one that is current is one of them, and is told as well.
   */
  async publish(publication: Publication, problems: readonly Problem[] = []): Promise<readonly Problem[]> {
    this.#definitionProblems = problems
    const current = await this.#persist('publishing the workflows', () => this.definitions.publish(publication))
    if (current === undefined) return []
    const { revision, source } = publication
    const message = `The workflows of this worker are revision ${revision} of '${source}', and revision ${current} is current: they were not published, and the current ones are served.`
    const refusal = { code: 'DW_REVISION', message }
    this.#definitionProblems = [...problems, refusal]
    return [refusal]
  }

  #persist<Result>(what: string, attempt: () => Promise<Result>): Promise<Result> {
    const { clock, logger } = this.#options
    return persist({ clock, logger, what, isOver: () => this.#isStopping }, attempt)
  }

  /** Says from now on that it is not ready, and goes on: who sends it work is told before it stops. */
  retire(): void {
    this.#isRetiring = true
  }

  stuck(): readonly string[] {
    return this.#hosts.flatMap(({ stuck }, partition) =>
      stuck === undefined ? [] : `partition ${partition}: ${stuck}`,
    )
  }

  /** Finishes what is under way, lets go of the partitions, leaves the group. */
  async stop(): Promise<void> {
    if (this.#isStopping) return
    this.#isStopping = true
    this.#cancelRefresh()
    await Promise.all(this.#hosts.map((host) => host.close()))
    await this.fleet.leave()
    await this.#options.membership.leave()
    this.definitions.close()
  }

  get partitionsInAll(): number {
    return this.#hosts.length
  }

  /** Resolves when every partition that is ours runs, or has stopped for a person to look at; tells what is restored. */
  whenReady(): Promise<void> {
    const { clock, logger } = this.#options
    return untilReady({ clock, logger, hosts: this.#hosts, view: () => this.view(), isOver: () => this.#isStopping })
  }

  view(): WorkerView {
    const { app, workerId, logKind, log, clock, problemsBeside = () => [] } = this.#options
    const retiring = this.#isRetiring ? ['it was told to stop'] : []
    return viewOfWorker({
      app,
      workerId,
      log: logKind,
      hosts: this.#hosts,
      catalogue: this.definitions.catalogue,
      counters: this.#counters,
      definitionProblems: this.#definitionProblems,
      problems: [...retiring, ...log.problems(), ...problemsBeside(), ...this.stuck(), ...this.#alarms.latest],
      isStopping: this.#isRetiring || this.#isStopping,
      nowMs: clock.nowMs(),
    })
  }

  #assigned({ owned, standby }: Assignment): void {
    countMoves(this.metrics, this.#hosts, owned)
    for (const [partition, host] of this.#hosts.entries()) {
      host.become(owned.includes(partition) ? 'owner' : standby.includes(partition) ? 'standby' : 'none')
    }
  }

  #refreshSources(): void {
    for (const host of this.#hosts) {
      host
        .refreshSources()
        .catch((error: unknown) =>
          this.#options.logger.warn({ error: String(error) }, 'topics could not be looked at; trying again later'),
        )
    }
  }

  #refreshLater(): void {
    const { refreshEveryMs, clock } = this.#options
    if (refreshEveryMs === 0 || this.#isStopping) return
    this.#cancelRefresh = clock.after(refreshEveryMs, () => {
      this.#refreshSources()
      this.#refreshLater()
    })
  }

  #perform(partition: number, effect: Effect): void {
    switch (effect.type) {
      case 'alarm':
        this.#alarms.raise(effect.message)
        return
      case 'call.answer':
        this.#calls.answer(effect.call, effect.answer)
        return
      case 'handler.request':
        this.#executor.request(effect, partition, (command) => this.#submit(partition, command))
        return
      case 'handler.run':
        this.#executor.run(effect)
        return
      case 'handler.abort':
        this.#executor.abort(effect.instanceId, effect.task)
        return
      case 'handler.stop':
        this.#executor.stop(effect, partition, (command) => this.#submit(partition, command))
    }
  }

  #submit(partition: number, command: Command): void {
    // A grant that falls with its batch is asked for anew by the next incarnation; a result is kept for it.
    const onLost = command.type === 'task.execute' ? (): void => {} : undefined
    this.#hosts[partition]?.submit({ command, onLost })
  }
}
