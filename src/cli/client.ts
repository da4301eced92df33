// The worker's HTTP API as the commands use it: the one place of the command line that knows paths, statuses and
// `fetch`. Every remote command goes through here, and so do the simulated services of the demo.
import type { Json } from '../base/json.ts'
import type {
  DeadLettersFace,
  DeadLetterView,
  InstanceStatus,
  InstanceSummary,
  InstanceView,
  RecordView,
  RedriveAnswer,
  RedriveManyAnswer,
  StartAnswer,
  TopicView,
  WorkerRecord,
  WorkflowAnswer,
  WorkflowsFace,
  WorkflowVersions,
} from '../runtime/face.ts'
import type { Coordinates, DeadLetterQuery, RedriveTo } from './dead-letter-flags.ts'
import { exitCodes } from './exit-codes.ts'
import { CommandFailure } from './failure.ts'
import { printable, shellQuoted } from './output.ts'

export const defaultServer = 'http://127.0.0.1:7070'
/** Of a call that does not wait for anything. */
const callTimeoutMs = 30_000

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

export interface InstanceQuery {
  readonly workflow?: string | undefined
  readonly status?: InstanceStatus | undefined
  readonly keyPrefix?: string | undefined
  readonly incident?: boolean | undefined
  readonly limit: number
  readonly cursor?: string | undefined
}

export interface Page<Item> {
  readonly items: readonly Item[]
  readonly next?: string
}

export interface RecordsPage {
  readonly records: readonly RecordView[]
  readonly nextOffset: number
}

/** The worker said no: an RFC 9457 problem. */
export class ApiProblem extends CommandFailure {
  readonly status: number
  /** "input-invalid", "workflow-not-found", …; empty where the answer had none. */
  readonly code: string
  constructor(status: number, code: string, message: string) {
    super(message, status === 503 ? exitCodes.unavailable : exitCodes.failed)
    this.status = status
    this.code = code
  }
}

/** Nothing answers at the address. */
export class WorkerUnreachable extends CommandFailure {
  constructor(server: string, reason: string) {
    super(
      `No worker answers at ${server} (${reason}).\n` +
        `Start one with:        dagger-worker start --workflows ./workflows\n` +
        `or name another with:  --server URL (or DAGGER_WORKER_SERVER)`,
      exitCodes.unavailable,
    )
  }
}

export class Client {
  /** Without a slash at the end. */
  readonly server: string
  readonly #closing = new AbortController()

  /** @throws {CommandFailure} The address is not an http URL. */
  constructor(server: string) {
    if (!/^https?:$/.test(URL.parse(server)?.protocol ?? '')) {
      throw new CommandFailure(
        `"${server}" is not an address of a worker: expected something like ${defaultServer}.`,
        exitCodes.usage,
      )
    }
    this.server = server.replace(/\/+$/, '')
  }

  /** Gives up every call under way, which fails with an AbortError, and every one after it. */
  close(): void {
    this.#closing.abort()
  }

  get isClosed(): boolean {
    return this.#closing.signal.aborted
  }

  /** Produces records, each one durable when this resolves; the answers are in their order. */
  async produce(
    topic: string,
    records: readonly RecordToProduce[],
    format: Format = 'json',
  ): Promise<readonly ProducedOffset[]> {
    const answer = await this.#call<{ readonly offsets: readonly ProducedOffset[] }>(
      `/topics/${encodeURIComponent(topic)}`,
      {
        body: { records },
        contentType: `application/vnd.kafka.${format}.v2+json`,
      },
    )
    return answer.offsets
  }

  async listWorkers(): Promise<readonly WorkerRecord[]> {
    const answer = await this.#call<{ readonly items: readonly WorkerRecord[] }>('/workers')
    return answer.items
  }

  async listTopics(): Promise<readonly TopicView[]> {
    const answer = await this.#call<{ readonly topics: readonly TopicView[] }>('/topics')
    return answer.topics
  }

  /** Records of a partition from an offset on; waits up to `waitMs` for the first. */
  records(
    topic: string,
    partition: number,
    query: { readonly offset: number | 'earliest' | 'latest'; readonly limit: number; readonly waitMs: number },
  ): Promise<RecordsPage> {
    return this.#call(`/topics/${encodeURIComponent(topic)}/partitions/${partition}/records`, {
      query,
      waitMs: query.waitMs,
    })
  }

  /** Starts an instance; a repetition with the same idempotency key gets the first answer. @throws {ApiProblem} refused */
  startInstance(
    request: { readonly workflow: string; readonly key?: string; readonly input: Json; readonly by?: string },
    idempotencyKey: string,
  ): Promise<StartOutcome> {
    return this.#call('/instances', { body: request, headers: { 'idempotency-key': idempotencyKey } })
  }

  listInstances(query: InstanceQuery): Promise<Page<InstanceSummary>> {
    return this.#call('/instances', { query: { ...query } })
  }

  /** Acts on an instance: "signal", "retry", …, with what that action takes. */
  async operate(id: string, action: string, body: { readonly [member: string]: Json }): Promise<void> {
    await this.#call(`/instances/${encodeURIComponent(id)}/${action}`, { body })
  }

  /** By id; with `seen`, resolves when the timeline has become longer than that, or after `waitMs`. */
  findInstance(
    id: string,
    follow?: { readonly seen: number; readonly waitMs: number },
  ): Promise<InstanceView | undefined> {
    return this.#find(`/instances/${encodeURIComponent(id)}`, { query: follow ?? {}, waitMs: follow?.waitMs ?? 0 })
  }

  /** The latest instance of a workflow with a business key. */
  findInstanceByKey(workflow: string, key: string): Promise<InstanceView | undefined> {
    return this.#find(`/instances/by-key/${encodeURIComponent(workflow)}/${encodeURIComponent(key)}`)
  }

  listWorkflows(): ReturnType<WorkflowsFace['list']> {
    return this.#call('/workflows')
  }

  /** The current version, or the one that is named. @throws {ApiProblem} There is none. */
  workflow(name: string, version?: string): Promise<WorkflowAnswer> {
    return this.#call(`/workflows/${encodeURIComponent(name)}`, { query: { version } })
  }

  /** @throws {ApiProblem} There is no such workflow. */
  workflowVersions(name: string): Promise<WorkflowVersions> {
    return this.#call(`/workflows/${encodeURIComponent(name)}/versions`)
  }

  listDeadLetters(
    query: DeadLetterQuery & { readonly pending?: boolean | undefined },
  ): ReturnType<DeadLettersFace['list']> {
    return this.#call('/dead-letters', { query: { ...query } })
  }

  findDeadLetter({ partition, offset }: Coordinates): Promise<DeadLetterView | undefined> {
    return this.#find(`/dead-letters/${partition}/${offset}`)
  }

  /** @throws {ApiProblem} It is refused. */
  redrive({ partition, offset }: Coordinates, to: RedriveTo): Promise<Exclude<RedriveAnswer, { outcome: 'refused' }>> {
    return this.#call(`/dead-letters/${partition}/${offset}/redrive`, { body: to })
  }

  redriveMany(request: DeadLetterQuery & RedriveTo & { readonly dryRun: boolean }): Promise<RedriveManyAnswer> {
    return this.#call('/dead-letters/redrive', { body: request })
  }

  async #find<Answer>(path: string, options: CallOptions = {}): Promise<Answer | undefined> {
    try {
      return await this.#call<Answer>(path, options)
    } catch (error) {
      if (error instanceof ApiProblem && error.status === 404) return undefined
      throw error
    }
  }

  async #call<Answer>(path: string, options: CallOptions = {}): Promise<Answer> {
    const url = new URL(this.server + path)
    for (const [name, value] of Object.entries(options.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value))
    }
    const timeout = AbortSignal.timeout(callTimeoutMs + (options.waitMs ?? 0))
    const headers: Record<string, string> = { accept: 'application/json', ...options.headers }
    if (options.body !== undefined) headers['content-type'] = options.contentType ?? 'application/json'
    let response: Response
    let text: string
    try {
      response = await fetch(url, {
        method: options.body === undefined ? 'GET' : 'POST',
        headers,
        ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
        signal: AbortSignal.any([timeout, this.#closing.signal]),
      })
      text = await response.text()
    } catch (error) {
      this.#closing.signal.throwIfAborted()
      throw new WorkerUnreachable(this.server, reasonOf(error))
    }
    if (!response.ok) throw problemOf(response, text, path)
    try {
      return JSON.parse(text)
    } catch {
      throw new CommandFailure(
        `${this.server} answered ${path} with something that is not JSON: is it a dagger-worker? Try: curl ${shellQuoted(`${this.server}/health`)}`,
        exitCodes.unavailable,
      )
    }
  }
}

interface CallOptions {
  readonly body?: unknown
  readonly contentType?: string
  readonly headers?: { readonly [name: string]: string }
  readonly query?: { readonly [name: string]: string | number | boolean | undefined }
  /** How long the worker may take its time by agreement. */
  readonly waitMs?: number
}

function problemOf(response: Response, text: string, path: string): ApiProblem {
  let problem: { [name: string]: unknown } = {}
  try {
    problem = Object(JSON.parse(text))
  } catch {
    // Not a problem document: the status has to do.
  }
  const code = typeof problem['code'] === 'string' ? problem['code'] : ''
  const { title, detail, violations, suggestion } = problem
  const what = [title, detail].filter((part) => typeof part === 'string').map(printable)
  const lines = [what.length > 0 ? what.join(': ') : `The worker answered ${path} with HTTP ${response.status}.`]
  for (const violation of Array.isArray(violations) ? violations : []) {
    const { pointer, message } = Object(violation)
    lines.push(printable(`  ${pointer === '' ? '(the value itself)' : pointer}  ${message}`))
  }
  if (typeof suggestion === 'string' && !lines[0]!.includes(`"${suggestion}"?`))
    lines.push(`Did you mean "${printable(suggestion)}"?`)
  return new ApiProblem(response.status, code, lines.join('\n'))
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return `no answer within ${callTimeoutMs / 1_000} s`
  const { cause } = error
  if (cause instanceof Error) return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message
  return error.message
}
