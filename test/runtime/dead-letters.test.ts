// Records that die on every way there is, through a whole worker: their letters have them byte for byte, and give them back.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readLetter } from '../../src/records/dead-letter.ts'
import type { LogRecord } from '../../src/runtime/ports.ts'
import { startMemoryWorker } from '../support/worker.ts'

const workflow = `
workflow: strict
input: { type: object }
start: [{ topic: starts, from: earliest }]
tasks:
  - name: answer
    type: kafka-listener
    topic: answers
    from: earliest
    correlate: { message: message.key, instance: instance.key }
    keep: 1s
    onExpired: dead-letter
`

const headers = [
  { key: 'dw-reason', value: Buffer.from([0xff, 0x00]) },
  { key: 'a', value: Buffer.from('1') },
  { key: 'a', value: Buffer.alloc(0) },
  { key: '', value: Buffer.from('ü') },
]

const plain = ({ key, value, headers: list }: Pick<LogRecord, 'key' | 'value' | 'headers'>) => ({
  key: key && Buffer.from(key).toString('hex'),
  value: value && Buffer.from(value).toString('hex'),
  headers: list.map((header) => [header.key, Buffer.from(header.value).toString('hex')]),
})

test('records that cannot be read, whose start is refused elsewhere, and that nobody came for are kept and given back byte for byte', async () => {
  const memory = await startMemoryWorker(workflow)
  const { broker, clock, worker } = memory
  const original = (key: Uint8Array | null, value: Uint8Array | null) => ({
    timestampMs: clock.nowMs(),
    key,
    value,
    headers,
  })
  const dying = [
    { topic: 'starts', record: original(null, Buffer.from([0xff])), reason: 'not-json', workflows: [] },
    { topic: 'starts', record: original(Buffer.from([0xfe]), null), reason: 'key-not-text', workflows: [] },
    // Their keys live on all partitions: some of them come here by an inbox.
    ...['k1', 'k2', 'k3', 'k4', 'k5'].map((key) => ({
      topic: 'starts',
      record: original(Buffer.from(key), null),
      reason: 'input-invalid',
      workflows: ['strict'],
    })),
    { topic: 'answers', record: original(Buffer.from('x'), null), reason: 'expired', workflows: ['strict'] },
  ]
  const places = dying.map(({ topic, record }) => `${topic}/1@${broker.produce(topic, 1, [record])}`)
  const records = (topic: string, partition: number) => broker.fetch(topic, partition, 0, 1_000).records
  const letters = () => [0, 1, 2].flatMap((partition) => records('test.dead-letter', partition))
  await memory.until(() => letters().length === dying.length - 1, 'all but one have died')
  clock.advance(2_000)
  await memory.until(() => letters().length === dying.length, 'all have died')
  const byPlace = new Map(
    letters().map((record) => {
      const letter = readLetter(record)
      assert.ok(letter !== undefined)
      const { topic, partition, offset } = letter.source
      return [`${topic}/${partition}@${offset}`, letter]
    }),
  )
  for (const [index, { record, reason, workflows }] of dying.entries()) {
    const letter = byPlace.get(places[index]!)
    assert.ok(letter !== undefined, places[index])
    assert.deepEqual(plain(letter), plain(record), places[index])
    assert.deepEqual(
      [letter.reason, letter.workflows, letter.source.timestampMs],
      [reason, workflows, record.timestampMs],
    )
  }

  const answer = worker.deadLetters.redriveMany({ limit: 100 })
  let isDone = false
  void answer.finally(() => (isDone = true))
  await memory.until(() => isDone, 'all are redriven')
  assert.deepEqual([(await answer).redriven, (await answer).failed], [dying.length, 0])
  const texts = (all: readonly Pick<LogRecord, 'key' | 'value' | 'headers'>[]) =>
    new Set(all.map((record) => JSON.stringify(plain({ ...record, headers: record.headers.slice(0, headers.length) }))))
  for (const topic of ['starts', 'answers']) {
    const originals = dying.filter((each) => each.topic === topic).map(({ record }) => record)
    const again = records(topic, 1).slice(originals.length)
    assert.equal(again.length, originals.length)
    assert.deepEqual(texts(again), texts(originals))
  }
  // As nothing was mended they die again, once each, and not because of this call.
  await memory.until(() => letters().filter((record) => readLetter(record)?.redrivenTimes === 1).length >= 7, 'again')
})
