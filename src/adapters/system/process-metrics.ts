// What the process and its machine tell: the event loop, processor and memory, and the disk that the data lies on.
import { readdir, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import type { Metrics, Reading } from '../../runtime/metrics/metrics.ts'

/** How often the event loop is asked for its longest delay. What begins within a hundredth of a second after is not seen. */
const loopLookedAtMs = 5_000
const loopResolutionMs = 10
/** A directory with thousands of files is not read at every scrape. */
const diskLookedAtMs = 30_000

/** Measures until the result is called. @param data the data directory */
export function measureProcess(metrics: Metrics, data: string): () => void {
  const delay = metrics.histogram('eventLoopDelay')
  const loop = monitorEventLoopDelay({ resolution: loopResolutionMs })
  loop.enable()
  const look = (): void => {
    // In nanoseconds, and with the time between two looks of its own.
    delay.record(loop.count === 0 ? 0 : Math.max(0, loop.max / 1e9 - loopResolutionMs / 1_000))
    loop.reset()
  }
  // After every timer that is due: its own is one, and knows of the delay that held up this one.
  const loopTimer = setInterval(() => setImmediate(look), loopLookedAtMs).unref()

  let disk: readonly Reading[] = []
  const lookAtDisk = async (): Promise<void> => {
    disk = await readDisk(data).catch(() => []) // not there yet, or going: told with the next look
  }
  void lookAtDisk()
  const diskTimer = setInterval(() => void lookAtDisk(), diskLookedAtMs).unref()

  const forget = metrics.observe(function* () {
    const { user, system } = process.cpuUsage()
    const { rss, heapUsed } = process.memoryUsage()
    yield ['eventLoopActive', performance.eventLoopUtilization().active / 1_000]
    yield ['cpuSeconds', (user + system) / 1e6]
    yield ['residentBytes', rss]
    yield ['heapBytes', heapUsed]
    yield ['startedAt', performance.timeOrigin / 1_000]
    yield* disk
  })
  return () => {
    clearInterval(loopTimer)
    clearInterval(diskTimer)
    loop.disable()
    forget()
  }
}

async function readDisk(data: string): Promise<readonly Reading[]> {
  const { bavail, blocks, bsize } = await statfs(data)
  return [
    ['dataBytes', await bytesIn(data)],
    ['volumeFreeBytes', bavail * bsize],
    ['volumeBytes', blocks * bsize],
  ]
}

/** Of all files below a directory; what goes while it is read counts nothing. */
async function bytesIn(directory: string): Promise<number> {
  let bytes = 0
  for (const { name, parentPath } of await readdir(directory, { recursive: true, withFileTypes: true }))
    bytes += await stat(join(parentPath, name)).then(
      (found) => (found.isFile() ? found.size : 0),
      () => 0,
    )
  return bytes
}
