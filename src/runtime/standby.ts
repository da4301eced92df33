// A warm copy: replays the changelog of a partition that another worker owns, committed records only, so that taking
// over leaves next to nothing to restore.
import { ChangelogReplaced } from '../base/errors.ts'
import { applyNext, expectRecent, startingPoint, trustedMs } from './restore.ts'
import type { Behind, Clock, Log, Reader, Store, TopicInfo } from './ports.ts'

export interface StandbyOptions {
  readonly log: Log
  readonly store: Store
  readonly clock: Clock
  readonly topic: string
  readonly partition: number
}

export class Standby {
  readonly #options: StandbyOptions
  readonly #reader: Reader
  readonly #finished: Promise<void>
  #isStopped = false
  #signal = (): void => {}
  #cancel = (): void => {}

  private constructor(options: StandbyOptions, info: TopicInfo, from: number) {
    const { log, topic, partition } = options
    this.#options = options
    this.#reader = log.openReader({ topic, partition, offset: from, onReady: () => this.#signal() })
    this.#finished = this.#follow(info)
    this.#stayCurrent(info)
  }

  /** @throws {ChangelogReplaced} @throws {StoreCorrupted} */
  static async open(options: StandbyOptions): Promise<Standby> {
    const { log, store, clock, topic, partition } = options
    const info = (await log.describeTopics([topic])).get(topic)
    if (info === undefined) throw new ChangelogReplaced(`topic ${topic} does not exist`)
    const offsets = await log.offsets(topic, partition)
    return new Standby(options, info, startingPoint(store, info, offsets, `${topic}/${partition}`, clock))
  }

  /** Resolves when nothing writes to the store any more; rejects with what ended it before. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancel()
    this.#signal()
    try {
      await this.#finished
    } finally {
      this.#reader.close()
    }
  }

  get behind(): Behind | undefined {
    return this.#reader.behind
  }

  /** Rejects when the copy cannot go on. */
  get finished(): Promise<void> {
    return this.#finished
  }

  async #follow(info: TopicInfo): Promise<void> {
    const { store, clock } = this.#options
    while (!this.#isStopped) {
      const ready = new Promise<void>((resolve) => (this.#signal = resolve))
      if (store.position !== undefined) expectRecent(info, store.position.currentAtMs, clock) // P8: it may have slept
      if (!(await applyNext(this.#reader, store, info.id, clock)) && !this.#isStopped) await ready
    }
  }

  /** P8: a copy of a partition in which nothing happens stays current, as long as it is awake to ask. */
  #stayCurrent(info: TopicInfo): void {
    const limitMs = trustedMs(info)
    if (limitMs === undefined || this.#isStopped) return
    const { clock, log, topic, partition } = this.#options
    this.#cancel = clock.after(limitMs / 4, () => {
      const askedAtMs = clock.nowMs()
      log
        .offsets(topic, partition)
        .then(({ end }) => this.#noteCurrent(end, askedAtMs))
        .catch(() => {}) // asked again later; a copy that could not ask for too long is not trusted
        .finally(() => this.#stayCurrent(info))
    })
  }

  async #noteCurrent(end: number, askedAtMs: number): Promise<void> {
    const { store } = this.#options
    const { position } = store
    if (this.#isStopped || position === undefined || position.offset < end) return
    await store.apply([], { ...position, currentAtMs: askedAtMs })
  }
}
