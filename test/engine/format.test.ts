// What the bytes of a topic are: declared in the workflow, the same for reading and for writing.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Json } from '../../src/base/json.ts'
import { limits } from '../../src/base/limits.ts'
import { Misfit, type Decoded } from '../../src/engine/format.ts'
import type { SourceRecord } from '../../src/engine/message.ts'
import { engineWorld, workflowOf, type EngineWorld } from '../support/engine.ts'

const encoder = new TextEncoder()
const base64 = (...bytes: readonly number[]): string => Buffer.from(bytes).toString('base64')
const notText = Uint8Array.of(0xc3, 0x28)
const long = (value: bigint): Uint8Array => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(value)
  return new Uint8Array(bytes)
}

const command = (more: string): string => `- { name: c, type: kafka-command, topic: out, ${more} }`
const waits = '- { name: z, type: work }'
const listener = (topic: string, more = ''): string =>
  `- { name: l, type: kafka-listener, topic: ${topic}, correlate: { message: message.key, instance: instance.key }${more} }`

/** A workflow that a record of `in` starts, and what it saw of it. */
function startedBy(format: string, value: Json | Uint8Array, key: string | Uint8Array | null = 'k'): EngineWorld {
  const world = engineWorld(
    workflowOf(
      ['- { name: z, type: work, with: "${ input }" }'],
      `topics: { in: { ${format} } }`,
      'start: [{ topic: in }]',
    ),
  )
  world.record('in', value, { key })
  return world
}

/** The bytes that a command of this value and key produces, or the code it fails with. */
function produces(format: string, more: string, input: Json = null): Uint8Array | null | string | undefined {
  const world = engineWorld(workflowOf([command(more)], `topics: { out: { ${format} } }`))
  world.start('w', 'k', input)
  return world.sent.length === 1 ? world.sent[0]?.value : world.task('k', 'c')?.error?.code
}

/** The same of its key. */
function producesKey(format: string, more: string, key = 'k'): Uint8Array | null | string | undefined {
  const world = engineWorld(workflowOf([command(`value: 1${more}`)], `topics: { out: { ${format} } }`))
  world.start('w', key)
  return world.sent.length === 1 ? world.sent[0]?.key : world.task(key, 'c')?.error?.code
}

suite('a record is read by the format of its topic', () => {
  for (const [what, format, value, expected] of [
    ['json', 'format: json', { a: 1 }, { a: 1 }],
    ['json where only the key is declared', 'keyFormat: string', { a: 1 }, { a: 1 }],
    ['string', 'format: string', encoder.encode('{ no json'), '{ no json'],
    ['string, whose text is JSON', 'format: string', encoder.encode('[1]'), '[1]'],
    ['string with a byte order mark', 'format: string', encoder.encode('\uFEFFx'), '\uFEFFx'],
    ['string that is empty', 'format: string', new Uint8Array(), ''],
    ['bytes', 'format: bytes', Uint8Array.of(0, 0xff, 0xc3, 0x28), base64(0, 0xff, 0xc3, 0x28)],
    ['bytes that are none', 'format: bytes', new Uint8Array(), ''],
  ] as const) {
    test(what, () => {
      const world = startedBy(format, value)
      assert.deepEqual(world.deadLetters, [])
      assert.deepEqual(world.instance('k').input.value, expected)
    })
  }

  for (const [what, format, code, value, key] of [
    ['a string that is not UTF-8', 'format: string', 'not-text', notText, 'k'],
    ['a key that is not text', 'format: bytes', 'key-not-text', notText, notText],
    ['a key that is not JSON', 'keyFormat: json', 'key-not-json', {}, 'k'],
    ['a key that is nested too deeply', 'keyFormat: json', 'too-deep', {}, encoder.encode('['.repeat(500))],
    ['a long of other than 8 bytes', 'keyFormat: long', 'key-not-integer', {}, Uint8Array.of(1, 2, 3, 4)],
    ['an int of other than 4 bytes', 'keyFormat: int', 'key-not-integer', {}, long(1n)],
    [
      'a key that is an object, where nothing says what of it is the business key',
      'keyFormat: json',
      'key-invalid',
      {},
      '{}',
    ],
  ] as const) {
    test(`${what} goes to the dead-letter topic with its own bytes`, () => {
      const world = startedBy(format, value, key)
      assert.deepEqual(
        world.deadLetters.map((letter) => letter.code),
        [code],
      )
      assert.deepEqual(world.deadLetters[0]?.record.key, key instanceof Uint8Array ? key : encoder.encode(key))
      assert.deepEqual(world.eventsOf('instance.started'), [])
    })
  }

  for (const [what, format, key, expected] of [
    ['text', 'keyFormat: string', 'a', 'a'],
    ['bytes', 'keyFormat: bytes', notText, base64(...notText)],
    ['a long', 'keyFormat: long', long(9_007_199_254_740_993n), '9007199254740993'],
    ['a negative long', 'keyFormat: long', long(-2n), '-2'],
    ['an int', 'keyFormat: int', Uint8Array.of(0xff, 0xff, 0xff, 0xfe), '-2'],
    ['a JSON text', 'keyFormat: json', '"a"', 'a'],
    ['a JSON number', 'keyFormat: json', '7', '7'],
  ] as const) {
    test(`whose key is ${what} starts the instance of that key`, () => {
      assert.equal(startedBy(format, 1, key).status(expected), 'EXECUTING')
    })
  }

  test('parts of a JSON key can be named', () => {
    const world = engineWorld(
      workflowOf([waits], 'topics: { in: { keyFormat: json } }', 'start: [{ topic: in, key: "${ message.key.id }" }]'),
    )
    world.record('in', 1, { key: '{"id":"k"}' })
    assert.equal(world.status('k'), 'EXECUTING')
  })

  test('a tombstone is null in every format', () => {
    for (const format of ['json', 'string', 'bytes']) {
      const world = engineWorld(
        workflowOf(
          [waits],
          `topics: { in: { format: ${format} } }`,
          'start: [{ topic: in, when: message.value == null }]',
        ),
      )
      world.route({
        topic: 'in',
        partition: 0,
        offset: 0,
        timestampMs: 0,
        key: encoder.encode('k'),
        value: null,
        headers: [],
      })
      assert.equal(world.instance('k').input.value, null, format)
    }
  })

  test('and is what a listener gives on, on the partition of its value too, and when it was kept', () => {
    for (const isEarly of [true, false]) {
      const world = engineWorld(
        workflowOf([waits, listener('in')], 'topics: { in: { format: bytes, keyFormat: bytes } }'),
        7,
      )
      const key = base64(...notText)
      world.start('w', key)
      world.grantAll()
      if (!isEarly) world.complete('z')
      world.record('in', Uint8Array.of(1, 2), { key: notText })
      if (isEarly) world.complete('z')
      assert.deepEqual(world.task(key, 'l')?.output?.value, base64(1, 2))
      assert.deepEqual(world.deadLetters, [])
    }
  })

  test('and headers are text, while what is kept and dead-lettered has their bytes', () => {
    const world = engineWorld(workflowOf([waits, listener('in', ', keep: 1m, onExpired: dead-letter')]), 7)
    const headers = [{ key: 'h', value: notText }]
    world.route({
      topic: 'in',
      partition: 0,
      offset: 0,
      timestampMs: 0,
      key: encoder.encode('k'),
      value: null,
      headers,
    })
    world.advance('2m')
    assert.deepEqual(world.deadLetters[0]?.record.headers, headers)
  })
})

suite('a topic that two workflows read', () => {
  const one = (name: string, topics: string): string =>
    workflowOf([waits], topics, 'start: [{ topic: in }]').replace('workflow: w', `workflow: ${name}`)

  test('is read by each as it says', () => {
    const world = engineWorld(`${one('a', 'topics: { in: { format: string } }')}\n---\n${one('b', 'topics: {}')}`)
    world.record('in', [1], { key: 'k' })
    assert.deepEqual([world.instance('k', 'a').input.value, world.instance('k', 'b').input.value], ['[1]', [1]])
  })

  test('starts the one that can read the record, and tells of the other', () => {
    const world = engineWorld(`${one('a', 'topics: { in: { format: string } }')}\n---\n${one('b', 'topics: {}')}`)
    world.record('in', encoder.encode('no json'), { key: 'k' })
    assert.equal(world.status('k', 'a'), 'EXECUTING')
    assert.deepEqual(
      world.deadLetters.map(({ code, workflows }) => [code, ...workflows]),
      [['not-json', 'b']],
    )
  })

  test('gives a record once to versions that read it otherwise, to each instance as its own version says', () => {
    const version = (format: string): string =>
      workflowOf([listener('in', ', match: all')], `topics: { in: { format: ${format} } }`)
    const world = engineWorld(version('json'))
    world.start('w', 'k')
    world.publish(version('string'))
    world.record('in', { a: 1 }, { key: 'k' })
    assert.equal(world.eventsOf('channel.matched').length, 1)
    assert.deepEqual(world.task('k', 'l')?.output?.value, { a: 1 })
    world.start('w', 'm')
    world.record('in', { a: 1 }, { key: 'm' })
    assert.equal(world.task('m', 'l')?.output?.value, '{"a":1}')
  })

  test('that nobody reads any more is still read as it was: its records are no dead letters', () => {
    const world = engineWorld(one('a', 'topics: { in: { format: bytes } }'))
    world.withdraw('a')
    world.record('in', notText, { key: 'k' })
    assert.deepEqual([world.deadLetters, world.eventsOf('record.unmatched').length], [[], 1])
  })
})

suite('a command is written in the format of its topic', () => {
  for (const [what, format, more, input, expected] of [
    ['json', 'format: json', 'value: { a: "${ input }" }', 'x', encoder.encode('{"a":"x"}')],
    ['string', 'format: string', 'value: "${ input }"', 'x', encoder.encode('x')],
    ['string, empty', 'format: string', 'value: "${ input }"', '', new Uint8Array()],
    ['bytes', 'format: bytes', 'value: "${ input }"', base64(0, 0xff), Uint8Array.of(0, 0xff)],
    ['a tombstone', 'format: json', 'value: "${ input }"', null, null],
    ['a tombstone among texts', 'format: string', 'value: null', null, null],
    ['a tombstone among bytes', 'format: bytes', 'value: "${ input }"', null, null],
    ['a number where a text is expected', 'format: string', 'value: "${ input }"', 7, 'produce-rejected'],
    ['what is no base64 where bytes are expected', 'format: bytes', 'value: "${ input }"', 'a b!', 'produce-rejected'],
    ['an object where bytes are expected', 'format: bytes', 'value: "${ input }"', {}, 'produce-rejected'],
  ] as const) {
    test(what, () => {
      const found = produces(format, more, input)
      assert.deepEqual(found instanceof Uint8Array ? new Uint8Array(found) : found, expected)
    })
  }

  for (const [what, format, more, key, expected] of [
    ['text', 'keyFormat: string', '', 'k', encoder.encode('k')],
    ['JSON', 'keyFormat: json', '', 'k', encoder.encode('"k"')],
    ['bytes', 'keyFormat: bytes', '', base64(...notText), notText],
    ['a long, exact beyond 2^53', 'keyFormat: long', '', '9007199254740993', long(9_007_199_254_740_993n)],
    ['a long of a number', 'keyFormat: long', ', key: -2', 'k', long(-2n)],
    ['an int', 'keyFormat: int', '', '-2', Uint8Array.of(0xff, 0xff, 0xff, 0xfe)],
    ['none', 'keyFormat: long', ', key: "${ null }"', 'k', null],
    ['a long that is too large', 'keyFormat: long', '', '9223372036854775808', 'produce-rejected'],
    ['a text where a long is expected', 'keyFormat: long', '', 'k', 'produce-rejected'],
    ['a fraction where an int is expected', 'keyFormat: int', ', key: "${ 1.5 }"', 'k', 'produce-rejected'],
    ['what is no base64', 'keyFormat: bytes', '', 'é', 'produce-rejected'],
  ] as const) {
    test(`with a key of ${what}`, () => {
      const found = producesKey(format, more, key)
      assert.deepEqual(found instanceof Uint8Array ? new Uint8Array(found) : found, expected)
    })
  }

  test('that an expression names', () => {
    const world = engineWorld(
      workflowOf(
        ['- { name: c, type: kafka-command, topic: "${ input }", value: x }'],
        'topics: { out: { format: string } }',
      ),
    )
    world.start('w', 'k', 'out')
    world.start('w', 'm', 'other')
    assert.deepEqual(
      world.sent.map(({ value }) => Buffer.from(value ?? []).toString()),
      ['x', '"x"'],
    )
  })
})

suite('a topic whose schemas are in a registry', () => {
  const key = encoder.encode('raw key')
  const value = encoder.encode('raw value')
  const json = (of: Json) => ({ json: encoder.encode(JSON.stringify(of)) })
  const arrives = (world: EngineWorld, decoded: Decoded, more: Partial<SourceRecord> = {}): void =>
    world.route({ topic: 'in', partition: 0, offset: 0, timestampMs: 0, key, value, headers: [], decoded, ...more })

  test('is read as what its records were decoded to, where they are decided and where they travel to', () => {
    const topics = 'topics: { in: { format: avro, keyFormat: avro } }'
    const world = engineWorld(
      workflowOf([listener('in', ', set: { at: "${ message.value.at }" }')], topics, 'vars: { at: 0 }'),
      7,
    )
    world.start('w', 'k')
    arrives(world, { key: json('k'), value: json({ at: 7 }) })
    assert.deepEqual([world.task('k', 'l')?.output?.value, world.instance('k').vars.get('at')], [{ at: 7 }, 7])
  })

  test('is decoded to what is kept, too', () => {
    const world = engineWorld(workflowOf([listener('in')], 'topics: { in: { format: protobuf, keyFormat: avro } }'), 7)
    arrives(world, { key: json('k'), value: json({ at: 7 }) })
    world.start('w', 'k')
    assert.deepEqual(world.task('k', 'l')?.output?.value, { at: 7 })
  })

  test('gives dead letters with the reason and the bytes as they came', () => {
    for (const code of ['schema-unknown', 'schema-misfit'] as const) {
      const world = engineWorld(workflowOf([waits], 'topics: { in: { format: avro } }', 'start: [{ topic: in }]'))
      arrives(world, { key: undefined, value: { code, message: 'because' } })
      const [letter] = world.deadLetters
      assert.deepEqual([letter?.code, letter?.message], [code, 'the value: because'])
      assert.deepEqual([letter?.record.key, letter?.record.value], [key, value])
    }
  })

  test('is read as bytes by a workflow that says so, whatever became of the schema', () => {
    const one = (name: string, format: string): string =>
      workflowOf([waits], `topics: { in: { format: ${format} } }`, 'start: [{ topic: in }]').replace(
        'workflow: w',
        `workflow: ${name}`,
      )
    const world = engineWorld(`${one('a', 'avro')}\n---\n${one('b', 'bytes')}`, 7)
    arrives(world, { key: undefined, value: { code: 'schema-unknown', message: 'because' } })
    assert.equal(world.instance('raw key', 'b').input.value, base64(...value))
    assert.deepEqual(
      world.deadLetters.map(({ code, workflows }) => [code, ...workflows]),
      [['schema-unknown', 'a']],
    )
  })

  test('counts with what it was decoded to: a record that came small may be too large', () => {
    const world = engineWorld(workflowOf([waits], 'topics: { in: { format: avro } }', 'start: [{ topic: in }]'))
    arrives(world, { key: undefined, value: json('x'.repeat(limits.sourceRecordBytesMax)) })
    assert.equal(world.deadLetters[0]?.code, 'record-too-large')
  })

  test('is written by what the registry says of it, and what does not fit fails its task', () => {
    const world = engineWorld(
      workflowOf([command('value: "${ input }"')], 'topics: { out: { format: avro, keyFormat: json-schema } }'),
    )
    world.encode = (what, given) => {
      if (given === 'no') throw new Misfit('it does not fit')
      return encoder.encode(`${what}: ${JSON.stringify(given)}`)
    }
    world.start('w', 'k', { a: 1 })
    assert.deepEqual(
      [world.sent[0]?.key, world.sent[0]?.value].map((bytes) => Buffer.from(bytes ?? []).toString()),
      ['out-key json-schema: "k"', 'out-value avro: {"a":1}'],
    )
    world.start('w', 'm', null)
    assert.equal(world.sent[1]?.value, null)
    world.start('w', 'n', 'no')
    assert.deepEqual(world.task('n', 'c')?.error, {
      code: 'produce-rejected',
      message: 'it does not fit',
    })
  })
})
