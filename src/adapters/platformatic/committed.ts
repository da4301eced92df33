// What of a fetched partition is committed. A broker that is asked for committed records gives everything below the last
// stable offset, aborted records among it, with a list of the aborted transactions: producer and first offset of each.
// The client's own filter keeps one range for each producer and drops a range whose marker is not in the same answer;
// this is Kafka's rule instead: from its first offset on a producer is aborted, until its next abort marker.
//   F1. Every batch moves the position on: records, markers, what was aborted, what compaction has emptied.
//   F2. A batch may begin before the offset that was asked for: what is below it was had before.
import type { fetchV13, KafkaRecord, RecordsBatch } from '@platformatic/kafka'
import type { LogRecord } from '../../runtime/ports.ts'

const timestampIsOfAppend = 1 << 3
const isTransactional = 1 << 4
const isControl = 1 << 5
const abortMarker = 0
const noBytes = Buffer.alloc(0)

export interface Committed {
  readonly records: readonly LogRecord[]
  /** Where the next fetch begins. */
  readonly nextOffset: number
  /** Of keys and values. */
  readonly bytes: number
}

/** The committed records of a fetched partition from `offset` on, in order. */
export function committedRecords(
  topic: string,
  partition: number,
  offset: number,
  fetched: Pick<fetchV13.FetchResponsePartition, 'records' | 'abortedTransactions'>,
): Committed {
  const records: LogRecord[] = []
  const aborted = new Set<bigint>()
  const begins = [...(fetched.abortedTransactions ?? [])].sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1))
  let begun = 0
  let nextOffset = offset
  let bytes = 0
  for (const batch of fetched.records ?? []) {
    const firstOffset = Number(batch.firstOffset)
    const lastOffset = firstOffset + batch.lastOffsetDelta
    while (begun < begins.length && Number(begins[begun]!.firstOffset) <= lastOffset) {
      aborted.add(begins[begun++]!.producerId)
    }
    nextOffset = Math.max(nextOffset, lastOffset + 1) // F1
    if ((batch.attributes & isControl) !== 0) {
      if (isAbort(batch)) aborted.delete(batch.producerId)
      continue
    }
    if ((batch.attributes & isTransactional) !== 0 && aborted.has(batch.producerId)) continue
    for (const record of batch.records) {
      const at = firstOffset + record.offsetDelta
      if (at < offset) continue // F2
      records.push({ topic, partition, offset: at, ...contentOf(batch, record) })
      bytes += (record.key?.length ?? 0) + (record.value?.length ?? 0)
    }
  }
  return { records, nextOffset, bytes }
}

/** A marker's key is a version and a type, of two bytes each. */
function isAbort(batch: RecordsBatch): boolean {
  const key = batch.records[0]?.key
  return key !== null && key !== undefined && key.length >= 4 && key.readInt16BE(2) === abortMarker
}

function contentOf(batch: RecordsBatch, { timestampDelta, key, value, headers }: KafkaRecord) {
  const isOfAppend = (batch.attributes & timestampIsOfAppend) !== 0
  return {
    timestampMs: Number(isOfAppend ? batch.maxTimestamp : batch.firstTimestamp + timestampDelta),
    key,
    value,
    headers: headers.map(([name, content]) => ({ key: name?.toString() ?? '', value: content ?? noBytes })),
  }
}
