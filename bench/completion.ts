// Waits until instances are completed, by the worker's own counters: they count what is committed.
import { setTimeout as pause } from 'node:timers/promises'
import type { Worker } from '../src/runtime/worker.ts'

const lookEveryMs = 5
/** No instance completed for so long: it will not end by itself. */
const stallMs = 30_000

/** How many instances have completed since the worker began. */
export const completedSoFar = (worker: Worker): number => worker.view().counters['instance_completed'] ?? 0

/** Resolves when so many instances have completed since the worker began. @throws {Error} It does not go on. */
export async function untilCompleted(worker: Worker, count: number): Promise<void> {
  let last = 0
  let lastAtMs = performance.now()
  for (;;) {
    const completed = completedSoFar(worker)
    if (completed >= count) return
    const nowMs = performance.now()
    if (completed > last) {
      last = completed
      lastAtMs = nowMs
    } else if (nowMs - lastAtMs > stallMs) {
      const { problems, counters } = worker.view()
      throw new Error(`stuck at ${completed} of ${count} instances: ${JSON.stringify({ problems, counters })}`)
    }
    await pause(lookEveryMs)
  }
}
