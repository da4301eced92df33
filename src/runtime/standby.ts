// A warm copy: replays the changelog of a partition that another worker owns, committed records only, so that taking
// over leaves next to nothing to restore.
import { applyNext, startingPoint } from './restore.ts'
import type { Log, Reader, Store } from './ports.ts'

export class Standby {
  readonly #reader: Reader
  readonly #finished: Promise<void>
  #isStopped = false
  #signal = (): void => {}

  private constructor(log: Log, store: Store, topic: string, partition: number, topicId: string, from: number) {
    this.#reader = log.openReader({ topic, partition, offset: from, onReady: () => this.#signal() })
    this.#finished = this.#follow(store, topicId)
  }

  /** @throws {ChangelogReplaced} @throws {StoreCorrupted} */
  static async open(log: Log, store: Store, topic: string, partition: number): Promise<Standby> {
    const info = (await log.describeTopics([topic])).get(topic)
    const { earliest, end } = await log.offsets(topic, partition)
    const topicId = info?.id ?? ''
    return new Standby(
      log,
      store,
      topic,
      partition,
      topicId,
      startingPoint(store, topicId, earliest, end, `${topic}/${partition}`),
    )
  }

  /** Resolves when nothing writes to the store any more; rejects with what ended it before. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#signal()
    try {
      await this.#finished
    } finally {
      this.#reader.close()
    }
  }

  /** Rejects when the copy cannot go on. */
  get finished(): Promise<void> {
    return this.#finished
  }

  async #follow(store: Store, topicId: string): Promise<void> {
    while (!this.#isStopped) {
      const ready = new Promise<void>((resolve) => (this.#signal = resolve))
      if (!(await applyNext(this.#reader, store, topicId)) && !this.#isStopped) await ready
    }
  }
}
