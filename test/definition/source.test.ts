import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSource } from '../../src/definition/source.ts'

const codes = (text: string): readonly string[] => readSource('f.yaml', text).problems.map((problem) => problem.code)
const only = (text: string) => {
  const { documents, problems } = readSource('f.yaml', text)
  assert.deepEqual(problems, [])
  assert.equal(documents.length, 1)
  return documents[0]!
}

test('YAML is read by the core schema: yes is a text, 0x10 a number', () => {
  assert.deepEqual(only('a: yes\nb: 0x10\nc: ~\nd: true\ne: 1.5\nf: 2026-01-01').json, {
    a: 'yes',
    b: 16,
    c: null,
    d: true,
    e: 1.5,
    f: '2026-01-01',
  })
})

test('JSON is read as it is, tabs included', () => {
  assert.deepEqual(only('{\n\t"a": [1, "x", null, {}]\n}').json, { a: [1, 'x', null, {}] })
})

test('several documents in a file are several documents, and empty ones are none', () => {
  const { documents } = readSource('f.yaml', '---\na: 1\n---\n---\nb: 2\n')
  assert.deepEqual(
    documents.map((document) => document.json),
    [{ a: 1 }, { b: 2 }],
  )
})

for (const [what, text] of [
  ['a repeated key', 'a: 1\na: 2'],
  ['the same key as text and as number', '1: a\n"1": b'],
  ['a merge key', 'x: &x {a: 1}\ny:\n  <<: *x'],
  ['a tag', 'a: !secret b'],
  ['an unknown anchor', 'a: *x'],
  ['another version of YAML', '%YAML 1.1\n---\na: yes'],
  ['a number that would lose digits', 'a: 12345678901234567890'],
  ['an infinite number', 'a: .inf'],
  ['a key that is a list', '? [a]\n: 1'],
  ['the key __proto__', '__proto__: {a: 1}'],
  ['a tab as indentation', 'a:\n\tb: 1'],
] as const) {
  test(`${what} is a problem of YAML`, () => assert.deepEqual(codes(text), ['DW_YAML']))
}

test('an empty file says that it is empty', () => {
  assert.deepEqual(codes(''), ['DW_EMPTY'])
  assert.deepEqual(codes('# nothing\n'), ['DW_EMPTY'])
})

test('an unquoted expression in a flow collection is told to be quoted, once', () => {
  for (const text of ['a: { b: ${ input.x } }', 'a: [${ input.x }]', "a: ${ x ? {'k': 1} : 2 }"]) {
    const { problems } = readSource('f.yaml', text)
    assert.equal(problems.length, 1)
    assert.equal(problems[0]!.code, 'DW_YAML')
    assert.match(problems[0]!.message, /Quote the expression/)
  }
})

test('S1: size, depth and aliases are bounded, and a bomb is refused without being expanded', () => {
  const bomb = ['a0: &a0 [x, x, x]']
  for (let level = 1; level <= 16; level++)
    bomb.push(`a${level}: &a${level} [*a${level - 1}, *a${level - 1}, *a${level - 1}]`)
  const before = process.cpuUsage()
  for (const text of [
    'x'.repeat(262_145),
    '['.repeat(200_000),
    '- '.repeat(100_000),
    `${'{a: '.repeat(65)}1${'}'.repeat(65)}`,
    Array.from({ length: 80 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
    `x: &x 1\ny: [${'*x, '.repeat(51)}]`,
    bomb.join('\n'),
  ]) {
    assert.deepEqual(codes(text), ['DW_LIMIT'])
  }
  // What it computed, not how long it took: other people's load is not its fault. Expanded it would never end.
  const { user, system } = process.cpuUsage(before)
  assert.ok(user + system < 5_000_000)
})

test('fifty aliases are fine', () => {
  assert.deepEqual(codes(`x: &x 1\ny: [${'*x, '.repeat(50)}]`), [])
})

test('JSON on one line may have as many names as it likes: what a line nests is counted outside of flow collections', () => {
  const object = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`n${index}`, index]))
  assert.deepEqual(only(JSON.stringify(object)).json, object)
})

test('a problem carries line, column, path and a frame with a caret', () => {
  const problem = only('a:\n  - b: 1\n    c: two\n').problem('DW_X', ['a', 0, 'c'], 'wrong')
  assert.deepEqual(problem.place, { file: 'f.yaml', line: 3, column: 8 })
  assert.equal(problem.path, 'a[0].c')
  assert.equal(problem.frame, '  2 |   - b: 1\n> 3 |     c: two\n    |        ^\n  4 |')
})

test('places point at keys, through aliases, and at the last part that is there', () => {
  const document = only('x: &x\n  deep: 1\ny: *x\nz:\n')
  assert.equal(document.problem('DW_X', ['y', 'deep'], '').place?.line, 2)
  assert.deepEqual(document.problem('DW_X', ['x', 'deep'], '', { atKey: true }).place, {
    file: 'f.yaml',
    line: 2,
    column: 3,
  })
  assert.equal(document.problem('DW_X', ['z', 'missing', 3], '').place?.line, 4)
})

test('an offset moves along a text that is written as it is, and stays at the start of one that is not', () => {
  const document = only('a: hello\nb: "hello"\nc: "he\\tllo"\nd: |\n  hello\n')
  const column = (key: string) => document.problem('DW_X', [key], '', { offset: 3 }).place?.column
  assert.deepEqual(['a', 'b', 'c', 'd'].map(column), [7, 8, 4, 4])
})

test('control characters do not reach the frame', () => {
  const { problems } = readSource('f.yaml', 'a: "\u001b[31m\na: b')
  assert.ok(problems.length > 0)
  // oxlint-disable-next-line no-control-regex
  for (const { frame } of problems) assert.doesNotMatch(frame ?? '', /\u001b/)
})

test('places stay inside of a text that the parser could not read on the way', () => {
  const text = '{\nb: yes{|-\n  w\n{\nb: '
  const lines = text.split('\n')
  const { problems } = readSource('f.yaml', text)
  assert.ok(problems.length > 1)
  for (const { place } of problems) {
    assert.ok(place !== undefined && place.column <= (lines[place.line - 1]?.length ?? -1) + 1)
  }
})
