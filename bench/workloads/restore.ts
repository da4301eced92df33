// restore: what a worker does before it is ready when its data directory is gone. A changelog of so many values, each of
// about 200 bytes, is read into new stores, all partitions side by side.
import { join } from 'node:path'
import { openLevelStore } from '../../src/adapters/level/store.ts'
import { writeBehind } from '../../src/adapters/level/write-behind.ts'
import { systemClock } from '../../src/adapters/system/clock.ts'
import type { Log, Store } from '../../src/runtime/ports.ts'
import { restore } from '../../src/runtime/restore.ts'
import { partitions, withLog } from '../engine.ts'
import { feed, keyedRecord } from '../feed.ts'
import { app, type OpenLog } from '../logs.ts'

const topic = 'changelog'
const lookEveryMs = 50
const pageEntries = 10_000

export interface RestoreOptions {
  readonly openLog: OpenLog
  readonly values: number
  /** Called with what is to be measured; a profiler steps in here. */
  readonly measure?: <T>(run: () => Promise<T>) => Promise<T>
}

export interface Restored {
  readonly values: number
  /** Until all stores are written and closed. */
  readonly seconds: number
  /** Of the main thread. */
  readonly cpuSeconds: number
  /** The most that the process held while it restored, in bytes. */
  readonly rssBytes: number
}

/** Produces a changelog, and restores all of its partitions from nothing. */
export function runRestore({ openLog, values, measure = (run) => run() }: RestoreOptions): Promise<Restored> {
  return withLog(openLog, async (log, directory) => {
    await log.createTopics([{ name: topic, partitions, cleanup: 'compacted' }])
    await feed(log, values, (index) => keyedRecord(topic, `i/${index.toString(36).padStart(8, '0')}`, { index }))
    // What producing has left behind is not what restoring takes.
    globalThis.gc?.()
    let rssBytes = process.memoryUsage.rss()
    const looking = setInterval(() => (rssBytes = Math.max(rssBytes, process.memoryUsage.rss())), lookEveryMs)
    const before = process.threadCpuUsage()
    const startedAtMs = performance.now()
    try {
      await measure(() => restoreAll(log, directory))
    } finally {
      clearInterval(looking)
    }
    const seconds = (performance.now() - startedAtMs) / 1_000
    const { user, system } = process.threadCpuUsage(before)
    const found = await countAll(directory)
    if (found !== values) throw new Error(`${found} values of ${values} were restored`)
    return { values, seconds, cpuSeconds: (user + system) / 1_000_000, rssBytes }
  })
}

async function restoreAll(log: Log, directory: string): Promise<void> {
  await Promise.all(
    Array.from({ length: partitions }, async (_, partition) => {
      const store = await openStore(directory, partition)
      try {
        await restore({ log, store, topic, partition, clock: systemClock, isCancelled: () => false })
      } finally {
        await store.close()
      }
    }),
  )
}

async function openStore(directory: string, partition: number): Promise<Store> {
  return writeBehind(await openLevelStore({ directory: join(directory, 'restored', `${partition}`), app, partition }))
}

/** A benchmark that loses values measures nothing. */
async function countAll(directory: string): Promise<number> {
  let count = 0
  for (let partition = 0; partition < partitions; partition++) {
    const store = await openStore(directory, partition)
    for (let from = ''; ;) {
      const page = await store.list({ from, to: 'j', limit: pageEntries })
      const last = page.at(-1)
      if (last === undefined) break
      count += page.length
      from = `${last.key}\0`
    }
    await store.close()
  }
  return count
}
