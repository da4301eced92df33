// restore: what a worker does before it is ready when its data directory is gone. A changelog of so many values, each of
// about 200 bytes, is read into new stores, all partitions side by side.
import { join } from 'node:path'
import { openLevelStore } from '../../src/adapters/level/store.ts'
import { writeBehind } from '../../src/adapters/level/write-behind.ts'
import { systemClock } from '../../src/adapters/system/clock.ts'
import { feed, keyedRecord } from '../../src/bench/feed.ts'
import { withSite, type Ground, type Site } from '../../src/bench/site.ts'
import type { Store } from '../../src/runtime/ports.ts'
import { restore } from '../../src/runtime/restore.ts'
import { median, numberText, recoveryGoals, type Figure, type Goal } from '../figures.ts'

const lookEveryMs = 50
const pageEntries = 10_000

export interface RestoreOptions {
  readonly ground: Ground
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

const goalOf = (values: number): Goal | undefined => (values === 1_000_000 ? recoveryGoals.restore : undefined)

/** From nothing; once, as it is long. */
export async function measureRestore(
  ground: Ground,
  values: number,
  tell: (line: string) => void,
): Promise<readonly Figure[]> {
  const { seconds, cpuSeconds, rssBytes } = await runRestore({ ground, values })
  tell(`restore: ${values} values in ${seconds.toFixed(1)} s, main thread ${cpuSeconds.toFixed(1)} s`)
  return [
    median(`restore of ${numberText(values)} values`, 's', [seconds], goalOf(values)),
    median('restore', 'values/s', [values / seconds]),
    median('restore, largest resident set', 'MiB', [rssBytes / 1_048_576]),
  ]
}

/** Produces a changelog, and restores all of its partitions from nothing. */
export function runRestore({ ground, values, measure = (run) => run() }: RestoreOptions): Promise<Restored> {
  return withSite(ground, async (site) => {
    const topic = topicOf(site)
    await site.log.createTopics([{ name: topic, partitions: site.partitions, cleanup: 'compacted' }])
    await feed(site, values, (index) => keyedRecord(topic, `i/${index.toString(36).padStart(8, '0')}`, { index }))
    // What producing has left behind is not what restoring takes.
    globalThis.gc?.()
    let rssBytes = process.memoryUsage.rss()
    const looking = setInterval(() => (rssBytes = Math.max(rssBytes, process.memoryUsage.rss())), lookEveryMs)
    const before = process.threadCpuUsage()
    const startedAtMs = performance.now()
    try {
      await measure(() => restoreAll(site))
    } finally {
      clearInterval(looking)
    }
    const seconds = (performance.now() - startedAtMs) / 1_000
    const { user, system } = process.threadCpuUsage(before)
    const found = await countAll(site)
    if (found !== values) throw new Error(`${found} values of ${values} were restored`)
    return { values, seconds, cpuSeconds: (user + system) / 1_000_000, rssBytes }
  })
}

const topicOf = ({ app }: Site): string => `${app}-restored`

async function restoreAll(site: Site): Promise<void> {
  await Promise.all(
    Array.from({ length: site.partitions }, async (_, partition) => {
      const store = await openStore(site, partition)
      try {
        await restore({
          log: site.log,
          store,
          topic: topicOf(site),
          partition,
          clock: systemClock,
          isCancelled: () => false,
        })
      } finally {
        await store.close()
      }
    }),
  )
}

async function openStore({ directory, app }: Site, partition: number): Promise<Store> {
  return writeBehind(await openLevelStore({ directory: join(directory, 'restored', `${partition}`), app, partition }))
}

/** A benchmark that loses values measures nothing. */
async function countAll(site: Site): Promise<number> {
  let count = 0
  for (let partition = 0; partition < site.partitions; partition++) {
    const store = await openStore(site, partition)
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
