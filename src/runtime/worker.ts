// A worker: the partitions that the group gives it, the definitions, the handlers, and the face that is asked.
import { ConfigError } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import type { Logger } from '../base/logger.ts'
import { partitionOfText } from '../base/partitioner.ts'
import type { Workflow } from '../definition/workflow.ts'
import type { Effect, StartAnswer as EngineAnswer } from '../engine/effect.ts'
import { Payload } from '../engine/payload.ts'
import type { Problem } from '../base/errors.ts'
import type { HandlerSource } from '../handlers/contract.ts'
import { topicsOf } from '../records/keys.ts'
import { count, type Counters } from './batch.ts'
import { Definitions } from './definitions.ts'
import { Executor } from './executor.ts'
import { Unavailable } from './face.ts'
import type {
  InstanceFilter,
  InstanceSummary,
  InstanceView,
  PartitionView,
  ProduceRecord,
  ProduceResult,
  RecordView,
  StartAnswer,
  StartRequest,
  TopicView,
  WorkerFace,
  WorkerView,
} from './face.ts'
import { PartitionHost } from './host.ts'
import type { Assignment, Clock, Ids, Log, Membership, OpenStore } from './ports.ts'
import { persist } from './persist.ts'
import { Queries } from './queries.ts'
import { TopicAccess } from './topic-access.ts'

export interface WorkerOptions {
  readonly app: string
  readonly partitions: number
  readonly workerId: string
  readonly logKind: WorkerView['log']
  readonly log: Log
  readonly membership: Membership
  readonly openStore: OpenStore
  readonly clock: Clock
  readonly ids: Ids
  readonly handlers: HandlerSource
  readonly handlersMax: number
  readonly logger: Logger
  /** Partitions of topics that are created for workflows. */
  readonly partitionsOf: (topic: string) => number
  readonly createsTopics: boolean
  /** How often topics are asked for new partitions; 0: never, where nobody else can add some. */
  readonly refreshEveryMs: number
}

interface Call {
  readonly resolve: (answer: EngineAnswer) => void
  readonly reject: (error: Unavailable) => void
}

/** Alarms that an operator should know of: the latest are kept. */
const alarmsMax = 20

export class Worker implements WorkerFace {
  readonly #options: WorkerOptions
  readonly #definitions: Definitions
  readonly #executor: Executor
  readonly #hosts: PartitionHost[] = []
  readonly #queries: Queries
  readonly #topics: TopicAccess
  readonly #counters: Counters = new Map()
  readonly #calls = new Map<number, Call>()
  readonly #alarms: string[] = []
  #callsSoFar = 0
  #definitionProblems: readonly Problem[] = []
  #isStopping = false
  #cancelRefresh = (): void => {}

  private constructor(options: WorkerOptions) {
    const { app, log, logger, clock, handlers, handlersMax, partitionsOf, createsTopics } = options
    const topics = topicsOf(app)
    this.#options = options
    this.#definitions = new Definitions({ log, clock, topics, logger, partitionsOf, createsTopics })
    this.#executor = new Executor({ handlers, clock, logger, handlersMax })
    for (let partition = 0; partition < options.partitions; partition++) {
      this.#hosts.push(
        new PartitionHost({
          ...options,
          topics,
          partition,
          definitions: this.#definitions,
          executor: this.#executor,
          logger: logger.child({ partition }),
          sourceTopics: () => this.#definitions.sourceTopics(),
          perform: (effect) => this.#perform(partition, effect),
          onCommitted: ({ counters, touched }) => {
            for (const [name, by] of counters) count(this.#counters, name, by)
            this.#queries.changed(touched)
          },
          onAlarm: (message) => this.#alarm(message),
        }),
      )
    }
    this.#queries = new Queries({ hosts: this.#hosts, definitions: this.#definitions, executor: this.#executor, clock })
    this.#topics = new TopicAccess(log, clock)
  }

  /** Makes the application's topics, reads the definitions, joins the group. @throws {ConfigError} DW_PARTITIONS_DIFFER */
  static async start(options: WorkerOptions): Promise<Worker> {
    const worker = new Worker(options)
    await worker.#persist('preparing the topics', () => worker.#prepareTopics())
    await worker.#persist('reading the definitions', () => worker.#definitions.open())
    worker.#definitions.onChange(() => worker.#refreshSources())
    await worker.#persist('joining the group', () =>
      options.membership.join((assignment) => worker.#assigned(assignment)),
    )
    worker.#refreshLater()
    return worker
  }

  /** Makes these files the current ones of a source; `problems` are shown until the next time. */
  async publish(
    source: string,
    files: ReadonlyMap<string, readonly Workflow[] | 'broken'>,
    problems: readonly Problem[],
  ): Promise<void> {
    this.#definitionProblems = problems
    await this.#persist('publishing the workflows', () => this.#definitions.publish(source, files))
  }

  #persist<Result>(what: string, attempt: () => Promise<Result>): Promise<Result> {
    const { clock, logger } = this.#options
    return persist({ clock, logger, what, isOver: () => this.#isStopping }, attempt)
  }

  /** Finishes what is under way, lets go of the partitions, leaves the group. */
  async stop(): Promise<void> {
    if (this.#isStopping) return
    this.#isStopping = true
    this.#cancelRefresh()
    await Promise.all(this.#hosts.map((host) => host.close()))
    await this.#options.membership.leave()
    this.#definitions.close()
  }

  /** Resolves when every partition that is ours runs, or has stopped for a person to look at. */
  async whenReady(): Promise<void> {
    const { clock } = this.#options
    while (
      !this.#isStopping &&
      !this.#hosts.every((host) => host.role !== 'owner' || host.running !== undefined || host.phase === 'stopped')
    ) {
      await new Promise<void>((resolve) => void clock.after(10, resolve))
    }
  }

  view(): WorkerView {
    const partitions = this.#hosts.flatMap((host, partition): PartitionView[] => {
      if (host.role !== 'owner') return []
      const reason = host.reason
      return [
        { partition, phase: host.phase, ...(reason === undefined ? {} : { reason }), lagRecords: host.restoreLeft },
      ]
    })
    const stopped = partitions.filter(({ phase }) => phase === 'stopped')
    const problems = [
      ...this.#options.log.problems(),
      ...stopped.map(
        ({ partition, reason }) => `partition ${partition} has stopped and needs a person: ${reason ?? ''}`,
      ),
      ...this.#alarms,
    ]
    return {
      app: this.#options.app,
      workerId: this.#options.workerId,
      log: this.#options.logKind,
      isReady: !this.#isStopping && partitions.length > 0 && partitions.every(({ phase }) => phase === 'running'),
      problems,
      definitionProblems: this.#definitionProblems,
      partitions,
      workflows: this.#definitions.catalogue.listCurrent().map((workflow) => ({
        name: workflow.name,
        version: workflow.version,
        ...(workflow.label === undefined ? {} : { label: workflow.label }),
        ...(workflow.description === undefined ? {} : { description: workflow.description }),
        startTopics: workflow.start.map(({ topic }) => topic),
      })),
      counters: Object.fromEntries([...this.#counters].sort()),
    }
  }

  async startInstance(request: StartRequest): Promise<StartAnswer> {
    const workflow = this.#definitions.catalogue.current(request.workflow)
    if (workflow === undefined) {
      return { outcome: 'rejected', code: 'workflow-not-found', message: `there is no workflow '${request.workflow}'` }
    }
    const key = request.key ?? request.idempotencyKey ?? this.#options.ids.next()
    if (key === '' || key.length > limits.keyLengthMax) {
      return {
        outcome: 'rejected',
        code: 'key-invalid',
        message: `key: expected 1 to ${limits.keyLengthMax} characters, found ${key.length}`,
      }
    }
    const host = this.#hosts[partitionOfText(key, this.#hosts.length)]
    if (host === undefined || host.role !== 'owner' || host.phase === 'stopped' || this.#isStopping) {
      throw new Unavailable('not-ready', 'the partition of this key does not run in this worker now')
    }
    if (this.#calls.size >= limits.apiCallsWaitingMax)
      throw new Unavailable('overloaded', 'too many calls are waiting to be decided')
    const call = this.#callsSoFar++
    return new Promise<EngineAnswer>((resolve, reject) => {
      this.#calls.set(call, { resolve, reject })
      host.submit({
        command: {
          type: 'instance.start',
          workflow: workflow.name,
          version: workflow.version,
          key,
          origin: { kind: 'api', input: Payload.of(request.input), idempotencyKey: request.idempotencyKey, call },
        },
        onLost: (reason) => this.#lost(call, reason),
      })
    })
  }

  async findInstance(id: string): Promise<InstanceView | undefined> {
    return this.#queries.find(id)
  }

  async findInstanceByKey(workflow: string, key: string): Promise<InstanceView | undefined> {
    return this.#queries.findByKey(workflow, key)
  }

  listInstances(
    filter: InstanceFilter,
  ): Promise<{ readonly items: readonly InstanceSummary[]; readonly next?: string }> {
    return this.#queries.list(filter)
  }

  followInstance(id: string, seen: number, waitMs: number): Promise<InstanceView | undefined> {
    return this.#queries.follow(id, seen, waitMs)
  }

  produce(topic: string, records: readonly ProduceRecord[]): Promise<readonly ProduceResult[] | undefined> {
    return this.#topics.produce(topic, records)
  }

  listTopics(): Promise<readonly TopicView[]> {
    return this.#topics.list()
  }

  consume(request: {
    topic: string
    partition: number
    offset: number
    limit: number
    waitMs: number
  }): Promise<{ readonly records: readonly RecordView[]; readonly nextOffset: number } | undefined> {
    return this.#topics.consume(request)
  }

  async #prepareTopics(): Promise<void> {
    const { log, app, partitions, createsTopics } = this.#options
    const topics = topicsOf(app)
    if (createsTopics) {
      await log.createTopics([
        { name: topics.inbox, partitions, cleanup: 'unlimited' },
        { name: topics.changelog, partitions, cleanup: 'compacted' },
        { name: topics.definitions, partitions: 1, cleanup: 'compacted' },
        { name: topics.deadLetter, partitions, cleanup: 'retained' },
      ])
    }
    const changelog = (await log.describeTopics([topics.changelog])).get(topics.changelog)
    if (changelog !== undefined && changelog.partitions !== partitions) {
      throw new ConfigError([
        {
          code: 'DW_PARTITIONS_DIFFER',
          message: `the application ${app} was made with ${changelog.partitions} partitions, and that is fixed; this worker was told ${partitions}. Start it with --partitions ${changelog.partitions}.`,
        },
      ])
    }
  }

  #assigned({ owned, standby }: Assignment): void {
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
      case 'call.answer':
        this.#calls.get(effect.call)?.resolve(effect.answer)
        this.#calls.delete(effect.call)
        return
      case 'handler.request':
        this.#executor.request({ ...effect, partition }, (command) => {
          // A grant that falls with its batch is asked for anew by the next incarnation; a result is kept for it.
          const onLost = command.type === 'task.execute' ? (): void => {} : undefined
          this.#hosts[partition]?.submit({ command, onLost })
        })
        return
      case 'handler.run':
        this.#executor.run(effect)
        return
      case 'handler.abort':
        this.#executor.abort(effect.instanceId, effect.task)
    }
  }

  #lost(call: number, reason: 'not-ready' | 'outcome-unknown'): void {
    const message =
      reason === 'not-ready'
        ? 'the partition of this key does not run now; nothing was started'
        : 'it is not known whether the instance was started; repeat with the same Idempotency-Key to find out'
    this.#calls.get(call)?.reject(new Unavailable(reason, message))
    this.#calls.delete(call)
  }

  #alarm(message: string): void {
    this.#options.logger.error({}, message)
    count(this.#counters, 'alarms')
    this.#alarms.push(message)
    if (this.#alarms.length > alarmsMax) this.#alarms.shift()
  }
}
