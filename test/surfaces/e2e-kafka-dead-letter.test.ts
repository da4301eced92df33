// Bad records and what a person does about them, on Kafka.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { systemClock } from '../../src/adapters/system/clock.ts'
import { OutcomeUnknown, TransientFault } from '../../src/base/errors.ts'
import { deadLetterRecord } from '../../src/records/dead-letter.ts'
import { topicsOf } from '../../src/records/keys.ts'
import { DeadLetters } from '../../src/runtime/dead-letters/dead-letters.ts'
import { Site } from '../support/daemon.ts'
import { openLog, readFrom } from '../support/kafka/kafka-world.ts'
import { useKafka } from '../support/kafka/use-kafka.ts'
import { givesLettersBack } from './letter-course.ts'

const brokers = useKafka()
const newApp = (): string => `letters-${randomUUID().slice(0, 8)}`

test('a bad record is listed and shown; redriven too early it dies again; once the workflow is mended its instance runs, once', async (t) => {
  const app = newApp()
  const flags = ['--brokers', brokers().join(','), '--app', app, '--partitions', '3']
  await givesLettersBack(Site.of(t), `${app}-parcels`, ...flags)
})

test('workers that redrive all letters at once redrive each once, byte for byte', async (t) => {
  const app = newApp()
  const topics = topicsOf(app)
  const logs = await Promise.all([openLog(brokers()), openLog(brokers())])
  t.after(() => Promise.all(logs.map((log) => log.close())))
  const [log] = logs
  const source = `${app}-source`
  await log.createTopics([topics.deadLetter, source].map((name) => ({ name, partitions: 1, cleanup: 'retained' })))
  const originals = Array.from({ length: 40 }, (_, offset) => ({
    topic: source,
    partition: 0,
    offset,
    timestampMs: 1,
    key: offset % 3 === 0 ? null : Buffer.from([0xff, offset]),
    value: offset % 5 === 0 ? null : Buffer.from([0, offset]),
    headers: [
      { key: 'h', value: Buffer.from([0xfe]) },
      { key: 'h', value: Buffer.alloc(0) },
    ],
  }))
  await log.produce(
    originals.map((record) => ({
      topic: topics.deadLetter,
      ...deadLetterRecord({ type: 'dead-letter', record, code: 'c', message: 'm', workflows: [] }),
    })),
  )
  const workers = logs.map((each) => new DeadLetters(each, systemClock, app))
  await Promise.all(
    workers.map(async (worker) => {
      for (let redriven = -1; redriven !== 0;) {
        try {
          redriven = (await worker.redriveMany({ limit: 10 })).redriven
        } catch (error) {
          // The other has fenced it; brokers say so in more ways than one.
          assert.ok(error instanceof TransientFault || error instanceof OutcomeUnknown, String(error))
        }
      }
    }),
  )
  const redriven = await readFrom(log, source)
  const plain = (records: readonly Pick<(typeof redriven)[number], 'key' | 'value' | 'headers'>[]) =>
    records.map(({ key, value, headers }) => ({
      key: key && Buffer.from(key).toString('hex'),
      value: value && Buffer.from(value).toString('hex'),
      headers: headers.slice(0, 2).map((header) => [header.key, Buffer.from(header.value).toString('hex')]),
    }))
  assert.deepEqual(plain(redriven), plain(originals))
  const { items } = await workers[0]!.list({ limit: 100 })
  assert.deepEqual([items.length, items.filter((letter) => letter.redriven === undefined).length], [40, 0])
})
