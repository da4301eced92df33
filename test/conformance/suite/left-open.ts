// A transaction that a predecessor has left open, and what becomes of it once its successor has the id.
import assert from 'node:assert/strict'
import type { Log, Producer } from '../../../src/runtime/ports.ts'
import { otherProducer, readFrom, record, sendIn, valuesOf } from '../../support/kafka/kafka-world.ts'

export interface LeftOpen {
  /** It is aborted by the successor and cannot be committed; what the successor produces is all there is. */
  endsBy(successor: Producer): Promise<void>
}

/** Another client begins a transaction under the id, and goes no further. */
export async function leaveOpen(brokers: readonly string[], log: Log, topic: string, id: string): Promise<LeftOpen> {
  const predecessor = otherProducer(brokers, { transactionalId: id })
  const transaction = await predecessor.begin()
  await sendIn(transaction, topic, ['left open'])
  return {
    async endsBy(successor) {
      const { committedEnd, end } = await log.offsets(topic, 0)
      assert.equal(committedEnd, end)
      await assert.rejects(transaction.commit())
      await successor.transact([record(topic, 'successor')])
      assert.deepEqual(valuesOf(await readFrom(log, topic)), ['successor'])
      await predecessor.close()
    },
  }
}
