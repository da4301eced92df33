// Calls by who is not known, counted by address: so many a minute are answered and logged, the others are told to wait.
// A good token is never held up by bad ones of the same address: 256 random bits are not guessed, and behind a proxy all
// callers have one address. What is bounded is the log.
import { httpLimits } from './limits.ts'

const windowMs = 60_000

export class FailedAttempts {
  readonly #counts = new Map<string, { count: number; readonly untilMs: number }>()

  /** Counts one. Gives the seconds to wait for where there were too many lately. */
  note(address: string, nowMs: number): number | undefined {
    const known = this.#counts.get(address)
    if (known !== undefined && nowMs < known.untilMs) {
      known.count += 1
      return known.count > httpLimits.failedAttemptsMax ? Math.ceil((known.untilMs - nowMs) / 1_000) : undefined
    }
    this.#counts.delete(address)
    // The oldest goes: what many addresses can do is to be logged more often.
    const [oldest] = this.#counts.keys()
    if (this.#counts.size >= httpLimits.failingAddressesMax && oldest !== undefined) this.#counts.delete(oldest)
    this.#counts.set(address, { count: 1, untilMs: nowMs + windowMs })
    return undefined
  }
}
