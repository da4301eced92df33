// The disk of one simulated machine: what stores leave behind when their process dies.
// A batch is written whole or not at all. What was written is not at once safe: until `sync` the newest batches can be
// lost, newest first, by a crash of the machine (never by one of the process alone).
//   M1. After a crash a store is what it was after some batch: batches are lost from the end, none is torn.
import { assert } from '../../base/assert.ts'
import { ConfigError, StoreCorrupted, TransientFault } from '../../base/errors.ts'
import type { ChangelogPosition, StoreChange, StoreEntry } from '../../runtime/ports.ts'

/** Batches that a crash may take back; older ones count as synced. */
const unsyncedBatchesMax = 64

/** What it takes to undo one batch. */
interface Undo {
  readonly changes: readonly { readonly key: string; readonly before: Uint8Array | undefined }[]
  readonly position: ChangelogPosition | undefined
}

/** The files of one partition's store. */
export class DiskPartition {
  readonly #values = new Map<string, Uint8Array>()
  #keys: string[] = []
  /** Keys written since `#keys` was sorted; removed ones are left out when it is sorted again. */
  #hasKeysToSort = false
  #unsynced: Undo[] = []
  #position: ChangelogPosition | undefined
  isCorrupted = false

  get position(): ChangelogPosition | undefined {
    return this.#position
  }

  /** @throws {StoreCorrupted} */
  get(key: string): Uint8Array | undefined {
    this.#expectSound()
    return this.#values.get(key)
  }

  /** @throws {StoreCorrupted} */
  list(range: { from: string; to: string; limit: number; reverse?: boolean }): readonly StoreEntry[] {
    this.#expectSound()
    this.#sortKeys()
    const first = this.#indexOf(range.from)
    const last = Math.max(first, this.#indexOf(range.to))
    const keys =
      range.reverse === true
        ? this.#keys.slice(Math.max(first, last - range.limit), last).reverse()
        : this.#keys.slice(first, Math.min(last, first + range.limit))
    return keys.map((key) => ({ key, value: this.#values.get(key)! }))
  }

  /** @throws {StoreCorrupted} */
  write(changes: readonly StoreChange[], position: ChangelogPosition): void {
    this.#expectSound()
    const undone = {
      changes: changes.map(({ key }) => ({ key, before: this.#values.get(key) })),
      position: this.#position,
    }
    for (const { key, value } of changes) this.#set(key, value ?? undefined)
    this.#position = position
    this.#unsynced.push(undone)
    if (this.#unsynced.length > unsyncedBatchesMax) this.#unsynced.shift()
  }

  sync(): void {
    this.#unsynced = []
  }

  copy(): DiskPartition {
    const copy = new DiskPartition()
    for (const [key, value] of this.#values) copy.#set(key, value)
    copy.#position = this.#position
    return copy
  }

  /** Takes back the newest batches that were not synced (M1). */
  lose(batches: number): void {
    for (let lost = 0; lost < batches; lost++) {
      const undo = this.#unsynced.pop()
      if (undo === undefined) return
      // A key that the batch named twice stands here twice, each time with its value before the batch.
      for (const { key, before } of undo.changes) this.#set(key, before)
      this.#position = undo.position
    }
  }

  #set(key: string, value: Uint8Array | undefined): void {
    if (value === undefined) {
      if (this.#values.delete(key)) this.#hasKeysToSort = true
      return
    }
    if (!this.#values.has(key)) {
      this.#keys.push(key)
      this.#hasKeysToSort = true
    }
    this.#values.set(key, value)
  }

  #sortKeys(): void {
    if (!this.#hasKeysToSort) return
    // Few keys are new since the last time: the sort finds one long run, and is quick.
    const sorted = this.#keys.filter((key) => this.#values.has(key)).sort(compareUtf8)
    this.#keys = sorted.filter((key, index) => key !== sorted[index - 1])
    this.#hasKeysToSort = false
  }

  #indexOf(key: string): number {
    let low = 0
    let high = this.#keys.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (compareUtf8(this.#keys[middle]!, key) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  #expectSound(): void {
    if (this.isCorrupted) throw new StoreCorrupted('checksum mismatch')
  }
}

/** Keeps the stores of one machine by partition; survives the crashes of its processes. */
export class MemoryDisk {
  #partitions = new Map<number, DiskPartition>()
  readonly #inUse = new Map<number, DiskPartition>()
  #isClaimed = false
  /** While true, writes fail and nothing changes. */
  isFull = false
  /** While true, the device gives errors (EIO). */
  failsReads = false
  failsWrites = false

  /** Takes the whole directory for a process, until it dies. @throws {ConfigError} DW_DATA_IN_USE */
  claim(): void {
    if (this.#isClaimed) throw new ConfigError([{ code: 'DW_DATA_IN_USE', message: 'The data directory is in use.' }])
    this.#isClaimed = true
  }

  /**
   * The files of a partition, locked for the caller. What is found corrupted is removed before this throws, so the
   * next attempt finds an empty store. @throws {StoreCorrupted} @throws {ConfigError} DW_DATA_IN_USE
   */
  open(partition: number): DiskPartition {
    if (this.#inUse.has(partition)) {
      throw new ConfigError([{ code: 'DW_DATA_IN_USE', message: `The store of partition ${partition} is in use.` }])
    }
    const files = this.#partitions.get(partition) ?? new DiskPartition()
    if (files.isCorrupted) {
      this.#partitions.delete(partition)
      throw new StoreCorrupted(`the store of partition ${partition} does not open`)
    }
    this.#partitions.set(partition, files)
    this.#inUse.set(partition, files)
    return files
  }

  /** Writes a batch. @throws {TransientFault} full @throws {StoreCorrupted} */
  write(files: DiskPartition, changes: readonly StoreChange[], position: ChangelogPosition): void {
    if (this.isFull) throw new TransientFault('no space left on the disk')
    if (this.failsWrites) throw new TransientFault('input/output error on a write')
    files.write(changes, position)
  }

  /** Reads one value. @throws {TransientFault} the device fails @throws {StoreCorrupted} */
  get(files: DiskPartition, key: string): Uint8Array | undefined {
    this.#expectReadable()
    return files.get(key)
  }

  /** Reads a range. @throws {TransientFault} the device fails @throws {StoreCorrupted} */
  list(files: DiskPartition, range: Parameters<DiskPartition['list']>[0]): readonly StoreEntry[] {
    this.#expectReadable()
    return files.list(range)
  }

  release(partition: number, files: DiskPartition): void {
    if (this.#inUse.get(partition) === files) this.#inUse.delete(partition)
  }

  remove(partition: number, files: DiskPartition): void {
    this.release(partition, files)
    if (this.#partitions.get(partition) === files) this.#partitions.delete(partition)
  }

  /** Makes everything written so far safe from crashes. */
  sync(): void {
    for (const files of this.#partitions.values()) files.sync()
  }

  /** The process dies: locks go; with it the machine: each store loses its newest `loseBatches` unsynced batches. */
  crash(loseBatches: number | ((partition: number) => number) = 0): void {
    this.#inUse.clear()
    this.#isClaimed = false
    for (const [partition, files] of this.#partitions) {
      files.lose(typeof loseBatches === 'number' ? loseBatches : loseBatches(partition))
    }
  }

  /** What is on it now, for a backup: without its locks and its faults. */
  copy(): MemoryDisk {
    const copy = new MemoryDisk()
    for (const [partition, files] of this.#partitions) copy.#partitions.set(partition, files.copy())
    return copy
  }

  /** Puts a backup in the place of all that there is. */
  putBack(backup: MemoryDisk): void {
    assert(!this.#isClaimed && this.#inUse.size === 0, 'a backup is put back while nobody uses the directory')
    this.#partitions = backup.copy().#partitions
  }

  /** Flips bits: the partition's store reports StoreCorrupted from now on until it is destroyed. */
  corrupt(partition: number): void {
    const files = this.#partitions.get(partition)
    assert(files !== undefined, `partition ${partition} has no store to corrupt`)
    files.isCorrupted = true
  }

  /** The partitions that have a store. */
  partitions(): readonly number[] {
    return [...this.#partitions.keys()].sort((a, b) => a - b)
  }

  /** Up to where the changelog is in a partition's store, for checkers; undefined when there is none that can be read. */
  position(partition: number): ChangelogPosition | undefined {
    return this.#sound(partition)?.position
  }

  /** All values of a partition in key order, for checkers; empty when there is no store that can be read. */
  dump(partition: number): readonly StoreEntry[] {
    return this.#sound(partition)?.list({ from: '', to: '\u{10ffff}', limit: Number.MAX_SAFE_INTEGER }) ?? []
  }

  #sound(partition: number): DiskPartition | undefined {
    const files = this.#partitions.get(partition)
    return files?.isCorrupted === true ? undefined : files
  }

  #expectReadable(): void {
    if (this.failsReads) throw new TransientFault('input/output error on a read')
  }
}

/** Orders as the UTF-8 bytes do, which is by code point: UTF-16 puts surrogates before U+E000 to U+FFFF. */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let at = 0; at < length; at++) {
    const left = a.charCodeAt(at)
    const right = b.charCodeAt(at)
    if (left !== right) return codePointRank(left) - codePointRank(right)
  }
  return a.length - b.length
}

function codePointRank(unit: number): number {
  const isSurrogate = unit >= 0xd800 && unit <= 0xdfff
  return isSurrogate ? unit + 0x10000 : unit
}
