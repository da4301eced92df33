// Requests and answers that are lost, late or cut in the midst, one at a time, by a proxy before the broker.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite } from 'node:test'
import { OutcomeUnknown, PartitionFenced, TransientFault } from '../../../src/base/errors.ts'
import type { Log, OutgoingRecord, Producer } from '../../../src/runtime/ports.ts'
import {
  createTopic,
  pause,
  readFrom,
  record,
  takeUntil,
  untilDecided,
  valuesOf,
} from '../../support/kafka/kafka-world.ts'
import { startProxiedBroker } from '../../support/kafka/proxy.ts'
import type { Api, Fate, KafkaProxy } from '../../support/kafka/proxy.ts'
import { casesOf } from './adapter.ts'
import type { Adapter } from './adapter.ts'
import { openAtLast } from './steady.ts'

const lossesOf = ['lost-request', 'cut-request', 'lost-answer', 'cut-answer'] as const

type Told = 'committed' | 'failed' | 'fenced' | 'unknown'

async function told(transacting: Promise<unknown>): Promise<Told> {
  try {
    await transacting
    return 'committed'
  } catch (error) {
    if (error instanceof OutcomeUnknown) return 'unknown'
    if (error instanceof PartitionFenced) return 'fenced'
    assert.ok(error instanceof TransientFault, String(error))
    return 'failed'
  }
}

export function lostAnswersCases(adapter: Adapter): void {
  const rule = casesOf(adapter)
  suite('what is lost on the way', () => {
    let proxy: KafkaProxy
    let log: Log
    before(async () => {
      proxy = await startProxiedBroker()
      log = await adapter.openLog([proxy.address])
    })
    after(async () => {
      await log.close()
      await proxy.dispose()
    })

    const both = (topic: string, value: string): OutgoingRecord[] => [record(topic, value, 0), record(topic, value, 1)]

    async function committedIn(topic: string): Promise<(string | null)[]> {
      const [one, other] = [await readFrom(log, topic, 0, 0), await readFrom(log, topic, 0, 1)]
      assert.deepEqual(valuesOf(one), valuesOf(other), 'a transaction is there in part')
      return valuesOf(one)
    }

    /** One request of a transaction meets a fate; the id is opened again where that is asked for, and goes on. */
    async function transactThrough(api: Api, fate: Fate): Promise<Told> {
      const topic = await createTopic(log, 2)
      const id = randomUUID()
      let producer = await openAtLast(log, id)
      await producer.transact(both(topic, 'before'))
      const strike = proxy.strike(api, fate)
      const outcome = await told(producer.transact(both(topic, 'struck')))
      await strike.struck
      if (outcome === 'unknown') producer = await openAtLast(log, id)
      await producer.transact(both(topic, 'after'))
      const read = await committedIn(topic)
      const isThere = read.includes('struck')
      assert.deepEqual(read, isThere ? ['before', 'struck', 'after'] : ['before', 'after'])
      if (outcome !== 'unknown') assert.equal(outcome, isThere ? 'committed' : 'failed')
      return outcome
    }

    for (const api of ['AddPartitionsToTxn', 'Produce', 'EndTxn'] as const) {
      const title = `what is told of a transaction is the truth, whatever is lost of ${api}: request, answer, half of either`
      rule(`lost-${api}`, title, async () => {
        for (const fate of lossesOf) await transactThrough(api, fate)
      })
    }

    rule(
      'lost-InitProducerId',
      'an id is opened, whatever is lost of InitProducerId: request, answer, half of either',
      async () => {
        const topic = await createTopic(log, 2)
        const id = randomUUID()
        for (const fate of lossesOf) {
          const strike = proxy.strike('InitProducerId', fate)
          const producer = await openAtLast(log, id)
          await strike.struck
          await producer.transact(both(topic, fate))
        }
        assert.deepEqual(await committedIn(topic), [...lossesOf])
      },
    )

    rule(
      'lost-commit-answer',
      'a commit whose answer is lost is not told as done or failed, and is there after the id is opened again',
      async () => {
        assert.equal(await transactThrough('EndTxn', 'lost-answer'), 'unknown')
      },
    )

    rule('late-commit', 'a commit that reaches the broker after the id was opened again ends nothing', async () => {
      const topic = await createTopic(log, 2)
      const id = randomUUID()
      const first = await openAtLast(log, id)
      const strike = proxy.strike('EndTxn', 'late-request')
      assert.equal(await told(first.transact(both(topic, 'first'))), 'unknown')
      await strike.struck
      const second = await openAtLast(log, id)
      // The next transaction is open, with its records in the log, when the old commit arrives.
      const held = proxy.strike('EndTxn', 'held-request')
      const committing = told(second.transact(both(topic, 'second')))
      await held.struck
      strike.release()
      await pause(300)
      const { committedEnd, end } = await log.offsets(topic, 0)
      assert.ok(committedEnd < end, 'the transaction that was open was ended by an old request')
      held.release()
      assert.equal(await committing, 'committed')
      assert.deepEqual(await committedIn(topic), ['second'])
    })

    rule(
      'zombie-open-transaction',
      'a zombie whose commit is under way when its id is opened again commits nothing',
      async () => {
        const topic = await createTopic(log, 2)
        const id = randomUUID()
        const sleeping = await adapter.openLog([proxy.address])
        const zombie = await openAtLast(sleeping, id)
        const held = proxy.strike('EndTxn', 'held-request')
        const committing = told(zombie.transact(both(topic, 'zombie')))
        await held.struck
        const owner = await openAtLast(log, id)
        await owner.transact(both(topic, 'owner'))
        held.release()
        assert.equal(await committing, 'fenced')
        assert.equal(await told(zombie.transact(both(topic, 'zombie again'))), 'fenced')
        assert.deepEqual(await committedIn(topic), ['owner'])
        await sleeping.close()
      },
    )

    rule(
      'own-timeout',
      'a transaction of ours that the broker has timed out commits nothing, and the id is opened again',
      async () => {
        const topic = await createTopic(log, 2)
        const id = randomUUID()
        const restore = proxy.rewrite('InitProducerId', (request) => withTimeout(request, id, 1_000))
        let producer = await openAtLast(log, id)
        const held = proxy.strike('EndTxn', 'held-request')
        const committing = told(producer.transact(both(topic, 'slow')))
        await held.struck
        await untilDecided(log, topic)
        held.release()
        assert.equal(await committing, 'fenced')
        restore()
        producer = await openAtLast(log, id)
        await producer.transact(both(topic, 'after'))
        assert.deepEqual(await committedIn(topic), ['after'])
      },
    )

    rule(
      'late-markers',
      'markers that come late hold up the next transaction of an id, lose nothing and change no order',
      async () => {
        const topic = await createTopic(log, 2)
        const producer: Producer = await openAtLast(log, randomUUID())
        const held = proxy.strike('WriteTxnMarkers', 'held-request')
        await producer.transact(both(topic, 'first'))
        await held.struck
        const reader = log.openReader({ topic, partition: 0, offset: 0, onReady: () => {} })
        await pause(300)
        assert.deepEqual(reader.take(10), [])
        const next = producer.transact(both(topic, 'second'))
        await pause(300)
        held.release()
        await next
        assert.deepEqual(await committedIn(topic), ['first', 'second'])
        assert.deepEqual(valuesOf(await takeUntil(reader, (await log.offsets(topic, 0)).end)), ['first', 'second'])
        reader.close()
      },
    )

    rule(
      'lost-plain-produce',
      'a record that is produced in no transaction is told as unknown, and never sent twice, when its answer is lost',
      async () => {
        for (const [fate, expected] of [
          ['lost-answer', ['x']],
          ['cut-answer', ['x']],
          ['cut-request', []],
        ] as const) {
          const topic = await createTopic(log)
          const strike = proxy.strike('Produce', fate)
          await assert.rejects(log.produce([record(topic, 'x')]), OutcomeUnknown)
          await strike.struck
          await pause(300)
          assert.deepEqual(valuesOf(await readFrom(log, topic)), expected)
        }
      },
    )

    rule('cut-fetch', 'a reader whose answers are lost or cut in the midst gets every record once', async () => {
      const topic = await createTopic(log)
      const producer = await openAtLast(log, randomUUID())
      const reader = log.openReader({ topic, partition: 0, offset: 0, onReady: () => {} })
      const values = Array.from({ length: 40 }, (_, i) => `${i}${'x'.repeat(50_000)}`)
      for (const [at, value] of values.entries()) {
        if (at % 10 === 5) proxy.strike('Fetch', lossesOf[(at - 5) / 10]!)
        await producer.transact([record(topic, value)])
      }
      const { end } = await log.offsets(topic, 0)
      assert.deepEqual(valuesOf(await takeUntil(reader, end)), values)
      reader.close()
    })

    rule(
      'cut-connections',
      'connections that are cut between two transactions cost no transaction its answer',
      async () => {
        const topic = await createTopic(log, 2)
        const producer = await openAtLast(log, randomUUID())
        for (const value of ['1', '2', '3']) {
          await producer.transact(both(topic, value))
          proxy.cutAll()
          await pause(50)
        }
        await producer.transact(both(topic, '4'))
        assert.deepEqual(await committedIn(topic), ['1', '2', '3', '4'])
      },
    )

    rule('slow-network', 'on a slow network producers keep their order and readers get everything once', async () => {
      const topic = await createTopic(log, 2)
      proxy.delayMs = 50
      try {
        const [one, other] = await Promise.all([openAtLast(log, randomUUID()), openAtLast(log, randomUUID())])
        const values = ['1', '2', '3', '4', '5']
        const produce = async (producer: Producer, name: string) => {
          for (const value of values) await producer.transact(both(topic, `${name}${value}`))
        }
        await Promise.all([produce(one, 'a'), produce(other, 'b')])
        const read = valuesOf(await readFrom(log, topic, 0, 0))
        for (const name of ['a', 'b']) {
          const own = read.filter((value) => value!.startsWith(name))
          assert.deepEqual(
            own,
            values.map((value) => `${name}${value}`),
          )
        }
      } finally {
        proxy.delayMs = 0
      }
    })
  })
}

/** An InitProducerId of this id with another transaction timeout: the number behind the id. */
function withTimeout(request: Buffer, transactionalId: string, timeoutMs: number): Buffer {
  const at = request.indexOf(transactionalId)
  if (at < 0) return request
  const changed = Buffer.from(request)
  changed.writeInt32BE(timeoutMs, at + transactionalId.length)
  return changed
}
