// What is fetched ahead is bounded for all readers together, however many there are: readers that are slow cost no more.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { bounds } from '../../src/adapters/kafka/options.ts'
import { openLog, pause, takeUntil } from '../support/kafka/kafka-world.ts'
import { useKafka } from '../support/kafka/use-kafka.ts'

const brokers = useKafka()
const partitions = 300
const recordBytes = 100_000
const batchesEach = 10
/** Partitions of one transaction. */
const atOnce = 50
/** Answers that are under way, and what was collected and not let go of yet. */
const slackBytes = 6 * bounds.fetchBytesMax

test('300 readers that nobody takes from hold what all may hold together; then each is read to its end', async (t) => {
  const log = await openLog(brokers())
  t.after(() => log.close())
  const topic = `ahead-${randomUUID()}`
  await log.createTopics([{ name: topic, partitions, cleanup: 'unlimited' }])
  const value = Buffer.alloc(recordBytes, 'x')
  const producer = await log.openProducer(topic)
  // In batches of one record: a batch is never fetched in part.
  for (let batch = 0; batch < batchesEach; batch++) {
    for (let first = 0; first < partitions; first += atOnce) {
      const records = Array.from({ length: atOnce }, (_, i) => ({ topic, partition: first + i, key: null, value }))
      await producer.transact(records)
    }
  }
  await producer.close()

  const before = process.memoryUsage().arrayBuffers
  const readers = Array.from({ length: partitions }, (_, partition) =>
    log.openReader({ topic, partition, offset: 0, onReady: () => {} }),
  )
  let most = 0
  let still = 0
  for (let last = -1; still < 20; await pause(100)) {
    const held = process.memoryUsage().arrayBuffers - before
    still = held === last ? still + 1 : 0
    last = held
    most = Math.max(most, held)
  }
  assert.ok(most > bounds.readAheadBytesInAll / 4, `${most} bytes were fetched at all`)
  assert.ok(most < bounds.readAheadBytesInAll + slackBytes, `${most} bytes were held`)
  for (const [partition, reader] of readers.entries()) {
    const { end } = await log.offsets(topic, partition)
    assert.equal((await takeUntil(reader, end)).length, batchesEach)
    reader.close()
  }
})
