import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { Json } from '../../src/base/json.ts'
import {
  compileExpression,
  compileTemplate,
  ExpressionError,
  ExpressionSyntaxError,
} from '../../src/definition/expression.ts'
import { compileWorkflow, loadWorkflows } from '../../src/definition/parse.ts'

const example = readFileSync(new URL('../../workflows/order.yaml', import.meta.url), 'utf8')
const isTyped = (error: unknown): boolean => error instanceof ExpressionError || error instanceof ExpressionSyntaxError

/** Runs, and lets through only the errors that callers know. */
function onlyTyped(act: () => unknown): void {
  try {
    act()
  } catch (error) {
    assert.ok(isTyped(error), String(error))
  }
}

// oxfmt-ignore
const words = fc.constantFrom(
  'input', 'vars', 'tasks', '.a', '["a"]', '.?b', '[0]', '(', ')', '[', ']', '{', '}', ' + ', ' == ', ' && ', '!', '-', '1',
  '2.5', '"x"', "'", 'null', 'has(', 'size(', '.map(x, ', '.exists(x, ', 'x', ', ', ' ? ', ' : ', 'duration("1s")', 'now',
  'optional.none()', '.orValue(', '${', '$${', '.matches("a")',
)
const celText = fc.array(words, { maxLength: 14 }).map((parts) => parts.join(''))
const json = fc.jsonValue({ maxDepth: 4 }).map((value): Json => JSON.parse(JSON.stringify(value)))

test('X1: no expression and no value makes anything but a typed error', () => {
  fc.assert(
    fc.property(celText, json, (source, input) => {
      onlyTyped(() =>
        JSON.stringify(compileExpression(source).evaluate({ input, vars: { a: 1 }, tasks: {}, now: new Date(0) })),
      )
    }),
    { numRuns: 3_000 },
  )
})

test('X1: no template and no value makes anything but a typed error', () => {
  const template = fc.oneof(
    celText,
    celText.map((source) => `\${${source}}`),
    fc.string(),
  )
  fc.assert(
    fc.property(fc.oneof(template, fc.array(template), fc.dictionary(fc.string(), template)), json, (value, input) => {
      onlyTyped(() => JSON.stringify(compileTemplate(value).evaluate({ input, vars: {}, tasks: {}, now: new Date(0) })))
    }),
    { numRuns: 2_000 },
  )
})

test('a template with no expression gives back what was written', () => {
  fc.assert(
    fc.property(json, (value) => {
      if (JSON.stringify(value).includes('${')) return
      assert.deepEqual(compileTemplate(value).evaluate({}), value)
    }),
  )
})

test('any text as a file gives problems, never an error', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        celText,
        json.map((value) => JSON.stringify(value)),
      ),
      (text) => {
        const { workflows, problems } = loadWorkflows([{ file: 'f.yaml', text }])
        assert.ok(workflows.length === 0 && problems.length > 0)
      },
    ),
    { numRuns: 1_000 },
  )
})

test('an example with a part cut out, doubled or replaced gives a workflow or problems with places', () => {
  const change = fc.record({
    from: fc.nat(example.length),
    length: fc.nat(40),
    insert: fc.oneof(fc.constant(''), celText, fc.string()),
  })
  fc.assert(
    fc.property(change, ({ from, length, insert }) => {
      const text = example.slice(0, from) + insert + example.slice(from + length)
      const { workflows, problems } = loadWorkflows([{ file: 'f.yaml', text }])
      assert.ok(workflows.length > 0 || problems.length > 0)
      for (const { place } of problems) assert.ok(place !== undefined && place.line >= 1 && place.column >= 1)
      for (const workflow of workflows) assert.equal(compileWorkflow(workflow.source).version, workflow.version)
    }),
    { numRuns: 200 },
  )
})

test('any value in any place of a document gives a workflow or problems', () => {
  const document: Json = JSON.parse(loadWorkflows([{ file: 'f.yaml', text: example }]).workflows[0]!.source)
  fc.assert(
    fc.property(fc.nat(200), json, (position, value) => {
      const text = JSON.stringify(replaceAt(document, { left: position }, value))
      const { workflows, problems } = loadWorkflows([{ file: 'f.json', text }])
      assert.ok(workflows.length > 0 || problems.length > 0)
    }),
    { numRuns: 300 },
  )
})

/** The document with its n-th value, counted in depth, replaced. */
function replaceAt(value: Json, count: { left: number }, by: Json): Json {
  if (count.left-- === 0) return by
  if (Array.isArray(value)) return value.map((item: Json) => replaceAt(item, count, by))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]: [string, Json]) => [key, replaceAt(entry, count, by)]),
  )
}
