// Brings a store up to the changelog: from the position in it to the changelog's end. Also how a standby follows.
//
// P4. The end is taken read-uncommitted, the records are read committed, and positions are compared, not last offsets:
//     a marker or an aborted record at the end is passed as well (KAFKA-10167).
// P5. A position of another creation of the topic, or beyond its end, means that the log was replaced or truncated:
//     refuse and keep the store, it may be the last copy.
// P7. Once the predecessors are fenced nothing is left open, so a restore that stands still means that a newer producer
//     has a transaction open: it is we who were fenced, asleep between initialising and reading.
// P8. A compacted topic forgets removals after a while (KIP-1259): a store that was away for longer would keep what was
//     removed meanwhile. So a store knows when it was last current, and one that is too old is restored from nothing.
import { ChangelogReplaced, PartitionFenced, StoreCorrupted } from '../base/errors.ts'
import type { Clock, Log, Offsets, Reader, Store, StoreChange, TopicInfo } from './ports.ts'

export interface RestoreOptions {
  readonly log: Log
  readonly store: Store
  readonly topic: string
  readonly partition: number
  readonly clock: Clock
  /** Called as it goes. */
  readonly onProgress?: (progress: RestoreProgress) => void
  readonly isCancelled: () => boolean
}

export interface RestoreProgress {
  /** Records of the changelog that are left. */
  readonly left: number
  /** How many were read a second so far; undefined until that can be told. */
  readonly perSecond: number | undefined
}

const decoder = new TextDecoder()
const recordsAtOnce = 2_000
const stallMs = 15_000
/** Of the time that removals are kept; the rest is for reading them, and for clocks that differ. */
const trustedShare = 0.5

/** The store as the changelog is when this resolves, with the id of the changelog's topic. @throws {ChangelogReplaced} @throws {StoreCorrupted} */
export async function restore(options: RestoreOptions): Promise<string> {
  const { log, store, topic, partition, clock } = options
  const info = (await log.describeTopics([topic])).get(topic)
  if (info === undefined) throw new ChangelogReplaced(`topic ${topic} does not exist`)
  const beganMs = clock.nowMs()
  const offsets = await log.offsets(topic, partition)
  const { end } = offsets
  const from = startingPoint(store, info, offsets, `${topic}/${partition}`, clock)
  let signal = (): void => {}
  const reader = log.openReader({ topic, partition, offset: from, onReady: () => signal() })
  try {
    while (reader.position < end && !options.isCancelled()) {
      const ready = new Promise<void>((resolve) => (signal = resolve))
      if (!(await applyNext(reader, store, info.id, clock)) && reader.position < end) await inTime(ready, clock) // P7
      const left = Math.max(0, end - reader.position)
      const tookMs = clock.nowMs() - beganMs
      const perSecond = tookMs > 0 ? Math.round(((reader.position - from) * 1_000) / tookMs) : undefined
      options.onProgress?.({ left, perSecond })
    }
    expectRecent(info, beganMs, clock) // P8: it may have slept on the way
    if (reader.position >= end && info.tombstonesKeptMs !== undefined)
      await store.apply([], { topicId: info.id, offset: reader.position, currentAtMs: beganMs }) // P8
  } finally {
    reader.close()
  }
  return info.id
}

/** @throws {PartitionFenced} P7 */
async function inTime(ready: Promise<void>, clock: Clock): Promise<void> {
  let cancel = (): void => {}
  const tooLate = new Promise<never>((_, reject) => {
    cancel = clock.after(stallMs, () =>
      reject(new PartitionFenced('the changelog does not come to its end: a newer producer writes to it')),
    )
  })
  try {
    await Promise.race([ready, tooLate])
  } finally {
    cancel()
  }
}

/** Where a store is to be read on from. @throws {ChangelogReplaced} P5 @throws {StoreCorrupted} P8 */
export function startingPoint(store: Store, topic: TopicInfo, offsets: Offsets, name: string, clock: Clock): number {
  const { position } = store
  const { earliest, end } = offsets
  if (position === undefined) return earliest
  if (position.topicId !== topic.id) {
    throw new ChangelogReplaced(
      `${name} is not the changelog that this store was written from. The store is kept: restore the topic, or start with an empty data directory.`,
    )
  }
  if (position.offset > end) {
    throw new ChangelogReplaced(
      `${name} ends at ${end}, but the store has seen ${position.offset}: the changelog was truncated. The store is kept, it may be the last copy.`,
    )
  }
  if (position.offset < earliest)
    throw new StoreCorrupted(`the store of ${name} is older than what the changelog still holds`)
  expectRecent(topic, position.currentAtMs, clock)
  return position.offset
}

/** Milliseconds for which a store is trusted that was current then; undefined where removals are never forgotten. */
export function trustedMs(topic: TopicInfo): number | undefined {
  return topic.tombstonesKeptMs === undefined ? undefined : topic.tombstonesKeptMs * trustedShare
}

/** P8 @throws {StoreCorrupted} */
export function expectRecent(topic: TopicInfo, currentAtMs: number | undefined, clock: Clock): void {
  const limitMs = trustedMs(topic)
  if (limitMs !== undefined && clock.nowMs() - (currentAtMs ?? -Infinity) > limitMs)
    throw new StoreCorrupted(`a store was away from ${topic.name} for so long that removals may be forgotten there`)
}

/** Applies what has arrived; false where nothing had. */
export async function applyNext(reader: Reader, store: Store, topicId: string, clock: Clock): Promise<boolean> {
  const records = reader.take(recordsAtOnce)
  const last = records.at(-1)
  if (last === undefined) return false
  const changes: StoreChange[] = []
  for (const record of records)
    if (record.key !== null) changes.push({ key: decoder.decode(record.key), value: record.value })
  // P8: what is behind a record is no older than it, whatever the clock of its producer says of the future.
  const nowMs = clock.nowMs()
  const currentAtMs = Math.max(store.position?.currentAtMs ?? nowMs, Math.min(last.timestampMs, nowMs))
  await store.apply(changes, { topicId, offset: reader.position, currentAtMs })
  return true
}
