// The due times of one partition. The rows are in the state; here are only the earliest of them, so that a million
// timers cost disk and not memory.
//
//   in memory: everything before the horizon        in the store alone: the horizon and after
//
// I7. A timer that is in the state is in memory or behind the horizon, so none is missed; one that was cancelled may
//     linger here, and is refused when it fires, because its row is gone.
import { limits } from '../base/limits.ts'
import { endOf, prefixes } from '../records/keys.ts'
import type { Store } from './ports.ts'

export class Timers {
  readonly #store: Store
  /** A binary heap of keys: they sort by due time. */
  #heap: string[] = []
  /** The first key that is not in memory; undefined: all are. */
  #horizon: string | undefined = prefixes.timers
  #loading: string[] | undefined

  constructor(store: Store) {
    this.#store = store
  }

  /** Whether all in memory are taken, and there are more in the store. */
  get hasRunOut(): boolean {
    return this.#heap.length === 0 && this.#horizon !== undefined && this.#loading === undefined
  }

  /** Takes the next ones from the store when memory has run out of them. */
  async refill(): Promise<void> {
    const from = this.#horizon
    if (from === undefined || !this.hasRunOut) return
    const added: string[] = []
    this.#loading = added
    const limit = limits.timersReadAtOnce
    const entries = await this.#store.list({ from, to: endOf(prefixes.timers), limit })
    const last = entries[entries.length - 1]
    this.#horizon = entries.length < limit || last === undefined ? undefined : `${last.key}\0`
    for (const { key } of entries) this.#push(key.slice(prefixes.timers.length))
    this.#loading = undefined
    // Armed while the store was being read: it may have been too late for the list.
    for (const key of added) this.add(key)
  }

  /** A timer was armed, and that is committed. */
  add(key: string): void {
    if (this.#horizon !== undefined && prefixes.timers + key >= this.#horizon) {
      this.#loading?.push(key)
      return
    }
    this.#push(key)
    if (this.#heap.length > limits.timersInMemoryMax) this.#shrink()
  }

  /** Milliseconds since 1970 of the earliest one in memory. */
  get nextDueAtMs(): number | undefined {
    const first = this.#heap[0]
    return first === undefined ? undefined : dueOf(first)
  }

  /** How long to sleep until the earliest is due; less, where the clock could be set meanwhile. undefined: there is none. */
  sleepMs(nowMs: number): number | undefined {
    const dueAtMs = this.nextDueAtMs
    return dueAtMs === undefined ? undefined : Math.min(limits.sleepMsMax, Math.max(0, dueAtMs - nowMs))
  }

  /** Takes out the keys that are due, the earliest first. */
  takeDue(nowMs: number, max: number): readonly string[] {
    const due: string[] = []
    while (due.length < max) {
      const first = this.#heap[0]
      if (first === undefined || dueOf(first) > nowMs) break
      due.push(this.#pop())
    }
    return due
  }

  #shrink(): void {
    this.#heap.sort()
    const dropped = this.#heap.splice(Math.floor(limits.timersInMemoryMax / 2))
    const [first] = dropped
    if (first !== undefined) this.#horizon = prefixes.timers + first
  }

  #push(key: string): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(key)
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent] as string
      if (above <= key) break
      heap[at] = above
      at = parent
    }
    heap[at] = key
  }

  #pop(): string {
    const heap = this.#heap
    const first = heap[0] as string
    const last = heap.pop() as string
    const size = heap.length
    if (size > 0) {
      let at = 0
      for (;;) {
        let child = 2 * at + 1
        if (child >= size) break
        if (child + 1 < size && (heap[child + 1] as string) < (heap[child] as string)) child++
        if ((heap[child] as string) >= last) break
        heap[at] = heap[child] as string
        at = child
      }
      heap[at] = last
    }
    return first
  }
}

/** Milliseconds since 1970. */
export const dueOf = (key: string): number => Number(key.slice(0, 15))
