import type { Clock } from '../../runtime/ports.ts'
import { bounds } from './options.ts'

/** A time to have something done in, with waits between the tries that double from 2 to 250 ms. */
export class Retry {
  readonly #clock: Clock
  /** Of the monotonic clock: a wall clock that is put right must not cut a try short, nor draw it out. */
  readonly #endsAt: number
  #delayMs: number = bounds.retryDelayMs.first

  constructor(clock: Clock, withinMs: number = bounds.retryForMs) {
    this.#clock = clock
    this.#endsAt = performance.now() + withinMs
  }

  /** Waits before the next try; false, at once, when there is no time for one. */
  async again(): Promise<boolean> {
    if (performance.now() + this.#delayMs > this.#endsAt) return false
    await pause(this.#clock, this.#delayMs)
    this.#delayMs = Math.min(bounds.retryDelayMs.max, this.#delayMs * 2)
    return true
  }
}

/** Resolves after a while. */
export function pause(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => void clock.after(delayMs, resolve))
}
