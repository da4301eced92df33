// The schema registry as the runtime asks it, on a real one (Apicurio, by Confluent's API).
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { suite, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { openRegistry } from '../../src/adapters/registry/registry.ts'
import { systemClock } from '../../src/adapters/system/clock.ts'
import type { Json } from '../../src/base/json.ts'
import { silentLogger } from '../../src/base/logger.ts'
import type { RegisteredFormat } from '../../src/definition/topic-format.ts'
import type { Schemas } from '../../src/runtime/ports.ts'
import { clientsSerializer } from '../support/clients-registry.ts'
import { useRegistry, type Registered } from '../support/registry/registry.ts'

const registry = useRegistry()
let opened: Schemas | undefined
const open = (url = registry().url, more = {}): Schemas =>
  openRegistry({ url, clock: systemClock, logger: silentLogger, ...more })

/** One for most tests. */
const common = (): Schemas => (opened ??= open())

const subjectName = (): string => `t-${randomUUID()}-value`
const withId = (id: number, ...content: readonly number[]): Buffer => {
  const head = Buffer.alloc(5)
  head.writeInt32BE(id, 1)
  return Buffer.concat([head, Buffer.from(content)])
}

/** What it comes to once the schema is there: JSON, or the code of why not. */
async function decoded(bytes: Uint8Array, by = common()): Promise<Json> {
  for (;;) {
    const known = Promise.withResolvers<void>()
    const found = by.decode(bytes, known.resolve)
    if (found !== undefined)
      return 'json' in found ? (JSON.parse(Buffer.from(found.json).toString()) as Json) : found.code
    await known.promise
  }
}

/** The bytes once the schema is there, or why there are none. */
async function encoded(
  subject: string,
  format: RegisteredFormat,
  value: Json,
  by = common(),
): Promise<Buffer | string> {
  for (;;) {
    const found = by.encode(subject, format, value)
    if (found instanceof Promise) await found
    else return 'misfit' in found ? found.misfit : Buffer.from(found)
  }
}

const avro = (...fields: readonly object[]): Registered => ({
  schema: JSON.stringify({ type: 'record', name: 'Order', namespace: 'shop', fields }),
})
const proto = (text: string): Registered => ({ type: 'PROTOBUF', schema: `syntax = "proto3";\n${text}` })
const jsonSchema = (schema: Json): Registered => ({ type: 'JSON', schema: JSON.stringify(schema) })

const everything = avro(
  { name: 'id', type: 'string' },
  { name: 'amount', type: 'double' },
  { name: 'big', type: 'long' },
  { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
  { name: 'note', type: ['null', 'string'], default: null },
  { name: 'raw', type: ['null', 'bytes'], default: null },
  { name: 'hash', type: { type: 'fixed', name: 'Hash', size: 2 } },
  { name: 'other', type: ['null', 'Hash'], default: null },
  { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['A', 'B'] } },
  {
    name: 'lines',
    type: { type: 'array', items: { type: 'record', name: 'Line', fields: [{ name: 'n', type: 'int' }] } },
  },
  { name: 'tags', type: { type: 'map', values: 'long' } },
)
const order = proto(`package shop;
import "google/protobuf/timestamp.proto";
enum Kind { NONE = 0; GIFT = 1; }
message Order {
  string order_id = 1; double amount = 2; int64 big = 3; bytes raw = 4; Kind kind = 5; repeated Line lines = 6;
  map<string, int32> tags = 7; google.protobuf.Timestamp at = 8; bool paid = 9;
  message Line { int32 n = 1; }
}
message Other { string name = 1; message Inner { string x = 1; } }`)
const whole = {
  orderId: 'o-1',
  amount: 1.5,
  big: '9007199254740993',
  raw: 'AP8=',
  kind: 'GIFT',
  lines: [{ n: 1 }],
  tags: { a: 2 },
  at: { seconds: '7', nanos: 1 },
  paid: true,
}

suite('what is written by a schema is read by it', () => {
  for (const [what, format, schema, value, expected] of [
    [
      'avro: every kind of value',
      'avro',
      everything,
      {
        id: 'o-1',
        amount: 1.5,
        big: '9007199254740993',
        at: 1,
        note: 'x',
        raw: 'AP8=',
        hash: 'AP8=',
        other: 'AAA=',
        kind: 'B',
        lines: [{ n: 1 }],
        tags: { a: 2 },
      },
      undefined,
    ],
    ['avro: what has a default may be left out', 'avro', avro({ name: 'a', type: 'int', default: 7 }), {}, { a: 7 }],
    ['avro: no record', 'avro', { schema: '"string"' }, 'text', undefined],
    ['avro: null is a value of its own in a union', 'avro', { schema: '["null","long"]' }, 5, undefined],
    ['protobuf: every kind of value', 'protobuf', order, whole, undefined],
    [
      'protobuf: what is not set is at its default',
      'protobuf',
      order,
      { orderId: 'x' },
      { orderId: 'x', amount: 0, big: '0', raw: '', kind: 'NONE', lines: [], tags: {}, at: null, paid: false },
    ],
    [
      'json-schema',
      'json-schema',
      jsonSchema({ type: 'object', properties: { a: { type: 'integer', 'x-own': 1 } }, required: ['a'] }),
      { a: 1, b: ['ü'] },
      undefined,
    ],
    [
      'json-schema of draft-07',
      'json-schema',
      jsonSchema({ $schema: 'http://json-schema.org/draft-07/schema#', type: 'string' }),
      'x',
      undefined,
    ],
    [
      'json-schema of 2020-12',
      'json-schema',
      jsonSchema({ $schema: 'https://json-schema.org/draft/2020-12/schema', prefixItems: [{ type: 'string' }] }),
      ['x'],
      undefined,
    ],
  ] as const satisfies readonly (readonly [string, RegisteredFormat, Registered, Json, Json | undefined])[]) {
    test(what, async () => {
      const subject = subjectName()
      const id = await registry().register(subject, schema)
      const bytes = await encoded(subject, format, value)
      assert.ok(Buffer.isBuffer(bytes), String(bytes))
      assert.deepEqual([bytes[0], bytes.readInt32BE(1)], [0, id])
      assert.deepEqual(await decoded(bytes), expected ?? value)
      assert.deepEqual(await decoded(bytes, open()), expected ?? value, 'by one that only reads')
    })
  }
})

suite('what does not fit its schema is told, with its place', () => {
  for (const [what, format, schema, value, expected] of [
    ['avro: another type', 'avro', everything, { id: 7 }, /\/id: expected string, found 7/],
    ['avro: a number that is no long', 'avro', { schema: '"long"' }, '9223372036854775808', /expected/],
    ['avro: what is no base64', 'avro', { schema: '"bytes"' }, 'no base64!', /expected/],
    ['protobuf: no object', 'protobuf', order, 'x', /expected an object, found "x"/],
    [
      'protobuf: a field that there is not',
      'protobuf',
      order,
      { order_id: 'x' },
      /\/order_id: Order has no such field/,
    ],
    [
      'protobuf: one further in',
      'protobuf',
      order,
      { lines: [{ n: 1 }, { m: 1 }] },
      /\/lines\/m: Line has no such field/,
    ],
    ['protobuf: another type', 'protobuf', order, { orderId: 7 }, /\/orderId: expected string, found 7/],
    ['protobuf: a text that is no number', 'protobuf', order, { big: 'many' }, /\/big: expected int64, found "many"/],
    ['protobuf: a name that no enum has', 'protobuf', order, { kind: 'NOPE' }, /\/kind: Kind has no "NOPE"/],
    [
      'json-schema',
      'json-schema',
      jsonSchema({ type: 'object', properties: { a: { type: 'string' } } }),
      { a: 1 },
      /\/a must be string/,
    ],
    [
      'a schema of another kind',
      'avro',
      jsonSchema({ type: 'object', properties: {} }),
      {},
      /has a schema of json-schema, and the format avro/,
    ],
  ] as const satisfies readonly (readonly [string, RegisteredFormat, Registered, Json, RegExp])[]) {
    test(what, async () => {
      const subject = subjectName()
      await registry().register(subject, schema)
      assert.match(String(await encoded(subject, format, value)), expected)
    })
  }

  test('a subject that there is not', async () => {
    assert.match(String(await encoded('nobody-value', 'avro', {})), /no \/subjects\/nobody-value\/versions\/latest/)
  })
})

suite('bytes', () => {
  test("that the Kafka client's own serializer writes are read, and are what we write", async () => {
    const [avroSubject, jsonSubject] = [subjectName(), subjectName()]
    const ids = [
      await registry().register(avroSubject, avro({ name: 'orderId', type: 'string' }, { name: 'n', type: 'long' })),
      await registry().register(jsonSubject, jsonSchema({ type: 'object', properties: { n: { type: 'integer' } } })),
    ]
    const value = { orderId: 'o-1', n: 7 }
    for (const [index, id] of ids.entries()) {
      const theirs = (await clientsSerializer(registry().url, id))(value)
      assert.deepEqual(await decoded(theirs), value)
      const ours = index === 0 ? encoded(avroSubject, 'avro', value) : encoded(jsonSubject, 'json-schema', value)
      assert.deepEqual(await ours, theirs)
    }
  })

  test("of protobuf are as Confluent's wire format has them, whichever message of the file they are", async () => {
    const subject = subjectName()
    const id = await registry().register(subject, order)
    // Field 1, "o-1"; of the first message the path [0] is one zero.
    assert.deepEqual(await encoded(subject, 'protobuf', { orderId: 'o-1' }), withId(id, 0, 0x0a, 3, 0x6f, 0x2d, 0x31))
    // The counts and indexes are zigzag: [1] is 2 2, and [1, 0] is 4 2 0.
    assert.deepEqual(await decoded(withId(id, 2, 2, 0x0a, 1, 0x61)), { name: 'a' })
    assert.deepEqual(await decoded(withId(id, 4, 2, 0, 0x0a, 1, 0x62)), { x: 'b' })
    assert.equal(await decoded(withId(id, 2, 6, 0x0a, 1, 0x61)), 'schema-misfit')
  })

  test('that are of no schema, or not of theirs, are told apart from an id that there is not', async () => {
    const id = await registry().register(subjectName(), avro({ name: 'a', type: 'string' }))
    for (const [bytes, expected] of [
      [Buffer.from('{"a":1}'), 'schema-misfit'],
      [Buffer.alloc(0), 'schema-misfit'],
      [Buffer.from([0, 0, 0]), 'schema-misfit'],
      [withId(id), 'schema-misfit'],
      [withId(id, 2, 0x61, 0), 'schema-misfit'],
      [withId(id, 2, 0x61), { a: 'a' }],
      [withId(987_654), 'schema-unknown'],
      [withId(-1), 'schema-unknown'],
    ] as const)
      assert.deepEqual(await decoded(bytes), expected, bytes.toString('hex'))
  })

  test('of schemas that refer to others are read and written', async () => {
    const [line, refers] = [subjectName(), subjectName()]
    await registry().register(line, {
      schema: '{"type":"record","name":"Line","namespace":"shop","fields":[{"name":"n","type":"long"}]}',
    })
    await registry().register(refers, {
      ...avro({ name: 'lines', type: { type: 'array', items: 'shop.Line' } }),
      references: [{ name: 'shop.Line', subject: line, version: 1 }],
    })
    const [lineProto, refersProto] = [subjectName(), subjectName()]
    await registry().register(lineProto, proto('package shop;\nmessage Line { int64 n = 1; }'))
    await registry().register(refersProto, {
      ...proto('package shop;\nimport "line.proto";\nmessage Order { repeated Line lines = 1; }'),
      references: [{ name: 'line.proto', subject: lineProto, version: 1 }],
    })
    const [lineJson, refersJson] = [subjectName(), subjectName()]
    await registry().register(lineJson, jsonSchema({ type: 'object', properties: { n: { type: 'integer' } } }))
    await registry().register(refersJson, {
      ...jsonSchema({ type: 'object', properties: { lines: { type: 'array', items: { $ref: 'line.json' } } } }),
      references: [{ name: 'line.json', subject: lineJson, version: 1 }],
    })
    assert.match(
      String(await encoded(refersJson, 'json-schema', { lines: [{ n: 'x' }] })),
      /\/lines\/0\/n must be integer/,
    )
    for (const [subject, format, value] of [
      [refersJson, 'json-schema', { lines: [{ n: 1 }] }],
      [refers, 'avro', { lines: [{ n: 1 }] }],
      [refersProto, 'protobuf', { lines: [{ n: '1' }] }],
    ] as const) {
      const bytes = await encoded(subject, format, value)
      assert.ok(Buffer.isBuffer(bytes), String(bytes))
      assert.deepEqual(await decoded(bytes), value)
    }
  })
})

test('a registry that says nothing for a while is asked again, and says why meanwhile', async () => {
  const subject = subjectName()
  const id = await registry().register(subject, avro({ name: 'a', type: 'string' }))
  registry().freeze()
  const fresh = open()
  const told = Promise.withResolvers<void>()
  assert.equal(fresh.decode(withId(id, 2, 0x61), told.resolve), undefined)
  await told.promise
  assert.match(fresh.trouble ?? '', /does not answer/)
  registry().thaw()
  assert.deepEqual(await decoded(withId(id, 2, 0x61), fresh), { a: 'a' })
  assert.equal(fresh.trouble, undefined)
})

test('it is asked as the user that is given, by a password that is read anew', async (t) => {
  // A double: Apicurio asks for a login only with a server for logins beside it.
  const seen: (string | undefined)[] = []
  const server = createServer((request, response) => {
    seen.push(request.headers.authorization)
    if (seen.length === 1) return void response.writeHead(401).end()
    response.end(JSON.stringify({ schema: '"string"' }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  let password = 'old'
  const guarded = open(`http://127.0.0.1:${address.port}`, { username: 'shop', password: () => password })
  assert.equal(
    guarded.decode(withId(1, 2, 0x61), () => {}),
    undefined,
  )
  while (guarded.trouble === undefined) await pause(5)
  assert.match(guarded.trouble, /answers \/schemas\/ids\/1 with 401/)
  password = 'new'
  assert.deepEqual(await decoded(withId(1, 2, 0x61), guarded), 'a')
  assert.deepEqual(
    seen.map((header) => Buffer.from(header?.replace('Basic ', '') ?? '', 'base64').toString()),
    ['shop:old', 'shop:new'],
  )
})
