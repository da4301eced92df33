// Kafka's record batch, held against the client's own reader and writer.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { crc32c, createRecordsBatch, Reader, readRecordsBatches, type MessageRecord } from '@platformatic/kafka'
import fc from 'fast-check'
import { compressed, expandedBytesMax } from '../../src/adapters/kafka/compression.ts'
import { batchesIn, UnreadableBatch, type FetchedBatch } from '../../src/adapters/kafka/fetched-batch.ts'
import { encodeBatch } from '../../src/adapters/kafka/record-batch.ts'
import type { LogRecord, OutgoingRecord } from '../../src/runtime/ports.ts'

const nowMs = 1_790_000_000_000
const field = fc.uint8Array({ maxLength: 300 })
const anyRecord: fc.Arbitrary<OutgoingRecord> = fc.record({
  topic: fc.constant('orders'),
  key: fc.option(field),
  value: fc.option(field),
  headers: fc.array(fc.record({ key: fc.string({ unit: 'grapheme' }), value: field }), { maxLength: 3 }),
})
const hex = (bytes: Uint8Array | null | undefined) => (bytes ? Buffer.from(bytes).toString('hex') : null)

function recordsOf(batch: FetchedBatch | undefined): readonly LogRecord[] {
  const cursor = batch?.records('orders', 3)
  const records: LogRecord[] = []
  for (let record = cursor?.next(); record !== undefined; record = cursor?.next()) records.push(record)
  return records
}

const contentOf = ({ key, value, headers = [] }: Pick<OutgoingRecord, 'key' | 'value' | 'headers'>) => ({
  key: hex(key),
  value: hex(value),
  headers: headers.map((header) => [header.key, hex(header.value)]),
})

test('what is written is what the client reads', () => {
  fc.assert(
    fc.property(fc.array(anyRecord, { minLength: 1, maxLength: 200 }), (records) => {
      const stamp = { producerId: 2n ** 40n, producerEpoch: 7, baseSequence: 2 ** 31 - 1 }
      const [batch, ...others] = readRecordsBatches(Reader.from(encodeBatch(records, nowMs, stamp)))
      assert.ok(batch !== undefined && others.length === 0)
      assert.equal(batch.producerId, stamp.producerId)
      assert.equal(batch.producerEpoch, stamp.producerEpoch)
      assert.equal(batch.firstSequence, stamp.baseSequence)
      assert.equal(batch.firstTimestamp, BigInt(nowMs))
      assert.equal(batch.lastOffsetDelta, records.length - 1)
      assert.deepEqual(
        batch.records.map(({ key, value, headers, offsetDelta }) => ({
          offsetDelta,
          key: hex(key),
          value: hex(value),
          headers: headers.map(([name, content]) => [name?.toString(), hex(content) ?? '']),
        })),
        records.map((record, offsetDelta) => ({ offsetDelta, ...contentOf(record) })),
      )
    }),
  )
})

test('what is written is read again, each record at its offset', () => {
  fc.assert(
    fc.property(fc.array(anyRecord, { minLength: 1, maxLength: 20 }), (records) => {
      const two = Buffer.concat([encodeBatch(records, nowMs), encodeBatch(records, nowMs + 1)])
      two.writeBigInt64BE(5_000_000_000n, 0) // as the broker does; the checksum does not cover it
      const [batch, second, ...others] = [...batchesIn(two)]
      assert.ok(batch !== undefined && second !== undefined && others.length === 0)
      assert.equal(batch.isTransactional, false)
      assert.deepEqual(
        recordsOf(batch).map((record) => ({ ...contentOf(record), offset: record.offset, at: record.timestampMs })),
        records.map((record, index) => ({ ...contentOf(record), offset: 5_000_000_000 + index, at: nowMs })),
      )
      assert.equal(second.lastOffset, records.length - 1)
    }),
  )
})

test('times before and after that of the batch are read, in whatever compression', () => {
  // Within 24 days: beyond, the client's writer (2.12.1) writes another time than it was given.
  const timestamps = [nowMs, nowMs - 1_000_000_000, nowMs + 63, nowMs + 1_000_000_000]
  for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
    const messages = timestamps.map((timestamp): MessageRecord => {
      return { topic: 'orders', partition: 0, value: Buffer.from('a'), timestamp: BigInt(timestamp) }
    })
    const [batch] = [...batchesIn(Buffer.from(createRecordsBatch(messages, { compression }).buffer))]
    assert.deepEqual(
      recordsOf(batch).map((record) => record.timestampMs),
      timestamps,
      compression,
    )
  }
})

test('what is written compressed is smaller, says so, and is what the client and we read', () => {
  const records = Array.from({ length: 100 }, (_, i): OutgoingRecord => {
    return { topic: 'orders', key: null, value: Buffer.from(`{"orderId":"o-${i}"}`), headers: [] }
  })
  const plain = encodeBatch(records, nowMs)
  for (const compression of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
    const stamp = { producerId: 7n, producerEpoch: 1, baseSequence: 3 }
    const bytes = encodeBatch(records, nowMs, stamp, compression)
    assert.ok(bytes.length < plain.length / 2, compression)
    const [theirs] = readRecordsBatches(Reader.from(Buffer.from(bytes)))
    assert.deepEqual([theirs?.records.length, theirs?.producerId, theirs?.firstSequence], [100, 7n, 3])
    const [batch] = [...batchesIn(bytes)]
    assert.equal(batch?.isTransactional, true)
    assert.deepEqual(recordsOf(batch).map(contentOf), records.map(contentOf), compression)
  }
})

test('what does not become smaller is not compressed', () => {
  const records = [{ topic: 'orders', key: null, value: Buffer.from('a') }]
  assert.deepEqual(encodeBatch(records, nowMs, undefined, 'gzip'), encodeBatch(records, nowMs))
})

test('compressed content that is damaged, or that would fill the memory, is refused and not expanded', () => {
  const batchOf = (content: Buffer, number: number): Buffer => {
    const whole = Buffer.concat([encodeBatch([], nowMs), content])
    whole.writeInt32BE(whole.length - 12, 8)
    whole.writeInt16BE(number, 21)
    whole.writeUInt32BE(crc32c(whole.subarray(21)), 17)
    return whole
  }
  const zeros = Buffer.alloc(expandedBytesMax + 1)
  for (const bomb of [
    batchOf(gzipSync(zeros), 1),
    batchOf(compressed(zeros, 'lz4'), 3),
    batchOf(zstdCompressSync(zeros), 4),
  ]) {
    assert.ok(bomb.length < 1_048_576)
    assert.throws(() => [...batchesIn(bomb)], UnreadableBatch)
  }
  for (const number of [1, 2, 3, 4, 5, 7])
    assert.throws(() => [...batchesIn(batchOf(Buffer.from('no such thing'), number))], UnreadableBatch, String(number))
})

test('a batch that the broker cut off is left for the next fetch', () => {
  const whole = encodeBatch([{ topic: 'orders', key: null, value: Buffer.from('a') }], nowMs)
  for (let length = 0; length < whole.length; length++) {
    assert.equal([...batchesIn(Buffer.concat([whole, whole.subarray(0, length)]))].length, 1)
  }
})

test('no changed byte of what the checksum covers goes unnoticed', () => {
  const whole = encodeBatch([{ topic: 'orders', key: Buffer.from('k'), value: Buffer.from('a') }], nowMs)
  for (let at = 17; at < whole.length; at++) {
    const bent = Buffer.from(whole)
    bent[at]! ^= 4
    assert.throws(() => [...batchesIn(bent)], UnreadableBatch, `byte ${at}`)
  }
})

test('a batch of the format before Kafka 0.11 is refused by name', () => {
  const old = encodeBatch([{ topic: 'orders', key: null, value: Buffer.from('a') }], nowMs)
  old[16] = 1
  assert.throws(() => [...batchesIn(old)], /the format 1: it was written for Kafka older than 0\.11/)
})
