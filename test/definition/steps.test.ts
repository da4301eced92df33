// What strangers put into values does not hold up a worker: evaluations end after a number of steps, by values and text
// alone, and what people write on what people send is far below it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '../../src/base/json.ts'
import { compileExpression, ExpressionError } from '../../src/definition/expression.ts'

const numbers = Array.from({ length: 100_000 }, (_, index) => index)
const input: Json = {
  numbers,
  hundred: numbers.slice(0, 100),
  text: 'x'.repeat(700_000),
  name: 'Ann Smith',
  mail: `${'a'.repeat(60)}@example.com`,
  a: Object.fromEntries(numbers.slice(0, 5_000).map((each) => [`k${each}`, [each]])),
  b: Object.fromEntries(numbers.slice(0, 5_000).map((each) => [`k${each}`, [each]])),
  flags: { '0': true },
}
const evaluate = (source: string): Json => compileExpression(source).evaluate({ input, now: new Date(0) })

for (const source of [
  'input.numbers.all(x, x >= 0)',
  'input.numbers.map(x, x)',
  'input.numbers.filter(x, x > 1)',
  'input.numbers.exists(x, x == -1)',
  'input.numbers.exists_one(x, x == 0)',
  'input.numbers.exists(a, input.numbers.exists(b, a + b < 0))',
  'input.hundred.map(a, input.hundred.map(b, input.hundred.map(c, 1)))',
  'input.numbers.exists(x, -1 in input.hundred)',
  'input.hundred.exists(x, -1 in input.numbers)',
  'input.hundred.all(x, input.a == input.b)',
  'input.hundred.all(x, input.a in [input.b])',
  'input.hundred.map(x, input.text.lowerAscii())',
  'input.hundred.map(x, input.text + input.text)',
  'input.hundred.map(x, input.numbers + input.numbers)',
  'input.hundred.map(x, size(input.text))',
  'input.text.split("").join(input.text)',
  'input.hundred.map(x, input.hundred.map(y, now.getHours("Europe/Berlin")))',
  'input.text.matches("x*y")',
  'input.text.matches(".*a.*b.*c")',
  'input.text.matches("^x+x+y$")',
  `input.name.matches("${'(a|b)'.repeat(24)}")`,
]) {
  test(`W1: ${source.slice(0, 70)} ends before it is done`, () => {
    assert.throws(() => evaluate(source), ExpressionError)
  })
}

for (const source of [
  'input.numbers.all(x, x.missing) || true',
  'input.numbers.exists(x, x.missing) || true',
  'input.numbers.all(x, x) || true',
  'input.numbers.all(a, input.numbers.all(b, b.missing) || a.missing) || true',
]) {
  test(`W2: ${source} fails, although its errors are swallowed`, () => {
    assert.throws(() => evaluate(source), ExpressionError)
  })
}

for (const [source, value] of [
  ['input.hundred.all(a, input.hundred.exists_one(b, a == b))', true],
  ['input.numbers.exists(x, x == 1000)', true],
  ['size(input.numbers)', 100_000],
  ['input.numbers[99999]', 99_999],
  ['5000 in input.numbers', true],
  ['input.a == input.b', true],
  ['input.text.startsWith("xx") && input.text.size() == 700000', true],
  ['input.name.split(" ").map(x, x.upperAscii()).join("-")', 'ANN-SMITH'],
  ['input.name.matches("^[A-Z][a-z]+ [A-Z][a-z]+$")', true],
  ['input.mail.matches("^[^@ ]+@[^@ ]+[.][a-z]{2,}$")', true],
  ['input.text.matches("^x{3}")', true],
  ['input.hundred.filter(x, x > 97).map(x, now.getFullYear("Europe/Berlin"))', [1970, 1970]],
] as const) {
  test(`${source} is far below that`, () => assert.deepEqual(evaluate(source), value))
}

test('an evaluation has its steps for itself, however many went before', () => {
  const expression = compileExpression('input.hundred.map(x, x * 2).size()')
  for (let run = 0; run < 2_000; run++) assert.equal(expression.evaluate({ input }), 100)
})

test('C1: the keys of a map are its own, those of host things among them', () => {
  assert.deepEqual(
    evaluate('{"constructor": 1, "__proto__": 2, "prototype": 3, "a": 4}'),
    JSON.parse('{"constructor": 1, "__proto__": 2, "prototype": 3, "a": 4}'),
  )
})

test('C1: an own key `__proto__` is never taken for what every object inherits', () => {
  const values = { input: JSON.parse('{"a": {"__proto__": {}}, "b": {"x": 1}}') }
  for (const source of ['input.a == input.b', 'input.a != input.b', 'input.a in [input.b]', '[input.a] == [input.b]']) {
    assert.throws(() => compileExpression(source).evaluate(values), ExpressionError, source)
  }
})

test('X3: bytes count like text, the last ones too', () => {
  assert.throws(() => evaluate('bytes(input.text) + bytes(input.text)'), ExpressionError)
})
