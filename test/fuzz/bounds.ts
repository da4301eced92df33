// What one input may cost. Time is this thread's processor time and memory what the heap has grown by, so that other
// programs on the machine do not count. Compilation, collection and the machine's moods make a first measurement a mere
// suspicion: an input is too slow or too large when it is so in every one of six more runs.
import assert from 'node:assert/strict'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

export const boundsOfAnInput = { cpuMs: 50, heapBytes: 64 * 1_048_576 } as const

export interface Cost {
  readonly cpuMs: number
  readonly heapBytes: number
}

export interface Measured<Result> {
  readonly result: Result
  readonly cost: Cost
}

/** Runs it once, and says what that cost. */
export async function measure<Result>(act: () => Result | Promise<Result>): Promise<Measured<Result>> {
  const heapBefore = heapBytes()
  const cpuBefore = process.threadCpuUsage()
  const result = await act()
  const { user, system } = process.threadCpuUsage(cpuBefore)
  return { result, cost: { cpuMs: (user + system) / 1_000, heapBytes: Math.max(0, heapBytes() - heapBefore) } }
}

export function isWithin(cost: Cost, bounds: Cost): boolean {
  return cost.cpuMs <= bounds.cpuMs && cost.heapBytes <= bounds.heapBytes
}

const runsOfASuspect = 6

/** Runs a suspect again. @throws {AssertionError} It is over the same bound each time. */
export async function confirm(act: () => unknown, bounds: Cost): Promise<void> {
  let least: Cost = { cpuMs: Infinity, heapBytes: Infinity }
  for (let run = 0; run < runsOfASuspect; run++) {
    collectGarbage()
    const { cost } = await measure(act)
    least = { cpuMs: Math.min(least.cpuMs, cost.cpuMs), heapBytes: Math.min(least.heapBytes, cost.heapBytes) }
    if (isWithin(least, bounds)) return
  }
  const cpu = `${Math.round(least.cpuMs)} ms of ${bounds.cpuMs}`
  assert.fail(`costs too much each time: ${cpu}, ${mebibytes(least.heapBytes)} MiB of ${mebibytes(bounds.heapBytes)}`)
}

/** With buffers: they live beside the heap. */
function heapBytes(): number {
  const { used_heap_size, external_memory } = getHeapStatistics()
  return used_heap_size + external_memory
}

setFlagsFromString('--expose-gc')
const gc: unknown = runInNewContext('gc')

function collectGarbage(): void {
  if (typeof gc === 'function') gc()
}

const mebibytes = (bytes: number): number => Math.round(bytes / 1_048_576)
