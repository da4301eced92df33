// A store that is watched: which of its calls has not been answered for how long. What a partition waits for is its log,
// its store, or work. A log that is away comes back by itself, and to end the process would not bring it; a store that
// never answers is a promise that was lost or a disk that hangs, and all that is left is to begin anew.
import { limits } from '../base/limits.ts'
import type { Clock, Store } from './ports.ts'

export interface WatchedStore extends Store {
  /** The call that will not be answered any more, in words; undefined: there is none. */
  stuck(): string | undefined
}

interface Waiting {
  readonly what: string
  readonly sinceMs: number
}

/** The same store, watched. To close or destroy it may take its time: that is not watched. */
export function watched(store: Store, clock: Clock): WatchedStore {
  // In the order of their coming, so that the first one has waited longest.
  const calls = new Set<Waiting>()
  const during = async <Answer>(what: string, ask: () => Promise<Answer>): Promise<Answer> => {
    const call = { what, sinceMs: clock.nowMs() }
    calls.add(call)
    try {
      return await ask()
    } finally {
      calls.delete(call)
    }
  }
  return {
    get: (key) => store.get(key),
    getMany: (keys) => during('reading many', () => store.getMany(keys)),
    list: (range) => during('reading a range', () => store.list(range)),
    apply: (changes, position) => during('writing', () => store.apply(changes, position)),
    get position() {
      return store.position
    },
    close: () => store.close(),
    destroy: () => store.destroy(),
    stuck() {
      const [first] = calls
      const ms = first === undefined ? 0 : clock.nowMs() - first.sinceMs
      if (first === undefined || ms <= limits.stuckAfterMs) return undefined
      return `its store has not answered for ${Math.round(ms / 1_000)} s (${first.what})`
    },
  }
}
