// Detects a group that is missing from the log.
//
// LevelDB, as classic-level opens it, skips a damaged part of its write-ahead file in silence and keeps what comes
// after. A lost middle is wrong data. So every group carries a link, numbered without a gap, and links are kept for as long
// as their group may lie in a write-ahead file (the memtable, the one being flushed, and one group more). A gap between
// the links at open is a group that LevelDB has dropped. A lost end is a crash, unless the checkpoint knows of a later link.
import { writeBufferBytes, type Database, type WriteBatch } from './database.ts'
import { dataCorrupted } from './faults.ts'
import { linkKey, linkNumber, linkRange } from './layout.ts'

const keptBytes = 3 * writeBufferBytes
/** What a link costs in LevelDB beside the group, roughly. */
const linkBytes = 64

interface Link {
  readonly number: number
  readonly bytes: number
}

export class WriteChain {
  #links: Link[] = []
  /** Index of the oldest link that is kept; what lies before it is cut off now and then. */
  #oldest = 0
  #bytes = 0
  #next = 0

  /** Reads the chain. @throws {ConfigError} DW_DATA_CORRUPTED where a link is missing, or the last of those that were acknowledged. */
  async load(database: Database): Promise<void> {
    this.#links = []
    this.#oldest = 0
    this.#bytes = 0
    for await (const page of database.pages(linkRange, 1_000)) {
      for (const [key, value] of page) {
        const number = linkNumber(key)
        if (this.#links.length > 0 && number !== this.#next) {
          throw dataCorrupted(database.directory, `writes ${this.#next} to ${number - 1} are missing`)
        }
        this.#push({ number, bytes: value.readUInt32LE(1) })
      }
    }
    if (this.#links.length === 0) this.#next = 0
    const { number } = database.checkpoint
    if (number >= this.#next) {
      const lost = `writes ${this.#next} to ${number}, which were acknowledged, are missing`
      throw dataCorrupted(database.directory, `${lost}; with its file checkpoint removed it opens without them`)
    }
  }

  /** To be called once everything so far is synced (K1). */
  confirm(database: Database): void {
    database.checkpoint.advance(this.#next - 1)
  }

  /** True before the first group. */
  get isEmpty(): boolean {
    return this.#links.length === 0
  }

  /** Adds the next link to a group of `bytes`, and removes those that are not needed any more. */
  extend(batch: WriteBatch, bytes: number): void {
    const value = Buffer.allocUnsafe(5)
    value[0] = 1
    value.writeUInt32LE(bytes + linkBytes, 1)
    batch.put(linkKey(this.#next), value)
    this.#push({ number: this.#next, bytes: bytes + linkBytes })
    for (
      let link = this.#links[this.#oldest]!;
      this.#bytes - link.bytes > keptBytes;
      link = this.#links[this.#oldest]!
    ) {
      batch.del(linkKey(link.number))
      this.#bytes -= link.bytes
      this.#oldest++
    }
    if (this.#oldest > 1_000 && this.#oldest * 2 > this.#links.length) {
      this.#links = this.#links.slice(this.#oldest)
      this.#oldest = 0
    }
  }

  #push(link: Link): void {
    this.#links.push(link)
    this.#bytes += link.bytes
    this.#next = link.number + 1
  }
}
