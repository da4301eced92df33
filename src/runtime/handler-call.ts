// One attempt of a task in the hands of its handler: what that is given, what it says meanwhile, and what becomes of its
// answer.
//
//   input ─checked─▶ run ─▶ output ─checked─▶ a command
//                     ├── heartbeat, logger
//                     └── stop
//
// A handler is strangers' code: whatever it does, `run` gives a command and `stop` comes to its end.
import type { Json } from '../base/json.ts'
import type { Logger } from '../base/logger.ts'
import { traceFields, type Tracer } from '../base/tracing.ts'
import { thrownText } from '../base/thrown.ts'
import type { Command } from '../engine/command.ts'
import type { HandlerWork } from '../engine/effect.ts'
import type { HandlerModule, HandlerTaskInput } from '../handlers/contract.ts'
import { checkedOutput, failureCommand, InputInvalid, resultCommand } from './handler-result.ts'
import { Disclosure } from './disclosure.ts'
import type { Clock, Secrets } from './ports.ts'

export interface HandlerCallOptions {
  readonly clock: Clock
  readonly logger: Logger
  /** Told where there is no module. */
  readonly names: readonly string[]
  readonly secrets: Secrets
  readonly tracer?: Tracer | undefined
}

/** A handler that holds the loop longer than this is named. */
const blockingMs = 500

export class HandlerCall {
  readonly #work: HandlerWork
  readonly #module: HandlerModule | undefined
  readonly #options: HandlerCallOptions
  readonly #disclosure: Disclosure
  readonly #logger: Logger
  readonly #controller = new AbortController()
  #task: HandlerTaskInput | undefined
  /** What it said last with `heartbeat`. */
  progress: Json | undefined
  /** When. */
  heardAtMs: number | undefined

  constructor(work: HandlerWork, module: HandlerModule | undefined, options: HandlerCallOptions) {
    this.#work = work
    this.#module = module
    this.#options = options
    const { instanceId, name, handler, attempt, trace } = work
    this.#disclosure = new Disclosure(options.secrets)
    const correlation = options.tracer === undefined || trace === undefined ? {} : traceFields(trace)
    const logger = options.logger.child({ instanceId, task: name, handler, attempt, ...correlation })
    this.#logger = work.isSealed ? this.#disclosure.logger(logger) : logger
  }

  /** Tells the handler that nobody waits for it any more. */
  abort(reason: string): void {
    this.#controller.abort(new Error(reason))
  }

  /** Runs the handler; a module that does not wait for anything has run when this returns. Never rejects. */
  async run(): Promise<Command> {
    try {
      const module = this.#expectModule()
      const task = this.#given(module)
      const result = this.#watched(() => module.run(task))
      return this.#disclosure.command(checkedOutput(this.#work, resultCommand(this.#work, await result), module.output))
    } catch (error) {
      this.#logger.warn({ error: thrownText(error) }, `handler ${this.#work.handler} failed`)
      return this.#disclosure.command(failureCommand(this.#work, error))
    }
  }

  /** Lets the handler clean up; `timeUp` tells it when it has had its time. Never rejects. */
  async stop(timeUp: AbortSignal): Promise<void> {
    const module = this.#module
    if (module?.stop === undefined) return
    try {
      const task = this.#given(module)
      await this.#watched(() => module.stop?.(task, timeUp))
    } catch (error) {
      this.#logger.warn({ error: thrownText(error) }, `handler ${this.#work.handler} failed to stop`)
    }
  }

  #expectModule(): HandlerModule {
    if (this.#module !== undefined) return this.#module
    const known = this.#options.names.join(', ')
    const error = new Error(
      `there is no handler '${this.#work.handler}' in this worker${known === '' ? ': it was started without --handlers' : `; there are ${known}`}`,
    )
    throw Object.assign(error, { code: 'handler-not-found' })
  }

  /** What the handler is given, made once: `run` and `stop` see the same. @throws {InputInvalid} */
  #given(module: HandlerModule): HandlerTaskInput {
    const { input, isSealed } = this.#work
    this.#task ??= this.#taskFor(module, isSealed ? this.#disclosure.open(input.value) : input.value)
    return this.#task
  }

  #taskFor(module: HandlerModule, input: Json): HandlerTaskInput {
    const violations = module.input?.validate(input) ?? []
    if (violations.length > 0) throw new InputInvalid(violations)
    const { instanceId, key, workflow, version, name, attempt, idempotencyKey, trace } = this.#work
    return {
      input,
      instance: { id: instanceId, key, workflow, version },
      name,
      attempt,
      idempotencyKey,
      ...trace,
      signal: this.#controller.signal,
      logger: this.#logger,
      heartbeat: (progress = null) => {
        this.progress = this.#disclosure.json(progress)
        this.heardAtMs = this.#options.clock.nowMs()
      },
    }
  }

  #watched<Result>(call: () => Result): Result {
    const { clock, tracer } = this.#options
    const { trace } = this.#work
    const startedAtMs = clock.nowMs()
    try {
      return tracer === undefined || trace === undefined ? call() : tracer.within(trace, call)
    } finally {
      const heldMs = clock.nowMs() - startedAtMs
      if (heldMs > blockingMs) {
        const { handler } = this.#work
        this.#logger.warn(
          { heldMs },
          `handler ${handler} held the event loop for ${heldMs} ms: everything else waited; \`execution: thread\` moves it out of the way`,
        )
      }
    }
  }
}
