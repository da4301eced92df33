// What another process has used, as Linux tells it.
import { readFileSync } from 'node:fs'

/** The kernel counts in hundredths of a second for everybody who asks, whatever it counts in itself. */
const ticksPerSecond = 100

/** CPU time of all threads of a process so far, in seconds; NaN where the system is not Linux. */
export function cpuSecondsOf(pid: number): number {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return Number.NaN
  }
  // The name, in parentheses, may hold anything; then come the state, ten more, and the ticks of user and kernel.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}
