// What the state and the inboxes keep as bytes: rows that were written come back, and bytes that were not are refused as
// damage, or read as a row that can be written and read again.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { StoreCorrupted } from '../../src/base/errors.ts'
import { limits } from '../../src/base/limits.ts'
import type { DeadLetter } from '../../src/engine/effect.ts'
import { Payload } from '../../src/engine/payload.ts'
import { deadLetterRecord } from '../../src/records/dead-letter.ts'
import { decodeInbox, encodeInbox } from '../../src/records/inbox-codec.ts'
import { decodeInstance, encodeInstance } from '../../src/records/instance-codec.ts'
import { channelCodec, crowdCodec } from '../../src/records/channel-codec.ts'
import * as codecs from '../../src/records/row-codec.ts'
import * as rows from '../support/arbitrary-rows.ts'
import { damage, noise } from './damage.ts'
import type { Attack, Outcome, Target } from './target.ts'

type CodecAttack =
  | (Attack & { readonly kind: 'row'; readonly codec: string; readonly row: unknown })
  | (Attack & { readonly kind: 'damaged' | 'noise'; readonly codec: string; readonly bytes: Uint8Array })
  | (Attack & { readonly kind: 'letter'; readonly letter: DeadLetter })

interface Layout {
  readonly rows: fc.Arbitrary<unknown>
  encode(row: unknown): Uint8Array
  decode(bytes: Uint8Array): unknown
  /** Through the bytes and back, with what is kept beside them. */
  through(row: unknown): { readonly before: unknown; readonly after: unknown }
}

const nothing = new TextEncoder().encode('null')
const instanceLayout = {
  rows: rows.instanceRow,
  encode: (row: Parameters<typeof encodeInstance>[0]) => encodeInstance(row).bytes,
  decode: (bytes: Uint8Array) => decodeInstance(bytes, () => nothing),
  through(row: Parameters<typeof encodeInstance>[0]) {
    const { bytes, payloads, stored } = encodeInstance(row)
    const beside = new Map(payloads.map(({ key, payload }) => [key, Uint8Array.from(payload.bytes)]))
    const after = decodeInstance(Uint8Array.from(bytes), (key) => beside.get(key) ?? assert.fail(key))
    return { before: { ...row, stored }, after }
  },
}

/** Every layout that there is, with its rows. */
const layouts: { readonly [name: string]: Layout } = {
  instances: instanceLayout,
  keys: layout(codecs.keyCodec, rows.keyRow),
  channels: layout(channelCodec, rows.channelRow),
  crowd: layout(crowdCodec, rows.crowdRow),
  kept: layout(codecs.keptCodec, rows.keptRow),
  keptTotals: layout(codecs.keptTotalsCodec, rows.keptTotalsRow),
  timers: layout(codecs.timerCodec, rows.timerRow),
  work: layout(codecs.workCodec, rows.workRow),
  answers: layout(codecs.answerCodec, rows.answerRow),
  positions: layout(codecs.positionCodec, fc.record({ topicId: rows.text, offset: rows.number })),
  inbox: layout({ encode: encodeInbox, decode: decodeInbox }, rows.travelling),
}

function layout<Row>(codec: codecs.Codec<Row>, values: fc.Arbitrary<Row>): Layout {
  const encode = (row: unknown): Uint8Array => codec.encode(row as Row)
  const decode = (bytes: Uint8Array): unknown => codec.decode(bytes)
  return {
    rows: values,
    encode,
    decode,
    through: (row) => ({ before: row, after: decode(Uint8Array.from(encode(row))) }),
  }
}

const large = new Uint8Array(limits.recordBytesMax)
const letters: fc.Arbitrary<CodecAttack> = fc
  .record({
    record: rows.keptRow.map(({ record }) => record),
    more: fc.constantFrom({}, { value: large }, { key: large }, { headers: [{ key: 'large', value: large }] }),
    code: rows.text,
    message: fc.oneof(rows.text, fc.constant('x'.repeat(10_000))),
    workflows: fc.array(rows.text, { maxLength: 2 }),
  })
  .map(({ record, more, ...rest }) => ({
    kind: 'letter',
    letter: { type: 'dead-letter', record: { ...record, ...more }, ...rest },
  }))

const attacks = Object.entries(layouts).flatMap(([codec, { rows: values, encode }]): fc.Arbitrary<CodecAttack>[] => [
  values.map((row) => ({ kind: 'row', codec, row })),
  fc.tuple(values, damage).map(([row, hurt]) => ({ kind: 'damaged', codec, bytes: hurt(encode(row)) })),
  noise.map((bytes) => ({ kind: 'noise', codec, bytes })),
])

function* corpus(): Iterable<CodecAttack> {
  for (const codec of Object.keys(layouts)) {
    for (const bytes of [[], [1], [0], [2, 0x90], [1, 0x90], [1, 0xc0], [1, 0xdd, 0xff, 0xff, 0xff, 0xff]]) {
      yield { kind: 'noise', codec, bytes: Uint8Array.from(bytes) }
    }
    yield { kind: 'noise', codec, bytes: new Uint8Array(100_000).fill(0x91).fill(1, 0, 1) }
    yield { kind: 'noise', codec, bytes: new Uint8Array(100_000).fill(0x81).fill(1, 0, 1).fill(0x9f, 1, 2) }
  }
}

export const codecTarget: Target<CodecAttack> = {
  name: 'codecs',
  corpus: [...corpus()],
  arbitrary: fc.oneof(...attacks, letters),
  inputsEach: 1,
  required: ['came back', 'refused', 'read as another row', 'letter', 'letter without its bytes'],
  kinds: ['row', 'damaged', 'noise', 'letter'],
  run(attack) {
    switch (attack.kind) {
      case 'row':
        return runRow(layouts[attack.codec]!, attack.row)
      case 'letter':
        return runLetter(attack.letter)
      case 'damaged':
      case 'noise':
        return runBytes(layouts[attack.codec]!, attack.bytes)
    }
  },
}

function runRow({ through }: Layout, row: unknown): Outcome {
  const { before, after } = through(row)
  return { classes: ['came back'], verify: () => assert.deepEqual(plain(after), plain(before)) }
}

function runBytes({ encode, decode }: Layout, bytes: Uint8Array): Outcome {
  let row: unknown
  try {
    row = decode(bytes)
  } catch (error) {
    if (error instanceof StoreCorrupted) return { classes: ['refused'] }
    throw error
  }
  return { classes: ['read as another row'], verify: () => void decode(Uint8Array.from(encode(row))) }
}

function runLetter(letter: DeadLetter): Outcome {
  const { key, value, headers } = deadLetterRecord(letter)
  const bytes = headers.reduce((sum, header) => sum + header.key.length + header.value.length, 0)
  const names = headers.map((header) => header.key)
  const isWhole = value !== null || letter.record.value === null
  return {
    classes: ['letter', ...(isWhole ? [] : ['letter without its bytes'])],
    verify() {
      assert.ok((key?.length ?? 0) + (value?.length ?? 0) + bytes <= limits.recordBytesMax + 8_192, 'it is too large')
      for (const name of ['dw-reason', 'dw-message', 'dw-source']) assert.ok(names.includes(name), `no ${name}`)
      assert.ok(isWhole || names.includes('dw-value-sha256'), 'neither the bytes nor their hash')
    },
  }
}

const decoder = new TextDecoder()

/** As plain data: payloads by their text, bytes by their digits, so that a Buffer and a Uint8Array are the same. */
function plain(value: unknown): unknown {
  if (value instanceof Payload) return { payload: decoder.decode(value.bytes) }
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('latin1') }
  if (value instanceof Map) return { map: [...value].map(plain) }
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plain(field)]))
}
