// Waits until instances are completed, by the worker's own counters: they count what is committed.
import { setTimeout as pause } from 'node:timers/promises'
import { TransientFault } from '../base/errors.ts'
import type { Worker } from '../runtime/worker.ts'
import type { Engine } from './engine.ts'

const lookEveryDefaultMs = 5
/** None completed for so long: it will not end by itself. */
const stallMs = 30_000

/** How many instances have completed since the worker began. */
export const completedSoFar = (worker: Worker): number => worker.view().counters['instance_completed'] ?? 0

/** Resolves when so many instances have completed since the worker began. @throws {TransientFault} It does not go on. */
export function untilCompleted({ worker, signal }: Pick<Engine, 'worker' | 'signal'>, count: number): Promise<void> {
  return untilCounted({
    count,
    of: 'instances',
    signal,
    completed: () => completedSoFar(worker),
    explain: () => {
      const { problems, counters } = worker.view()
      return JSON.stringify({ problems, counters })
    },
  })
}

export interface Counting {
  readonly count: number
  /** What is counted: "instances". */
  readonly of: string
  readonly signal: AbortSignal
  readonly lookEveryMs?: number
  readonly completed: () => number | Promise<number>
  /** For one who wonders why it does not go on. */
  readonly explain: () => string
}

/** Resolves when so many are counted. @throws {TransientFault} It does not go on. */
export async function untilCounted(counting: Counting): Promise<void> {
  const { count, of, signal, lookEveryMs = lookEveryDefaultMs, completed, explain } = counting
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
      throw new TransientFault(`stuck at ${found} of ${count} ${of}: ${explain()}`)
    }
    await pause(lookEveryMs)
  }
}
