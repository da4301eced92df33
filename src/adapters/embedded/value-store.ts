// A partition of a compacted topic as a Store: the log keeps its last values by key, so the batch that holds a
// transaction holds the state too. There is nothing to restore and nothing to write twice, and nothing that could be
// deleted and restored either: this is the only copy.
import { assert } from '../../base/assert.ts'
import type { ChangelogPosition, Store, StoreChange, StoreEntry } from '../../runtime/ports.ts'
import { valueOf } from './codec.ts'
import type { Database } from './database.ts'
import { dataCorrupted } from './faults.ts'
import { prefixBytes, textKey } from './layout.ts'
import type { PartitionLog } from './partition-log.ts'

export class ValueStore implements Store {
  readonly #database: Database
  readonly #partition: PartitionLog
  readonly #topicId: string

  constructor(database: Database, partition: PartitionLog, topicId: string) {
    this.#database = database
    this.#partition = partition
    this.#topicId = topicId
  }

  /** Always the end of the changelog. */
  get position(): ChangelogPosition {
    return { topicId: this.#topicId, offset: this.#partition.end }
  }

  /** @throws {StoreCorrupted} @throws {TransientFault} while the log recovers from a failed write. */
  get(key: string): Uint8Array | undefined {
    const at = textKey(this.#partition.valuePrefix, key)
    const entry = this.#database.get(at)
    return entry === undefined ? undefined : valueOf(at, entry)
  }

  async getMany(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> {
    const places = keys.map((key) => textKey(this.#partition.valuePrefix, key))
    const entries = await this.#database.getMany(places)
    return entries.map((entry, index) => entry && valueOf(places[index]!, entry))
  }

  async list(range: { from: string; to: string; limit: number; reverse?: boolean }): Promise<readonly StoreEntry[]> {
    const gte = textKey(this.#partition.valuePrefix, range.from)
    const lt = textKey(this.#partition.valuePrefix, range.to)
    if (range.limit <= 0 || Buffer.compare(gte, lt) >= 0) return []
    const entries = await this.#database.list({ gte, lt }, range.limit, range.reverse)
    return entries.map(([key, entry]) => ({ key: key.toString('utf8', prefixBytes), value: valueOf(key, entry) }))
  }

  /** Writes nothing: the changes were in the transaction. P3: a store is never ahead of its log; this one not behind. */
  apply(_changes: readonly StoreChange[], position: ChangelogPosition): Promise<void> {
    const { topic, index, end } = this.#partition
    assert(position.topicId === this.#topicId, `P3: ${topic}/${index} was applied with another topic's position`)
    assert(position.offset === end, `P3: ${topic}/${index} was applied up to ${position.offset} and ends at ${end}`)
    return Promise.resolve()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  /** Refuses: what a damaged store of another log is deleted for, restoring it, cannot be done here. @throws {ConfigError} */
  destroy(): Promise<void> {
    const { topic, index } = this.#partition
    return Promise.reject(dataCorrupted(this.#database.directory, `the values of ${topic}/${index} cannot be trusted`))
  }
}
