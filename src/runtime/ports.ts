// The ports: what the runtime asks of the world. Adapters implement them and never import each other.
//
//   Log         topics of partitions of records; transactions; the one place where things are durable
//   Store       what one partition looks like, by key; may lag behind the log, never leads it (P3)
//   Membership  who owns which partition; only says so: safety is the log's fencing
//   Clock, Ids  time and names, injected, so that a simulation owns them
//
// Offsets and times are numbers (exact up to 2^53). Texts in keys are UTF-8.
// Every adapter passes the suites in test/contract/; memory is the reference.

import type { Json } from '../base/json.ts'
import type { RegisteredFormat } from '../definition/topic-format.ts'
import type { Decoded, DecodedPart } from '../engine/format.ts'

export interface Header {
  readonly key: string
  readonly value: Uint8Array
}

/** A committed record as it was read. */
export interface LogRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestampMs: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly Header[]
  /** What a registry says of it, where it was asked (decoding-reader.ts). */
  readonly decoded?: Decoded
}

/** A record to be produced. With no `partition`: by murmur2 of the key as Kafka does it, or any where there is no key. */
export interface OutgoingRecord {
  readonly topic: string
  readonly partition?: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers?: readonly Header[]
}

export interface TopicInfo {
  readonly name: string
  /** Unique to this creation of the topic: a topic deleted and made again has another one. */
  readonly id: string
  readonly partitions: number
  /** The largest record that it takes, in bytes: key, value and headers. */
  readonly recordBytesMax: number
  /** How long a compacted topic keeps the record of a removal; absent: for ever, or it is its own store. */
  readonly tombstonesKeptMs?: number
}

export interface TopicSpec {
  readonly name: string
  readonly partitions: number
  /** compacted: the last value of each key is kept. unlimited: kept until `deleteRecords`. retained: by age and size. */
  readonly cleanup: 'compacted' | 'unlimited' | 'retained'
}

export interface Offsets {
  /** The first one still there. */
  readonly earliest: number
  /** Up to where committed reading goes now: after the last record that is decided (Kafka's last stable offset). */
  readonly committedEnd: number
  /** After the last record, open transactions included (Kafka's high watermark). */
  readonly end: number
}

/** A place in the changelog, with the topic's id: another id means that the topic was replaced. */
export interface ChangelogPosition {
  readonly topicId: string
  /** The next offset to be read. */
  readonly offset: number
  /** When the store was last known to hold all that the changelog held. */
  readonly currentAtMs?: number
}

/** A registry of schemas. What it said once is known from then on: it never changes what an id means. */
export interface Schemas {
  /** undefined: it has not said yet; `onKnown` is called once it has. */
  decode(bytes: Uint8Array, onKnown: () => void): DecodedPart | undefined
  /** The bytes by the latest schema of a subject, or why there are none. A promise: ask again when it is there. */
  encode(
    subject: string,
    format: RegisteredFormat,
    value: Json,
  ): Uint8Array | { readonly misfit: string } | Promise<void>
  /** Why it does not answer, in words. */
  readonly trouble: string | undefined
}

export interface Log {
  /** True where other processes can join in (Kafka); the embedded log belongs to one process. */
  readonly isShared: boolean
  /** Of its records; absent: the worker was given no registry. */
  readonly schemas?: Schemas
  /** The topics of these names that exist. */
  describeTopics(names: readonly string[]): Promise<ReadonlyMap<string, TopicInfo>>
  /** All topics there are, sorted by name. */
  listTopics(): Promise<readonly TopicInfo[]>
  /** Creates what does not exist yet and leaves alone what does. */
  createTopics(specs: readonly TopicSpec[]): Promise<void>
  /** @throws {TransientFault} also for a topic or partition that does not exist. */
  offsets(topic: string, partition: number): Promise<Offsets>
  /** Resolves once every older producer of this id is fenced and its open transaction is decided. */
  openProducer(transactionalId: string): Promise<Producer>
  /** Reads committed records of one partition, in order, from `offset` on; `onReady` is called when `take` would give some. */
  openReader(options: ReaderOptions): Reader
  /**
   * Produces records one by one, in no transaction, for people and for clients of the REST API; each outcome is known
   * to be durable. @throws {TransientFault} Nothing was produced. @throws {OutcomeUnknown}
   */
  produce(records: readonly OutgoingRecord[]): Promise<readonly ProduceOutcome[]>
  /** Forgets the records of a partition below an offset. */
  deleteRecords(topic: string, partition: number, before: number): Promise<void>
  /** Where the log keeps a compacted topic by key, it is its own store: nothing to restore, nothing to write twice. */
  openStoreOf?(topic: string, partition: number): Promise<Store>
  /** What an operator should know now (disk full, …); empty when all is well. */
  problems(): readonly string[]
  close(): Promise<void>
}

/** Where a record went, or why it did not: "unknown-topic", "record-too-large", "bad-partition", … */
export type ProduceOutcome =
  | { readonly partition: number; readonly offset: number }
  | { readonly error: string; readonly message: string }

export interface ReaderOptions {
  readonly topic: string
  /** The creation of the topic that the offset is of: it is gone in any other. Absent: the one that is found first. */
  readonly topicId?: string
  readonly partition: number
  readonly offset: number
  readonly onReady: () => void
}

export interface Reader {
  /**
   * What has arrived, at most `max` records, in order; empty when nothing has. Never blocks.
   * @throws {OffsetGone} The position is below the earliest or beyond the end: the reader is dead, open another.
   * @throws {TransientFault} The topic is gone for now.
   */
  take(max: number): readonly LogRecord[]
  /** The next offset to be read: after the last record taken, and after markers and aborted records behind it. */
  readonly position: number
  /** How far that is behind what is committed, as far as the log has told; undefined: it has not told yet. */
  readonly behind: Behind | undefined
  close(): void
}

export interface Behind {
  /** By offsets: what is no record, or was compacted away, is counted until it is passed. */
  readonly records: number
  /** When the next record was written, where it is at hand. */
  readonly sinceMs: number | undefined
}

/** The offset asked for is not there. */
export class OffsetGone extends Error {
  override readonly name = 'OffsetGone'
  readonly earliest: number
  readonly end: number
  constructor(message: string, earliest: number, end: number) {
    super(message)
    this.earliest = earliest
    this.end = end
  }
}

export interface CommittedEnd {
  readonly topic: string
  readonly partition: number
  /** The offset of the last record of the transaction in this partition. */
  readonly lastOffset: number
}

/** A transactional producer. One transaction at a time; records of one partition keep their order. */
export interface Producer {
  /**
   * Produces all of the records in one transaction, or none; resolves when they are durable, in the order of the list.
   * @throws {RecordRefused} One record cannot be taken; nothing was produced, the producer is usable.
   * @throws {TransientFault} Nothing was produced, and never will be; the producer is usable.
   * @throws {OutcomeUnknown} It may or may not have been produced: close this producer and open it again before anything else.
   * @throws {PartitionFenced} A newer producer of this id exists; nothing was produced.
   */
  transact(records: readonly OutgoingRecord[]): Promise<readonly CommittedEnd[]>
  close(): Promise<void>
}

export interface StoreChange {
  readonly key: string
  /** null removes. */
  readonly value: Uint8Array | null
}

/** The values of one partition by key. Keys are ordered by their UTF-8 bytes. */
export interface Store {
  /** @throws {StoreCorrupted} */
  get(key: string): Uint8Array | undefined
  /** Values of many keys, read beside the thread that computes. @throws {StoreCorrupted} @throws {TransientFault} */
  getMany(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]>
  /** Values with from <= key < to, in key order, at most `limit`. @throws {StoreCorrupted} */
  list(range: { from: string; to: string; limit: number; reverse?: boolean }): Promise<readonly StoreEntry[]>
  /** All changes and the position, or none of it. @throws {StoreCorrupted} @throws {TransientFault} a full disk */
  apply(changes: readonly StoreChange[], position: ChangelogPosition): Promise<void>
  /** Up to where the changelog is in here; undefined in a new store. */
  readonly position: ChangelogPosition | undefined
  close(): Promise<void>
  /** Closes it and removes what it kept. */
  destroy(): Promise<void>
}

export interface StoreEntry {
  readonly key: string
  readonly value: Uint8Array
}

/** Opens the store of a partition of an application. @throws {StoreCorrupted} @throws {ConfigError} in use, or another application's */
export type OpenStore = (partition: number) => Promise<Store>

export interface Assignment {
  readonly generation: number
  readonly owned: readonly number[]
  /** Partitions to keep a warm copy of. */
  readonly standby: readonly number[]
}

export interface Membership {
  /**
   * Joins the application's group; `onAssignment` is called with the whole assignment each time it changes. `lacks` tells,
   * by partition, how many records of the changelog the copies of this worker lack.
   */
  join(onAssignment: (assignment: Assignment) => void, lacks: () => Promise<readonly number[]>): Promise<void>
  /** True once a heartbeat that was answered after this call confirms the partition in the current generation. */
  confirms(partition: number): Promise<boolean>
  leave(): Promise<void>
}

export interface Clock {
  /** Milliseconds since 1970. */
  nowMs(): number
  /** Calls back once after `delayMs`; the result cancels it. */
  after(delayMs: number, callback: () => void): () => void
}

export interface Ids {
  /** A new unique text that sorts by time of creation: 26 lower-case letters and digits (ULID). */
  next(): string
}

/** Where secrets are read, each time that they are used. */
export interface Secrets {
  /** @throws {RetryableFailure} with the code secret-not-found: it is not there, or cannot be read. */
  read(name: string): string
}
