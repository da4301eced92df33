// Letters: what went in comes out byte for byte, with where it came from, however often it dies.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { limits } from '../../src/base/limits.ts'
import type { DeadLetter } from '../../src/engine/effect.ts'
import {
  deadLetterRecord,
  readLetter,
  readRedriveMark,
  redrivenRecord,
  redriveMarkRecord,
  type Letter,
} from '../../src/records/dead-letter.ts'

type Stored = Parameters<typeof readLetter>[0]

const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString()
const hash = (bytes: Uint8Array | null): string =>
  createHash('sha256')
    .update(bytes ?? new Uint8Array())
    .digest('hex')
const hex = ({ key, value, headers }: Stored) => ({
  key: key && Buffer.from(key).toString('hex'),
  value: value && Buffer.from(value).toString('hex'),
  headers: headers.map((header) => [header.key, Buffer.from(header.value).toString('hex')]),
})
const headerOf = ({ headers }: Stored, name: string) => text(headers.findLast(({ key }) => key === name)?.value)

function expectLetter(record: Stored): Letter {
  const letter = readLetter(record)
  assert.ok(letter !== undefined)
  return letter
}

const bytes = fc.uint8Array({ maxLength: 40 })
const names = fc.oneof(
  fc.constantFrom(
    'a',
    'a',
    '',
    '__proto__',
    'dw-reason',
    'dw-source',
    'dw-value-bytes',
    'dw-redrive-letter',
    'dw-workflow',
  ),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
)
const deadLetter: fc.Arbitrary<DeadLetter> = fc.record({
  type: fc.constant('dead-letter'),
  record: fc.record({
    topic: fc.stringMatching(/^[\w.-]{1,20}$/),
    partition: fc.nat(),
    offset: fc.maxSafeNat(),
    timestampMs: fc.maxSafeInteger(),
    key: fc.option(bytes),
    value: fc.option(bytes),
    headers: fc.array(fc.record({ key: names, value: bytes }), { maxLength: 5 }),
  }),
  code: fc.constantFrom('not-json', 'input-invalid'),
  message: fc.string({ unit: 'grapheme' }),
  workflows: fc.uniqueArray(fc.constantFrom('order', 'refund')),
})

suite('a letter', () => {
  test('gives back key, value and headers byte for byte, with reason, place and hash, whatever the headers are called', () => {
    fc.assert(
      fc.property(deadLetter, (dead) => {
        const letter = expectLetter(deadLetterRecord(dead))
        assert.deepEqual(hex(letter), hex(dead.record))
        const { topic, partition, offset, timestampMs } = dead.record
        assert.deepEqual(letter.source, { topic, partition, offset, timestampMs })
        assert.deepEqual(
          [letter.reason, letter.message, letter.workflows, letter.valueSha256, letter.isKept],
          [dead.code, dead.message, dead.workflows, hash(dead.record.value), true],
        )
      }),
    )
  })

  test('is what other clients see by the names of its headers: ours are the last of their names', () => {
    fc.assert(
      fc.property(deadLetter, (dead) => {
        const record = deadLetterRecord(dead)
        assert.equal(headerOf(record, 'dw-reason'), dead.code)
        const { topic, partition, offset } = dead.record
        assert.equal(headerOf(record, 'dw-source'), `${topic}/${partition}@${offset}`)
      }),
    )
  })

  test('of a letter of a letter is that letter, and so on down to the record', () => {
    fc.assert(
      fc.property(deadLetter, deadLetter, (inner, outer) => {
        const once = deadLetterRecord(inner)
        const again = expectLetter(deadLetterRecord({ ...outer, record: { ...outer.record, ...once } }))
        assert.deepEqual(hex(expectLetter(again)), hex(inner.record))
      }),
    )
  })

  test('of an older release, without a hash, is read as well', () => {
    const value = Buffer.from('x')
    const old = { 'dw-reason': 'not-json', 'dw-message': 'm', 'dw-source': 'orders/3@17', 'dw-timestamp': '5' }
    const headers = Object.entries(old).map(([key, one]) => ({ key, value: Buffer.from(one) }))
    const letter = expectLetter({ key: null, value, headers: [{ key: 'own', value }, ...headers] })
    assert.deepEqual(letter.source, { topic: 'orders', partition: 3, offset: 17, timestampMs: 5 })
    assert.deepEqual([letter.valueSha256, letter.headers.length, letter.redrivenTimes], [hash(value), 1, 0])
  })

  test('is not what strangers put there', () => {
    const stranger = (headers: { [key: string]: string }) =>
      readLetter({
        key: null,
        value: null,
        headers: Object.entries(headers).map(([key, value]) => ({ key, value: Buffer.from(value) })),
      })
    assert.equal(stranger({}), undefined)
    assert.equal(stranger({ 'dw-reason': 'x' }), undefined)
    for (const source of ['orders', 'orders/1', 'orders/x@1', 'a/b/1@2', '/1@2'])
      assert.equal(stranger({ 'dw-reason': 'x', 'dw-source': source, 'dw-timestamp': '1' }), undefined, source)
  })

  test('cuts a long message between characters, and still fits beside the largest record', () => {
    const value = new Uint8Array(limits.sourceRecordBytesMax)
    const record = { topic: 't'.repeat(249), partition: 1, offset: 1, timestampMs: 1, key: null, value, headers: [] }
    const dead = { type: 'dead-letter', record, code: 'c', workflows: ['w'.repeat(100)] } as const
    const stored = deadLetterRecord({ ...dead, message: '€'.repeat(10_000) })
    assert.match(headerOf(stored, 'dw-message'), /^€{1333}$/)
    const sizes = stored.headers.reduce((sum, header) => sum + header.key.length + header.value.length, 0)
    assert.ok(value.length + sizes <= limits.recordBytesMax)
    assert.equal(expectLetter(stored).isKept, true)
  })

  test('of what is too large keeps hash, sizes and place, and the key where it is short', () => {
    const value = Buffer.alloc(limits.sourceRecordBytesMax, 7)
    const headers = [{ key: 'h', value: Buffer.from('12') }]
    const record = { topic: 't', partition: 2, offset: 9, timestampMs: 4, key: Buffer.from('k'), value, headers }
    const dead = { type: 'dead-letter', record, code: 'record-too-large', message: 'm', workflows: [] } as const
    const letter = expectLetter(deadLetterRecord(dead))
    assert.deepEqual(
      [letter.isKept, letter.value, letter.headers, text(letter.key ?? undefined)],
      [false, null, [], 'k'],
    )
    assert.deepEqual(letter.bytes, { key: 1, value: value.length, headers: 3 })
    assert.deepEqual([letter.valueSha256, letter.source.offset], [hash(value), 9])
    const longKey = { ...record, key: value, value: null }
    const keyless = expectLetter(deadLetterRecord({ ...dead, record: longKey }))
    assert.deepEqual([keyless.key, keyless.bytes.key, keyless.bytes.value], [null, value.length, 0])
  })
})

suite('a record that is redriven', () => {
  test('is the original with where it was redriven from, how often, and its first place, however often it dies', () => {
    fc.assert(
      fc.property(deadLetter, fc.integer({ min: 1, max: 4 }), (dead, times) => {
        let letter = expectLetter(deadLetterRecord(dead))
        for (let time = 1; time <= times; time++) {
          const redriven = redrivenRecord(
            letter,
            { topic: 'dagger.dead-letter', partition: 1, offset: time },
            dead.record.topic,
          )
          assert.equal(headerOf(redriven, 'dw-redriven-from'), `dagger.dead-letter/1@${time}`)
          assert.equal(headerOf(redriven, 'dw-redriven-times'), String(time))
          assert.equal(headerOf(redriven, 'dw-redriven-for'), dead.workflows.join(','))
          const { key, value, headers } = redriven
          const ours = dead.workflows.length > 0 ? 5 : 4
          assert.deepEqual(hex({ key, value, headers: headers.slice(0, -ours) }), hex(dead.record))
          const again = { ...dead.record, offset: dead.record.offset + time, key, value, headers }
          letter = expectLetter(deadLetterRecord({ ...dead, record: again }))
          assert.equal(letter.redrivenTimes, time)
        }
        const { topic, partition, offset, timestampMs } = dead.record
        assert.deepEqual(letter.first, { topic, partition, offset, timestampMs })
      }),
    )
  })

  test('is for its workflows on its own topic, and for all on another', () => {
    const record = { topic: 't', partition: 2, offset: 9, timestampMs: 4, key: null, value: null, headers: [] }
    const dead = { type: 'dead-letter', record, code: 'c', message: 'm', workflows: ['a', 'b'] } as const
    const letter = expectLetter(deadLetterRecord(dead))
    const to = (topic: string) => headerOf(redrivenRecord(letter, record, topic), 'dw-redriven-for')
    assert.deepEqual([to('t'), to('u')], ['a,b', ''])
  })

  test('has a mark beside its letter, which is no letter, as a letter is no mark', () => {
    const mark = { letter: 17, topic: 'orders', partition: 3, by: undefined }
    for (const by of [undefined, 'ann'])
      assert.deepEqual(readRedriveMark(redriveMarkRecord({ ...mark, by })), { ...mark, by })
    assert.equal(readLetter(redriveMarkRecord(mark)), undefined)
    fc.assert(fc.property(deadLetter, (dead) => assert.equal(readRedriveMark(deadLetterRecord(dead)), undefined)))
  })
})
