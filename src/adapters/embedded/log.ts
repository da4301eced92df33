// The embedded log: topics of partitions in one LevelDB under the data directory, for one process. Everything durable
// is a synced LevelDB batch (committer.ts); a crash leaves a prefix of whole groups.
//
//   log ──▶ topics     which there are, where a record belongs
//       ──▶ producer   one transaction at a time, fenced by the next of its id
//       ──▶ committer  ──▶ group ──▶ one batch       the only writer; deletions (retention.ts) come after it
//       ──▶ reader     fed by the committer, or from LevelDB
//
// Records handed over belong to the log from then on: their bytes are written later, and given to readers, uncopied.
import { assert } from '../../base/assert.ts'
import { RecordRefused, StoreCorrupted, TransientFault } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type {
  Clock,
  Log,
  LogRecord,
  Offsets,
  OutgoingRecord,
  ProduceOutcome,
  Producer,
  Reader,
  ReaderOptions,
  Store,
  TopicInfo,
  TopicSpec,
} from '../../runtime/ports.ts'
import { Committer } from './committer.ts'
import { Database, openLevel, type OpenLevel } from './database.ts'
import { DiskSpace, freeBytesOnVolume, type FreeBytes } from './disk-space.ts'
import { dataCorrupted } from './faults.ts'
import { claim, isOwn } from './identity.ts'
import type { PartitionLog } from './partition-log.ts'
import { EmbeddedProducer } from './producer.ts'
import { EmbeddedReader } from './reader.ts'
import { Retention, retentionDefault, type RetentionLimits } from './retention.ts'
import { Topics } from './topics.ts'
import { ValueStore } from './value-store.ts'
import { WriteChain } from './write-chain.ts'

export interface EmbeddedLogOptions {
  /** Where the database lies, made where it is missing: `<data>/log`. */
  readonly directory: string
  readonly app: string
  readonly clock: Clock
  readonly logger: Logger
  /** Of retained topics; 7 days and 1 GiB for each by default. */
  readonly retention?: RetentionLimits
  /** Injected by tests: a volume that is full. */
  readonly freeBytes?: FreeBytes
  /** Injected by tests: a disk that fails. */
  readonly openLevel?: OpenLevel
}

/** What plain producing may have waiting: more than this is a disk that does not keep up. */
const waitingBytesMax = 64 * 1_048_576
/** How often retention looks at topics that nobody writes to. */
const expireEveryMs = 3_600_000

/** Opens the log in a directory, which is then this process's alone. @throws {ConfigError} DW_DATA_IN_USE, …_OF_ANOTHER_APP, …_NEWER, …_CORRUPTED */
export async function openEmbeddedLog(options: EmbeddedLogOptions): Promise<EmbeddedLog> {
  const { directory, app } = options
  const database = await Database.open(directory, options.openLevel ?? openLevel)
  try {
    const chain = new WriteChain()
    const isNew = !(await isOwn(database, app))
    await chain.load(database)
    if (isNew) await claim(database, chain, app)
    chain.confirm(database) // on opening, LevelDB has synced what there is
    database.checkpoint.sync()
    const topics = new Topics()
    await topics.load(database)
    const log = new EmbeddedLog(options, database, chain, topics)
    await log.start()
    return log
  } catch (error) {
    await database.close()
    throw error instanceof StoreCorrupted ? dataCorrupted(directory, error.message) : error
  }
}

export class EmbeddedLog implements Log {
  readonly isShared = false
  readonly #database: Database
  readonly #topics: Topics
  readonly #clock: Clock
  readonly #space: DiskSpace
  readonly #retention: Retention
  readonly #committer: Committer
  readonly #producers = new Map<string, EmbeddedProducer>()
  #creating: Promise<void> = Promise.resolve()
  #cancelExpiry: () => void = () => {}

  /** Use `openEmbeddedLog`. */
  constructor(options: EmbeddedLogOptions, database: Database, chain: WriteChain, topics: Topics) {
    const { clock, logger } = options
    this.#database = database
    this.#topics = topics
    this.#clock = clock
    this.#space = new DiskSpace(options.directory, options.freeBytes ?? freeBytesOnVolume, logger)
    this.#retention = new Retention(options.retention ?? retentionDefault, topics.byNumber, database, clock, logger)
    this.#committer = new Committer({
      database,
      chain,
      retention: this.#retention,
      clock,
      logger,
      onWritten: (bytes) => this.#space.count(bytes),
      reload: () => topics.load(database),
      onRecovered: () => {
        for (const partition of this.#partitions()) for (const reader of partition.readers) reader.wake()
      },
    })
  }

  /** Looks at the disk, sweeps what a crash has left over, and begins to expire old records. */
  async start(): Promise<void> {
    await this.#space.look()
    for (const partition of this.#partitions()) this.#retention.sweep(partition, true)
    this.#expire()
  }

  describeTopics(names: readonly string[]): Promise<ReadonlyMap<string, TopicInfo>> {
    const found = new Map<string, TopicInfo>()
    for (const name of names) {
      const topic = this.#topics.find(name)
      if (topic !== undefined) found.set(name, topic.info)
    }
    return Promise.resolve(found)
  }

  listTopics(): Promise<readonly TopicInfo[]> {
    return Promise.resolve(this.#topics.list())
  }

  /** One call after another, so that two that ask for the same topic agree on it. */
  createTopics(specs: readonly TopicSpec[]): Promise<void> {
    const created = this.#creating.then(() => this.#create(specs))
    this.#creating = created.catch(() => {}) // the caller is told; the next one begins anew
    return created
  }

  offsets(topic: string, partition: number): Promise<Offsets> {
    return attempt(() => {
      this.#committer.expectWritable() // while a write is being recovered from, the end is not known
      const { earliest, end } = this.#expectPartition(topic, partition)
      return { earliest, committedEnd: end, end }
    })
  }

  async openProducer(transactionalId: string): Promise<Producer> {
    this.#committer.expectWritable() // an attempt in vain fences nobody
    const producer = new EmbeddedProducer(transactionalId, this.#committer, (records) => this.#topics.route(records))
    const older = this.#producers.get(transactionalId)
    this.#producers.set(transactionalId, producer)
    await older?.fence()
    this.#committer.expectWritable() // what the older one left open is decided once the log is read back
    return producer
  }

  openReader(options: ReaderOptions): Reader {
    const partition = this.#topics.findPartition(options.topic, options.partition)
    if (partition === undefined) return new AbsentReader(options)
    return new EmbeddedReader(partition, this.#database, options)
  }

  /** Takes effect at once; durable with the next group, which it does not wait for. */
  deleteRecords(topic: string, partition: number, before: number): Promise<void> {
    return attempt(() => {
      const log = this.#expectPartition(topic, partition)
      assert(log.cleanup !== 'compacted', `${topic} is compacted: its records go by key, not by offset`)
      const earliest = Math.min(before, log.end)
      if (earliest <= log.earliest) return
      log.earliest = earliest
      log.segments = log.segments.filter((segment) => segment.lastOffset >= earliest)
      this.#committer.trim(log)
    })
  }

  openStoreOf(topic: string, partition: number): Promise<Store> {
    return attempt(() => {
      const log = this.#expectPartition(topic, partition)
      assert(log.cleanup === 'compacted', `${topic} is not compacted: it keeps no values by key`)
      return new ValueStore(this.#database, log, this.#topics.find(topic)!.info.id)
    })
  }

  /**
   * Produces records, each for itself: those that cannot be taken are told, the others are durable when it resolves.
   * @throws {TransientFault} Nothing was produced: the disk is full, or does not keep up. @throws {OutcomeUnknown}
   */
  async produce(records: readonly OutgoingRecord[]): Promise<ProduceOutcome[]> {
    if (this.#space.isLow) await this.#space.look()
    if (this.#space.problem !== undefined) throw new TransientFault(this.#space.problem)
    this.#committer.expectWritable()
    if (this.#committer.waitingBytes > waitingBytesMax) {
      throw new TransientFault('the disk does not keep up with what is produced: try again later')
    }
    const outcomes: ProduceOutcome[] = []
    const accepted: OutgoingRecord[] = []
    for (const record of records) {
      const refusal = this.#refusalOf(record)
      if (refusal === undefined) accepted.push(record)
      outcomes.push({ error: refusal?.reason ?? '', message: refusal?.message ?? '' })
    }
    if (accepted.length === 0) return outcomes
    const { routed, bytes } = this.#topics.route(accepted)
    const offsets = await new Promise<readonly number[]>((resolve, reject) => {
      this.#committer.submit({ records: routed, bytes, resolve, reject })
    })
    let next = 0
    return outcomes.map((outcome) => {
      if ('error' in outcome && outcome.error !== '') return outcome
      const index = next++
      return { partition: routed[index]!.partition.index, offset: offsets[index]! }
    })
  }

  problems(): readonly string[] {
    const problems = [this.#committer.problem, this.#space.problem]
    return problems.filter((problem) => problem !== undefined)
  }

  /** Writes what waits, and gives the directory back. */
  async close(): Promise<void> {
    this.#cancelExpiry()
    await this.#creating
    await this.#committer.close()
    await this.#retention.close()
    for (const partition of this.#partitions()) for (const reader of partition.readers) reader.close()
    await this.#database.close()
  }

  async #create(specs: readonly TopicSpec[]): Promise<void> {
    const missing = new Map(specs.map((spec) => [spec.name, spec]))
    for (const name of missing.keys()) if (this.#topics.find(name) !== undefined) missing.delete(name)
    if (missing.size === 0) return
    const first = this.#topics.byNumber.size
    const designs = Array.from(missing.values(), (spec, index) => this.#topics.design(spec, first + index))
    await new Promise<unknown>((resolve, reject) => {
      this.#committer.submit({ records: [], entries: designs, bytes: 0, resolve, reject })
    })
    for (const [index, { entry }] of designs.entries()) this.#topics.add(first + index, entry)
  }

  #expire(): void {
    this.#committer.expire(this.#topics.byNumber.keys())
    this.#cancelExpiry = this.#clock.after(expireEveryMs, () => this.#expire())
  }

  *#partitions(): Generator<PartitionLog> {
    for (const topic of this.#topics.byNumber.values()) yield* topic.partitions
  }

  #expectPartition(topic: string, partition: number): PartitionLog {
    const found = this.#topics.findPartition(topic, partition)
    if (found === undefined) throw new TransientFault(`there is no partition ${topic}/${partition}`)
    return found
  }

  #refusalOf(record: OutgoingRecord): RecordRefused | undefined {
    try {
      this.#topics.route([record])
      return undefined
    } catch (error) {
      if (error instanceof RecordRefused) return error
      throw error
    }
  }
}

/** A reader of a partition that does not exist: the runtime tries again later, with another. */
class AbsentReader implements Reader {
  readonly position: number
  readonly behind = undefined
  readonly #name: string

  constructor({ topic, partition, offset, onReady }: ReaderOptions) {
    this.position = offset
    this.#name = `${topic}/${partition}`
    queueMicrotask(onReady)
  }

  take(): readonly LogRecord[] {
    throw new TransientFault(`there is no partition ${this.#name}`)
  }

  close(): void {}
}

/** What a synchronous step gives, as a promise; what it throws, as its rejection. */
function attempt<T>(step: () => T): Promise<T> {
  return new Promise((resolve) => resolve(step()))
}
