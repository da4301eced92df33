import { assert } from '../../base/assert.ts'
import { TransientFault } from '../../base/errors.ts'
import type { Store } from '../../runtime/ports.ts'
import type { MemoryDisk } from './disk.ts'
import { LostAnswer, atOnce } from './pace.ts'
import type { Pace } from './pace.ts'

/**
 * Opens the store of a partition on a disk in memory; `get` is answered at once, all else through the pace.
 * @throws {StoreCorrupted} @throws {ConfigError} DW_DATA_IN_USE
 */
export async function openMemoryStore(disk: MemoryDisk, partition: number, pace: Pace = atOnce): Promise<Store> {
  const files = await pace(`store-open ${partition}`, () => disk.open(partition))
  let isOpen = true

  function expectOpen(): void {
    assert(isOpen, `the store of partition ${partition} is closed`)
  }
  async function request<T>(operation: string, apply: () => T): Promise<T> {
    expectOpen()
    try {
      return await pace(`${operation} ${partition}`, apply)
    } catch (error) {
      throw error instanceof LostAnswer ? new TransientFault(error.message, { cause: error }) : error
    }
  }

  return {
    get position() {
      return files.position
    },
    get(key) {
      expectOpen()
      return disk.get(files, key)
    },
    getMany: (keys) => request('store-get-many', () => keys.map((key) => disk.get(files, key))),
    list: (range) => request('store-list', () => disk.list(files, range)),
    apply: (changes, position) => request('store-apply', () => disk.write(files, changes, position)),
    async close() {
      if (!isOpen) return
      isOpen = false
      disk.release(partition, files)
    },
    async destroy() {
      isOpen = false
      disk.remove(partition, files)
    },
  }
}
