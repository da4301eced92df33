// How much a worker has decided that is not committed yet, over all its partitions. A batch that is being committed is
// held in memory with all that it read and wrote, and nothing goes on with its instances until it is through. Where many
// partitions have work, each of them that decides another one meanwhile adds to both and makes nothing faster: one thread
// computes for all of them. One that has to wait finds more to decide when its turn comes.
import { limits } from '../base/limits.ts'
import type { Clock } from './ports.ts'
import type { Bell } from './wake.ts'

interface Entry {
  readonly inputs: number
  readonly sinceMs: number
}

/** What a decision may come to: a commit that is under way. */
interface Begun {
  readonly done: Promise<void>
}

/** Of a worker. */
export class CommitWindow {
  readonly #entries = new Set<Entry>()
  /** Who waits for room, the first first. */
  readonly #waiting = new Set<Bell>()

  /** Whether there is room for another batch, beside those of whoever waits for longer. Who has room waits no more. */
  admits(bell: Bell, nowMs: number): boolean {
    let inputs = 0
    // What takes longer is held up by a part of the log that is away, and is no reason to hold up the others.
    for (const each of this.#entries) if (nowMs - each.sinceMs < limits.commitPatienceMs) inputs += each.inputs
    for (const other of this.#waiting) {
      if (other === bell) break
      if (inputs > 0) inputs += limits.batchInputsMax
    }
    const hasRoom = inputs < limits.uncommittedInputsMax
    if (hasRoom) this.#waiting.delete(bell)
    return hasRoom
  }

  /** Rung as soon as there may be room. */
  async room(bell: Bell, clock: Clock): Promise<void> {
    this.#waiting.add(bell)
    await bell.heardWithin(limits.commitPatienceMs, clock)
  }

  /**
   * While a batch of so many inputs is decided, and while what that resolves to, its commit, is under way. It is for
   * others to be told how that ends.
   */
  async during(inputs: number, sinceMs: number, decide: () => Promise<Begun | undefined>): Promise<void> {
    const entry = { inputs, sinceMs }
    this.#entries.add(entry)
    const leave = (): void => {
      this.#entries.delete(entry)
      for (const bell of this.#waiting) bell.ring()
    }
    let begun: Begun | undefined
    try {
      begun = await decide()
    } finally {
      if (begun === undefined) leave()
    }
    begun?.done.then(leave, leave)
  }

  /** Nobody waits at the bell any more. */
  forget(bell: Bell): void {
    this.#waiting.delete(bell)
  }
}
