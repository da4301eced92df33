// One action on many instances: those that matched when it began, wherever they run.
//
// B1. matched = done + refused + failed + doneBefore + left, whenever it is looked at.
// B2. What matched is found first, down from the newest, so that what starts later is never taken; then each is acted on once.
// B3. Its id stands in the history of every instance that it did something to, in the transaction that did it. An operation
//     lives in the worker that took it, and ends with it: the same one again under its id leaves out those, whatever the action.
// B4. What cannot be done now is tried again for a while; what may have been done is told as that, and not done again.
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { Unavailable, type Action, type InstanceFilter, type OperationView, type WorkerFace } from '../runtime/face.ts'
import { actOn, historyOf, listAll } from './everywhere.ts'
import type { Asker } from './fleet.ts'
import { whoOf } from './guard.ts'
import { httpLimits } from './limits.ts'
import { HttpProblem, problemOf, type ProblemCode } from './problem.ts'

export interface OperationRequest {
  /** Of one that was lost with its worker: it goes on with that. */
  readonly id: string | undefined
  readonly action: Action
  /** What the address of the action takes beside `by`, for other workers. */
  readonly members: { readonly [name: string]: unknown }
  readonly filter: Omit<InstanceFilter, 'limit' | 'cursor'>
  readonly isDryRun: boolean
  /** At most so many instances, the newest. */
  readonly limit: number
  /** What they say of themselves, beside who they were proved to be. */
  readonly by: string | undefined
  readonly asker: Asker
}

type Mutable<Value> = { -readonly [Member in keyof Value]: Value[Member] }
type Outcome =
  | 'done'
  | 'doneBefore'
  | { readonly kind: 'refused' | 'failed'; readonly code: string; readonly message: string }

type Pause = (ms: number) => Promise<void>

const retryEveryMs = 500
const retryForMs = 30_000
/** Codes that say that nothing was done, and may be otherwise soon. */
const passing: ReadonlySet<ProblemCode> = new Set(['not-ready', 'overloaded', 'disk-full'])

class Operation {
  readonly id: string
  readonly #request: OperationRequest
  readonly #worker: WorkerFace
  readonly #pause: Pause
  readonly #startedAt = new Date().toISOString()
  readonly #counts: Mutable<Omit<OperationView['counts'], 'left'>> = {
    matched: 0,
    done: 0,
    refused: 0,
    failed: 0,
    doneBefore: 0,
  }
  readonly #codes = new Map<string, number>()
  readonly #refusals: OperationView['refusals'][number][] = []
  readonly #ended = Promise.withResolvers<void>()
  #status: OperationView['status'] = 'counting'
  #hasMore = false
  #endedAt: string | undefined
  #error: OperationView['error']

  constructor(request: OperationRequest, worker: WorkerFace, wait: Pause) {
    this.#pause = wait
    this.id = request.id ?? `op-${randomUUID().replaceAll('-', '').slice(0, 16)}`
    this.#request = request
    this.#worker = worker
  }

  get isOver(): boolean {
    return this.#endedAt !== undefined
  }

  view(): OperationView {
    const { action, filter, isDryRun, by, asker } = this.#request
    const { matched, done, refused, failed, doneBefore } = this.#counts
    return {
      id: this.id,
      action: action.kind,
      filter,
      by: whoOf(asker, by) ?? 'api',
      isDryRun,
      worker: this.#worker.view().workerId,
      status: this.#status,
      startedAt: this.#startedAt,
      ...(this.#endedAt === undefined ? {} : { endedAt: this.#endedAt }),
      counts: { ...this.#counts, left: matched - done - refused - failed - doneBefore }, // B1
      hasMore: this.#hasMore,
      codes: Object.fromEntries(this.#codes),
      refusals: [...this.#refusals],
      ...(this.#error === undefined ? {} : { error: this.#error }),
    }
  }

  /** Resolves when it is over, or after `waitMs`. */
  async wait(waitMs: number): Promise<void> {
    const waiting = new AbortController()
    const timer = pause(waitMs, undefined, { signal: waiting.signal }).catch(() => {}) // it was over before
    await Promise.race([this.#ended.promise, timer])
    waiting.abort()
  }

  /** What is under way is finished, and nothing else begun. */
  cancel(): void {
    if (!this.isOver) this.#status = 'cancelling'
  }

  /** All of it; never rejects. */
  async run(): Promise<void> {
    try {
      const ids = await this.#match()
      if (!this.#request.isDryRun && this.#status !== 'cancelling') {
        this.#status = 'running'
        await this.#actOnAll(ids)
      }
      this.#status = this.#isCancelled ? 'cancelled' : 'completed'
    } catch (error) {
      const { code, message } = problemOf(error)
      this.#status = 'failed'
      this.#error = { code, message }
    }
    this.#endedAt = new Date().toISOString()
    this.#ended.resolve()
  }

  get #isCancelled(): boolean {
    return this.#status === 'cancelling'
  }

  /** B2 */
  async #match(): Promise<readonly string[]> {
    const { filter, limit, asker } = this.#request
    const ids: string[] = []
    let cursor: string | undefined
    do {
      const query = { ...filter, limit: httpLimits.instancesListedMax, ...(cursor === undefined ? {} : { cursor }) }
      const page = await this.#patiently(() => listAll(query, asker, this.#worker))
      for (const { id } of page.items.slice(0, limit - ids.length)) ids.push(id)
      cursor = page.next
      this.#hasMore = ids.length === limit && (cursor !== undefined || page.items.at(-1)?.id !== ids.at(-1))
      this.#counts.matched = ids.length
    } while (cursor !== undefined && ids.length < limit && !this.#isCancelled)
    return ids.reverse()
  }

  async #actOnAll(ids: readonly string[]): Promise<void> {
    let next = 0
    const actOnEach = async (): Promise<void> => {
      while (!this.#isCancelled) {
        const id = ids[next++]
        if (id === undefined) return
        this.#count(id, await this.#act(id))
      }
    }
    await Promise.all(Array.from({ length: httpLimits.operationActionsAtOnce }, actOnEach))
  }

  async #act(instanceId: string): Promise<Outcome> {
    const { id, action, members, by, asker } = this.#request
    const mark = `operation ${this.id}`
    const told = by === undefined && asker.caller !== undefined ? mark : `${by ?? 'api'}, ${mark}`
    try {
      // B3
      if (id !== undefined) {
        const history = await this.#patiently(() => historyOf(instanceId, asker, this.#worker))
        if (history.some(({ note = '' }) => note.endsWith(mark) || note.endsWith(`${mark})`))) return 'doneBefore'
      }
      const answer = await this.#patiently(() => actOn(instanceId, action, members, told, asker, this.#worker))
      return answer.outcome === 'done' ? 'done' : { kind: 'refused', code: answer.code, message: answer.message }
    } catch (error) {
      const { code, message } = problemOf(error)
      return { kind: 'failed', code, message }
    }
  }

  /** B4 */
  async #patiently<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    for (let waitedMs = 0; ; waitedMs += retryEveryMs) {
      try {
        return await ask()
      } catch (error) {
        if (!passing.has(problemOf(error).code) || waitedMs >= retryForMs || this.#isCancelled) throw error
        await this.#pause(retryEveryMs)
      }
    }
  }

  #count(instanceId: string, outcome: Outcome): void {
    if (typeof outcome === 'string') {
      this.#counts[outcome] += 1
      return
    }
    const { kind, code, message } = outcome
    this.#counts[kind] += 1
    this.#codes.set(code, (this.#codes.get(code) ?? 0) + 1)
    if (this.#refusals.length < httpLimits.operationRefusalsMax) this.#refusals.push({ instanceId, code, message })
  }
}

/** Those that this worker took, as long as it runs: the ones under way, and the latest of those that are over. */
export class Operations {
  readonly #worker: WorkerFace
  readonly #pause: Pause
  readonly #operations = new Map<string, Operation>()

  /** @param wait before what could not be done is tried again */
  constructor(worker: WorkerFace, wait: Pause = pause) {
    this.#worker = worker
    this.#pause = wait
  }

  /** @throws {HttpProblem} It is under way. @throws {Unavailable} Too many are. */
  start(request: OperationRequest): OperationView {
    const running = [...this.#operations.values()].filter(({ isOver }) => !isOver)
    if (running.some(({ id }) => id === request.id))
      throw new HttpProblem(
        'operation-running',
        `The operation ${request.id} is under way: it does the rest by itself.`,
      )
    if (running.length >= httpLimits.operationsAtOnce)
      throw new Unavailable('overloaded', `${running.length} operations are under way in this worker already`)
    const operation = new Operation(request, this.#worker, this.#pause)
    this.#operations.delete(operation.id)
    this.#operations.set(operation.id, operation)
    for (const { id, isOver } of this.#operations.values())
      if (isOver && this.#operations.size > httpLimits.operationsKept) this.#operations.delete(id)
    void operation.run()
    return operation.view()
  }

  /** The latest first. */
  list(): readonly OperationView[] {
    return [...this.#operations.values()].map((operation) => operation.view()).reverse()
  }

  find(id: string): OperationView | undefined {
    return this.#operations.get(id)?.view()
  }

  /** As it is once it is over, or after `waitMs`. */
  async follow(id: string, waitMs: number): Promise<OperationView | undefined> {
    await this.#operations.get(id)?.wait(waitMs)
    return this.find(id)
  }

  cancel(id: string): OperationView | undefined {
    this.#operations.get(id)?.cancel()
    return this.find(id)
  }

  /** The worker stops: nothing else is begun. */
  close(): void {
    for (const operation of this.#operations.values()) operation.cancel()
  }
}
