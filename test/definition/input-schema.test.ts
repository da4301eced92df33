import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '../../src/base/json.ts'
import { compileInputSchema, InputSchemaError } from '../../src/definition/schema.ts'

test('every violation is told by JSON pointer', () => {
  const input = compileInputSchema({
    type: 'object',
    required: ['orderId', 'amount'],
    additionalProperties: false,
    properties: {
      orderId: { type: 'string' },
      amount: { type: 'number', exclusiveMinimum: 0 },
      at: { format: 'date-time' },
    },
  })
  assert.deepEqual(input.validate({ orderId: 'o', amount: 1, at: '2026-01-01T00:00:00Z' }), [])
  const pointers = input.validate({ orderId: 1, amount: 0, at: 'x', more: 1 }).map((violation) => violation.pointer)
  assert.deepEqual(pointers.sort(), ['', '/amount', '/at', '/orderId'])
  assert.equal(input.validate(null).length, 1)
})

test('inherited properties are not the value’s own', () => {
  const input = compileInputSchema({ type: 'object', required: ['constructor', 'toString'] })
  assert.equal(input.validate({}).length, 2)
})

test('draft 2020-12 is the default, and draft-07 is understood where it is named', () => {
  assert.equal(compileInputSchema({ prefixItems: [{ type: 'string' }] }).validate([1]).length, 1)
  const old = compileInputSchema({ $schema: 'http://json-schema.org/draft-07/schema#', items: [{ type: 'string' }] })
  assert.equal(old.validate([1]).length, 1)
})

test('two schemas with one $id do not meet', () => {
  assert.equal(compileInputSchema({ $id: 'x:a', type: 'string' }).validate(1).length, 1)
  assert.equal(compileInputSchema({ $id: 'x:a', type: 'number' }).validate(1).length, 0)
})

test('violations of one value are bounded', () => {
  const input = compileInputSchema({ items: { type: 'string' } })
  assert.equal(input.validate(Array.from({ length: 500 }, () => 1)).length, 100)
})

test('what is no usable schema is refused, with its place where that is known', () => {
  const refused: readonly (readonly [Json, string])[] = [
    [{ type: 'strin' }, 'type'],
    [{ properties: { a: { minimum: 'x' } } }, 'properties.a.minimum'],
    [{ typo: 1 }, ''],
    [{ format: 'no-such-format' }, ''],
    [{ $ref: 'https://example.com/remote.json' }, ''],
    [{ $ref: '#/nowhere' }, ''],
    [{ pattern: '(' }, ''],
    [{ $async: true }, '$async'],
    [{ $schema: 'http://json-schema.org/draft-04/schema#' }, '$schema'],
    [7, ''],
  ]
  for (const [schema, path] of refused) {
    assert.throws(
      () => compileInputSchema(schema),
      (error) => error instanceof InputSchemaError && (path === '' || error.path.join('.') === path),
      JSON.stringify(schema),
    )
  }
})

test('a schema that refers to itself without an end fits nothing, and throws nothing', () => {
  for (const schema of [{ $ref: '#' }, { allOf: [{ $ref: '#' }] }] satisfies Json[]) {
    assert.equal(compileInputSchema(schema).validate({}).length, 1)
  }
})

test('a pattern takes time in proportion to the text, and what would take more is refused', () => {
  const input = compileInputSchema({ pattern: '^(a+)+$', patternProperties: { '^(b|bb)+$': true } })
  const before = process.cpuUsage()
  assert.equal(input.validate(`${'a'.repeat(50_000)}!`).length, 1)
  assert.deepEqual(input.validate({ [`${'b'.repeat(50_000)}!`]: 1 }), [])
  const { user } = process.cpuUsage(before)
  assert.ok(user < 2_000_000, `${user} µs`)
  for (const pattern of ['(?=a)b', '(a)\\1']) {
    assert.throws(() => compileInputSchema({ pattern }), {
      name: 'InputSchemaError',
      message: /not a usable JSON Schema: /,
    })
  }
})

test('a url is no longer than browsers take: longer ones would take longer than they are worth', () => {
  const input = compileInputSchema({ format: 'url' })
  assert.deepEqual(input.validate('https://example.com/a?b=c'), [])
  assert.equal(input.validate(`http://${'http://a'.repeat(90_000)}!`).length, 1)
})
