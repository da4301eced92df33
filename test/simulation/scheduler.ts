// The event loop of a simulated world. Whatever happens in it is a step in one list; the scheduler picks the next one by
// the seed, runs it, lets the promises that follow from it come to rest, and picks again. Two runs with one seed give
// the same trace, byte for byte.
//   S1. Nothing of a dead process runs; what it had on the wire may still be carried out, and nobody is answered.
//   S2. Time moves with the steps; when nothing can run it jumps to the next timer.
// It leaves to wire.ts what befalls a request, to world.ts what a world consists of, and to processes what they do.
import { ManualClock } from '../../src/adapters/memory/clock.ts'
import type { Pace } from '../../src/adapters/memory/pace.ts'
import type { Clock } from '../../src/runtime/ports.ts'
import { noFaults } from './faults.ts'
import type { FaultPlan } from './faults.ts'
import type { Outages } from './outages.ts'
import { SimulatedProcess } from './process.ts'
import { createRandom } from './random.ts'
import type { Random } from './random.ts'
import { Trace } from './trace.ts'
import { Wire } from './wire.ts'
import type { Step } from './wire.ts'

export interface SchedulerOptions {
  /** Kills the process whose request reaches one of these points, counted from 0: two for each request (wire.ts, S3). */
  readonly crashPoints?: readonly number[]
  /** The virtual time that one step takes, at most. */
  readonly stepMsMax?: number
  readonly traceLinesMax?: number
}

export class Scheduler {
  readonly clock = new ManualClock()
  /** For the world and its workload: draw from streams of it. */
  readonly random: Random
  readonly trace: Trace
  readonly #faultCounts = new Map<string, number>()
  readonly #picks: Random
  readonly #wire: Wire
  readonly #stepMsMax: number
  #runnable: Step[] = []
  #steps = 0

  constructor(seed: number | string, options: SchedulerOptions = {}) {
    this.random = createRandom(seed)
    this.trace = new Trace(options.traceLinesMax)
    this.#picks = this.random.stream('picks')
    this.#stepMsMax = options.stepMsMax ?? 2
    const stage = {
      clock: this.clock,
      push: (step: Step) => void this.#runnable.push(step),
      note: (line: string) => this.note(line),
      count: (kind: string) => this.countFault(kind),
    }
    this.#wire = new Wire(stage, this.random.stream('faults'), options.crashPoints)
  }

  /** Steps that were run. */
  get steps(): number {
    return this.#steps
  }

  /** Points at which a process may die that were passed. */
  get operations(): number {
    return this.#wire.operations
  }

  /** How many of `crashPoints` killed somebody: fewer where the run was shorter than that. */
  get crashPointsReached(): number {
    return this.#wire.crashPointsReached
  }

  /** How often each kind of fault was injected. */
  get faultCounts(): ReadonlyMap<string, number> {
    return this.#faultCounts
  }

  countFault(kind: string): void {
    this.#faultCounts.set(kind, (this.#faultCounts.get(kind) ?? 0) + 1)
  }

  get isHealed(): boolean {
    return this.#wire.isHealed
  }

  /** No fault is injected from now on; what is under way stays under way. */
  heal(): void {
    this.#wire.heal()
    this.note('faults end')
  }

  /** A line in the trace. */
  note(line: string): void {
    this.trace.add(`${this.#steps} ${this.clock.nowMs()} ${line}`)
  }

  /** A process of its own; `crash()` on it, or a planned failure, ends it. */
  spawn(name: string): SimulatedProcess {
    const process = new SimulatedProcess(name)
    process.onCrash(() => this.note(`${name} dies`))
    this.note(`${name} starts`)
    return process
  }

  /** Queues a step of the environment, or of a process: that one is dropped when the process is dead. */
  enqueue(label: string, run: () => void, process?: SimulatedProcess): void {
    this.#runnable.push({ label, run, process, isOnWire: false })
  }

  /** The network of a process; a function is asked for the plan of each request anew. */
  paceFor(process: SimulatedProcess, faults: FaultPlan | (() => FaultPlan) = noFaults, outages?: Outages): Pace {
    return this.#wire.paceFor(process, { planNow: typeof faults === 'function' ? faults : () => faults, outages })
  }

  /** The disk of a process: no faults of a network, and nothing is carried out after its death. */
  localPaceFor(process: SimulatedProcess): Pace {
    return this.#wire.paceFor(process, undefined)
  }

  /** The clock of a process: its timers are steps of it; `skewMs` sets its date off. */
  clockFor(process: SimulatedProcess, skewMs: () => number = () => 0): Clock {
    return {
      nowMs: () => this.clock.nowMs() + skewMs(),
      after: (delayMs, callback) => {
        let isArmed = true
        const cancel = this.clock.after(delayMs, () => {
          this.enqueue(`${process.name} timer`, () => void (isArmed && callback()), process)
        })
        return () => {
          isArmed = false
          cancel()
        }
      },
    }
  }

  /** Runs one step, or lets time jump to the next timer; false when there is neither. */
  async step(): Promise<boolean> {
    const candidates = this.#candidates()
    if (candidates.length === 0) {
      const nextMs = this.clock.nextTimerAtMs()
      if (nextMs === undefined) return false
      this.clock.advance(Math.max(0, nextMs - this.clock.nowMs())) // S2
      return true
    }
    const step = this.#picks.pick(candidates)
    this.#runnable.splice(this.#runnable.indexOf(step), 1)
    this.#steps++
    this.note(step.label)
    step.run()
    await rest()
    this.clock.advance(this.#picks.int(this.#stepMsMax + 1)) // S2
    return true
  }

  /** Runs until the predicate holds; false when `maxSteps` steps or the end of everything came first. */
  async runUntil(predicate: () => boolean, maxSteps: number): Promise<boolean> {
    await rest()
    for (let count = 0; !predicate(); count++) {
      if (count === maxSteps || !(await this.step())) return false
    }
    return true
  }

  /**
   * Runs until nothing can run and no timer is due within `horizonMs`; false when `maxSteps` came first.
   * Without a horizon no timer may be left at all.
   */
  async runUntilQuiet(options: { maxSteps?: number; horizonMs?: number } = {}): Promise<boolean> {
    const { maxSteps = 1_000_000, horizonMs = Number.POSITIVE_INFINITY } = options
    const isQuiet = () => {
      const nextMs = this.clock.nextTimerAtMs()
      return this.#candidates().length === 0 && (nextMs === undefined || nextMs - this.clock.nowMs() > horizonMs)
    }
    return this.runUntil(isQuiet, maxSteps)
  }

  /** What can run now; steps of the dead are forgotten on the way (S1). */
  #candidates(): readonly Step[] {
    this.#runnable = this.#runnable.filter((step) => step.isOnWire || step.process?.isAlive() !== false)
    return this.#runnable.filter((step) => step.isOnWire || step.process?.isPaused() !== true)
  }
}

/** The promises that follow from a step have come to rest when the event loop comes round. */
function rest(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
