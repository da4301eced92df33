// Group commit: the one place that writes. Transactions that wait, of any number of partitions, become one LevelDB batch
// with `sync: true`; one is in flight at a time, and what arrives meanwhile forms the next group. There is no interval:
// a lone record is written at once, and under load the disk's own pace makes the groups.
//
//   C1. A transaction is in one group, whole: a crash leaves a prefix of groups, so all of it or nothing.
//   C2. Offsets are given when a group is formed, and no other is in flight then: they have no gaps.
//   C3. A failed write may have reached the disk or not. Its group ends in OutcomeUnknown, everything that waits in
//       TransientFault, and nothing is written before the database was opened anew and the ends read back from it.
//
//     open ──write fails──▶ recovering ──a write works──▶ open          any ──close──▶ closed
import { OutcomeUnknown, TransientFault } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type { Clock } from '../../runtime/ports.ts'
import type { Database } from './database.ts'
import { isDiskFull, writeProblem } from './faults.ts'
import { Group, type Transaction } from './group.ts'
import type { PartitionLog } from './partition-log.ts'
import type { Retention } from './retention.ts'
import type { WriteChain } from './write-chain.ts'

/** A group is closed at this size: it bounds the memory and the time of one write. */
const groupBytesMax = 8 * 1_048_576
const backoffFirstMs = 100
const backoffLastMs = 10_000

export interface CommitterOptions {
  readonly database: Database
  readonly chain: WriteChain
  readonly retention: Retention
  readonly clock: Clock
  readonly logger: Logger
  /** Called with the bytes of each group that was written. */
  readonly onWritten: (bytes: number) => void
  /** Reads the state of all partitions back from the database. */
  readonly reload: () => Promise<void>
  /** Called when writes work again after a failure. */
  readonly onRecovered: () => void
}

export class Committer {
  readonly #options: CommitterOptions
  #state: 'open' | 'recovering' | 'closed' = 'open'
  #waiting: Transaction[] = []
  #waitingBytes = 0
  readonly #trimmed = new Set<PartitionLog>()
  readonly #expiring = new Set<number>()
  #isClosing = false
  #isWriting = false
  #isKicked = false
  #problem: string | undefined
  #cancelRetry: (() => void) | undefined
  #recovery: Promise<void> = Promise.resolve()
  #onIdle: (() => void)[] = []

  constructor(options: CommitterOptions) {
    this.#options = options
  }

  get waitingBytes(): number {
    return this.#waitingBytes
  }

  /** Why nothing can be written now; undefined when it can. */
  get problem(): string | undefined {
    return this.#isClosing ? 'the log is closed' : this.#problem
  }

  /** @throws {TransientFault} while nothing can be written. */
  expectWritable(): void {
    if (this.problem !== undefined) throw new TransientFault(this.problem)
  }

  /** Queues a transaction; it is answered by its callbacks. @throws {TransientFault} */
  submit(transaction: Transaction): void {
    this.expectWritable()
    this.#waiting.push(transaction)
    this.#waitingBytes += transaction.bytes
    this.#kick()
  }

  /** Makes the `earliest` of a partition durable with the next group, then deletes what lies below it (L2). */
  trim(partition: PartitionLog): void {
    this.#trimmed.add(partition)
    this.#kick()
  }

  /** Lets retention have a look at topics, by number: between two groups, as it changes what they are formed from. */
  expire(topics: Iterable<number>): void {
    for (const topic of topics) this.#expiring.add(topic)
    this.#kick()
  }

  /** Resolves when everything submitted is decided. */
  async drained(): Promise<void> {
    if (this.#isWriting || this.#waiting.length > 0 || this.#trimmed.size > 0) {
      if (this.#state === 'open') await new Promise<void>((resolve) => this.#onIdle.push(resolve))
    }
  }

  /** Takes nothing more, writes what waits, then stops. */
  async close(): Promise<void> {
    this.#isClosing = true
    await this.drained()
    this.#state = 'closed'
    this.#cancelRetry?.()
    await this.#recovery
  }

  /** Begins in a microtask, so that all partitions whose turn it is now share the group. */
  #kick(): void {
    if (this.#isWriting || this.#isKicked || this.#state !== 'open') return
    this.#isKicked = true
    queueMicrotask(() => {
      this.#isKicked = false
      if (!this.#isWriting && this.#state === 'open') void this.#writeGroups()
    })
  }

  async #writeGroups(): Promise<void> {
    this.#isWriting = true
    for (;;) {
      for (const topic of this.#expiring) {
        for (const partition of this.#options.retention.expire(topic)) this.#trimmed.add(partition)
      }
      this.#expiring.clear()
      if (this.#waiting.length === 0 && this.#trimmed.size === 0) break
      const group = this.#formGroup()
      try {
        await group.write(this.#options.database, this.#options.chain)
      } catch (error) {
        this.#fail(group, error)
        break
      }
      this.#publish(group)
    }
    this.#isWriting = false
    for (const resolve of this.#onIdle.splice(0)) resolve()
  }

  #formGroup(): Group {
    let count = 0
    for (let bytes = 0; count < this.#waiting.length && bytes < groupBytesMax; count++) {
      bytes += this.#waiting[count]!.bytes
    }
    const transactions = count === this.#waiting.length ? this.#waiting : this.#waiting.slice(0, count)
    this.#waiting = this.#waiting.slice(count)
    const trimmed = [...this.#trimmed]
    this.#trimmed.clear()
    const group = new Group(transactions, trimmed, this.#options.clock.nowMs(), this.#options.retention)
    this.#waitingBytes -= group.submittedBytes
    return group
  }

  /** All ends move before anyone is told, so that whoever looks sees the whole group (C1, L1). */
  #publish(group: Group): void {
    const { retention, onWritten, logger } = this.#options
    const ready = group.advance()
    for (const [transaction, offsets] of group.outcomes()) transaction.resolve(offsets)
    for (const reader of ready) {
      try {
        reader.announce()
      } catch (error) {
        logger.error({ error }, 'a reader failed on being told of new records')
      }
    }
    for (const partition of group.trimmed) retention.sweep(partition)
    for (const topic of group.topicsWithClosedSegment()) this.#expiring.add(topic)
    onWritten(group.writtenBytes)
  }

  #fail(group: Group, error: unknown): void {
    const { database, logger } = this.#options
    this.#state = 'recovering'
    this.#problem = writeProblem(error, database.directory)
    logger.error({ error, isDiskFull: isDiskFull(error), bytes: group.submittedBytes }, 'a write to the log failed')
    for (const partition of group.trimmed) this.#trimmed.add(partition)
    const refused = this.#waiting
    this.#waiting = []
    this.#waitingBytes = 0
    for (const { reject } of group.transactions) reject(new OutcomeUnknown(this.#problem, { cause: error }))
    for (const { reject } of refused) reject(new TransientFault(this.#problem, { cause: error }))
    this.#retryAfter(backoffFirstMs)
  }

  #retryAfter(delayMs: number): void {
    this.#cancelRetry = this.#options.clock.after(delayMs, () => {
      this.#recovery = this.#recover(delayMs)
    })
  }

  async #recover(waitedMs: number): Promise<void> {
    const { database, chain, reload, onRecovered, logger } = this.#options
    try {
      await database.reopen()
      await chain.load(database)
      await reload()
      // A group of nothing: a link alone, to see a write work before anyone relies on it.
      await new Group([], [], this.#options.clock.nowMs(), this.#options.retention).write(database, chain)
    } catch (error) {
      if (this.#state === 'closed') return
      this.#problem = writeProblem(error, database.directory)
      logger.warn({ error }, 'the log still cannot be written')
      this.#retryAfter(Math.min(waitedMs * 2, backoffLastMs))
      return
    }
    if (this.#state === 'closed') return
    this.#state = 'open'
    this.#problem = undefined
    logger.info({}, 'the log can be written again')
    onRecovered()
    if (this.#trimmed.size > 0) this.#kick()
  }
}
