// One transactional id over its lives: restarts, zombies, what was left open.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite } from 'node:test'
import { PartitionFenced } from '../../../src/base/errors.ts'
import type { Log } from '../../../src/runtime/ports.ts'
import { createTopic, readFrom, record, valuesOf } from '../../support/kafka/kafka-world.ts'
import { casesOf } from './adapter.ts'
import { leaveOpen } from './left-open.ts'
import type { Adapter } from './adapter.ts'

export function transactionalIdCases(adapter: Adapter, brokers: () => readonly string[]): void {
  const rule = casesOf(adapter)
  suite('a transactional id', () => {
    let log: Log
    before(async () => {
      log = await adapter.openLog(brokers())
    })
    after(() => log.close())

    rule('restart', 'a restart under the same transactional id goes on', async () => {
      const topic = await createTopic(log)
      const id = randomUUID()
      const expected: string[] = []
      for (let life = 0; life < 5; life++) {
        const restarted = await adapter.openLog(brokers())
        const producer = await restarted.openProducer(id)
        for (const value of [`${life}-a`, `${life}-b`]) {
          await producer.transact([record(topic, value)])
          expected.push(value)
        }
        await restarted.close()
      }
      assert.deepEqual(valuesOf(await readFrom(log, topic)), expected)
    })

    rule('zombie', 'a zombie that wakes up after a restart of its id is fenced and commits nothing', async () => {
      const topic = await createTopic(log)
      const id = randomUUID()
      const sleeping = await adapter.openLog(brokers())
      const zombie = await sleeping.openProducer(id)
      await zombie.transact([record(topic, 'before')])
      const owner = await log.openProducer(id)
      for (let i = 0; i < 3; i++) {
        await assert.rejects(zombie.transact([record(topic, 'zombie')]), PartitionFenced)
        await owner.transact([record(topic, `owner ${i}`)])
      }
      assert.deepEqual(valuesOf(await readFrom(log, topic)), ['before', 'owner 0', 'owner 1', 'owner 2'])
      await sleeping.close()
    })

    rule(
      'left-open',
      'what a dead predecessor left open is aborted by its successor, and cannot be committed',
      async () => {
        const topic = await createTopic(log)
        const id = randomUUID()
        const leftOpen = await leaveOpen(brokers(), log, topic, id)
        await leftOpen.endsBy(await log.openProducer(id))
      },
    )

    rule(
      'rivals',
      'ids that fence each other in turn commit each record at most once, and the last one wins',
      async () => {
        const topic = await createTopic(log)
        const id = randomUUID()
        const committed: string[] = []
        await Promise.all(
          Array.from({ length: 4 }, async (_, rival) => {
            for (let round = 0; round < 4; round++) {
              const producer = await log.openProducer(id)
              const value = `${rival}-${round}`
              await producer.transact([record(topic, value)]).then(
                () => committed.push(value),
                (error: unknown) => assert.ok(error instanceof PartitionFenced, String(error)),
              )
              await producer.close()
            }
          }),
        )
        const last = await log.openProducer(id)
        await last.transact([record(topic, 'last')])
        committed.push('last')
        const read = valuesOf(await readFrom(log, topic))
        assert.equal(read.at(-1), 'last')
        assert.equal(read.length, committed.length)
        assert.deepEqual(new Set(read), new Set(committed))
      },
    )

    rule(
      'cut-into-batches',
      'many small records that are too large together are cut into batches that the topic takes',
      async () => {
        const topic = await createTopic(log)
        const producer = await log.openProducer(randomUUID())
        const values = Array.from({ length: 300 }, (_, i) => `${i}:${'x'.repeat(10_000)}`)
        await producer.transact(values.map((value) => record(topic, value)))
        assert.deepEqual(valuesOf(await readFrom(log, topic)), values)
      },
    )

    rule(
      'back-to-back',
      'transactions back to back are in order, and not held up by the markers of the one before',
      async () => {
        const topic = await createTopic(log, 2)
        const producer = await log.openProducer(randomUUID())
        const values = Array.from({ length: 100 }, (_, i) => `${i}`)
        const began = performance.now()
        for (const value of values) await producer.transact([record(topic, value, 0), record(topic, value, 1)])
        const eachMs = (performance.now() - began) / values.length
        for (const partition of [0, 1]) assert.deepEqual(valuesOf(await readFrom(log, topic, 0, partition)), values)
        // A broker writes markers in a few milliseconds; a client that waits a fixed 100 or 300 ms for them shows.
        assert.ok(eachMs < 100, `${eachMs} ms a transaction`)
      },
    )
  })
}
