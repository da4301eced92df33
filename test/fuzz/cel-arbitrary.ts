// Texts that are CEL, nearly CEL, or made of its words; and values for its names.
import fc from 'fast-check'
import type { Json } from '../../src/base/json.ts'
import { hostKeys, hostileJson, hostileKey, hostileTexts } from './hostile/values.ts'

const name = fc.constantFrom('input', 'vars', 'tasks.a', 'tasks["b-c"].output', 'message.value', 'instance.key', 'now')
const field = fc.oneof(fc.constantFrom('a', 'items', 'text', 'n', 'pairs', 'bytes', ...hostKeys), hostileKey)
const bound = fc.constantFrom('x', 'y', 'z')

const literal = fc.oneof(
  fc.integer().map(String),
  fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }).map(String),
  fc.nat().map((value) => `${value}u`),
  fc.double().map(String),
  fc.constantFrom(
    'true',
    'false',
    'null',
    '0x1F',
    '1e308',
    '.5',
    '-0.0',
    '9223372036854775807',
    '-9223372036854775808',
  ),
  fc.constantFrom(...hostileTexts, 'PT1S', '1h', '-1.5h', '2026-01-01T00:00:00Z', 'Europe/Berlin', 'a,b').map(quoted),
  fc.string({ unit: 'binary', maxLength: 8 }).map(quoted),
  fc.constantFrom(`b"\\xff\\x00"`, `b'{"a":1}'`, `r"\\d+"`, `"""a"b"""`, `'\\u{1F600}'`, `"\\ud800"`, 'b""'),
)

const pattern = fc
  .array(
    fc.constantFrom(
      'a',
      '.',
      '\\d',
      '\\w',
      '[a-z]',
      '[^,]',
      '\\s',
      '^',
      '$',
      '(',
      ')',
      '|',
      '*',
      '+',
      '?',
      '{2,}',
      'x*',
      '.*',
    ),
    { maxLength: 10 },
  )
  .map((parts) => quoted(parts.join('')))

const binary = fc.constantFrom('+', '-', '*', '/', '%', '==', '!=', '<', '<=', '>', '>=', '&&', '||', 'in')
// oxfmt-ignore
const call = fc.constantFrom(
  'size', 'string', 'int', 'uint', 'double', 'bool', 'bytes', 'dyn', 'type', 'duration', 'timestamp', 'has',
)
// oxfmt-ignore
const method = fc.constantFrom(
  'size', 'startsWith', 'endsWith', 'contains', 'matches', 'lowerAscii', 'upperAscii', 'trim', 'indexOf', 'lastIndexOf',
  'substring', 'split', 'join', 'json', 'hex', 'base64', 'string', 'at', 'getFullYear', 'getHours', 'getMilliseconds',
  'getSeconds', 'hasValue', 'value', 'orValue', 'or', 'constructor', 'toString',
)
const loop = fc.constantFrom('all', 'exists', 'exists_one', 'map', 'filter')

/** By the grammar: all operators, macros and functions, of any type. */
const byGrammar = fc.letrec<{ expression: string }>((tie) => {
  const inner = tie('expression')
  return {
    expression: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      { weight: 3, arbitrary: literal },
      { weight: 5, arbitrary: name },
      { weight: 2, arbitrary: bound },
      { weight: 3, arbitrary: fc.tuple(inner, field).map(([of, key]) => `${of}[${quoted(key)}]`) },
      {
        weight: 4,
        arbitrary: fc
          .tuple(inner, fc.constantFrom('a', 'items', 'text', 'n', 'pairs', 'constructor'))
          .map(([of, key]) => `${of}.${key}`),
      },
      { weight: 2, arbitrary: fc.tuple(inner, inner).map(([of, key]) => `${of}[${key}]`) },
      { weight: 1, arbitrary: fc.tuple(inner, field).map(([of, key]) => `${of}[?${quoted(key)}].orValue(null)`) },
      { weight: 1, arbitrary: fc.tuple(inner, inner).map(([of, other]) => `${of}.?a.orValue(${other})`) },
      { weight: 6, arbitrary: fc.tuple(inner, binary, inner).map((parts) => `(${parts.join(' ')})`) },
      { weight: 1, arbitrary: inner.map((of) => `!(${of})`) },
      { weight: 1, arbitrary: inner.map((of) => `-(${of})`) },
      { weight: 2, arbitrary: fc.tuple(inner, inner, inner).map(([a, b, c]) => `(${a} ? ${b} : ${c})`) },
      { weight: 3, arbitrary: fc.tuple(call, inner).map(([of, argument]) => `${of}(${argument})`) },
      {
        weight: 3,
        arbitrary: fc
          .tuple(inner, method, fc.array(inner, { maxLength: 2 }))
          .map(([of, word, given]) => `${of}.${word}(${given.join(', ')})`),
      },
      { weight: 1, arbitrary: fc.tuple(inner, pattern).map(([of, text]) => `${of}.matches(${text})`) },
      {
        weight: 3,
        arbitrary: fc
          .tuple(inner, loop, bound, inner)
          .map(([of, word, variable, body]) => `${of}.${word}(${variable}, ${body})`),
      },
      {
        weight: 1,
        arbitrary: fc.tuple(bound, inner, inner).map(([variable, of, body]) => `cel.bind(${variable}, ${of}, ${body})`),
      },
      { weight: 2, arbitrary: fc.array(inner, { maxLength: 4 }).map((items) => `[${items.join(', ')}]`) },
      {
        weight: 2,
        arbitrary: fc
          .array(fc.tuple(fc.oneof(hostileKey.map(quoted), inner), inner), { maxLength: 3 })
          .map((entries) => `{${entries.map(([key, value]) => `${key}: ${value}`).join(', ')}}`),
      },
      { weight: 1, arbitrary: fc.tuple(inner, inner).map(([of, other]) => `optional.of(${of}).or(${other}).value()`) },
    ),
  }
}).expression

// oxfmt-ignore
const words = fc.constantFrom(
  'input', 'vars', 'tasks', 'tasks.a.output', 'message', 'now', 'x', '.a', '["a"]', '.?b', '[?"b"]', '[0]', '(', ')', '[', ']',
  '{', '}', ' + ', ' - ', ' == ', ' && ', ' || ', '!', '-', '1', '2.5', '1u', '"x"', "'", '"', '"""', 'b"', 'r"', 'null', 'true',
  'has(', 'size(', '.map(x, ', '.exists(x, ', '.all(x, ', '.exists_one(', 'cel.bind(x, ', ', ', ' ? ', ' : ', 'duration("1s")',
  'optional.none()', 'optional.of(', '.orValue(', '${', '$${', '.matches("a")', '.matches(', '__proto__', '.constructor', '\\u0000',
  '//', '\n', '\0', '\uD800', '0x', '1e', '``', '`a`', ' in ', 'type(', 'dyn(', 'google.protobuf.Duration',
)
const soup = fc.array(words, { maxLength: 16 }).map((parts) => parts.join(''))

/** Expressions that have many loops over much data, or text that grows with each of them. */
const greedy = fc
  .record({
    over: fc.constantFrom('input.items', 'input.text.split("a")', 'input.pairs', 'input.items + input.items'),
    depth: fc.integer({ min: 1, max: 3 }),
    word: loop,
    body: fc.constantFrom(
      'x',
      'x == x',
      'x in input.items',
      'input.items',
      'input.text + input.text',
      'input.text.lowerAscii().upperAscii()',
      'input.text.matches("a*b*c")',
      'input.text.matches(".*a.*b.*c.*d")',
      'input.text.matches("^(?=a+a+b)")',
      'input.text.split("")',
      'input.text.split("").join(input.text)',
      'input.pairs == input.others',
      'input.pairs in [input.others]',
      'input.missing',
      'x.missing || input.text.contains("zz")',
      'now.getHours("Europe/Berlin")',
      'timestamp("2026-01-01T00:00:00Z")',
      'bytes(input.text).json()',
      'size(input.text)',
      'string(bytes(input.text))',
      'input.items + input.items',
    ),
  })
  .map(({ over, depth, word, body }) => {
    let text: string = body
    for (let level = 0; level < depth; level++) text = `${over}.${word}(x, ${text})`
    return text
  })

const doubled = fc
  .tuple(fc.constantFrom('input.text', 'input.items', '"ab"', '[1, 2]', 'bytes(input.text)'), fc.nat(8))
  .map(([of, times]) => {
    let text: string = of
    for (let level = 0; level < times; level++) text = `(${text} + ${text})`
    return text
  })

export const celText = {
  grammar: byGrammar,
  soup,
  greedy: fc.oneof({ weight: 4, arbitrary: greedy }, { weight: 1, arbitrary: doubled }),
} as const

/** Values for `input`: anything, or much of one thing. */
export const celInput: fc.Arbitrary<Json> = fc.oneof(
  { weight: 4, arbitrary: hostileJson },
  {
    weight: 2,
    arbitrary: fc.record({
      a: hostileJson,
      items: fc.array(hostileJson, { maxLength: 5 }),
      text: fc.constantFrom(...hostileTexts),
      n: fc.double({ noNaN: true, noDefaultInfinity: true }),
      pairs: fc.dictionary(hostileKey, hostileJson, { maxKeys: 3 }),
    }),
  },
)

/** Much data: as much of each as a record may hold. */
export const muchInput: fc.Arbitrary<Json> = fc
  .record({
    items: fc.constantFrom(10, 300, 3_000, 100_000),
    text: fc.constantFrom(10, 2_000, 50_000, 300_000),
    unit: fc.constantFrom('a', 'ab,', 'é', '𝄞'),
    pairs: fc.constantFrom(3, 300, 10_000),
  })
  .map(({ items, text, unit, pairs }) => ({
    items: Array.from({ length: items }, (_, index) => index),
    text: unit.repeat(text / unit.length),
    pairs: pairsOf(pairs),
    others: pairsOf(pairs),
  }))

function pairsOf(length: number): { readonly [key: string]: Json } {
  return Object.fromEntries(Array.from({ length }, (_, index) => [`k${index}`, [index]]))
}

/** As CEL writes a text. */
function quoted(text: string): string {
  return JSON.stringify(text)
}
