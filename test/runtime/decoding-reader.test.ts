import assert from 'node:assert/strict'
import { beforeEach, suite, test } from 'node:test'
import { TransientFault } from '../../src/base/errors.ts'
import { defaultFormat, topicFormat, type TopicFormat } from '../../src/definition/topic-format.ts'
import { decodingReader } from '../../src/runtime/decoding-reader.ts'
import type { LogRecord, Reader, Schemas } from '../../src/runtime/ports.ts'

const record = (offset: number, value: string | null, key: string | null = null): LogRecord => ({
  topic: 't',
  partition: 0,
  offset,
  timestampMs: 0,
  key: key === null ? null : Buffer.from(key),
  value: value === null ? null : Buffer.from(value),
  headers: [],
})

/** A registry that knows what a test says; bytes stand for themselves in quotes. */
class FakeSchemas implements Schemas {
  readonly known = new Set<string>()
  readonly asked: string[] = []
  trouble: string | undefined
  #waiting: (() => void)[] = []

  decode(bytes: Uint8Array, onKnown: () => void) {
    const text = Buffer.from(bytes).toString()
    this.asked.push(text)
    if (this.known.has(text)) return { json: Buffer.from(JSON.stringify(text)) }
    this.#waiting.push(onKnown)
    return undefined
  }

  learn(...texts: readonly string[]): void {
    for (const text of texts) this.known.add(text)
    for (const tell of this.#waiting.splice(0)) tell()
  }

  encode(): never {
    throw new Error('nothing is written here')
  }
}

suite('a reader of records with schemas', () => {
  let arrived: LogRecord[]
  let position: number
  let schemas: FakeSchemas
  let formats: readonly TopicFormat[]
  let bells: number
  const inner: Reader = {
    take(max) {
      const taken = arrived.splice(0, max)
      position = taken.at(-1)?.offset === undefined ? position : taken.at(-1)!.offset + 1
      return taken
    },
    get position() {
      return position
    },
    get behind() {
      return { records: arrived.length, sinceMs: arrived[0]?.timestampMs }
    },
    close() {},
  }
  const reading = (): Reader =>
    decodingReader({ reader: inner, schemas, formats: () => formats, onReady: () => bells++ })
  const offsetsOf = (records: readonly LogRecord[]): readonly number[] => records.map(({ offset }) => offset)

  beforeEach(() => {
    arrived = []
    position = 0
    schemas = new FakeSchemas()
    formats = [topicFormat('avro')]
    bells = 0
  })

  test('hands on what is known with what it says, and its bytes as they are', () => {
    schemas.learn('a')
    arrived = [record(0, 'a', 'k')]
    const [taken] = reading().take(10)
    assert.deepEqual(taken?.decoded, { key: undefined, value: { json: Buffer.from('"a"') } })
    assert.deepEqual([taken?.key, taken?.value], [Buffer.from('k'), Buffer.from('a')])
    assert.deepEqual(schemas.asked, ['a'])
  })

  test('waits at the first record whose schema is not there, in order and in its place, and goes on when it is', () => {
    schemas.learn('a')
    arrived = [record(0, 'a'), record(1, 'b'), record(2, 'a')]
    const reader = reading()
    assert.deepEqual(offsetsOf(reader.take(10)), [0])
    assert.equal(reader.position, 1)
    assert.deepEqual(reader.take(10), [])
    assert.equal(reader.position, 1)
    arrived.push(record(3, 'a'))
    schemas.learn('b')
    assert.ok(bells > 0)
    assert.deepEqual(offsetsOf(reader.take(1)), [1])
    assert.equal(reader.position, 2)
    assert.deepEqual(offsetsOf(reader.take(10)), [2])
    assert.deepEqual(offsetsOf(reader.take(10)), [3])
    assert.equal(reader.position, 4)
  })

  test('is behind by what it holds back as well', () => {
    schemas.learn('a')
    arrived = [record(0, 'a'), record(1, 'b'), record(2, 'a')]
    const reader = reading()
    assert.equal(reader.behind?.records, 3)
    assert.deepEqual(offsetsOf(reader.take(2)), [0])
    assert.equal(reader.behind?.records, 2)
    schemas.learn('b')
    assert.deepEqual(offsetsOf(reader.take(10)), [1])
    assert.equal(reader.behind?.records, 1)
  })

  test('says why it waits, once what is ready has been handed on', () => {
    schemas.learn('a')
    schemas.trouble = 'the registry sleeps'
    arrived = [record(0, 'a'), record(1, 'b')]
    const reader = reading()
    assert.deepEqual(offsetsOf(reader.take(10)), [0])
    assert.throws(() => reader.take(10), TransientFault)
    schemas.learn('b')
    assert.deepEqual(offsetsOf(reader.take(10)), [1])
  })

  test('asks for keys and values as some workflow wants them, and for no tombstone', () => {
    formats = [topicFormat('json', 'avro'), topicFormat('protobuf')]
    schemas.learn('v', 'k')
    arrived = [record(0, 'v', 'k'), record(1, null, 'k'), record(2, null)]
    assert.deepEqual(
      reading()
        .take(10)
        .map(({ decoded }) => [decoded?.key !== undefined, decoded?.value !== undefined]),
      [
        [true, true],
        [true, false],
        [false, false],
      ],
    )
  })

  test('asks nobody for a topic of other formats, and hands its records on as they are', () => {
    formats = [defaultFormat]
    const records = [record(0, '{}')]
    arrived = [...records]
    assert.equal(reading().take(10)[0], records[0])
    assert.deepEqual(schemas.asked, [])
  })

  test('without a registry waits, and says what is missing', () => {
    arrived = [record(0, 'a')]
    const reader = decodingReader({ reader: inner, schemas: undefined, formats: () => formats, onReady: () => {} })
    assert.throws(() => reader.take(10), /t is read by schemas: name their registry as schemaRegistry/)
    assert.equal(reader.position, 0)
  })

  test('goes on without schemas where no workflow wants them any more', () => {
    arrived = [record(0, 'a')]
    const reader = reading()
    assert.deepEqual(reader.take(10), [])
    formats = [defaultFormat]
    assert.deepEqual(offsetsOf(reader.take(10)), [0])
  })
})
