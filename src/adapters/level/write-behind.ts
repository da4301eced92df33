// A store that is written a little later than it is told to. The changelog is the truth and the store may lag behind it
// (P3), so what changes several times within seconds is written once: an order's instance, its channels and its key
// change ten times and leave three values.
//
//   B1. Values and position are one write: what is pending goes into the database as a whole, in one batch.
//   B2. Whoever reads finds what is pending; a range is listed only once nothing is.
//   B3. A write that failed stays pending: whoever comes next tries it again, and is told.
import type { ChangelogPosition, Store, StoreChange, StoreEntry } from '../../runtime/ports.ts'

export interface WriteBehindOptions {
  /** The longest that a change is pending, and what a crash adds to a restore. */
  readonly delayMs: number
  /** Whoever has so much pending waits for it to be written. */
  readonly pendingBytesMax: number
}

const usual: WriteBehindOptions = { delayMs: 5_000, pendingBytesMax: 4 * 1_048_576 }
/** What a pending change takes beside its key and value, about. */
const changeBytes = 100

type Pending = Map<string, Uint8Array | null>

/** Takes over a store: it must not be used by anybody else. */
export function writeBehind(store: Store, options: WriteBehindOptions = usual): Store {
  return new WriteBehind(store, options)
}

class WriteBehind implements Store {
  readonly #store: Store
  readonly #options: WriteBehindOptions
  #pending: Pending = new Map()
  #pendingBytes = 0
  #position: ChangelogPosition | undefined
  #writing: Pending | undefined
  #written: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #hasFailed = false

  constructor(store: Store, options: WriteBehindOptions) {
    this.#store = store
    this.#options = options
    this.#position = store.position
  }

  get position(): ChangelogPosition | undefined {
    return this.#position
  }

  get(key: string): Uint8Array | undefined {
    const unwritten = this.#unwritten(key) // B2
    return unwritten === undefined ? this.#store.get(key) : (unwritten ?? undefined)
  }

  async getMany(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> {
    const known = keys.map((key) => this.#unwritten(key)) // B2
    const stored = await this.#store.getMany(keys)
    return stored.map((value, index) => {
      const pending = known[index]
      return pending === undefined ? value : (pending ?? undefined)
    })
  }

  async list(range: Parameters<Store['list']>[0]): Promise<readonly StoreEntry[]> {
    await this.#flush() // B2
    return this.#store.list(range)
  }

  /** null: removed; undefined: what is in the store is the latest. */
  #unwritten(key: string): Uint8Array | null | undefined {
    const pending = this.#pending.get(key)
    return pending === undefined ? this.#writing?.get(key) : pending
  }

  async apply(changes: readonly StoreChange[], position: ChangelogPosition): Promise<void> {
    if (this.#hasFailed) await this.#flush() // B3
    for (const { key, value } of changes) {
      const before = this.#pending.get(key)
      this.#pendingBytes += (value?.length ?? 0) - (before?.length ?? 0)
      if (before === undefined) this.#pendingBytes += changeBytes + key.length
      this.#pending.set(key, value)
    }
    this.#position = position
    if (this.#pendingBytes >= this.#options.pendingBytesMax) await this.#flush()
    else this.#timer ??= setTimeout(() => void this.#flush().catch(() => {}), this.#options.delayMs).unref() // B3
  }

  async close(): Promise<void> {
    try {
      await this.#flush()
    } finally {
      clearTimeout(this.#timer)
      await this.#store.close()
    }
  }

  async destroy(): Promise<void> {
    clearTimeout(this.#timer)
    this.#pending.clear()
    this.#position = undefined
    await this.#written?.catch(() => {})
    await this.#store.destroy()
  }

  /** Resolves once all that was pending when it was called is in the store. */
  async #flush(): Promise<void> {
    if (this.#written !== undefined) await this.#written
    // Others may have waited for the same write, and one of them has begun the next.
    this.#written ??= this.#write().finally(() => (this.#written = undefined))
    await this.#written
  }

  async #write(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const position = this.#position
    if (position === undefined || (this.#store.position === position && this.#pending.size === 0)) return
    const writing = this.#pending
    this.#writing = writing
    this.#pending = new Map()
    this.#pendingBytes = 0
    try {
      await this.#store.apply(
        Array.from(writing, ([key, value]) => ({ key, value })),
        position,
      ) // B1
      this.#hasFailed = false
    } catch (error) {
      this.#hasFailed = true
      this.#pending = new Map([...writing, ...this.#pending]) // B3
      throw error
    } finally {
      this.#writing = undefined
    }
  }
}
