// A worker in memory for the tests of http and cli: it keeps topics and instances as they are put in, runs no workflow,
// and does what it is told: `failWith` makes every call throw, `startAnswers` answers the next starts,
// `change` moves an instance on and wakes whoever follows it.
import { partitionOfText } from '../../src/base/partitioner.ts'
import type { Json } from '../../src/base/json.ts'
import type {
  Action,
  ActionAnswer,
  FleetFace,
  DeadLettersFace,
  ExplainFace,
  InstanceFilter,
  InstancePage,
  InstancesFace,
  InstanceSummary,
  InstanceView,
  ListsFace,
  PartitionStanding,
  PartitionView,
  ProduceRecord,
  ProduceResult,
  RecordView,
  StartAnswer,
  StandingFace,
  StartRequest,
  TopicsFace,
  TopicView,
  WorkerFace,
  WorkerRecord,
  WorkerView,
  WorkflowsFace,
  WorkflowSummary,
  WorkflowVersionView,
  WorkflowView,
} from '../../src/runtime/face.ts'
import { Metrics } from '../../src/runtime/metrics/metrics.ts'
import { readingsOfView } from '../../src/runtime/metrics/worker-metrics.ts'

export interface FakeWorkerOptions {
  /** Partitions by topic; by default "orders" with 3 and "reviews" with 1. */
  readonly topics?: { readonly [name: string]: number }
  /** Names of workflows; by default "order" and "refund". */
  readonly workflows?: readonly string[]
}

export class FakeWorker implements WorkerFace {
  /** Thrown by every call while it is set. */
  failWith: Error | undefined
  /** Answers for the next starts, first one first; with none left, starts start. */
  readonly startAnswers: StartAnswer[] = []
  /** Results for the next records produced, first one first; with none left, records are appended. */
  readonly produceResults: ProduceResult[] = []
  readonly startRequests: StartRequest[] = []
  readonly known = new Map<string, InstanceView>()
  readonly records = new Map<string, RecordView[][]>()
  #view: WorkerView
  #idempotent = new Map<string, { instanceId: string; key: string }>()
  #waiting = new Set<() => void>()

  constructor(options: FakeWorkerOptions = {}) {
    for (const [name, partitions] of Object.entries(options.topics ?? { orders: 3, reviews: 1 })) {
      this.records.set(
        name,
        Array.from({ length: partitions }, () => []),
      )
    }
    this.metrics.observe(() => readingsOfView(this.view()))
    this.#view = {
      app: 'dagger',
      workerId: 'fake-1',
      log: 'memory',
      isReady: true,
      problems: [],
      definitionProblems: [],
      partitions: [
        { partition: 0, phase: 'running', restoreLeft: 0 },
        { partition: 1, phase: 'running', restoreLeft: 2 },
      ],
      copies: [],
      lag: [{ topic: 'orders', records: 3, oldestAgeMs: 1_500 }],
      workflows: (options.workflows ?? ['order', 'refund']).map((name) => ({
        name,
        version: `${name}@3f9c2a1b`,
        startTopics: ['orders'],
      })),
      counters: { instances_started: 0 },
    }
  }

  /** Other workers, as they said who they are. */
  readonly peers: WorkerRecord[] = []
  readonly fleet: FleetFace = {
    all: () => this.peers,
    peers: () => this.peers,
    urlOf: (partition) => this.peers.find(({ owned }) => owned.some((each) => each.partition === partition))?.url,
  }
  partitionsInAll = 2
  readonly metrics = new Metrics(() => performance.now())
  stuckNow: readonly string[] = []
  stuck = (): readonly string[] => this.stuckNow

  instances: InstancesFace = {
    start: (request) => this.#start(request),
    operate: (id, action, by) => this.#operate(id, action, by),
    find: async (id) => {
      this.#check()
      return this.known.get(id)
    },
    findByKey: async (workflow, key) => {
      this.#check()
      return [...this.known.values()].findLast((found) => found.workflow === workflow && found.key === key)
    },
    list: (filter) => this.#list(filter),
    follow: (id, seen, waitMs) => this.#follow(id, seen, waitMs),
    watch: (listener) => {
      this.#watchers.add(listener)
      return () => void this.#watchers.delete(listener)
    },
  }

  readonly topics: TopicsFace = {
    produce: (topic, records) => this.produce(topic, records),
    list: () => this.#listTopics(),
    consume: (request) => this.#consume(request),
  }

  readonly workflows: WorkflowsFace = {
    list: async () => {
      this.#check()
      return { items: this.#view.workflows.map((each) => summaryOfWorkflow(each)), counted: allCounted }
    },
    find: async (name, version) => {
      this.#check()
      const found = this.#versionsOf(name).find((each) => version === undefined || each.version === version)
      return found && { workflow: { ...found, definition: { workflow: name, tasks: [] } }, counted: allCounted }
    },
    versions: async (name) => {
      this.#check()
      const items = this.#versionsOf(name)
      return items.length === 0 ? undefined : { items, total: items.length, counted: allCounted }
    },
  }

  /** None, until a test puts some there. */
  deadLetters: DeadLettersFace = {
    list: async () => ({ items: [] }),
    find: async () => undefined,
    redrive: async () => ({ outcome: 'refused', code: 'dead-letter-not-found', message: 'there is none' }),
    redriveMany: async () => ({ redriven: 0, failed: 0, alreadyRedriven: 0, results: [] }),
  }

  /** Nothing to explain or to list, until a test says otherwise. */
  explain: ExplainFace = { instance: async () => undefined, record: async () => undefined }
  lists: ListsFace = {
    timers: async () => ({ items: [], partitions: [0, 1] }),
    subscriptions: async () => ({ items: [], partitions: [0, 1] }),
    kept: async () => ({ items: [], partitions: [0, 1] }),
  }
  standing: StandingFace = {
    partitions: async () => this.#view.partitions.map((view) => standingOf(view)),
    worker: async () => ({
      worker: this.#view.workerId,
      problems: this.#view.problems,
      definitionProblems: this.#view.definitionProblems,
      partitions: this.#view.partitions.map((view) => standingOf(view)),
      incidents: { groups: [], instancesLookedAt: 0, isCut: false },
      durability: { kind: 'memory' },
    }),
  }

  #versionsOf(name: string): readonly WorkflowVersionView[] {
    return this.#view.workflows.filter((each) => each.name === name).map(versionOfWorkflow)
  }

  readonly #watchers = new Set<(changed: readonly InstanceSummary[]) => void>()

  /** How many watch all changes. */
  get watching(): number {
    return this.#watchers.size
  }

  /** How many calls wait for a change now. */
  get waiting(): number {
    return this.#waiting.size
  }

  setView(change: Partial<WorkerView>): void {
    this.#view = { ...this.#view, ...change }
  }

  /** Puts an instance in, or changes it, adds a line to its timeline, and wakes whoever follows it. */
  change(id: string, change: Partial<InstanceView>, note = 'changed'): InstanceView {
    const before = this.known.get(id) ?? emptyInstance(id)
    const entry = { at: startOfTime, status: change.status ?? before.status, note }
    const after = { ...before, ...change, timeline: [...before.timeline, entry] }
    this.known.set(id, after)
    for (const watcher of this.#watchers) watcher([summaryOf(after)])
    this.#wake()
    return after
  }

  view(): WorkerView {
    this.#check()
    return this.#view
  }

  /** What was done to instances; answered by `actionAnswers`, the first one first, else as done. */
  readonly actions: { readonly id: string; readonly action: Action; readonly by: string }[] = []
  readonly actionAnswers: ActionAnswer[] = []

  async #operate(id: string, action: Action, by: string): Promise<ActionAnswer> {
    if (this.failWith !== undefined) throw this.failWith
    this.actions.push({ id, action, by })
    return this.actionAnswers.shift() ?? { outcome: 'done' }
  }

  async #start(request: StartRequest): Promise<StartAnswer> {
    this.#check()
    this.startRequests.push(request)
    const answer = this.startAnswers.shift()
    if (answer !== undefined) return answer
    if (!this.#view.workflows.some((workflow) => workflow.name === request.workflow)) {
      return { outcome: 'rejected', code: 'workflow-not-found', message: `no workflow "${request.workflow}"` }
    }
    const earlier = this.#idempotent.get(request.idempotencyKey ?? '')
    if (earlier !== undefined) return { outcome: 'repeated', ...earlier }
    const instanceId = `instance-${this.known.size + 1}`
    const key = request.key ?? request.idempotencyKey ?? instanceId
    for (const other of this.known.values()) {
      if (other.workflow === request.workflow && other.key === key && other.status === 'EXECUTING') {
        return { outcome: 'ignored', instanceId: other.id, key }
      }
    }
    this.change(instanceId, { workflow: request.workflow, key, input: request.input }, 'started')
    if (request.idempotencyKey !== undefined) this.#idempotent.set(request.idempotencyKey, { instanceId, key })
    return { outcome: 'started', instanceId, key }
  }

  /** The filters of the lists that were asked for. */
  readonly listed: InstanceFilter[] = []

  async #list(filter: InstanceFilter): Promise<InstancePage> {
    this.#check()
    this.listed.push(filter)
    const found = [...this.known.values()]
      .toReversed()
      .filter((instance) => filter.workflow === undefined || instance.workflow === filter.workflow)
      .filter((instance) => filter.status === undefined || filter.status.includes(instance.status))
      .filter((instance) => instance.key.startsWith(filter.keyPrefix ?? ''))
      .filter((instance) => filter.incident !== true || instance.incidents > 0)
    const from = Number(filter.cursor ?? 0)
    const items = found.slice(from, from + filter.limit).map(summaryOf)
    const end = from + items.length
    const partitions = [0, 1]
    return end < found.length ? { items, partitions, next: String(end) } : { items, partitions }
  }

  async #follow(id: string, seen: number, waitMs: number): Promise<InstanceView | undefined> {
    this.#check()
    const hasChanged = () => {
      const instance = this.known.get(id)
      return instance === undefined || instance.timeline.length + instance.timelineDropped !== seen
    }
    await this.#waitUntil(hasChanged, waitMs)
    return this.known.get(id)
  }

  async produce(topic: string, records: readonly ProduceRecord[]): Promise<readonly ProduceResult[] | undefined> {
    this.#check()
    const partitions = this.records.get(topic)
    if (partitions === undefined) return undefined
    const results = records.map((record) => this.produceResults.shift() ?? append(partitions, record))
    this.#wake()
    return results
  }

  async #listTopics(): Promise<readonly TopicView[]> {
    this.#check()
    return [...this.records].map(([name, partitions]) => ({
      name,
      partitions: partitions.map((records, partition) => ({ partition, earliest: 0, end: records.length })),
    }))
  }

  async #consume(request: { topic: string; partition: number; offset: number; limit: number; waitMs: number }) {
    this.#check()
    const records = this.records.get(request.topic)?.[request.partition]
    if (records === undefined) return undefined
    await this.#waitUntil(() => records.length > request.offset, request.waitMs)
    const found = records.slice(request.offset, request.offset + request.limit)
    return { records: found, nextOffset: request.offset + found.length }
  }

  #check(): void {
    if (this.failWith !== undefined) throw this.failWith
  }

  #wake(): void {
    for (const wake of this.#waiting) wake()
  }

  async #waitUntil(isSo: () => boolean, waitMs: number): Promise<void> {
    if (isSo() || waitMs === 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const wake = () => {
      if (isSo()) resolve()
    }
    this.#waiting.add(wake)
    const timer = setTimeout(resolve, waitMs).unref()
    await promise
    clearTimeout(timer)
    this.#waiting.delete(wake)
  }
}

const standingOf = (view: PartitionView): PartitionStanding => ({
  ...view,
  worker: 'fake-1',
  sources: [],
  copies: [],
  kept: { records: 0, bytes: 0 },
  timersOverdue: 0,
})

const allCounted = { isComplete: true, instances: 3, partitions: 2, partitionsInAll: 2 }

function versionOfWorkflow(workflow: WorkflowView): WorkflowVersionView {
  return {
    ...workflow,
    isCurrent: true,
    publishedAt: startOfTime,
    publishedFrom: { source: 'dagger', file: `${workflow.name}.yaml` },
    instances: { open: 1, kept: 3 },
  }
}

function summaryOfWorkflow(workflow: WorkflowView): WorkflowSummary {
  return { ...versionOfWorkflow(workflow), versions: 1, instancesInAll: { open: 1, kept: 3 } }
}

const startOfTime = '2026-01-01T00:00:00.000Z'

function emptyInstance(id: string): InstanceView {
  return {
    id,
    workflow: 'order',
    version: 'order@3f9c2a1b',
    key: id,
    status: 'EXECUTING',
    incidents: 0,
    startedAt: startOfTime,
    waitingAt: [],
    partition: 0,
    input: null,
    vars: {},
    origin: 'api',
    tasks: [],
    tasksLeftOut: 0,
    timeline: [],
    timelineDropped: 0,
  }
}

function summaryOf(instance: InstanceView) {
  const { id, workflow, version, key, status, incidents, startedAt, endedAt, waitingAt, attributes } = instance
  const base = { id, workflow, version, key, status, incidents, startedAt, waitingAt }
  const summary = attributes === undefined ? base : { ...base, attributes }
  return endedAt === undefined ? summary : { ...summary, endedAt }
}

function append(partitions: RecordView[][], record: ProduceRecord): ProduceResult {
  const key = record.key instanceof Uint8Array ? Buffer.from(record.key).toString() : (record.key ?? null)
  const partition = record.partition ?? (key === null ? 0 : partitionOfText(key, partitions.length))
  const records = partitions[partition]
  if (records === undefined) return { error: 'bad-partition', message: `there is no partition ${partition}` }
  const headers: { [key: string]: string } = {}
  for (const header of record.headers ?? []) headers[header.key] = Buffer.from(header.value).toString()
  const view = { partition, offset: records.length, timestamp: startOfTime, key, headers, ...valueOf(record.value) }
  records.push(view)
  return { partition, offset: view.offset }
}

function valueOf(bytes: Uint8Array | null): { value: Json; valueBase64?: string } {
  if (bytes === null) return { value: null }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    try {
      const value: Json = JSON.parse(text)
      return { value }
    } catch {
      return { value: text }
    }
  } catch {
    return { value: null, valueBase64: Buffer.from(bytes).toString('base64') }
  }
}
