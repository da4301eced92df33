// What the figures were measured on: without it they are worth nothing.
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly node: string
  /** Of the last minute, before the benchmarks began: other people's work. */
  readonly load: number
  /** Median of writing 64 KiB and syncing them where the logs will lie: what a group costs at least. */
  readonly syncMs: number
}

const syncs = 50

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    node: process.version,
    load: loadavg()[0] ?? 0,
    syncMs: measureSync(),
  }
}

function measureSync(): number {
  const directory = mkdtempSync(join(tmpdir(), 'dagger-worker-bench-'))
  const file = openSync(join(directory, 'sync'), 'w')
  const block = Buffer.alloc(65_536)
  const tookMs = Array.from({ length: syncs }, () => {
    const beganAtMs = performance.now()
    writeSync(file, block)
    fdatasyncSync(file)
    return performance.now() - beganAtMs
  }).sort((a, b) => a - b)
  closeSync(file)
  rmSync(directory, { recursive: true })
  return tookMs[syncs >> 1] ?? Number.NaN
}
