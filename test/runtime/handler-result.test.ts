// What handlers return and throw: strangers' code, made into data or into an error.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { RetryableFailure, TerminalFailure } from '../../src/base/errors.ts'
import type { Json } from '../../src/base/json.ts'
import { limits } from '../../src/base/limits.ts'
import type { TaskFail } from '../../src/engine/command.ts'
import type { HandlerWork } from '../../src/engine/effect.ts'
import { nullPayload } from '../../src/engine/payload.ts'
import { failureCommand, resultCommand } from '../../src/runtime/handler-result.ts'

const run: HandlerWork = {
  instanceId: 'i',
  task: 0,
  attempt: 2,
  kind: 'module',
  handler: 'work',
  execution: 'main',
  name: 'h',
  key: 'k',
  workflow: 'w',
  version: 'w@1',
  idempotencyKey: 'i/h',
  input: nullPayload,
  isSealed: false,
}

function outputOf(returned: unknown): Json {
  const command = resultCommand(run, returned)
  assert.ok(command.type === 'task.complete', 'it completes')
  assert.deepEqual([command.instanceId, command.task, command.attempt], ['i', 0, 2])
  assert.deepEqual(JSON.parse(new TextDecoder().decode(command.output.bytes)), command.output.value)
  return command.output.value
}

function failureOf(returned: unknown): string {
  const command = resultCommand(run, returned)
  assert.ok(command.type === 'task.fail', 'it fails')
  assert.equal(command.isRetryable, false)
  return command.error.code
}

function failed(thrown: unknown): TaskFail {
  const command = failureCommand(run, thrown)
  assert.ok(command.type === 'task.fail')
  return command
}

suite('what a handler returns', () => {
  test('is its output, as JSON has it', () => {
    class Point {
      readonly x = 1
      readonly y = new Date(0)
    }
    assert.deepEqual(outputOf(new Point()), { x: 1, y: '1970-01-01T00:00:00.000Z' })
    assert.deepEqual(outputOf([1, 'two', null, true, { three: 3 }]), [1, 'two', null, true, { three: 3 }])
    assert.deepEqual(outputOf(''), '')
  })

  test('and is nothing, is null', () => {
    assert.equal(outputOf(undefined), null)
    assert.equal(outputOf(null), null)
  })

  for (const [what, returned] of [
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['a function inside', { run: () => 1 }],
    ['a symbol inside', [Symbol('s')]],
    ['a bigint', 1n],
    ['a bigint inside', { n: 1n }],
    ['what JSON turns into nothing', { toJSON: () => undefined }],
    ['what throws when it is looked at', { toJSON: () => assert.fail('no') }],
  ] as const) {
    test(`and is no JSON, fails without another attempt: ${what}`, () =>
      assert.equal(failureOf(returned), 'output-not-json'))
  }

  test('and goes in a circle, or deeper than JSON can, fails without another attempt', () => {
    const circle: { self?: object } = {}
    circle.self = circle
    assert.equal(failureOf(circle), 'output-not-json')
    let deep: object = {}
    for (let n = 0; n < 100_000; n++) deep = { deep }
    assert.equal(failureOf(deep), 'output-not-json')
  })

  test('and is too large, fails without another attempt', () => {
    assert.equal(failureOf('x'.repeat(20 * 1_048_576)), 'payload-too-large')
    assert.equal(failureOf('é'.repeat(limits.payloadBytesMax / 2)), 'payload-too-large')
    assert.equal(outputOf('x'.repeat(limits.payloadBytesMax - 2)), 'x'.repeat(limits.payloadBytesMax - 2))
  })
})

suite('what a handler throws', () => {
  test('fails the attempt, to be retried unless it says otherwise', () => {
    const { error, isRetryable, afterMs } = failed(new Error('no carrier'))
    assert.deepEqual([error, isRetryable, afterMs], [{ code: 'handler', message: 'no carrier' }, true, undefined])
  })

  test('steers the retry by its code, `retryable` and `retryAfterMs`', () => {
    const retryable = failed(new RetryableFailure('busy', { code: 'busy', afterMs: 500 }))
    assert.deepEqual([retryable.error.code, retryable.isRetryable, retryable.afterMs], ['busy', true, 500])
    const terminal = failed(new TerminalFailure('gone', { code: 'gone' }))
    assert.deepEqual([terminal.error.code, terminal.isRetryable], ['gone', false])
    const plain = failed({ code: 'mine', retryable: false })
    assert.deepEqual([plain.error.code, plain.isRetryable], ['mine', false])
  })

  for (const [what, thrown] of [
    ['a text', 'text'],
    ['undefined', undefined],
    ['null', null],
    ['a number', 7],
    ['a bigint', 7n],
    ['a symbol', Symbol('s')],
    ['an object', {}],
    ['a list', []],
    ['a function', () => 1],
  ] as const) {
    test(`may be anything: ${what}`, () => {
      const { error, isRetryable } = failed(thrown)
      assert.deepEqual([error.code, typeof error.message, isRetryable], ['handler', 'string', true])
    })
  }

  test('names a code and an interval only where they are some', () => {
    const strange = { code: 5, retryAfterMs: -1 }
    assert.deepEqual([failed(strange).error.code, failed(strange).afterMs], ['handler', undefined])
    assert.equal(failed({ retryAfterMs: NaN }).afterMs, undefined)
    assert.equal(failed({ code: '' }).error.code, 'handler')
  })

  test('is kept at a bounded length', () => {
    const { error } = failed(Object.assign(new Error('x'.repeat(1_000_000)), { code: 'c'.repeat(1_000) }))
    assert.ok(error.message.length <= 2_001)
    assert.equal(error.code.length, 100)
  })
})
