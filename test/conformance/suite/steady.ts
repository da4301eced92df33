// Transactions without a pause while brokers fail, and whether what was told of each of them was the truth.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { OutcomeUnknown, TransientFault } from '../../../src/base/errors.ts'
import type { Log, Producer, Reader } from '../../../src/runtime/ports.ts'
import { pause, record, takeUntil, valuesOf } from '../../support/kafka/kafka-world.ts'

const grownWithinMs = 90_000

export interface Fates {
  readonly committed: Set<string>
  readonly unknown: Set<string>
  readonly failed: Set<string>
}

export interface SteadyProducer {
  readonly transactionalId: string
  readonly fates: Fates
  /** Resolves when so many more transactions are answered. */
  untilMore(transactions: number): Promise<void>
  /** Stops, and holds what the partitions have against what was told, and against what readers got that were open all the time. */
  stopAndCheck(): Promise<void>
}

/** Opens an id until it is open: brokers may be away. */
export async function openAtLast(log: Log, id: string): Promise<Producer> {
  for (const givenUpAt = Date.now() + grownWithinMs; ;) {
    try {
      return await log.openProducer(id)
    } catch (error) {
      assert.ok(error instanceof TransientFault && Date.now() < givenUpAt, String(error))
    }
  }
}

/** Produces a record to each partition in each transaction; opens the id again after an unknown outcome, as the runtime does. */
export function produceSteadily(log: Log, topic: string, partitions: number): SteadyProducer {
  const fates = { committed: new Set<string>(), unknown: new Set<string>(), failed: new Set<string>() }
  const stopping = new AbortController()
  const transactionalId = randomUUID()
  const all = Array.from({ length: partitions }, (_, partition) => partition)
  const readers: readonly Reader[] = all.map((partition) =>
    log.openReader({ topic, partition, offset: 0, onReady: () => {} }),
  )

  async function run(): Promise<void> {
    let producer = await openAtLast(log, transactionalId)
    for (let i = 0; !stopping.signal.aborted; i++) {
      const value = `${i}`
      try {
        await producer.transact(all.map((partition) => record(topic, value, partition)))
        fates.committed.add(value)
      } catch (error) {
        assert.ok(error instanceof OutcomeUnknown || error instanceof TransientFault, String(error))
        if (error instanceof OutcomeUnknown) {
          fates.unknown.add(value)
          await producer.close()
          producer = await openAtLast(log, transactionalId)
        } else fates.failed.add(value)
      }
    }
    await producer.close()
  }
  const running = run()
  // Told by `stopAndCheck`; until then nobody listens.
  running.catch(() => {})

  return {
    transactionalId,
    fates,
    async untilMore(transactions) {
      const size = fates.committed.size + transactions
      for (const givenUpAt = Date.now() + grownWithinMs; fates.committed.size < size; await pause(20)) {
        assert.ok(Date.now() < givenUpAt, `${fates.committed.size} of ${size} transactions were answered`)
      }
    },
    async stopAndCheck() {
      stopping.abort()
      await running
      const read: (string | null)[][] = []
      for (const [partition, reader] of readers.entries()) {
        const { end } = await log.offsets(topic, partition)
        read.push(valuesOf(await takeUntil(reader, end)))
        reader.close()
      }
      const [first = []] = read
      // All records of a transaction, or none; in the order they were produced in.
      for (const values of read) assert.deepEqual(values, first)
      assert.deepEqual(
        first,
        first.toSorted((a, b) => Number(a) - Number(b)),
        'records are out of order',
      )
      assert.equal(new Set(first).size, first.length, 'a record came twice')
      for (const value of fates.committed) assert.ok(first.includes(value), `${value} was answered and is lost`)
      for (const value of fates.failed) assert.ok(!first.includes(value), `${value} failed and is there`)
      for (const value of first) {
        assert.ok(fates.committed.has(value!) || fates.unknown.has(value!), `${value} is nobody's`)
      }
    },
  }
}
