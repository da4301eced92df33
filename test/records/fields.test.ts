// Bytes that decode are not yet what was written.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StoreCorrupted } from '../../src/base/errors.ts'
import { pack } from '../../src/records/pack.ts'
import { decodeInbox } from '../../src/records/inbox-codec.ts'
import { decodeInstance } from '../../src/records/instance-codec.ts'
import { channelCodec } from '../../src/records/channel-codec.ts'
import * as codecs from '../../src/records/row-codec.ts'

const record = ['t', 0, 1, 0, null, null, []]
const deep: unknown = JSON.parse('['.repeat(1_000) + ']'.repeat(1_000))

for (const [what, decode, fields] of [
  ['a key whose instance is a list', codecs.keyCodec.decode, [deep, true]],
  ['a key whose queue is a text', codecs.keyCodec.decode, ['i', null, 'x']],
  ['a channel whose waiters are texts', channelCodec.decode, ['w', 't', 'v', ['x'], []]],
  [
    'a kept record with a text for bytes',
    codecs.keptCodec.decode,
    [1, 'c', ['t', 0, 1, 0, 'k', null, []], 0, 0, 't', 0],
  ],
  ['a timer with a target that there is not', codecs.timerCodec.decode, [0, 9, 'x']],
  ['an answer with an outcome that there is not', codecs.answerCodec.decode, ['perhaps', 'i', 'k']],
  ['a position at a text', codecs.positionCodec.decode, ['id', '1']],
  ['a command whose value is a number', decodeInbox, [1, 'w', 5, record, 0]],
  ['a command with a header of no bytes', decodeInbox, [1, 'w', 'v', ['t', 0, 1, 0, null, null, ['h']], 0]],
  ['an instance of numbers', (bytes: Uint8Array) => decodeInstance(bytes, assert.fail), [1, 2, 3, 4, 5]],
] as const) {
  test(`${what} is damage`, () => {
    assert.throws(() => decode(pack(1, fields)), StoreCorrupted)
  })
}

test('what goes on behind its end is damage, and is not written into the error', () => {
  const secret = 'a payload that is nobody’s business'
  const bytes = Uint8Array.from([...pack(1, [secret, true]), 0])
  assert.throws(
    () => codecs.keyCodec.decode(bytes),
    (error) => error instanceof StoreCorrupted && !`${error.message} ${String(error.cause)}`.includes(secret),
  )
})
