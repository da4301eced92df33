// Waits until instances are completed, by the worker's own counters: they count what is committed.
import { setTimeout as pause } from 'node:timers/promises'
import type { Worker } from '../runtime/worker.ts'
import type { Engine } from './engine.ts'

const lookEveryMs = 5
/** No instance completed for so long: it will not end by itself. */
const stallMs = 30_000

/** How many instances have completed since the worker began. */
export const completedSoFar = (worker: Worker): number => worker.view().counters['instance_completed'] ?? 0

/** Resolves when so many instances have completed since the worker began. @throws {Error} It does not go on. */
export function untilCompleted({ worker, signal }: Pick<Engine, 'worker' | 'signal'>, count: number): Promise<void> {
  return untilCounted({
    count,
    signal,
    lookEveryMs,
    completed: () => completedSoFar(worker),
    explain: () => {
      const { problems, counters } = worker.view()
      return JSON.stringify({ problems, counters })
    },
  })
}

export interface Counting {
  readonly count: number
  readonly signal: AbortSignal
  readonly lookEveryMs: number
  readonly completed: () => number | Promise<number>
  /** What the workers say of themselves, for one who wonders why it does not go on. */
  readonly explain: () => string
}

/** Resolves when so many instances are counted as completed. @throws {Error} It does not go on. */
export async function untilCounted({ count, signal, lookEveryMs, completed, explain }: Counting): Promise<void> {
  let last = 0
  let lastAtMs = performance.now()
  for (;;) {
    signal.throwIfAborted()
    const found = await completed()
    if (found >= count) return
    const nowMs = performance.now()
    if (found > last) {
      last = found
      lastAtMs = nowMs
    } else if (nowMs - lastAtMs > stallMs) {
      throw new Error(`stuck at ${found} of ${count} instances: ${explain()}`)
    }
    await pause(lookEveryMs)
  }
}
