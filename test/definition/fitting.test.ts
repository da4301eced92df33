import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Json } from '../../src/base/json.ts'
import { pathText } from '../../src/definition/cursor.ts'
import { compileTemplate } from '../../src/definition/expression.ts'
import { ExpectedValue } from '../../src/definition/fitting.ts'
import { compileInputSchema } from '../../src/definition/schema.ts'

const told = (schema: Json, value: Json): readonly string[] =>
  new ExpectedValue(schema).misfits(value).map(({ path, message }) => `${pathText(path)} ${message}`.trim())

const shipment = {
  type: 'object',
  required: ['orderId', 'weight'],
  additionalProperties: false,
  properties: {
    orderId: { type: 'string', minLength: 3 },
    weight: { $ref: '#/$defs/weight' },
    address: { type: 'object', required: ['city'], properties: { city: { type: 'string' } } },
    tags: { type: 'array', items: { enum: ['fragile', 'cold'] }, maxItems: 2 },
  },
  $defs: { weight: { type: 'number', exclusiveMinimum: 0 } },
}

test('a constant value is held against the whole schema', () => {
  assert.deepEqual(told(shipment, { orderId: 'o-1', weight: 2 }), [])
  assert.deepEqual(told(shipment, { orderId: 'o', weight: 0 }), [
    'orderId must NOT have fewer than 3 characters',
    'weight must be > 0',
  ])
  assert.deepEqual(told(shipment, null), ['must be object'])
})

test('around expressions, keys that are missing or unknown are told, and constant parts', () => {
  const value = {
    orderId: '${ input.id }',
    wieght: 2,
    address: { street: '${ input.street }' },
    tags: ['cold', '${ x }', 'b'],
  }
  assert.deepEqual(told(shipment, value), [
    "must have required property 'weight'",
    'wieght must NOT have additional properties ("wieght")',
    "address must have required property 'city'",
    'tags[2] must be equal to one of the allowed values (["fragile","cold"])',
    'tags must NOT have more than 2 items',
  ])
  const [, extra] = new ExpectedValue(shipment).misfits(value)
  assert.deepEqual([extra?.atKey, extra?.suggestion], [true, 'weight'])
})

test('what an expression gives is not guessed, but a text around one is a text', () => {
  assert.deepEqual(told(shipment, '${ input }'), [])
  assert.deepEqual(told(shipment, { orderId: '${ input.id }', weight: '${ input.weight }' }), [])
  assert.deepEqual(told(shipment, { orderId: '${ input.id }', weight: 'kg ${ input.weight }' }), [
    'weight must be number',
  ])
  assert.deepEqual(told({ type: 'object' }, ['${ input }']), ['must be object'])
  assert.deepEqual(told({ type: 'string' }, '$${ ${ input.id }'), [])
})

test('nothing is told where alternatives, or references out of the definitions, leave a way', () => {
  const either = { anyOf: [{ required: ['a'] }, { required: ['b'] }] }
  assert.deepEqual(told(either, { c: '${ input.c }' }), [])
  const tree = { type: 'object', properties: { name: { type: 'string' }, child: { $ref: '#' } } }
  assert.deepEqual(told(tree, { name: 1, child: { name: '${ input.name }' } }), [])
  assert.deepEqual(told(tree, { name: 1 }), ['name must be string'])
})

test('a schema that refers to itself comes to an end', () => {
  const endless = { $ref: '#/$defs/a', $defs: { a: { allOf: [{ $ref: '#/$defs/a' }] } } }
  assert.deepEqual(told(endless, { a: '${ input }' }), [])
  const self = { $ref: '#/$defs/a' }
  const byManyWays = { $ref: '#/$defs/a', $defs: { a: { allOf: [self, self, { type: 'array' }] } } }
  assert.deepEqual(told(byManyWays, { a: '${ input }' }), ['must be array'])
})

test('draft-07 tuples and patterns of keys are known', () => {
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    patternProperties: { '^n': { type: 'number' } },
    properties: { list: { items: [{ type: 'string' }, { type: 'number' }], additionalItems: false } },
    additionalProperties: { type: 'boolean' },
  }
  const value = { n1: 'one', list: ['${ a }', 'b', 'c'], other: 1, more: '${ a }' }
  assert.deepEqual(told(schema, value), [
    'n1 must be number',
    'list[1] must be number',
    'list[2] must not be there',
    'other must be boolean',
  ])
})

test('F1: what is told of a value with expressions is true whatever they give', () => {
  const scalar = fc.oneof(
    fc.constantFrom<Json>(null, true, 1, 2.5, '', 'text'),
    fc.constant<Json>('${ input.x }'),
    fc.constant<Json>('a${ input.x }'),
  )
  const { value } = fc.letrec<{ value: Json }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      scalar,
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('value'), { noNullPrototype: true }),
    ),
  }))
  const { schema } = fc.letrec<{ schema: Json }>((tie) => ({
    schema: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom<Json>(
        true,
        false,
        {},
        { type: 'string' },
        { type: ['number', 'null'] },
        { type: 'object' },
        { enum: [1, 'text'] },
        { $ref: '#/$defs/d' },
      ),
      fc.record(
        {
          required: fc.constantFrom(['a'], ['b', 'c']),
          properties: fc.dictionary(fc.constantFrom('a', 'b'), tie('schema'), { noNullPrototype: true }),
          additionalProperties: tie('schema'),
        },
        { requiredKeys: [], noNullPrototype: true },
      ) as fc.Arbitrary<Json>,
      fc.record(
        { items: tie('schema'), minItems: fc.nat(2), maxItems: fc.nat(2) },
        { requiredKeys: [], noNullPrototype: true },
      ) as fc.Arbitrary<Json>,
      fc
        .array(tie('schema'), { minLength: 1, maxLength: 2 })
        .chain((list) => fc.constantFrom<Json>({ allOf: list }, { anyOf: list }, { not: list[0]! })),
    ),
  }))
  const given = fc.constantFrom<Json>(null, true, 1, 'text', [], {}, { a: 1, b: 'text' }, [1, 'text'])
  fc.assert(
    fc.property(schema, schema, value, given, (part, definition, written, x) => {
      const root = { allOf: [part], $defs: { d: definition } }
      let whole
      try {
        whole = compileInputSchema(root)
      } catch {
        return
      }
      const isTold = new ExpectedValue(root).misfits(written).length > 0
      const evaluated = compileTemplate(written).evaluate({ input: { x } })
      const isWrong = whole.validate(evaluated).length > 0
      assert.ok(!isTold || isWrong)
      if (compileTemplate(written).isConstant) assert.equal(isTold, isWrong)
    }),
    { numRuns: 2_000 },
  )
})
