import type { Clock } from '../../runtime/ports.ts'

interface Timer {
  readonly dueMs: number
  readonly callback: () => void
}

/**
 * A clock that stands still until told. Timers count elapsed time, as a machine's do: `jump` moves the date under
 * them and wakes nobody.
 */
export class ManualClock implements Clock {
  #elapsedMs = 0
  #dateMs: number
  readonly #timers = new Set<Timer>()

  /** Starts at a date in ms since 1970. */
  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#dateMs = startMs
  }

  nowMs(): number {
    return this.#dateMs + this.#elapsedMs
  }

  /** Milliseconds since it was made: what timers count. */
  get elapsedMs(): number {
    return this.#elapsedMs
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { dueMs: this.#elapsedMs + Math.max(0, delayMs), callback }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  /** When the next timer is due by this clock's date; undefined when none is armed. */
  nextTimerAtMs(): number | undefined {
    const next = this.#next()
    return next === undefined ? undefined : this.#dateMs + next.dueMs
  }

  /** Lets time pass; timers are called at their times, in order, those armed on the way included. */
  advance(ms: number): void {
    const untilMs = this.#elapsedMs + ms
    for (let timer = this.#next(); timer !== undefined && timer.dueMs <= untilMs; timer = this.#next()) {
      this.#elapsedMs = timer.dueMs
      this.#timers.delete(timer)
      timer.callback()
    }
    this.#elapsedMs = untilMs
  }

  /** Moves the date by `ms`, back or forth, as an operator or NTP does. */
  jump(ms: number): void {
    this.#dateMs += ms
  }

  #next(): Timer | undefined {
    let next: Timer | undefined
    // A set keeps the order of insertion: of timers due at the same time the first armed comes first.
    for (const timer of this.#timers) if (next === undefined || timer.dueMs < next.dueMs) next = timer
    return next
  }
}
