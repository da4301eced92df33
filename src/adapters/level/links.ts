// Detects a batch that is missing from the middle of a store. Batches are not synced, and LevelDB, as classic-level
// opens it, skips a damaged part of its write-ahead file in silence and keeps what comes after: a store whose position is
// right and whose values are not. So every batch carries a link, numbered without a gap, and links are kept for as long
// as their batch may lie in a write-ahead file. The embedded log does the same in its own layout.
interface Link {
  readonly number: number
  readonly bytes: number
}

export class Links {
  readonly #keptBytes: number
  #links: Link[] = []
  /** Index of the oldest link that is kept. */
  #oldest = 0
  #bytes = 0
  #next = 0

  /** `keptBytes`: what LevelDB may hold in write-ahead files. */
  constructor(keptBytes: number) {
    this.#keptBytes = keptBytes
  }

  get isEmpty(): boolean {
    return this.#links.length === 0
  }

  /** Takes up a link as it was read, in order; false where one is missing before it. */
  restore(number: number, bytes: number): boolean {
    if (this.#links.length > 0 && number !== this.#next) return false
    this.#push({ number, bytes })
    return true
  }

  /** The number of the link of the next batch, of so many bytes, and those that need not be kept any more. */
  extend(bytes: number): { added: number; dropped: number[] } {
    const added = this.#next
    this.#push({ number: added, bytes })
    const dropped: number[] = []
    for (
      let link = this.#links[this.#oldest]!;
      this.#bytes - link.bytes > this.#keptBytes;
      link = this.#links[this.#oldest]!
    ) {
      dropped.push(link.number)
      this.#bytes -= link.bytes
      this.#oldest++
    }
    if (this.#oldest > 1_000 && this.#oldest * 2 > this.#links.length) {
      this.#links = this.#links.slice(this.#oldest)
      this.#oldest = 0
    }
    return { added, dropped }
  }

  #push(link: Link): void {
    this.#links.push(link)
    this.#bytes += link.bytes
    this.#next = link.number + 1
  }
}
