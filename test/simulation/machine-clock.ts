import type { ManualClock } from '../../src/adapters/memory/clock.ts'

/**
 * The date of one machine: the world's, set off by jumps, and running at a rate of its own. Elapsed time is the same
 * everywhere: timers count that, and a date that stands still wakes nobody later.
 */
export class MachineClock {
  readonly #world: ManualClock
  #errorMs = 0
  #rate = 1
  #sinceMs = 0
  /** The latest date that was shown before the clock was set back. */
  #latestMs = 0

  constructor(world: ManualClock) {
    this.#world = world
  }

  nowMs(): number {
    return this.#world.nowMs() + this.errorMs
  }

  /** How far ahead of the world it is; negative where it is behind. */
  get errorMs(): number {
    return this.#errorMs + (this.#rate - 1) * (this.#world.elapsedMs - this.#sinceMs)
  }

  /** The latest date that it ever showed. */
  get latestMs(): number {
    return Math.max(this.#latestMs, this.nowMs())
  }

  /** Moves the date by `ms`, back or forth. */
  jump(ms: number): void {
    this.#set(this.errorMs + ms, this.#rate)
  }

  /** From now on: 0 stands still, 1 is right, 2 is double speed. */
  run(rate: number): void {
    this.#set(this.errorMs, rate)
  }

  setRight(): void {
    this.#set(0, 1)
  }

  #set(errorMs: number, rate: number): void {
    this.#latestMs = this.latestMs
    this.#errorMs = errorMs
    this.#rate = rate
    this.#sinceMs = this.#world.elapsedMs
  }
}
