// The LevelDB under the log: opened once, and opened anew after a write that failed. Everyone else holds on to this
// object, never to the handle inside. Uses classic-level itself: it is what `level` is on Node, and only its own typings
// tell of getSync and of synced writes.
import { statSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ClassicLevel, type ChainedBatch } from 'classic-level'
import { StoreCorrupted, TransientFault } from '../../base/errors.ts'
import { refuseRemains, verifyFiles } from '../leveldb/verify.ts'
import { Checkpoint } from './checkpoint.ts'
import { levelCode, openFault, reasonOf } from './faults.ts'
import type { KeyRange } from './layout.ts'

export type LevelHandle = ClassicLevel<Buffer, Buffer>
export type WriteBatch = ChainedBatch<LevelHandle, Buffer, Buffer>
export type Entry = [key: Buffer, value: Buffer]

/** LevelDB's memtable: what it may hold in its write-ahead file at a time, twice. */
export const writeBufferBytes = 8 * 1_048_576

/** Opens a LevelDB in a directory; another one in tests that need a disk that fails. */
export type OpenLevel = (directory: string) => Promise<LevelHandle>

export const openLevel: OpenLevel = async (directory) => {
  const level = new ClassicLevel<Buffer, Buffer>(directory, {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
    writeBufferSize: writeBufferBytes,
    cacheSize: 32 * 1_048_576,
    maxFileSize: 8 * 1_048_576,
  })
  await level.open()
  return level
}

export class Database {
  readonly directory: string
  readonly checkpoint: Checkpoint
  readonly #open: OpenLevel
  #level: LevelHandle
  /** The inode of its file CURRENT, which LevelDB writes anew when it opens, and then never. */
  #current: number

  private constructor(directory: string, open: OpenLevel, level: LevelHandle, checkpoint: Checkpoint) {
    this.directory = directory
    this.checkpoint = checkpoint
    this.#open = open
    this.#level = level
    this.#current = inodeOfCurrent(directory)
  }

  /** Opens the database, making it where there is none. @throws {ConfigError} in use, damaged, not to be read. */
  static async open(directory: string, open: OpenLevel): Promise<Database> {
    try {
      await mkdir(directory, { recursive: true })
      await verifyFiles(directory)
      const level = await open(directory)
      try {
        return new Database(directory, open, level, new Checkpoint(directory))
      } catch (error) {
        await level.close()
        throw error
      }
    } catch (error) {
      throw openFault(error, directory)
    }
  }

  /** Closes the handle and opens another: after a failed write LevelDB's own state is not to be trusted; its tables are. */
  async reopen(): Promise<void> {
    await this.#level.close()
    refuseRemains(this.directory)
    this.#level = await this.#open(this.directory)
    this.#current = inodeOfCurrent(this.directory)
  }

  /** LevelDB writes on into files that were removed or moved away, and what it synced there is gone with them. @throws Error */
  expectInPlace(): void {
    if (inodeOfCurrent(this.directory) !== this.#current) throw new Error('the directory was replaced by another')
  }

  /** @throws {StoreCorrupted} @throws {TransientFault} while it is being reopened */
  get(key: Buffer): Buffer | undefined {
    try {
      return this.#level.getSync(key)
    } catch (error) {
      throw readFault(error)
    }
  }

  /** Entries of many keys, read beside the thread that computes. @throws {StoreCorrupted} @throws {TransientFault} */
  async getMany(keys: Buffer[]): Promise<(Buffer | undefined)[]> {
    try {
      return await this.#level.getMany(keys)
    } catch (error) {
      throw readFault(error)
    }
  }

  /** A page of entries in key order (or its reverse), at most `limit`. @throws {StoreCorrupted} @throws {TransientFault} */
  async list(range: KeyRange, limit: number, reverse = false): Promise<Entry[]> {
    try {
      const iterator = this.#level.iterator({ ...range, limit, reverse })
      try {
        const entries: Entry[] = []
        for (;;) {
          const page = await iterator.nextv(Math.min(limit, 1_000))
          if (page.length === 0) return entries
          for (const entry of page) entries.push(entry)
          if (entries.length >= limit) return entries
        }
      } finally {
        await iterator.close()
      }
    } catch (error) {
      throw readFault(error)
    }
  }

  /** The keys of a range, page by page. */
  async *pages(range: KeyRange, size: number): AsyncGenerator<Entry[]> {
    let gte = range.gte
    for (;;) {
      const page = await this.list({ gte, lt: range.lt }, size)
      if (page.length > 0) yield page
      if (page.length < size) return
      // The least key after the last one seen.
      gte = Buffer.concat([page.at(-1)![0], Buffer.of(0)])
    }
  }

  batch(): WriteBatch {
    return this.#level.batch()
  }

  /** Deletes a range, not synced: it may come back after a power failure. */
  async clear(range: KeyRange): Promise<void> {
    await this.#level.clear(range)
  }

  /** Closing it again does nothing. */
  async close(): Promise<void> {
    await this.#level.close()
    this.checkpoint.close()
  }
}

function inodeOfCurrent(directory: string): number {
  return statSync(join(directory, 'CURRENT')).ino
}

function readFault(error: unknown): Error {
  if (levelCode(error) === 'LEVEL_CORRUPTION') return new StoreCorrupted(reasonOf(error), { cause: error })
  return new TransientFault(`the log cannot be read now: ${reasonOf(error)}`, { cause: error })
}
