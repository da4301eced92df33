// A store that is a Map: nothing but values by key, for tests of what lies above the port.
import type { ChangelogPosition, Store, StoreChange, StoreEntry } from '../../src/runtime/ports.ts'

export class MapStore implements Store {
  readonly values = new Map<string, Uint8Array>()
  position: ChangelogPosition | undefined
  /** Keys that were asked for, in order. */
  readonly asked: string[] = []

  get(key: string): Uint8Array | undefined {
    this.asked.push(key)
    return this.values.get(key)
  }

  getMany(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> {
    return Promise.resolve(keys.map((key) => this.get(key)))
  }

  /** Writes at once what a batch left behind; the bytes are copied, as a disk does. */
  commit(changes: readonly StoreChange[]): void {
    for (const { key, value } of changes) {
      if (value === null) this.values.delete(key)
      else this.values.set(key, Uint8Array.from(value))
    }
  }

  /** Keys below a prefix, in order, without it. */
  keys(prefix: string): string[] {
    const found: string[] = []
    for (const key of this.values.keys()) if (key.startsWith(prefix)) found.push(key.slice(prefix.length))
    return found.sort()
  }

  list(range: { from: string; to: string; limit: number; reverse?: boolean }): Promise<readonly StoreEntry[]> {
    const entries = [...this.values]
      .filter(([key]) => key >= range.from && key < range.to)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => ({ key, value }))
    if (range.reverse === true) entries.reverse()
    return Promise.resolve(entries.slice(0, range.limit))
  }

  apply(changes: readonly StoreChange[], position: ChangelogPosition): Promise<void> {
    this.commit(changes)
    this.position = position
    return Promise.resolve()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  destroy(): Promise<void> {
    this.values.clear()
    return Promise.resolve()
  }
}
