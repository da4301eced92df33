// The wall clock and Node's timers. A timer never keeps the process alive: what does is the worker's server.
import type { Clock } from '../../runtime/ports.ts'

/** Node fires a timer at once when its delay does not fit 31 bits. */
const delayMaxMs = 2 ** 31 - 1

/** The machine's clock. Delays may be of any length; negative ones are 0. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  after(delayMs, callback) {
    let remainingMs = Math.max(0, delayMs)
    let timer: NodeJS.Timeout
    const arm = (): void => {
      const stepMs = Math.min(remainingMs, delayMaxMs)
      remainingMs -= stepMs
      timer = setTimeout(remainingMs > 0 ? arm : callback, stepMs)
      timer.unref()
    }
    arm()
    return () => clearTimeout(timer)
  },
}
