// The store of one partition whose changelog is elsewhere: values by key and the position in the changelog up to which
// they stand, in a LevelDB of its own.
//
//   P3. Values and position are one batch: the store may lag behind the log and never leads it.
//   S1. Batches are not synced: the changelog is the truth, and what a power failure takes is read from there again.
//       What it must not take is a batch from the middle (links.ts).
//   S2. After a write that failed the database is opened anew before the next one: LevelDB would write behind the torn
//       record, and lose both on recovery.
//
// A store that is damaged is never repaired: StoreCorrupted, and whoever owns it destroys and restores it.
import { mkdir, rm } from 'node:fs/promises'
import { ClassicLevel } from 'classic-level'
import { ConfigError, StoreCorrupted } from '../../base/errors.ts'
import type { ChangelogPosition, Store, StoreChange, StoreEntry } from '../../runtime/ports.ts'
import { refuseRemains, verifyFiles } from '../leveldb/verify.ts'
import { configError, openFault, useFault } from './faults.ts'
import {
  identityKey,
  jsonEntry,
  linkKey,
  linkNumber,
  linkRange,
  positionKey,
  seal,
  textOf,
  unseal,
  valueKey,
} from './layout.ts'
import { Links } from './links.ts'

export interface LevelStoreOptions {
  /** Of this store alone, made where it is missing. */
  readonly directory: string
  readonly app: string
  readonly partition: number
}

/** Grows when an older release could not read what this one writes. */
const format = 1
const writeBufferBytes = 4 * 1_048_576
/** The memtable, the one being flushed, and a batch of the largest size. */
const linkedBytes = 4 * writeBufferBytes
/** What an empty batch costs in LevelDB: its link, the position. */
const batchBytesMin = 128
const pageEntries = 1_000

const identityEntry = jsonEntry<{ app: string; partition: number; format: number }>()
const positionEntry = jsonEntry<ChangelogPosition>()

type Level = ClassicLevel<Buffer, Buffer>

/** Opens a store, making it where there is none. @throws {StoreCorrupted} destroy it and restore. @throws {ConfigError} DW_STORE_OF_ANOTHER, DW_DATA_IN_USE */
export async function openLevelStore(options: LevelStoreOptions): Promise<Store> {
  return new LevelStore(options, await openIn(options, verifyFiles)).start()
}

/** Removes a store that cannot be opened, so that it can be restored. */
export async function destroyLevelStore(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true })
}

class LevelStore implements Store {
  readonly #options: LevelStoreOptions
  #level: Level
  #links = new Links(linkedBytes)
  #position: ChangelogPosition | undefined
  /** S2 */
  #hasFailedWrite = false

  constructor(options: LevelStoreOptions, level: Level) {
    this.#options = options
    this.#level = level
  }

  get position(): ChangelogPosition | undefined {
    return this.#position
  }

  /** Checks what was opened and reads the position; closes it again where it cannot be used. */
  async start(): Promise<this> {
    this.#links = new Links(linkedBytes)
    try {
      const isNew = !(await this.#isOwn())
      await this.#restoreLinks()
      if (isNew) await this.#claim()
      const entry = this.#level.getSync(positionKey)
      this.#position = entry === undefined ? undefined : positionEntry.decode(positionKey, entry)
      return this
    } catch (error) {
      await this.#level.close()
      throw error instanceof ConfigError ? error : useFault(error, this.#options.directory)
    }
  }

  get(key: string): Uint8Array | undefined {
    const at = valueKey(key)
    try {
      const entry = this.#level.getSync(at)
      return entry === undefined ? undefined : unseal(at, entry)
    } catch (error) {
      throw useFault(error, this.#options.directory)
    }
  }

  async getMany(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> {
    const places = keys.map(valueKey)
    try {
      const entries = await this.#level.getMany(places)
      return entries.map((entry, index) => entry && unseal(places[index]!, entry))
    } catch (error) {
      throw useFault(error, this.#options.directory)
    }
  }

  async list(range: { from: string; to: string; limit: number; reverse?: boolean }): Promise<readonly StoreEntry[]> {
    const { from, to, limit, reverse = false } = range
    if (limit <= 0) return []
    const entries: StoreEntry[] = []
    try {
      const iterator = this.#level.iterator({ gte: valueKey(from), lt: valueKey(to), limit, reverse })
      try {
        for (;;) {
          const page = await iterator.nextv(Math.min(limit, pageEntries))
          if (page.length === 0) return entries
          for (const [key, entry] of page) entries.push({ key: textOf(key), value: unseal(key, entry) })
        }
      } finally {
        await iterator.close()
      }
    } catch (error) {
      throw useFault(error, this.#options.directory)
    }
  }

  async apply(changes: readonly StoreChange[], position: ChangelogPosition): Promise<void> {
    if (this.#hasFailedWrite) await this.#reopen()
    try {
      const batch = this.#level.batch()
      let bytes = 0
      for (const { key, value } of changes) {
        const at = valueKey(key)
        if (value === null) batch.del(at)
        else batch.put(at, seal(at, value))
        bytes += at.length + (value?.length ?? 0)
      }
      batch.put(positionKey, positionEntry.encode(positionKey, position))
      this.#extendLinks(batch, bytes)
      await batch.write()
      this.#position = position
    } catch (error) {
      this.#hasFailedWrite = true
      throw useFault(error, this.#options.directory)
    }
  }

  async close(): Promise<void> {
    await this.#level.close()
  }

  async destroy(): Promise<void> {
    await this.#level.close()
    await destroyLevelStore(this.#options.directory)
  }

  async #reopen(): Promise<void> {
    await this.#level.close()
    this.#level = await openIn(this.#options, refuseRemains)
    await this.start()
    this.#hasFailedWrite = false
  }

  async #restoreLinks(): Promise<void> {
    const iterator = this.#level.iterator(linkRange)
    try {
      for (;;) {
        const page = await iterator.nextv(pageEntries)
        if (page.length === 0) return
        for (const [key, value] of page) {
          if (this.#links.restore(linkNumber(key), unseal(key, value).readUInt32LE(0))) continue
          throw new StoreCorrupted(`a batch before ${linkNumber(key)} is missing in ${this.#options.directory}`)
        }
      }
    } finally {
      await iterator.close()
    }
  }

  #extendLinks(batch: ReturnType<Level['batch']>, bytes: number): void {
    const linked = bytes + batchBytesMin
    const { added, dropped } = this.#links.extend(linked)
    const size = Buffer.allocUnsafe(4)
    size.writeUInt32LE(linked)
    const key = linkKey(added)
    batch.put(key, seal(key, size))
    for (const number of dropped) batch.del(linkKey(number))
  }

  /** True where the store is that of this partition, false where it is new. @throws {ConfigError} DW_STORE_OF_ANOTHER, …_UNUSABLE */
  async #isOwn(): Promise<boolean> {
    const { directory, app, partition } = this.#options
    const entry = this.#level.getSync(identityKey)
    if (entry === undefined) {
      if ((await this.#level.keys({ ...linkRange, limit: 1 }).all()).length > 0)
        throw new StoreCorrupted(`the store in ${directory} has lost its identity`)
      if ((await this.#level.keys({ limit: 1 }).all()).length === 0) return false
      const message = `the database in ${directory} was not written by dagger-worker: use another directory (--data)`
      throw configError('DW_DATA_UNUSABLE', message)
    }
    const identity = identityEntry.decode(identityKey, entry)
    if (identity.app === app && identity.partition === partition && identity.format === format) return true
    throw configError(
      'DW_STORE_OF_ANOTHER',
      `the store in ${directory} is that of partition ${identity.partition} of application '${identity.app}' ` +
        `(format ${identity.format}), not of partition ${partition} of '${app}' (format ${format}): use another directory (--data)`,
    )
  }

  async #claim(): Promise<void> {
    const { app, partition } = this.#options
    const batch = this.#level.batch()
    batch.put(identityKey, identityEntry.encode(identityKey, { app, partition, format }))
    this.#extendLinks(batch, 0)
    await batch.write()
  }
}

/** Looks before it opens: a ClassicLevel that merely exists begins to open its directory. */
async function openIn(
  { directory }: LevelStoreOptions,
  look: (directory: string) => Promise<void> | void,
): Promise<Level> {
  try {
    await mkdir(directory, { recursive: true })
    await look(directory)
    const level: Level = new ClassicLevel(directory, {
      keyEncoding: 'buffer',
      valueEncoding: 'buffer',
      writeBufferSize: writeBufferBytes,
    })
    await level.open()
    return level
  } catch (error) {
    throw openFault(error, directory)
  }
}
