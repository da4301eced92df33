// People and systems that start instances through the API of some worker, as `dagger-worker run` does: with an
// Idempotency-Key, again and at another worker until they are answered, and some once more after that.
//
//   ask ──answer──▶ done, or asks once more          ask ──Unavailable, or nothing for 5 s──▶ ask the next worker
import { Unavailable, type StartAnswer, type InstancesFace } from '../../src/runtime/face.ts'
import type { Act, CallAct } from './plan.ts'
import type { Random } from './random.ts'
import type { World } from './world.ts'

/** What became of a call. */
export interface Call {
  readonly act: CallAct
  /** In the order in which they came; one that came after its asker had turned to another worker is among them. */
  readonly answers: readonly Answer[]
  /** What the worker threw and its face does not tell of. */
  readonly failures: readonly string[]
}

export interface Answer {
  readonly askedAtMs: number
  readonly answeredAtMs: number
  readonly answer: StartAnswer
}

/** What people know of a worker. */
type Asked = { readonly instances: Pick<InstancesFace, 'start'> }

/** How long somebody waits for an answer, as an HTTP client does. */
const patienceMs = 5_000

export class People {
  readonly calls: readonly Call[]
  readonly #world: World
  readonly #running: () => ReadonlyMap<string, Asked>

  /** `running` gives the workers that run now, by machine. */
  constructor(world: World, acts: readonly Act[], running: () => ReadonlyMap<string, Asked>) {
    this.#world = world
    this.#running = running
    this.calls = acts.flatMap((act) => (act.kind === 'call' ? [this.#call(act)] : []))
  }

  #call(act: CallAct): Call {
    const answers: Answer[] = []
    const failures: string[] = []
    const random = this.#world.scheduler.random.stream(`call ${act.idempotencyKey} at ${act.atMs}`)
    const ask = (onDone: () => void): void => this.#ask(act, random, answers, failures, onDone)
    this.#later(act.atMs, () =>
      ask(() => {
        if (act.asksAgainAfterMs !== undefined) this.#later(act.asksAgainAfterMs, () => ask(() => {}))
      }),
    )
    return { act, answers, failures }
  }

  #ask(act: CallAct, random: Random, answers: Answer[], failures: string[], onDone: () => void): void {
    const { scheduler } = this.#world
    const running = this.#running()
    const again = (): void =>
      this.#later(100 + random.int(900), () => this.#ask(act, random, answers, failures, onDone))
    if (running.size === 0) return again()
    const name = random.pick([...running.keys()].sort())
    const worker = running.get(name)!
    const askedAtMs = scheduler.clock.nowMs()
    let isWaiting = true
    /** The first outcome moves the asker on; what comes later is only noted. */
    const settle = (next: () => void): void => {
      if (isWaiting) next()
      isWaiting = false
    }
    scheduler.clock.after(patienceMs, () => settle(again))
    const { workflow, key, input, idempotencyKey } = act
    const label = `${name} is asked to start ${workflow} ${JSON.stringify(key.slice(0, 40))}`
    const send = (): void =>
      void worker.instances.start({ workflow, key, input, idempotencyKey }).then(
        (answer) => {
          answers.push({ askedAtMs, answeredAtMs: scheduler.clock.nowMs(), answer })
          scheduler.note(`${name} answers: ${answer.outcome}`)
          settle(onDone)
        },
        (error: unknown) => {
          if (!(error instanceof Unavailable)) failures.push(String(error))
          settle(again)
        },
      )
    scheduler.enqueue(label, send, this.#world.expectNode(name).process)
  }

  #later(delayMs: number, run: () => void): void {
    const { scheduler } = this.#world
    scheduler.clock.after(delayMs, () => scheduler.enqueue('people', run))
  }
}
