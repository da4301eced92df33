// When to strike while a shop goes about its business: points spread over all of its acknowledgements, by counting.
import { manners, type KilledDaemon, type Manner } from './killed-daemon.ts'
import type { Shop } from './shop.ts'

export interface Strike {
  readonly strike: () => void
  /** Acknowledgements after which it is time. */
  readonly at: number
}

const lookEveryMs = 5
const tellEveryMs = 2_000

/** `count` points spread over so many acknowledgements, each somewhere in its own stretch. */
export function spread(count: number, acknowledgements: number, strike: (index: number) => void): readonly Strike[] {
  return Array.from({ length: count }, (_, i) => ({
    at: Math.floor(((i + 0.3 + 0.6 * Math.random()) * acknowledgements) / count),
    strike: () => strike(i),
  }))
}

/** Runs the shop to its end and strikes on the way; `onProgress` is told every two seconds and at each strike. @throws Error when the daemon does not come back */
export async function strikeWhile(
  shop: Shop,
  struck: { readonly broken: Promise<never> },
  strikes: readonly Strike[],
  onProgress: (acknowledged: number) => void,
): Promise<void> {
  const due = strikes.toSorted((a, b) => a.at - b.at)
  let toldMs = Date.now()
  const looking = setInterval(() => {
    const isDue = due[0] !== undefined && shop.acknowledged >= due[0].at
    if (isDue) due.shift()?.strike()
    if (!isDue && Date.now() - toldMs < tellEveryMs) return
    toldMs = Date.now()
    onProgress(shop.acknowledged)
  }, lookEveryMs)
  try {
    await Promise.race([shop.run(), struck.broken])
  } finally {
    clearInterval(looking)
  }
}

/** So many kills, spread, in every manner in turn; one that meets its successor starting is two. */
export function spreadKills(kills: number, acknowledgements: number, daemon: KilledDaemon): readonly Strike[] {
  const blows: Manner[] = []
  for (let left = kills; left > 0; left -= blows.at(-1) === 'starting' ? 2 : 1) {
    const next = manners[blows.length % manners.length]!
    blows.push(next === 'starting' && left === 1 ? 'at once' : next)
  }
  return spread(blows.length, acknowledgements, (i) => void daemon.crash(blows[i]!))
}
