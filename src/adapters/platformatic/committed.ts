// What of a fetched partition is committed. A broker that is asked for committed records gives everything below the last
// stable offset, aborted records among it, with a list of the aborted transactions: producer and first offset of each.
// The client's own filter keeps one range for each producer and drops a range whose marker is not in the same answer;
// this is Kafka's rule instead: from its first offset on a producer is aborted, until its next abort marker.
//   F1. Every batch moves the position on: records, markers, what was aborted, what compaction has emptied.
//   F2. A batch may begin before the offset that was asked for: what is below it was had before.
import type { LogRecord } from '../../runtime/ports.ts'
import type { FetchedPartition } from './raw-apis.ts'
import { batchesIn, type FetchedBatch } from './record-batch.ts'

const abortMarker = 0

export interface Committed {
  readonly records: readonly LogRecord[]
  /** Where the next fetch begins. */
  readonly nextOffset: number
  /** Of keys and values. */
  readonly bytes: number
}

/** The committed records of a fetched partition from `offset` on, in order. @throws {UnreadableBatch} */
export function committedRecords(
  topic: string,
  partition: number,
  offset: number,
  fetched: Pick<FetchedPartition, 'batches' | 'abortedTransactions'>,
): Committed {
  const records: LogRecord[] = []
  const aborted = new Set<bigint>()
  const begins = [...fetched.abortedTransactions].sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1))
  let begun = 0
  let nextOffset = offset
  let bytes = 0
  for (const batch of batchesIn(fetched.batches)) {
    while (begun < begins.length && Number(begins[begun]!.firstOffset) <= batch.lastOffset) {
      aborted.add(begins[begun++]!.producerId)
    }
    nextOffset = Math.max(nextOffset, batch.lastOffset + 1) // F1
    if (batch.isControl) {
      if (isAbort(batch)) aborted.delete(batch.producerId)
      continue
    }
    if (batch.isTransactional && aborted.has(batch.producerId)) continue
    for (const record of batch.records()) {
      if (record.offset < offset) continue // F2
      const { key, value, headers } = record
      records.push({ topic, partition, offset: record.offset, timestampMs: record.timestampMs, key, value, headers })
      bytes += (key?.length ?? 0) + (value?.length ?? 0)
    }
  }
  return { records, nextOffset, bytes }
}

/** A marker's key is a version and a type, of two bytes each. */
function isAbort(batch: FetchedBatch): boolean {
  const key = batch.records()[0]?.key
  return key !== null && key !== undefined && key.length >= 4 && key[2] === 0 && key[3] === abortMarker
}
