// What of a fetched partition is committed. A broker that is asked for committed records gives everything below the last
// stable offset, aborted records among it, with a list of the aborted transactions: producer and first offset of each.
// The client's own filter keeps one range for each producer and drops a range whose marker is not in the same answer;
// this is Kafka's rule instead: from its first offset on a producer is aborted, until its next abort marker.
//   F1. Every batch moves the position on: records, markers, what was aborted, what compaction has emptied.
import { batchesIn, type FetchedBatch } from './fetched-batch.ts'
import type { FetchedPartition } from './client.ts'

const abortMarker = 0

export interface Committed {
  /** In order; the first may begin before the offset that was asked for. */
  readonly batches: readonly FetchedBatch[]
  /** Where the next fetch begins. */
  readonly nextOffset: number
  /** Where what is committed ends. */
  readonly committedEnd: number
}

/** The committed batches of a partition that was fetched from `offset` on. @throws {UnreadableBatch} */
export function committedBatches(
  offset: number,
  fetched: Pick<FetchedPartition, 'batches' | 'abortedTransactions' | 'committedEnd'>,
): Committed {
  const batches: FetchedBatch[] = []
  const aborted = new Set<bigint>()
  const begins = [...fetched.abortedTransactions].sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1))
  let begun = 0
  let nextOffset = offset
  for (const batch of batchesIn(fetched.batches)) {
    while (begun < begins.length && Number(begins[begun]!.firstOffset) <= batch.lastOffset) {
      aborted.add(begins[begun++]!.producerId)
    }
    nextOffset = Math.max(nextOffset, batch.lastOffset + 1) // F1
    if (batch.isControl) {
      if (isAbort(batch)) aborted.delete(batch.producerId)
    } else if (!batch.isTransactional || !aborted.has(batch.producerId)) batches.push(batch)
  }
  return { batches, nextOffset, committedEnd: Number(fetched.committedEnd) }
}

/** A marker's key is a version and a type, of two bytes each. */
function isAbort(batch: FetchedBatch): boolean {
  const key = batch.records('', 0).next()?.key
  return key !== null && key !== undefined && key.length >= 4 && key[2] === 0 && key[3] === abortMarker
}
