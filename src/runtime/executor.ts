// Runs handlers beside the loop, with a limit for the worker and one for each handler that asks for it.
//
//   request ──slot free──▶ grant (`task.execute`) ──committed──▶ run ──▶ result (a command in memory)
//                                                                 └─stop─▶ stopping ──▶ `task.stop-ended`
//
// H1. A run is recorded before it begins: `run` is an effect of the commit that made the task EXECUTING.
// H2. A job that is asked for again, because its partition was restored in this worker, is not run twice; one that is
//     told again to stop is not stopped twice.
// H3. One that is not asked for again is over, and nobody was left to abort it: it gives back its slot.
// H4. A stop ends once the handler has returned and its `stop` as well, or when their time is up, and is told once.
// A handler that ignores its signal loses its slot when it is aborted; what it still returns is refused (I4).
import type { Json } from '../base/json.ts'
import type { Logger } from '../base/logger.ts'
import type { Tracer } from '../base/tracing.ts'
import type { Command } from '../engine/command.ts'
import type { HandlerRequest, HandlerRun, HandlerStop, HandlerWork, Performer } from '../engine/effect.ts'
import { workId } from '../engine/state.ts'
import type { HandlerModule, HandlerSource } from '../handlers/contract.ts'
import { HandlerCall } from './handler-call.ts'
import { loadsOf, shownAs, type Deliver, type HandlerLoad, type HandlerStanding, type Job } from './handler-job.ts'
import type { Metrics } from './metrics/metrics.ts'
import type { Clock, Secrets } from './ports.ts'

export interface ExecutorOptions {
  readonly handlers: HandlerSource
  /** What performs `http` tasks. */
  readonly http: HandlerModule
  readonly secrets: Secrets
  readonly clock: Clock
  readonly logger: Logger
  readonly tracer?: Tracer | undefined
  readonly handlersMax: number
  /** Of those, the ones in threads. */
  readonly threadsMax: number
  readonly metrics: Metrics
}

export class Executor {
  readonly #options: ExecutorOptions
  readonly #jobs = new Map<string, Job>()
  /** In order of request, by performer: one at its own limit does not hold up the others. */
  readonly #waiting = new Map<string, Set<Job>>()
  /** Slots in use, by handler; and the threads. */
  readonly #busyBy = new Map<string, number>()
  #busy = 0

  constructor(options: ExecutorOptions) {
    this.#options = options
  }

  /** Asks for a slot; `deliver` gets `task.execute` when there is one. H2 */
  request(request: HandlerRequest, partition: number, deliver: Deliver): void {
    const known = this.#known(request, deliver)
    if (known !== undefined) {
      if (known.state === 'granted') deliver(executeCommand(known))
      return
    }
    const job = this.#add(request, partition, deliver)
    const queue = this.#waiting.get(queueOf(job)) ?? new Set()
    this.#waiting.set(queueOf(job), queue)
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
    const call = this.#callOf(effect)
    job.call = call
    const { metrics } = this.#options
    const beganMs = metrics.nowMs()
    job.returned = call.run().then((command) => {
      const isOver = this.#jobs.get(job.id) !== job || job.state === 'stopping'
      const outcome = isOver ? 'aborted' : outcomeOf(command)
      metrics.histogram('handlerSeconds', shownAs(job), outcome).record((metrics.nowMs() - beganMs) / 1_000)
      if (isOver) return
      this.#drop(job)
      job.deliver(command)
      this.#grant()
    })
  }

  /** The task was stopped: lets its handler clean up, and `deliver` gets `task.stop-ended`. H2, H4 */
  stop(effect: HandlerStop, partition: number, deliver: Deliver): void {
    const known = this.#known(effect, deliver)
    if (known?.state === 'stopping') return
    // What does not run here was cut short by a death or a move: its `stop` is still owed.
    if (known !== undefined && known.state !== 'running') this.#drop(known)
    const job = known?.state === 'running' ? known : this.#add(effect, partition, deliver)
    const call = (job.call ??= this.#callOf(effect))
    job.state = 'stopping'
    const timeUp = new AbortController()
    const cancel = this.#options.clock.after(effect.stopTimeoutMs, () => end())
    job.endStop = () => {
      cancel()
      timeUp.abort(new Error('the time to stop is over'))
    }
    const end = (): void => {
      if (this.#jobs.get(job.id) !== job) return
      this.#drop(job)
      const { instanceId, task, attempt } = job
      job.deliver({ type: 'task.stop-ended', instanceId, task, attempt })
      this.#grant()
    }
    call.abort('the task was stopped')
    void Promise.all([call.stop(timeUp.signal), job.returned]).then(end)
  }

  abort(instanceId: string, task: number): void {
    const job = this.#jobs.get(workId(instanceId, task))
    if (job === undefined) return
    this.#drop(job)
    job.call?.abort('the attempt is over')
    this.#grant()
  }

  /** The partition is gone: its handlers run on somewhere else. */
  abortPartition(partition: number): void {
    for (const job of [...this.#jobs.values()]) if (job.partition === partition) this.abort(job.instanceId, job.task)
  }

  /** What the handler of a task (by its `workId`) said last with `heartbeat`. */
  progressOf(work: string): Json | undefined {
    return this.#jobs.get(work)?.call?.progress
  }

  /** How the job of a task (by its `workId`) stands here; undefined: there is none. */
  standingOf(work: string): HandlerStanding | undefined {
    const job = this.#jobs.get(work)
    if (job === undefined) return undefined
    const behind = [...(this.#waiting.get(queueOf(job)) ?? [])].indexOf(job)
    const concurrency = this.#moduleOf(job)?.concurrency
    return {
      state: job.state,
      ...(behind < 0 ? {} : { behind }),
      ...(concurrency === undefined ? {} : { concurrency }),
      heardAtMs: job.call?.heardAtMs,
      progress: job.call?.progress,
    }
  }

  get running(): number {
    return this.#busy
  }

  /** By handler; those that have something under way. */
  get load(): readonly HandlerLoad[] {
    return loadsOf(this.#jobs.values())
  }

  get slots(): number {
    return this.#options.handlersMax
  }

  /** The job of this attempt, which is asked for again; one of another attempt is over. H2 */
  #known({ instanceId, task, attempt }: HandlerRequest | HandlerStop, deliver: Deliver): Job | undefined {
    const known = this.#jobs.get(workId(instanceId, task))
    if (known === undefined) return undefined
    if (known.attempt !== attempt) {
      this.#drop(known)
      return undefined
    }
    known.deliver = deliver
    known.isOwed = true
    return known
  }

  #add(of: HandlerRequest | HandlerStop, partition: number, deliver: Deliver): Job {
    const { instanceId, task, attempt, kind, handler, execution } = of
    const id = workId(instanceId, task)
    const job: Job = {
      ...{ id, partition, instanceId, task, attempt, kind, handler, execution, deliver },
      state: 'waiting',
      hasSlot: false,
      isOwed: true,
      call: undefined,
      returned: undefined,
      endStop: () => {},
    }
    this.#jobs.set(id, job)
    return job
  }

  /** One slot to each handler in turn: one with a standing backlog does not keep the others waiting. */
  #grant(): void {
    for (let passed = 0; passed < this.#waiting.size && this.#busy < this.#options.handlersMax;) {
      const [next] = this.#waiting
      if (next === undefined) return
      const [name, queue] = next
      this.#waiting.delete(name)
      const [job] = queue
      if (job === undefined) continue
      this.#waiting.set(name, queue)
      if (!this.#fits(job)) {
        passed += 1
        continue
      }
      passed = 0
      queue.delete(job)
      job.state = 'granted'
      job.hasSlot = true
      this.#busy += 1
      this.#occupy(job, 1)
      job.deliver(executeCommand(job))
    }
  }

  #drop(job: Job): void {
    this.#jobs.delete(job.id)
    this.#waiting.get(queueOf(job))?.delete(job)
    job.endStop()
    if (!job.hasSlot) return
    this.#busy -= 1
    this.#occupy(job, -1)
  }

  #fits(job: Job): boolean {
    const { threadsMax } = this.#options
    const isFree = (what: string, max: number): boolean => (this.#busyBy.get(what) ?? 0) < max
    return (
      isFree(handlerOf(job), this.#moduleOf(job)?.concurrency ?? Infinity) &&
      (job.execution === 'main' || isFree('threads', threadsMax))
    )
  }

  #occupy(job: Job, by: number): void {
    for (const what of job.execution === 'main' ? [handlerOf(job)] : [handlerOf(job), 'threads'])
      this.#busyBy.set(what, (this.#busyBy.get(what) ?? 0) + by)
  }

  #callOf(work: HandlerWork): HandlerCall {
    return new HandlerCall(work, this.#moduleOf(work), { ...this.#options, names: this.#options.handlers.names })
  }

  #moduleOf({ kind, handler, execution }: Performer): HandlerModule | undefined {
    if (kind === 'http') return this.#options.http
    return this.#options.handlers.find(handler, execution)
  }
}

const handlerOf = ({ kind, handler }: Performer): string => `${kind} ${handler}`
/** Its label in metrics. */
const queueOf = (performer: Performer): string => `${performer.execution} ${handlerOf(performer)}`

const executeCommand = ({ instanceId, task, attempt }: Job): Command => ({
  type: 'task.execute',
  instanceId,
  task,
  attempt,
})

function outcomeOf(command: Command): string {
  if (command.type === 'task.complete') return 'completed'
  return command.type === 'task.fail' && command.isRetryable ? 'retryable' : 'failed'
}
