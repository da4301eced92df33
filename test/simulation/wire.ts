// The way of each request of a simulated process, and what can befall it there.
//
//   sent ──► (held back) ──► carried out ──► answered            the caller's promise settles
//    │ refused: TransientFault      │ lost: LostAnswer
//    └ given up: LostAnswer, and carried out some time later
//
//   S3. Each request has two points at which its process may die: sent, and carried out with no answer yet.
//   S4. Every draw is made for every request, so that a fault that is switched off does not shift the others.
import { LostAnswer } from '../../src/adapters/memory/pace.ts'
import type { Pace } from '../../src/adapters/memory/pace.ts'
import { TransientFault } from '../../src/base/errors.ts'
import type { Clock } from '../../src/runtime/ports.ts'
import type { FaultPlan } from './faults.ts'
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
}

interface Request<T> {
  readonly process: SimulatedProcess
  readonly operation: string
  /** Undefined for the local disk, which does as it is told and dies with its process. */
  readonly plan: FaultPlan | undefined
  readonly apply: () => T
  readonly resolve: (value: T) => void
  readonly reject: (error: unknown) => void
}

type Fate = 'refused' | 'given-up' | 'lost' | 'answered'

export class Wire {
  readonly #stage: Stage
  readonly #random: Random
  readonly #crashPoints: ReadonlySet<number>
  #operations = 0
  #crashPointsReached = 0
  #isHealed = false
  readonly #faultCounts = new Map<string, number>()

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

  get faultCounts(): ReadonlyMap<string, number> {
    return this.#faultCounts
  }

  heal(): void {
    this.#isHealed = true
  }

  /** The pace of a process; with no plan that of its local disk. */
  paceFor(process: SimulatedProcess, planNow: (() => FaultPlan) | undefined): Pace {
    return (operation, apply) =>
      new Promise((resolve, reject) => {
        if (process.isAlive()) this.#send({ process, operation, plan: planNow?.(), apply, resolve, reject })
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
    const { process, operation, plan, apply, resolve, reject } = request
    // Decided on arrival: the wire does not know that the sender is dead.
    if (!process.isAlive() && !this.#random.chance(plan?.arrivesAfterCrash ?? 0)) {
      this.#stage.note(`${process.name} ${operation} vanishes`)
      return
    }
    let settle: () => void
    let what = 'is answered'
    try {
      const value = apply()
      settle = () => resolve(value)
    } catch (error) {
      what = `fails with ${nameOf(error)}`
      settle = () => reject(error)
    }
    if (!process.isAlive() || this.#diesHere(process, `${operation} carried out`)) return
    if (fate === 'lost') this.#answer(request, 'is lost', () => this.#lose(request))
    else if (fate === 'answered') this.#answer(request, what, settle)
  }

  #answer<T>({ process, operation }: Request<T>, what: string, run: () => void): void {
    this.#stage.push({ label: `${process.name} ${operation} ${what}`, run, process, isOnWire: false })
  }

  #lose<T>({ operation, reject }: Request<T>): void {
    reject(new LostAnswer(`no answer to ${operation}`))
  }

  #drawFate<T>({ operation, plan }: Request<T>): Fate {
    const [refused, givenUp, lost] = [this.#random.next(), this.#random.next(), this.#random.next()] // S4
    if (plan === undefined || this.#spares(plan, operation)) return 'answered'
    if (refused < plan.transientError) return this.#count('refused')
    if (givenUp < plan.lateRequest) return this.#count('given-up')
    return lost < plan.lostAnswer ? this.#count('lost') : 'answered'
  }

  #drawDelayMs<T>({ operation, plan }: Request<T>, fate: Fate): number {
    const [isDelayed, part] = [this.#random.next(), this.#random.next()] // S4
    if (plan === undefined || this.#spares(plan, operation)) return 0
    if (fate !== 'given-up' && isDelayed >= plan.delay) return 0
    if (fate !== 'given-up') this.#count('delayed')
    return 1 + Math.floor(part * plan.delayMsMax)
  }

  #spares(plan: FaultPlan, operation: string): boolean {
    return this.#isHealed || plan.touches?.(operation) === false
  }

  #count<F extends Fate | 'delayed'>(fault: F): F {
    this.#faultCounts.set(fault, (this.#faultCounts.get(fault) ?? 0) + 1)
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

function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return 'code' in error ? String(error.code) : error.name
}
