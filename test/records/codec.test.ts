// How rows and commands look in bytes: what goes in comes out, and what is none of ours is refused as damage.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { StoreCorrupted } from '../../src/base/errors.ts'
import { limits } from '../../src/base/limits.ts'
import { Payload } from '../../src/engine/payload.ts'
import type { InstanceRow, TaskRow } from '../../src/engine/state.ts'
import { decodeInbox, encodeInbox } from '../../src/records/inbox-codec.ts'
import { decodeInstance, encodeInstance } from '../../src/records/instance-codec.ts'
import { endOf, payloadKey, positionPrefix, prefixes } from '../../src/records/keys.ts'
import { pack, unpack } from '../../src/records/pack.ts'
import { queuedCodec } from '../../src/records/queued-codec.ts'
import { channelCodec, crowdCodec } from '../../src/records/channel-codec.ts'
import * as codecs from '../../src/records/row-codec.ts'
import * as rows from '../support/arbitrary-rows.ts'

const decoder = new TextDecoder()

/** As plain data: payloads by their text, bytes by their digits, so that a Buffer and a Uint8Array are the same. */
function plain(value: unknown): unknown {
  if (value instanceof Payload) return { payload: decoder.decode(value.bytes) }
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('hex') }
  if (value instanceof Map) return { map: [...value].map(plain) }
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plain(field)]))
}

/** Cuts the bytes short, or changes some of them; the leading byte is looked at elsewhere. */
const damage = fc.oneof(
  fc.nat().map((at) => (whole: Uint8Array) => whole.slice(0, at % (whole.length + 1))),
  fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }).map((changes) => (whole: Uint8Array) => {
    const hurt = Uint8Array.from(whole)
    for (const [at, byte] of changes) hurt[1 + (at % Math.max(1, hurt.length - 1))] = byte
    return hurt
  }),
)

function throwsOnlyCorrupted(decode: () => unknown): void {
  try {
    decode()
  } catch (thrown) {
    assert.ok(thrown instanceof StoreCorrupted, `StoreCorrupted and nothing else, not ${String(thrown)}`)
  }
}

function ofNewerRelease(bytes: Uint8Array): Uint8Array {
  const newer = Uint8Array.from(bytes)
  newer[0] = 200
  return newer
}

function roundTrips<Row>(name: string, codec: codecs.Codec<Row>, values: fc.Arbitrary<Row>): void {
  test(`${name}: what was encoded comes back`, () => {
    const check = (row: Row): void =>
      assert.deepEqual(plain(codec.decode(Uint8Array.from(codec.encode(row)))), plain(row))
    fc.assert(fc.property(values, check))
  })
  test(`${name}: a value of a newer release is refused`, () => {
    const [row] = fc.sample(values, { numRuns: 1, seed: 1 }) as [Row]
    assert.throws(() => codec.decode(ofNewerRelease(codec.encode(row))), StoreCorrupted)
  })
  test(`${name}: damaged bytes give StoreCorrupted and no other error`, () => {
    fc.assert(
      fc.property(values, damage, (row, hurt) => throwsOnlyCorrupted(() => codec.decode(hurt(codec.encode(row))))),
    )
    fc.assert(
      fc.property(fc.uint8Array(), (noise) => throwsOnlyCorrupted(() => codec.decode(Uint8Array.of(1, ...noise)))),
    )
    assert.throws(() => codec.decode(new Uint8Array()), StoreCorrupted)
  })
}

suite('rows', () => {
  roundTrips('keys', codecs.keyCodec, rows.keyRow)
  roundTrips('queued', queuedCodec, rows.queuedRow)
  roundTrips('schedules', codecs.scheduleCodec, rows.scheduleRow)
  roundTrips('channels', channelCodec, rows.channelRow)
  roundTrips('crowd', crowdCodec, rows.crowdRow)
  roundTrips('kept', codecs.keptCodec, rows.keptRow)
  roundTrips('keptTotals', codecs.keptTotalsCodec, rows.keptTotalsRow)
  roundTrips('timers', codecs.timerCodec, rows.timerRow)
  roundTrips('work', codecs.workCodec, rows.workRow)
  roundTrips('answers', codecs.answerCodec, rows.answerRow)
  roundTrips('attributes', codecs.attributeCodec, fc.constant({ isThere: true }))
  roundTrips('positions', codecs.positionCodec, fc.record({ topicId: rows.text, offset: rows.number }))

  test('a call that waits, as the release before wrote it, is one of nobody', () => {
    const bytes = pack(1, [1, 'w', 'w@1', 'k', Payload.of(1).bytes, null])
    const { start } = queuedCodec.decode(bytes)
    assert.deepEqual(start.origin.kind === 'api' && [start.key, start.origin.input.value, start.origin.by], [
      'k',
      1,
      undefined,
    ])
  })

  test('a value that was encoded is not changed by the next one', () => {
    const many = fc.sample(rows.channelRow, { numRuns: 50, seed: 7 })
    const encoded = many.map((row) => channelCodec.encode(row))
    assert.deepEqual(
      encoded.map((bytes) => plain(channelCodec.decode(bytes))),
      many.map(plain),
    )
  })
})

suite('instances', () => {
  /** The row as a store gives it back, and the keys of its payloads there. */
  function through(row: InstanceRow): { row: InstanceRow; keys: readonly string[]; bytes: number } {
    const encoded = encodeInstance(row)
    const values = new Map(encoded.payloads.map(({ key, payload }) => [key, Uint8Array.from(payload.bytes)]))
    const load = (key: string): Uint8Array => values.get(key) ?? assert.fail(key)
    assert.deepEqual(encoded.stored, [...values.keys()])
    return {
      row: decodeInstance(Uint8Array.from(encoded.bytes), load),
      keys: encoded.stored,
      bytes: encoded.bytes.length,
    }
  }
  const [sample] = fc.sample(rows.instanceRow, { numRuns: 1, seed: 3 }) as [InstanceRow]
  const large = Payload.of('x'.repeat(limits.payloadInlineBytesMax))
  const small = Payload.of('small')
  const completed: TaskRow = {
    status: 'COMPLETED',
    attempt: 1,
    startedAtMs: 0,
    endedAtMs: 1,
    output: small,
    error: undefined,
    hasIncident: false,
    open: undefined,
    edges: 'live',
    deadlines: undefined,
    attemptsBefore: 0,
    item: undefined,
  }

  test('what was encoded comes back, with its large payloads beside it', () => {
    const check = (row: InstanceRow): void => {
      const { row: back, keys } = through(row)
      assert.deepEqual(plain(back), plain({ ...row, stored: keys }))
    }
    fc.assert(fc.property(rows.instanceRow, check))
  })

  test('a value of a newer release is refused', () => {
    assert.throws(() => decodeInstance(ofNewerRelease(encodeInstance(sample).bytes), assert.fail), StoreCorrupted)
  })

  test('damaged bytes give StoreCorrupted and no other error', () => {
    const decode = (bytes: Uint8Array): InstanceRow => decodeInstance(bytes, () => new Uint8Array())
    const hurtOne = (row: InstanceRow, hurt: (whole: Uint8Array) => Uint8Array): void =>
      throwsOnlyCorrupted(() => decode(hurt(encodeInstance(row).bytes)))
    fc.assert(fc.property(rows.instanceRow, damage, hurtOne))
    fc.assert(fc.property(fc.uint8Array(), (noise) => throwsOnlyCorrupted(() => decode(Uint8Array.of(1, ...noise)))))
  })

  test('a value of a release that knew no attributes is one that has none', () => {
    const { bytes } = encodeInstance({ ...sample, attributes: new Map([['customer', 'c-17']]) })
    const fields = unpack(2, bytes, (all) => all)
    const load = () => Uint8Array.of()
    assert.deepEqual(decodeInstance(pack(2, fields), load).attributes, new Map([['customer', 'c-17']]))
    assert.deepEqual(decodeInstance(pack(2, fields.slice(0, -1)), load).attributes, new Map())
  })

  test('a large payload is a value of its own, and does not push the small ones out', () => {
    const { keys } = through({ ...sample, input: large, output: undefined, tasks: [completed, completed] })
    assert.deepEqual(keys, [payloadKey(sample.id, 'in')])
  })

  test('small payloads that are many together become values of their own beyond the limit', () => {
    const output = Payload.of('x'.repeat(limits.payloadInlineBytesMax - 2))
    const tasks = Array.from({ length: 20 }, () => ({ ...completed, output }))
    const slim = { ...sample, output: undefined, ending: undefined, attributes: new Map(), ahead: [] }
    const { keys, bytes } = through({ ...slim, input: small, tasks })
    assert.equal(keys.length, 5)
    assert.ok(bytes < limits.inlineBytesMax + 16_384)
  })

  test('a payload that is stored already is named again and not written again', () => {
    const input = Payload.stored('o/x/in', () => assert.fail('nobody asked for its bytes'))
    const { stored, payloads } = encodeInstance({ ...sample, input, output: undefined, tasks: [] })
    assert.deepEqual([stored, payloads], [['o/x/in'], []])
  })
})

suite('commands between partitions', () => {
  roundTrips('inbox', { encode: encodeInbox, decode: decodeInbox }, rows.travelling)

  test('a command that this release does not know is refused', () => {
    const leave = { type: 'channel.leave', workflow: 'w', topic: 't', value: 'v', instanceId: 'i', number: 1 } as const
    const unknown = Uint8Array.from(encodeInbox(leave))
    unknown[2] = 99
    assert.throws(() => decodeInbox(unknown), StoreCorrupted)
  })
})

suite('keys', () => {
  test('no family of keys lies within another', () => {
    const families = [...Object.values(prefixes), positionPrefix, payloadKey('i', 'in').slice(0, 2)]
    assert.equal(new Set(families).size, families.length)
    for (const family of families) assert.match(family, /^[a-z]\/$/)
  })

  test('the end of a family lies behind all of its keys', () => {
    fc.assert(fc.property(rows.text, (id) => assert.ok(prefixes.timers + id < endOf(prefixes.timers))))
  })
})
