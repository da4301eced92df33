// The worker's HTTP API as the commands use it: the one place of the command line that knows its paths. Every remote
// command goes through here, and so do the simulated services of the demo.
import type { Json } from '../base/json.ts'
import type {
  ChannelFilter,
  DeadLettersFace,
  DeadLetterView,
  IncidentGroup,
  InstanceExplanation,
  InstanceSummary,
  InstanceView,
  OperationView,
  KeptView,
  PartitionStanding,
  RecordExplanation,
  RecordView,
  RedriveAnswer,
  RedriveManyAnswer,
  StartAnswer,
  SubscriptionView,
  TimerFilter,
  TimerView,
  TopicView,
  WorkerRecord,
  WorkerStanding,
  WorkflowAnswer,
  WorkflowsFace,
  WorkflowVersions,
} from '../runtime/face.ts'
import type { Coordinates, DeadLetterQuery, RedriveTo } from './dead-letter-flags.ts'
import type { CallOptions, Calls } from './calls.ts'
import type { InstanceFlags } from './instance-flags.ts'

/** A record as `POST /topics/{topic}` takes it. Bytes that are not JSON are base64, told by `Format`. */
export interface RecordToProduce {
  readonly key?: Json
  readonly value: Json
  readonly partition?: number
  readonly headers?: { readonly [name: string]: string }
}

/** json: keys and values are JSON; binary: they are base64. */
export type Format = 'json' | 'binary'

export interface ProducedOffset {
  readonly partition: number | null
  readonly offset: number | null
  /** "record-too-large: …"; null where it was produced. */
  readonly error: string | null
}

export type StartOutcome = Exclude<StartAnswer, { readonly outcome: 'rejected' }>

/** Of a page of a list. */
interface Bounds {
  readonly limit: number
  readonly cursor?: string | undefined
}

export interface Page<Item> {
  readonly items: readonly Item[]
  readonly next?: string
}

/** How the application stands, as `GET /status` tells it. */
export interface Status {
  readonly verdict: 'well' | 'needs-a-person' | 'unknown'
  readonly reasons: readonly { readonly code: string; readonly message: string }[]
  readonly workers: readonly WorkerStanding[]
  readonly silent: readonly { readonly worker: string; readonly url: string }[]
  readonly missing: readonly number[]
  readonly behind: readonly { readonly topic: string; readonly behind: number; readonly oldestUnreadAt?: string }[]
  readonly incidents: readonly IncidentGroup[]
  readonly deadLetters: {
    readonly since: string
    readonly byReason: readonly { readonly reason: string; readonly count: number }[]
    readonly isCut: boolean
  }
}

/** Instances are looked through for it, in every worker. */
const statusWaitMs = 30_000

export interface RecordsPage {
  readonly records: readonly RecordView[]
  readonly nextOffset: number
}

export class Client {
  readonly #calls: Calls

  constructor(calls: Calls) {
    this.#calls = calls
  }

  /** Without a slash at the end. */
  get server(): string {
    return this.#calls.server
  }

  /** Gives up every call under way, which fails with an AbortError, and every one after it. */
  close(): void {
    this.#calls.close()
  }

  get isClosed(): boolean {
    return this.#calls.isClosed
  }

  /** Produces records, each one durable when this resolves; the answers are in their order. */
  async produce(
    topic: string,
    records: readonly RecordToProduce[],
    format: Format = 'json',
  ): Promise<readonly ProducedOffset[]> {
    const answer = await this.#calls.call<{ readonly offsets: readonly ProducedOffset[] }>(
      `/topics/${encodeURIComponent(topic)}`,
      {
        body: { records },
        contentType: `application/vnd.kafka.${format}.v2+json`,
      },
    )
    return answer.offsets
  }

  async listWorkers(): Promise<readonly WorkerRecord[]> {
    const answer = await this.#calls.call<{ readonly items: readonly WorkerRecord[] }>('/workers')
    return answer.items
  }

  listPartitions(): Promise<{ readonly items: readonly PartitionStanding[]; readonly missing: readonly number[] }> {
    return this.#calls.call('/partitions')
  }

  status(): Promise<Status> {
    return this.#calls.call('/status', { waitMs: statusWaitMs })
  }

  listTimers(query: TimerFilter): Promise<Page<TimerView>> {
    return this.#calls.call('/timers', { query: { ...query } })
  }

  listSubscriptions(query: ChannelFilter): Promise<Page<SubscriptionView>> {
    return this.#calls.call('/subscriptions', { query: { ...query } })
  }

  listKept(query: ChannelFilter & { readonly withRecord?: boolean }): Promise<Page<KeptView>> {
    return this.#calls.call('/kept-records', { query: { ...query } })
  }

  /** @throws {ApiProblem} There is no such instance. */
  explainInstance(id: string): Promise<InstanceExplanation> {
    return this.#calls.call(`/instances/${encodeURIComponent(id)}/explain`)
  }

  /** @throws {ApiProblem} There is no such topic or partition. */
  explainRecord(topic: string, partition: number, offset: number): Promise<RecordExplanation> {
    return this.#calls.call(`/topics/${encodeURIComponent(topic)}/partitions/${partition}/records/${offset}/explain`)
  }

  async listTopics(): Promise<readonly TopicView[]> {
    const answer = await this.#calls.call<{ readonly topics: readonly TopicView[] }>('/topics')
    return answer.topics
  }

  /** Records of a partition from an offset on; waits up to `waitMs` for the first. */
  records(
    topic: string,
    partition: number,
    query: { readonly offset: number | 'earliest' | 'latest'; readonly limit: number; readonly waitMs: number },
  ): Promise<RecordsPage> {
    return this.#calls.call(`/topics/${encodeURIComponent(topic)}/partitions/${partition}/records`, {
      query,
      waitMs: query.waitMs,
    })
  }

  /** Starts an instance; a repetition with the same idempotency key gets the first answer. @throws {ApiProblem} refused */
  startInstance(
    request: { readonly workflow: string; readonly key?: string; readonly input: Json; readonly by?: string },
    idempotencyKey: string,
    trace: CallOptions['headers'] = {},
  ): Promise<StartOutcome> {
    return this.#calls.call('/instances', { body: request, headers: { 'idempotency-key': idempotencyKey, ...trace } })
  }

  listInstances(query: InstanceFlags & Bounds): Promise<Page<InstanceSummary>> {
    return this.#calls.call('/instances', { query: { ...query } })
  }

  /** Acts on an instance: "signal", "retry", …, with what that action takes. */
  async operate(id: string, action: string, body: { readonly [member: string]: Json }): Promise<void> {
    await this.#calls.call(`/instances/${encodeURIComponent(id)}/${action}`, { body })
  }

  /** By id; with `seen`, resolves when the timeline has become longer than that, or after `waitMs`. */
  findInstance(
    id: string,
    follow?: { readonly seen: number; readonly waitMs: number },
  ): Promise<InstanceView | undefined> {
    return this.#calls.find(`/instances/${encodeURIComponent(id)}`, {
      query: follow ?? {},
      waitMs: follow?.waitMs ?? 0,
    })
  }

  /** The latest instance of a workflow with a business key. */
  findInstanceByKey(workflow: string, key: string): Promise<InstanceView | undefined> {
    return this.#calls.find(`/instances/by-key/${encodeURIComponent(workflow)}/${encodeURIComponent(key)}`)
  }

  /** Begins to act on all instances that its filter wants. @throws {ApiProblem} It is refused. */
  startOperation(body: { readonly [member: string]: unknown }): Promise<OperationView> {
    return this.#calls.call('/operations', { body })
  }

  async listOperations(): Promise<readonly OperationView[]> {
    const answer = await this.#calls.call<{ readonly items: readonly OperationView[] }>('/operations')
    return answer.items
  }

  /** Once it is over, or after `waitMs`. @throws {ApiProblem} There is none. */
  operation(id: string, waitMs = 0): Promise<OperationView> {
    return this.#calls.call(`/operations/${encodeURIComponent(id)}`, { query: { waitMs }, waitMs })
  }

  /** @throws {ApiProblem} There is none. */
  cancelOperation(id: string): Promise<OperationView> {
    return this.#calls.call(`/operations/${encodeURIComponent(id)}/cancel`, { body: {} })
  }

  listWorkflows(): ReturnType<WorkflowsFace['list']> {
    return this.#calls.call('/workflows')
  }

  /** The current version, or the one that is named. @throws {ApiProblem} There is none. */
  workflow(name: string, version?: string): Promise<WorkflowAnswer> {
    return this.#calls.call(`/workflows/${encodeURIComponent(name)}`, { query: { version } })
  }

  /** @throws {ApiProblem} There is no such workflow. */
  workflowVersions(name: string): Promise<WorkflowVersions> {
    return this.#calls.call(`/workflows/${encodeURIComponent(name)}/versions`)
  }

  listDeadLetters(
    query: DeadLetterQuery & { readonly pending?: boolean | undefined },
  ): ReturnType<DeadLettersFace['list']> {
    return this.#calls.call('/dead-letters', { query: { ...query } })
  }

  findDeadLetter({ partition, offset }: Coordinates): Promise<DeadLetterView | undefined> {
    return this.#calls.find(`/dead-letters/${partition}/${offset}`)
  }

  /** @throws {ApiProblem} It is refused. */
  redrive({ partition, offset }: Coordinates, to: RedriveTo): Promise<Exclude<RedriveAnswer, { outcome: 'refused' }>> {
    return this.#calls.call(`/dead-letters/${partition}/${offset}/redrive`, { body: to })
  }

  redriveMany(request: DeadLetterQuery & RedriveTo & { readonly dryRun: boolean }): Promise<RedriveManyAnswer> {
    return this.#calls.call('/dead-letters/redrive', { body: request })
  }
}
