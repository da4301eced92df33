// Brings a store up to the changelog: from the position in it to the changelog's end. Also how a standby follows.
//
// P4. The end is taken read-uncommitted, the records are read committed, and positions are compared, not last offsets:
//     a marker or an aborted record at the end is passed as well (KAFKA-10167).
// P5. A position of another creation of the topic, or beyond its end, means that the log was replaced or truncated:
//     refuse and keep the store, it may be the last copy.
// P7. Once the predecessors are fenced nothing is left open, so a restore that stands still means that a newer producer
//     has a transaction open: it is we who were fenced, asleep between initialising and reading.
import { ChangelogReplaced, PartitionFenced, StoreCorrupted } from '../base/errors.ts'
import type { Clock, Log, Reader, Store, StoreChange } from './ports.ts'

export interface RestoreOptions {
  readonly log: Log
  readonly store: Store
  readonly topic: string
  readonly partition: number
  readonly clock: Clock
  /** Called as it goes, with the records that are left. */
  readonly onProgress?: (left: number) => void
  readonly isCancelled: () => boolean
}

const decoder = new TextDecoder()
const recordsAtOnce = 2_000
const stallMs = 15_000

/** The store as the changelog is when this resolves, with the id of the changelog's topic. @throws {ChangelogReplaced} @throws {StoreCorrupted} */
export async function restore(options: RestoreOptions): Promise<string> {
  const { log, store, topic, partition } = options
  const info = (await log.describeTopics([topic])).get(topic)
  if (info === undefined) throw new ChangelogReplaced(`topic ${topic} does not exist`)
  const { earliest, end } = await log.offsets(topic, partition)
  const from = startingPoint(store, info.id, earliest, end, `${topic}/${partition}`)
  let signal = (): void => {}
  const reader = log.openReader({ topic, partition, offset: from, onReady: () => signal() })
  try {
    while (reader.position < end && !options.isCancelled()) {
      const ready = new Promise<void>((resolve) => (signal = resolve))
      if (!(await applyNext(reader, store, info.id)) && reader.position < end) await inTime(ready, options.clock) // P7
      options.onProgress?.(Math.max(0, end - reader.position))
    }
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

/** P5 */
export function startingPoint(store: Store, topicId: string, earliest: number, end: number, name: string): number {
  const { position } = store
  if (position === undefined) return earliest
  if (position.topicId !== topicId) {
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
  return position.offset
}

/** Applies what has arrived; false where nothing had. */
export async function applyNext(reader: Reader, store: Store, topicId: string): Promise<boolean> {
  const records = reader.take(recordsAtOnce)
  if (records.length === 0) return false
  const changes: StoreChange[] = []
  for (const record of records)
    if (record.key !== null) changes.push({ key: decoder.decode(record.key), value: record.value })
  await store.apply(changes, { topicId, offset: reader.position })
  return true
}
