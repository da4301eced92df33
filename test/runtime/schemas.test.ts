import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TransientFault } from '../../src/base/errors.ts'
import { defaultFormat, topicFormat } from '../../src/definition/topic-format.ts'
import { Misfit } from '../../src/engine/format.ts'
import type { Input } from '../../src/runtime/batch.ts'
import type { Schemas } from '../../src/runtime/ports.ts'
import { checkDecoded, encodeBy, SchemaAwaited } from '../../src/runtime/schemas.ts'
import { Source } from '../../src/runtime/sources.ts'

const source = (isInbox: boolean): Source =>
  new Source(
    {
      info: { name: 't', id: 'i', partitions: 1, recordBytesMax: 1 },
      registration: isInbox ? undefined : { topicId: 'i', from: 'latest', ends: [] },
    },
    0,
    0,
    false,
  )
const input = (more: Partial<Input> = {}, decoded?: { key: undefined; value: undefined }): Input => ({
  command: {
    type: 'record.route',
    record: {
      ...{ topic: 't', partition: 0, offset: 0, timestampMs: 0, key: null, value: null, headers: [] },
      ...(decoded === undefined ? {} : { decoded }),
    },
  },
  from: { source: source(false), offset: 1 },
  own: undefined,
  isAlone: false,
  ids: [],
  poison: undefined,
  ...more,
})

test('a record that was taken before a workflow came that reads it by a schema is read again, and is not decided on', () => {
  const avro = { formatsOn: () => [topicFormat('avro')] }
  assert.throws(() => checkDecoded([input()], avro), TransientFault)
  checkDecoded([input()], { formatsOn: () => [defaultFormat] })
  checkDecoded([input({}, { key: undefined, value: undefined })], avro)
  // What stands in the inbox and is no command of ours is on its way to the dead-letter topic.
  checkDecoded([input({ from: { source: source(true), offset: 1 } })], avro)
  checkDecoded([input({ poison: new Error('unreadable') })], avro)
  checkDecoded([input({ command: undefined })], avro)
})

test('what is written is asked for by TopicNameStrategy, awaited where it is not there, and refused where it does not fit', async () => {
  const asked: string[] = []
  let answer: ReturnType<Schemas['encode']> = Uint8Array.of(1)
  const schemas: Schemas = {
    decode: () => undefined,
    encode(subject, format, value) {
      asked.push(`${subject} ${format} ${JSON.stringify(value)}`)
      return answer
    },
    trouble: undefined,
  }
  assert.deepEqual(encodeBy(schemas, 'orders', 'key', 'avro', 'k'), Uint8Array.of(1))
  assert.deepEqual(asked, ['orders-key avro "k"'])
  answer = { misfit: 'no' }
  assert.throws(() => encodeBy(schemas, 'orders', 'value', 'avro', 1), new Misfit('value: no'))
  const isThere = Promise.resolve()
  answer = isThere
  assert.throws(
    () => encodeBy(schemas, 'orders', 'value', 'avro', 1),
    (error) => error instanceof SchemaAwaited && error.isThere === isThere,
  )
  assert.throws(() => encodeBy(undefined, 'orders', 'value', 'avro', 1), /was given no schemaRegistry/)
})
