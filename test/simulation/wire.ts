// The way of each request of a simulated process, and what can befall it there.
//
//   sent ──► (held back) ──► carried out ──► answered            the caller's promise settles
//    │ refused: TransientFault      │ lost: LostAnswer
//    │                              └ repeated: carried out once more, by a client that asks again
//    ├ given up: LostAnswer, and carried out some time later
//    └ silence, where a link is cut (outages.ts): LostAnswer once the client has waited for long enough
//
//   S3. Each request has two points at which its process may die: sent, and carried out with no answer yet.
//   S4. Every draw is made for every request, so that a fault that is switched off does not shift the others.
import { LostAnswer } from '../../src/adapters/memory/pace.ts'
import type { Pace } from '../../src/adapters/memory/pace.ts'
import { TransientFault } from '../../src/base/errors.ts'
import type { Clock } from '../../src/runtime/ports.ts'
import type { FaultPlan } from './faults.ts'
import type { Outages } from './outages.ts'
import type { SimulatedProcess } from './process.ts'
import type { Random } from './random.ts'

export interface Step {
  readonly label: string
  readonly run: () => void
  /** Whose step it is; the broker's, the group's and the environment's own have none. */
  readonly process: SimulatedProcess | undefined
  /** Sent already: neither a pause nor the death of its process holds it back. */
  readonly isOnWire: boolean
}

/** What the wire needs of the scheduler. */
export interface Stage {
  readonly clock: Clock
  push(step: Step): void
  note(line: string): void
  /** Counts a fault of a kind. */
  count(kind: string): void
}

/** The network of one process. */
export interface Link {
  readonly planNow: () => FaultPlan
  readonly outages?: Outages | undefined
}

interface Request<T> {
  readonly process: SimulatedProcess
  readonly operation: string
  /** Undefined for the local disk, which does as it is told and dies with its process. */
  readonly plan: FaultPlan | undefined
  readonly outages: Outages | undefined
  readonly apply: () => T
  readonly resolve: (value: T) => void
  readonly reject: (error: unknown) => void
}

/** repeated: the client asked again, and the second answer counts. overtaken: the second one arrives long after. */
type Fate = 'refused' | 'given-up' | 'lost' | 'repeated' | 'overtaken' | 'cut' | 'unheard' | 'answered'

/** How long a client waits for an answer that does not come. */
const requestTimeoutMs = 4_000
/** A plain client's records have no sequence: asked again, they would be there twice, and so nobody asks again. */
const unrepeatable = /^produce$/
/** A client that has its answer has no other request of the same transaction under way (transactions.ts, T2). */
const neverOvertaken = /^(produce|commit|abort)\b/

export class Wire {
  readonly #stage: Stage
  readonly #random: Random
  readonly #crashPoints: ReadonlySet<number>
  #operations = 0
  #crashPointsReached = 0
  #isHealed = false

  /** Kills the process that reaches one of these points, counted from 0 over all processes (S3). */
  constructor(stage: Stage, random: Random, crashPoints: readonly number[] = []) {
    this.#stage = stage
    this.#random = random
    this.#crashPoints = new Set(crashPoints)
  }

  get operations(): number {
    return this.#operations
  }

  get crashPointsReached(): number {
    return this.#crashPointsReached
  }

  get isHealed(): boolean {
    return this.#isHealed
  }

  heal(): void {
    this.#isHealed = true
  }

  /** The pace of a process; with no link that of its local disk. */
  paceFor(process: SimulatedProcess, link: Link | undefined): Pace {
    const outages = link?.outages
    return (operation, carryOut) =>
      new Promise((resolve, reject) => {
        if (!process.isAlive()) return
        const apply = () => {
          outages?.check(operation)
          return carryOut()
        }
        this.#send({ process, operation, plan: link?.planNow(), outages, apply, resolve, reject })
      })
  }

  #send<T>(request: Request<T>): void {
    const { process, operation } = request
    const fate = this.#drawFate(request)
    const heldBackMs = this.#drawDelayMs(request, fate)
    this.#diesHere(process, `${operation} sent`)
    if (fate === 'refused') {
      this.#answer(request, 'is refused', () => request.reject(new TransientFault(`${operation} was not sent`)))
      return
    }
    if (fate === 'cut') return this.#answerNever(request)
    if (fate === 'given-up') this.#answer(request, 'is given up', () => this.#lose(request))
    const step: Step = {
      label: `${process.name} ${operation}`,
      run: () => this.#carryOut(request, fate),
      process,
      isOnWire: request.plan !== undefined,
    }
    if (heldBackMs === 0) this.#stage.push(step)
    else this.#stage.clock.after(heldBackMs, () => this.#stage.push(step))
  }

  #carryOut<T>(request: Request<T>, fate: Fate): void {
    const { process, operation, plan } = request
    // Decided on arrival: the wire does not know that the sender is dead.
    if (!process.isAlive() && !this.#random.chance(plan?.arrivesAfterCrash ?? 0)) {
      this.#stage.note(`${process.name} ${operation} vanishes`)
      return
    }
    const { what, settle } = outcomeOf(request)
    if (fate === 'overtaken') this.#again(request, plan?.delayMsMax ?? 0, () => void outcomeOf(request))
    if (!process.isAlive() || this.#diesHere(process, `${operation} carried out`)) return
    if (fate === 'lost') this.#answer(request, 'is lost', () => this.#lose(request))
    else if (fate === 'unheard') this.#answerNever(request)
    else if (fate === 'answered' || fate === 'overtaken') this.#answer(request, what, settle)
    else if (fate === 'repeated') {
      this.#again(request, 0, () => {
        const second = outcomeOf(request)
        if (process.isAlive()) this.#answer(request, second.what, second.settle)
      })
    }
  }

  /** The same request arrives once more, at once or so much later. */
  #again<T>({ process, operation }: Request<T>, afterMs: number, run: () => void): void {
    const step: Step = { label: `${process.name} ${operation} again`, run, process, isOnWire: true }
    if (afterMs === 0) this.#stage.push(step)
    else this.#stage.clock.after(afterMs, () => this.#stage.push(step))
  }

  #answerNever<T>(request: Request<T>): void {
    const giveUp = () => this.#answer(request, 'has no answer', () => this.#lose(request))
    this.#stage.clock.after(requestTimeoutMs, giveUp)
  }

  #answer<T>({ process, operation }: Request<T>, what: string, run: () => void): void {
    this.#stage.push({ label: `${process.name} ${operation} ${what}`, run, process, isOnWire: false })
  }

  #lose<T>({ operation, reject }: Request<T>): void {
    reject(new LostAnswer(`no answer to ${operation}`))
  }

  #drawFate<T>({ process, operation, plan, outages }: Request<T>): Fate {
    const random = this.#random
    const [refused, givenUp, lost, repeated] = [random.next(), random.next(), random.next(), random.next()] // S4
    if (plan === undefined) return 'answered'
    const silenced = outages?.silenced(process.name, operation)
    if (silenced !== undefined) return silenced === 'request' ? 'cut' : 'unheard'
    if (this.#spares(plan, operation)) return 'answered'
    if (refused < plan.transientError) return this.#count('refused')
    if (givenUp < plan.lateRequest) return this.#count('given-up')
    if (lost < plan.lostAnswer) return this.#count('lost')
    if (repeated < plan.repeatedRequest / 2) return unrepeatable.test(operation) ? 'answered' : this.#count('repeated')
    if (repeated < plan.repeatedRequest) return neverOvertaken.test(operation) ? 'answered' : this.#count('overtaken')
    return 'answered'
  }

  #drawDelayMs<T>({ operation, plan }: Request<T>, fate: Fate): number {
    const [isDelayed, part] = [this.#random.next(), this.#random.next()] // S4
    if (plan === undefined || fate === 'cut' || this.#spares(plan, operation)) return 0
    if (fate !== 'given-up' && isDelayed >= plan.delay) return 0
    if (fate !== 'given-up') this.#count('delayed')
    return 1 + Math.floor(part * plan.delayMsMax)
  }

  #spares(plan: FaultPlan, operation: string): boolean {
    return this.#isHealed || plan.touches?.(operation) === false
  }

  #count<F extends Fate | 'delayed'>(fault: F): F {
    this.#stage.count(fault)
    return fault
  }

  /** Counts a point of S3; true when the process died of it. */
  #diesHere(process: SimulatedProcess, where: string): boolean {
    if (!this.#crashPoints.has(this.#operations++)) return false
    this.#crashPointsReached += 1
    this.#stage.note(`${process.name} planned failure: ${where}`)
    process.crash()
    return true
  }
}

/** Carries a request out: what is to be told of it, and how its promise settles. */
function outcomeOf<T>({ apply, resolve, reject }: Request<T>): { what: string; settle: () => void } {
  try {
    const value = apply()
    return { what: 'is answered', settle: () => resolve(value) }
  } catch (error) {
    return { what: `fails with ${nameOf(error)}`, settle: () => reject(error) }
  }
}

function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return 'code' in error ? String(error.code) : error.name
}
