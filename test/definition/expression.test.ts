import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '../../src/base/json.ts'
import {
  compileExpression,
  compileTemplate,
  ExpressionError,
  ExpressionSyntaxError,
} from '../../src/definition/expression.ts'

const roots = {
  input: { count: 3, half: 2.5, name: 'Ann', items: [1, 2, 3], nested: { a: { b: 1 } }, none: null, yes: true },
  vars: { carrier: 'none' },
  tasks: { charged: { status: 'COMPLETED', output: { score: 0.9 } }, 'book-it': { status: 'COMPLETED', output: 1 } },
  message: { key: 'k', value: { orderId: 'o-1' }, headers: {}, timestamp: new Date(0) },
  now: new Date('2026-01-01T00:00:00Z'),
}
const run = (source: string): Json => compileExpression(source).evaluate(roots)

for (const [source, value] of [
  ['input.count + 1', 4],
  ['1 + input.count', 4],
  ['input.count * 2 - 1', 5],
  ['input.half * 2', 5],
  ['input.count / 2', 1.5],
  ['7 / 2', 3],
  ['input.count % 2', 1],
  ['7 % input.count', 1],
  ['input.count == 3', true],
  ['3 == input.count', true],
  ['input.count != 3', false],
  ['double(input.count) == 3', true],
  ['size(input.items) == input.count', true],
  ['input.count >= 3 && input.half < 3', true],
  ['input.items[1]', 2],
  ['input.items[input.count - 1]', 3],
  ['3 in input.items', true],
  ['input.items == [1, 2, 3]', true],
  ['input.items.map(x, x * 2)', [2, 4, 6]],
  ['input.items.filter(x, x > 1).size()', 2],
  ['input.items.exists(x, x == 2)', true],
  ['has(input.missing)', false],
  ['has(input.name)', true],
  ['input.?missing.orValue("none")', 'none'],
  ['input.?nested.?a.?b.orValue(0)', 1],
  ['input.none == null', true],
  ['tasks["book-it"].output', 1],
  ['tasks.charged.output.score > 0.8', true],
  ['[1, "two", null, true]', [1, 'two', null, true]],
  ['{"a": 1, "b": [now]}', { a: 1, b: ['2026-01-01T00:00:00.000Z'] }],
  ['now + duration("1h")', '2026-01-01T01:00:00.000Z'],
  ['duration("90s")', '90s'],
  ['message.timestamp', '1970-01-01T00:00:00.000Z'],
  ['b"abc"', 'YWJj'],
  ['input.name.matches("^A[a-z]+$")', true],
  ['cel.bind(n, input.count, n + n)', 6],
  ['-0.0', 0],
] as const) {
  test(`${source} gives ${JSON.stringify(value)}`, () => assert.deepEqual(run(source), value))
}

for (const source of [
  'input.missing',
  'input.nested.a.b.c',
  'input.items[9]',
  'input.name + input.count',
  'input.name > 1',
  '!input.none',
  'double(input.count) / 0.0',
  '9007199254740993',
  '9223372036854775807 + 1',
  'type(input.count)',
  'dyn(input.?missing)',
  'tasks.charged.output.score.constructor',
  'message.value.orderId.length',
  'optional.of(input.count).value().x',
]) {
  test(`X1: ${source} fails with an ExpressionError, not with an empty value`, () => {
    const expression = compileExpression(source)
    assert.throws(
      () => expression.evaluate(roots),
      (error) => error instanceof ExpressionError && error.code === 'expression',
    )
  })
}

test('C1: the ways out of other sandboxes lead nowhere', () => {
  for (const source of [
    'input.constructor',
    'input["constructor"]',
    'input.__proto__',
    'input["__proto__"]',
    'input.constructor.constructor("return process")()',
    'input["constructor"]["constructor"]',
    'input.items.constructor',
    'input.name.constructor',
    'input.toString',
    'input.toString()',
    'input.hasOwnProperty("x")',
    'input.items.push(1)',
    '"".constructor.constructor("return this")()',
    '(function(){ return this.process.mainModule.require("child_process").execSync("id").toString() })()',
    '{}.constructor.constructor("return process.env")()',
    'this.process',
    'globalThis',
    'process.env.HOME',
    'require("fs")',
    'import("fs")',
    'now.constructor',
    'message.timestamp.constructor.constructor("return process")()',
    'input.items.map(x, x.constructor)',
    '`${process}`',
    'x => x',
  ]) {
    assert.throws(
      () => compileExpression(source).evaluate(roots),
      (error) => error instanceof ExpressionError || error instanceof ExpressionSyntaxError,
      source,
    )
  }
})

test('C1: own keys with the names of host things are data like any other', () => {
  const input: object = JSON.parse('{"__proto__": {"polluted": 1}, "a": {"prototype": 2}}')
  assert.deepEqual(compileExpression('input["__proto__"].polluted').evaluate({ input }), 1)
  const copy = compileExpression('input').evaluate({ input })
  assert.deepEqual(Object.keys(Object(copy)), ['__proto__', 'a'])
  assert.equal(Object.getPrototypeOf(copy), Object.prototype)
  assert.equal('polluted' in {}, false)
})

test('C2: what an expression names is known: roots, tasks, and no variables of loops', () => {
  const { uses } = compileExpression('input.items.map(i, i + tasks.a.output + tasks["b-c"].output).size() > vars.x')
  assert.deepEqual([...uses.roots].sort(), ['input', 'tasks', 'vars'])
  assert.deepEqual(uses.tasks, ['a', 'b-c'])
  assert.deepEqual([...compileExpression('[1].exists(input, input > 0)').uses.roots], [])
  assert.deepEqual([...compileExpression('cel.bind(vars, input, vars)').uses.roots], ['input'])
})

for (const source of [
  '',
  'input.',
  'input.x +',
  '1 + "a"',
  '${ input.x }',
  'input.?x',
  'optional.none()',
  'tasks',
  'tasks[vars.name].output',
  'size(tasks)',
  'input.name.matches(input.pattern)',
  'input.name.matches("(a+)+$")',
  'input.name.matches("(")',
  'input.name.matches("(a|a)*$")',
  'input.name.matches("(ab){2,}")',
  'input.name.matches("(a)\\\\1")',
  `input.name.matches("${'a'.repeat(201)}")`,
  '[1].map(a, [1].map(b, [1].map(c, [1].map(d, d))))',
  `${'('.repeat(200)}1${')'.repeat(200)}`,
  `1${' + 1'.repeat(1_000)}`,
  'x'.repeat(5_000),
  'input.x ? "a" : 1',
]) {
  test(`C3: ${source.slice(0, 60)} does not compile`, () => {
    assert.throws(
      () => compileExpression(source),
      (error) => error instanceof ExpressionSyntaxError && error.faults.length === 1,
    )
  })
}

test('X3: a result that is too large or too deep fails', () => {
  const input = { text: 'x'.repeat(10_000), list: Array.from({ length: 1_000 }, (_, index) => index) }
  assert.throws(() => compileExpression('input.list.map(x, input.text)').evaluate({ input }), ExpressionError)
  let deep: Json = 1
  for (let level = 0; level < 50_000; level++) deep = [deep]
  assert.throws(() => compileExpression('input').evaluate({ input: deep }), ExpressionError)
  assert.throws(() => compileExpression('input == [input]').evaluate({ input: deep }), ExpressionError)
})

test('a failure names the expression and points into it', () => {
  assert.throws(() => run('input.nested.zz.b'), { message: /`input\.nested\.zz\.b`\n {2}input\.nested\.zz\.b\n +\^$/ })
})

test('a text that is only an expression keeps its type, and one inside text is written into it', () => {
  const template = compileTemplate({
    count: '${ input.count }',
    list: ['${input.items}', 'plain', 7],
    text: 'Hello ${ input.name }, ${ input.count } of ${ input.half } ${ input.yes } ${ input.none } ${ input.items }!',
    block: '${ input.count }\n',
  })
  assert.deepEqual(template.evaluate(roots), {
    count: 3,
    list: [[1, 2, 3], 'plain', 7],
    text: 'Hello Ann, 3 of 2.5 true null [1,2,3]!',
    block: 3,
  })
  assert.equal(template.isConstant, false)
  assert.deepEqual([...template.uses.roots], ['input'])
})

test('braces and quotes inside CEL texts do not end an expression', () => {
  for (const [text, value] of [
    ['${ {"a": {"b": 1}}["a"]["b"] }', 1],
    ["${ '}' }", '}'],
    ['${ "\\"}" }', '"}'],
    ['${ r"\\d}" }', '\\d}'],
    ['${ """a"}b""" }', 'a"}b'],
    ['a${"b"}${"c"}', 'abc'],
  ] as const) {
    assert.deepEqual(compileTemplate(text).evaluate({}), value)
  }
})

test('$${ is a literal ${, and a text with no expression is constant', () => {
  for (const [text, value] of [
    ['$${ input.x }', '${ input.x }'],
    ['price: $5', 'price: $5'],
    ['a $${b} $${c}', 'a ${b} ${c}'],
    ['', ''],
  ] as const) {
    const template = compileTemplate([text, { k: text }])
    assert.equal(template.isConstant, true)
    assert.deepEqual(template.evaluate({}), [value, { k: value }])
  }
  assert.equal(compileTemplate('$${x} ${ 1 + 1 }').evaluate({}), '${x} 2')
})

test('every fault of a template is told with its place', () => {
  assert.throws(
    () => compileTemplate({ a: 'x ${ 1 + }', b: ['${ open'], '${ key }': 1, c: '${}' }),
    (error) =>
      error instanceof ExpressionSyntaxError &&
      error.faults.map((fault) => fault.path.join('.')).join(' ') === 'a b.0 ${ key } c' &&
      error.faults[0]!.offset > 4,
  )
})
