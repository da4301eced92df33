// Runs handlers beside the loop, with a limit for the worker and one for each handler that asks for it.
//
//   request ──slot free──▶ grant (`task.execute`) ──committed──▶ run ──▶ result (a command in memory)
//
// H1. A run is recorded before it begins: `run` is an effect of the commit that made the task EXECUTING.
// H2. A job that is asked for again, because its partition was restored in this worker, is not run twice.
// H3. One that is not asked for again is over, and nobody was left to abort it: it gives back its slot.
// A handler that ignores its signal loses its slot when it is aborted; what it still returns is refused (I4).
import type { Json } from '../base/json.ts'
import type { Logger } from '../base/logger.ts'
import type { Command } from '../engine/command.ts'
import type { HandlerRun } from '../engine/effect.ts'
import { workId } from '../engine/state.ts'
import type { HandlerModule, HandlerSource } from '../handlers/contract.ts'
import { failureCommand, resultCommand, thrownText } from './handler-result.ts'
import type { Clock } from './ports.ts'

/** Where a job's commands go: the partition that its instance lives on. */
export type Deliver = (command: Command) => void

interface Job {
  readonly id: string
  readonly partition: number
  readonly instanceId: string
  readonly task: number
  readonly attempt: number
  readonly handler: string
  state: 'waiting' | 'granted' | 'running'
  /** H3 */
  isOwed: boolean
  deliver: Deliver
  readonly controller: AbortController
  progress: Json | undefined
}

export interface JobRequest {
  readonly partition: number
  readonly instanceId: string
  readonly task: number
  readonly attempt: number
  readonly handler: string
}

export interface ExecutorOptions {
  readonly handlers: HandlerSource
  readonly clock: Clock
  readonly logger: Logger
  readonly handlersMax: number
}

/** A handler that holds the loop longer than this is named. */
const blockingMs = 500

export class Executor {
  readonly #options: ExecutorOptions
  readonly #jobs = new Map<string, Job>()
  /** In order of request, by handler: a handler at its own limit does not hold up the others. */
  readonly #waiting = new Map<string, Set<Job>>()
  readonly #busyBy = new Map<string, number>()
  #busy = 0

  constructor(options: ExecutorOptions) {
    this.#options = options
  }

  /** Asks for a slot; `deliver` gets `task.execute` when there is one. H2 */
  request(request: JobRequest, deliver: Deliver): void {
    const id = workId(request.instanceId, request.task)
    const known = this.#jobs.get(id)
    if (known?.attempt === request.attempt) {
      known.deliver = deliver
      known.isOwed = true
      if (known.state === 'granted') deliver(executeCommand(known))
      return
    }
    if (known !== undefined) this.#drop(known)
    const job: Job = {
      ...request,
      id,
      state: 'waiting',
      isOwed: true,
      deliver,
      controller: new AbortController(),
      progress: undefined,
    }
    this.#jobs.set(id, job)
    const queue = this.#waiting.get(job.handler) ?? new Set()
    this.#waiting.set(job.handler, queue)
    queue.add(job)
    this.#grant()
  }

  /** A restored partition asks again from now on; the result is called when it has asked for all that it owes. H3 */
  asking(partition: number): () => void {
    const jobs = [...this.#jobs.values()].filter((job) => job.partition === partition)
    for (const job of jobs) job.isOwed = false
    return () => {
      for (const job of jobs) if (!job.isOwed && this.#jobs.get(job.id) === job) this.abort(job.instanceId, job.task)
    }
  }

  /** The run is recorded: begin it. H1 */
  run(effect: HandlerRun): void {
    const job = this.#jobs.get(workId(effect.instanceId, effect.task))
    // Aborted between grant and commit.
    if (job === undefined || job.attempt !== effect.attempt || job.state !== 'granted') return
    job.state = 'running'
    const module = this.#options.handlers.find(effect.handler)
    void this.#call(job, effect, module).then((command) => {
      if (this.#jobs.get(job.id) !== job) return
      this.#drop(job)
      job.deliver(command)
      this.#grant()
    })
  }

  abort(instanceId: string, task: number): void {
    const job = this.#jobs.get(workId(instanceId, task))
    if (job === undefined) return
    this.#drop(job)
    job.controller.abort(new Error('the attempt is over'))
    this.#grant()
  }

  /** The partition is gone: its handlers run on somewhere else. */
  abortPartition(partition: number): void {
    for (const job of [...this.#jobs.values()]) if (job.partition === partition) this.abort(job.instanceId, job.task)
  }

  /** What the handler of a task (by its `workId`) said last with `heartbeat`. */
  progressOf(work: string): Json | undefined {
    return this.#jobs.get(work)?.progress
  }

  get running(): number {
    return this.#busy
  }

  /** One slot to each handler in turn: one with a standing backlog does not keep the others waiting. */
  #grant(): void {
    for (let passed = 0; passed < this.#waiting.size && this.#busy < this.#options.handlersMax;) {
      const [next] = this.#waiting
      if (next === undefined) return
      const [handler, queue] = next
      this.#waiting.delete(handler)
      const [job] = queue
      if (job === undefined) continue
      this.#waiting.set(handler, queue)
      const busy = this.#busyBy.get(handler) ?? 0
      if (busy >= (this.#options.handlers.find(handler)?.concurrency ?? Infinity)) {
        passed += 1
        continue
      }
      passed = 0
      queue.delete(job)
      job.state = 'granted'
      this.#busy += 1
      this.#busyBy.set(handler, busy + 1)
      job.deliver(executeCommand(job))
    }
  }

  #drop(job: Job): void {
    this.#jobs.delete(job.id)
    if (job.state === 'waiting') this.#waiting.get(job.handler)?.delete(job)
    else {
      this.#busy -= 1
      this.#busyBy.set(job.handler, (this.#busyBy.get(job.handler) ?? 1) - 1)
    }
  }

  async #call(job: Job, effect: HandlerRun, module: HandlerModule | undefined): Promise<Command> {
    const { clock, logger } = this.#options
    if (module === undefined) {
      const known = this.#options.handlers.names.join(', ')
      const error = new Error(
        `there is no handler '${effect.handler}' in this worker${known === '' ? ': it was started without --handlers' : `; there are ${known}`}`,
      )
      return failureCommand(effect, Object.assign(error, { code: 'handler-not-found' }))
    }
    const fields = {
      instanceId: effect.instanceId,
      task: effect.name,
      handler: effect.handler,
      attempt: effect.attempt,
    }
    const startedAtMs = clock.nowMs()
    try {
      const result = module.run({
        input: effect.input.value,
        instance: { id: effect.instanceId, key: effect.key, workflow: effect.workflow, version: effect.version },
        name: effect.name,
        attempt: effect.attempt,
        idempotencyKey: `${effect.instanceId}/${effect.name}`,
        signal: job.controller.signal,
        logger: logger.child(fields),
        heartbeat: (progress = null) => {
          job.progress = progress
        },
      })
      const heldMs = clock.nowMs() - startedAtMs
      if (heldMs > blockingMs) {
        logger.warn(
          { ...fields, heldMs },
          `handler ${effect.handler} held the event loop for ${heldMs} ms: everything else waited`,
        )
      }
      return resultCommand(effect, await result)
    } catch (error) {
      logger.warn({ ...fields, error: thrownText(error) }, `handler ${effect.handler} failed`)
      return failureCommand(effect, error)
    }
  }
}

const executeCommand = ({ instanceId, task, attempt }: Job): Command => ({
  type: 'task.execute',
  instanceId,
  task,
  attempt,
})
