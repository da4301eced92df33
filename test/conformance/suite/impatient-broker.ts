// A broker that forgets what is idle within seconds: transactional ids, producers, connections, records that compaction removes.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite } from 'node:test'
import { PartitionFenced } from '../../../src/base/errors.ts'
import type { Log, LogRecord } from '../../../src/runtime/ports.ts'
import { createTopicWith } from '../../support/kafka/admin.ts'
import { startBroker } from '../../support/kafka/broker.ts'
import type { KafkaBroker } from '../../support/kafka/broker.ts'
import { transactWithJava } from '../../support/kafka/java-producer.ts'
import { createTopic, pause, readFrom, record, valuesOf } from '../../support/kafka/kafka-world.ts'
import { casesOf } from './adapter.ts'
import type { Adapter } from './adapter.ts'

const impatience = {
  'transactional.id.expiration.ms': '1500',
  'transaction.remove.expired.transaction.cleanup.interval.ms': '300',
  'producer.id.expiration.ms': '1500',
  'producer.id.expiration.check.interval.ms': '300',
  'connections.max.idle.ms': '1000',
  'log.cleaner.backoff.ms': '200',
  // Segments may be closed soon enough for a test to see them compacted.
  'log.initial.task.delay.ms': '500',
}

export function impatientBrokerCases(adapter: Adapter): void {
  const rule = casesOf(adapter)
  suite('an impatient broker', () => {
    let broker: KafkaBroker
    let log: Log
    before(async () => {
      broker = await startBroker(impatience)
      log = await adapter.openLog([broker.address])
    })
    after(async () => {
      await log.close()
      await broker.dispose()
    })

    rule(
      'expired-id',
      'a transactional id that the broker has forgotten commits nothing, and is opened again',
      async () => {
        const topic = await createTopic(log)
        const id = randomUUID()
        const producer = await log.openProducer(id)
        await producer.transact([record(topic, 'before')])
        await pause(4_000)
        // With nothing known of us, the broker cannot tell us from a zombie.
        await assert.rejects(producer.transact([record(topic, 'forgotten')]), PartitionFenced)
        await producer.close()
        const again = await log.openProducer(id)
        await again.transact([record(topic, 'after')])
        assert.deepEqual(valuesOf(await readFrom(log, topic)), ['before', 'after'])
      },
    )

    rule(
      'idle-connections',
      'connections that the broker closes while they are idle cost no transaction its answer',
      async () => {
        const topic = await createTopic(log)
        const producer = await log.openProducer(randomUUID())
        const expected: string[] = []
        for (const value of ['1', '2', '3']) {
          await producer.transact([record(topic, value)])
          expected.push(value)
          // Not so long that the id is forgotten.
          await pause(1_200)
          await log.produce([record(topic, `${value}, plain`)])
          expected.push(`${value}, plain`)
        }
        assert.deepEqual(valuesOf(await readFrom(log, topic)), expected)
      },
    )

    rule(
      'compacted',
      'what compaction has left of transactions is read from every offset, and to the end',
      async () => {
        const topic = `t-${randomUUID()}`
        await createTopicWith([broker.address], topic, {
          'cleanup.policy': 'compact',
          'min.cleanable.dirty.ratio': '0.0',
          'segment.ms': '100',
          'delete.retention.ms': '0',
        })
        const round = (at: number, ends: 'commit' | 'abort') => ({
          ends,
          records: ['a', 'b', 'c'].map((key) => ({ partition: 0, key, value: `${key}${at}` })),
        })
        const rounds = [
          round(0, 'commit'),
          round(1, 'abort'),
          round(2, 'commit'),
          round(3, 'abort'),
          round(4, 'commit'),
        ]
        await transactWithJava([broker.address], randomUUID(), topic, rounds)
        // The segment in use is never compacted: what comes later closes it.
        const producer = await log.openProducer(randomUUID())
        const keyed = (key: string, value: string | null) => ({
          topic,
          key: Buffer.from(key),
          value: value === null ? null : Buffer.from(value),
        })
        let read: LogRecord[] = []
        for (const givenUpAt = Date.now() + 60_000; ; await pause(300)) {
          await producer.transact([keyed('last', `${Date.now()}`)])
          read = await readFrom(log, topic)
          if (read.filter(({ key }) => key?.toString() !== 'last').length === 3) break
          assert.ok(Date.now() < givenUpAt, `nothing is compacted: ${valuesOf(read).join(' ')}`)
        }
        const left = read.filter(({ key }) => key?.toString() !== 'last')
        assert.deepEqual(valuesOf(left), ['a4', 'b4', 'c4'])
        const { end } = await log.offsets(topic, 0)
        for (let offset = 0; offset <= end; offset++) {
          const values = valuesOf(await readFrom(log, topic, offset))
          const wanted = left.filter((one) => one.offset >= offset)
          assert.deepEqual(
            values.filter((value) => /^[abc]/.test(value!)),
            valuesOf(wanted),
            `from ${offset}`,
          )
        }
      },
    )
  })
}
