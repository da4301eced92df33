// Expressions and templates of strangers on values of strangers: compiled or refused as syntax, then JSON of our own or
// an ExpressionError. Whatever comes out is looked at in full: a function, a prototype or an object of the host is a
// violation, and so is a result beyond the limits of a payload.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Json } from '../../src/base/json.ts'
import { limits } from '../../src/base/limits.ts'
import {
  compileExpression,
  compileTemplate,
  ExpressionError,
  ExpressionSyntaxError,
} from '../../src/definition/expression.ts'
import { celInput, celText, muchInput } from './cel-arbitrary.ts'
import { escapes } from './hostile/escapes.ts'
import { nestedJson } from './hostile/values.ts'
import type { Attack, Outcome, Target } from './target.ts'

interface Formula extends Attack {
  readonly kind: 'escape' | 'grammar' | 'soup' | 'greedy' | 'template'
  readonly source: Json
  readonly input: Json
}

const grammar = fc.record({ kind: fc.constant('grammar' as const), source: celText.grammar, input: celInput })
const soup = fc.record({ kind: fc.constant('soup' as const), source: celText.soup, input: celInput })
const greedy = fc.record({ kind: fc.constant('greedy' as const), source: celText.greedy, input: muchInput })
const text = fc.oneof(
  celText.soup,
  celText.grammar.map((source) => `\${${source}}`),
  fc.tuple(celText.grammar, celText.soup).map(([source, rest]) => `a \${ ${source} } b ${rest}`),
  fc.string(),
)
const template = fc.record({
  kind: fc.constant('template' as const),
  source: fc.oneof(text, fc.array(text, { maxLength: 3 }), fc.dictionary(fc.string(), text, { maxKeys: 3 })),
  input: celInput,
})

/** What an escape is tried on: own keys of those names among the data, so that nothing is merely missing. */
const bait: Json = JSON.parse(
  '{"name": "constructor", "items": [[], "", {}, 0], "__proto__": {"polluted": 1}, "constructor": {"prototype": {"x": 1}}}',
)
const plain: Json = { name: 'constructor', items: [[], '', {}, 0] }

function* corpus(): Iterable<Formula> {
  for (const source of escapes) {
    for (const input of [bait, plain]) {
      yield { kind: 'escape', source, input }
      yield { kind: 'template', source: { key: `\${ ${source} }` }, input }
    }
  }
  const deep: Json = JSON.parse(nestedJson(limits.jsonDepthMax))
  for (const source of ['input', 'input == input', '[input]', 'input == [input]', '{"a": input}']) {
    yield { kind: 'greedy', source, input: deep }
  }
  const text = 'x'.repeat(limits.payloadBytesMax - 100)
  for (const source of [
    'input.text + input.text',
    'input.text.matches("x*y")',
    'input.text.matches("x*x*x*x*x*x*x*x*y")',
    'input.text.matches("^[^@]+@[^@]+[.]com$")',
    'input.text.split("").map(x, x + x)',
    'input.text.split("").join(input.text)',
    `input.text.contains(${JSON.stringify('x'.repeat(2_000))} + "y")`,
    `[${Array(400).fill('input.text').join(', ')}].map(x, x.upperAscii())`,
    Array(400).fill('input.text').join(' + '),
  ]) {
    yield { kind: 'greedy', source, input: { text } }
  }
}

export const expressions: Target<Formula> = {
  name: 'expressions',
  corpus: [...corpus()],
  arbitrary: fc.oneof(
    { weight: 60, arbitrary: grammar },
    { weight: 20, arbitrary: soup },
    { weight: 18, arbitrary: template },
    { weight: 2, arbitrary: greedy },
  ),
  inputsEach: 1,
  required: ['syntax', 'failed', 'null', 'boolean', 'number', 'string', 'list', 'object'],
  kinds: ['escape', 'grammar', 'soup', 'greedy', 'template'],
  run(formula) {
    let value: Json
    try {
      const compiled =
        formula.kind === 'template' || typeof formula.source !== 'string'
          ? compileTemplate(formula.source)
          : compileExpression(formula.source)
      value = compiled.evaluate(rootsOf(formula.input))
    } catch (error) {
      if (error instanceof ExpressionSyntaxError) return { classes: ['syntax'], verify: () => checkFaults(error) }
      if (error instanceof ExpressionError) return { classes: ['failed'] }
      throw error
    }
    return outcomeOf(value, formula.input)
  },
}

const time = new Date(Date.UTC(2026, 0, 1))

function rootsOf(input: Json): object {
  return {
    input,
    vars: new Map<string, Json>([['a', input]]),
    tasks: { a: { status: 'COMPLETED', output: input }, 'b-c': { status: 'SKIPPED' } },
    instance: { id: 'i', key: 'k', workflow: 'w', version: 'w@1', startedAt: time },
    message: { topic: 't', partition: 0, offset: 1, timestamp: time, key: null, value: input, headers: {} },
    now: time,
  }
}

function checkFaults(error: ExpressionSyntaxError): void {
  assert.ok(error.faults.length > 0)
  for (const { offset, message } of error.faults) assert.ok(offset >= 0 && message.length > 0)
}

function outcomeOf(value: Json, input: Json): Outcome {
  return {
    classes: [value === null ? 'null' : Array.isArray(value) ? 'list' : typeof value],
    verify() {
      const before = JSON.stringify(input)
      checkJson(value, 0)
      // Texts of a template have limits of their own, one by one.
      assert.ok(JSON.stringify(value).length <= 8 * limits.payloadBytesMax, 'the result is too large')
      assert.equal(JSON.stringify(input), before, 'the input was changed')
    },
  }
}

/** Plain JSON all the way down. */
function checkJson(value: unknown, depth: number): void {
  assert.ok(depth <= limits.jsonDepthMax + 2, 'the result is nested too deep')
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return
  if (typeof value === 'number') return assert.ok(Number.isFinite(value), 'a number that JSON cannot say')
  assert.equal(typeof value, 'object', 'a result that is no JSON')
  const object = Object(value)
  const prototype: unknown = Object.getPrototypeOf(object)
  assert.ok(prototype === Object.prototype || prototype === Array.prototype, 'an object of the host')
  assert.ok(object !== Object.prototype && object !== Array.prototype, 'a prototype itself')
  for (const key of Reflect.ownKeys(object)) {
    if (key === 'length' && Array.isArray(object)) continue
    const found = Object.getOwnPropertyDescriptor(object, key)
    assert.ok(typeof key === 'string' && found?.get === undefined && found?.set === undefined, 'an accessor')
    checkJson(found?.value, depth + 1)
  }
}
