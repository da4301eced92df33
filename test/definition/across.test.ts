import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ExpectedValue } from '../../src/definition/fitting.ts'
import { loadWorkflows } from '../../src/definition/parse.ts'

const load = (...texts: readonly string[]) =>
  loadWorkflows(texts.map((text, index) => ({ file: `${index}.yaml`, text })))
const warned = (...texts: readonly string[]): readonly string[] => {
  const { warnings, problems } = load(...texts)
  assert.deepEqual(problems, [])
  return warnings.map(({ code, place, path }) => `${place?.file}:${place?.line} ${code} ${path}`)
}

const parent = (more: string): string => `workflow: parent\ntasks:\n  - { name: call, type: workflow, ${more} }\n`
const child = `workflow: child
input: { type: object, required: [orderId], properties: { orderId: { type: string } }, additionalProperties: false }
tasks:
  - { name: a, type: set, set: { x: 1 } }
`

test('a child that no file has is a warning with the nearest name, for another source may publish it', () => {
  const { workflows, warnings } = load(parent('workflow: chidl'), child)
  assert.equal(workflows.length, 2)
  assert.deepEqual(
    warnings.map(({ code, suggestion }) => [code, suggestion]),
    [['DW_UNKNOWN_WORKFLOW', 'child']],
  )
  assert.deepEqual(warned(parent('workflow: "${ input.name }"')), [])
})

test('a child whose file has problems is there all the same', () => {
  const { warnings } = load(parent('workflow: child'), 'workflow: child\ntasks: []\n')
  assert.deepEqual(warnings, [])
})

test('what a child is given is held against its input as far as it can be known', () => {
  assert.deepEqual(warned(parent('workflow: child, input: { orderId: "${ instance.key }" }'), child), [])
  assert.deepEqual(warned(parent('workflow: child, input: { id: "${ instance.key }" }'), child), [
    '0.yaml:3 DW_CHILD_INPUT tasks[0].input',
    '0.yaml:3 DW_CHILD_INPUT tasks[0].input.id',
  ])
  assert.deepEqual(warned(parent('workflow: child'), child), ['0.yaml:3 DW_CHILD_INPUT tasks[0].input'])
})

test('a topic that one place reads from its earliest record and another from the latest is a warning, where both say so', () => {
  const reads = (name: string, from: string): string =>
    `workflow: ${name}\nstart:\n  - topic: orders\n${from}tasks:\n  - { name: a, type: set, set: { x: 1 } }\n`
  const latest = reads('a', '    from: latest\n')
  const earliest = reads('b', '    from: earliest\n')
  assert.deepEqual(warned(latest, earliest), ['0.yaml:4 DW_TOPIC_FROM start[0].from'])
  assert.deepEqual(warned(reads('a', ''), earliest), [])
  assert.deepEqual(warned(latest, earliest.replaceAll('orders', 'parcels')), [])
  const { warnings } = load(latest, earliest)
  assert.match(warnings[0]?.message ?? '', /at 1\.yaml:4/)
})

const input = {
  type: 'object',
  required: ['orderId'],
  properties: { orderId: { type: 'string' } },
  additionalProperties: false,
}

test('what a handler is given is held against the input schema that it exports, in compensations too', () => {
  const text = `workflow: w
tasks:
  - { name: a, type: book, with: { orderId: "\${ instance.key }" } }
  - { name: b, type: book, with: { orderId: 7 } }
  - { name: c, type: book, with: { ordreId: "\${ instance.key }" } }
  - { name: d, type: book }
  - { name: e, type: other, with: 1 }
  - name: f
    type: other
    compensate: { type: book }
  - name: g
    type: other
    compensate: { type: book, with: {} }
`
  const { problems } = loadWorkflows([{ file: 'f.yaml', text }], {
    handlers: ['book', 'other'],
    handlerInputs: new Map([['book', new ExpectedValue(input)]]),
  })
  assert.deepEqual(
    problems.map(({ code, place, path, suggestion }) => [code, place?.line, path, suggestion]),
    [
      ['DW_HANDLER_INPUT', 4, 'tasks[1].with.orderId', undefined],
      ['DW_HANDLER_INPUT', 5, 'tasks[2].with', undefined],
      ['DW_HANDLER_INPUT', 5, 'tasks[2].with.ordreId', 'orderId'],
      ['DW_HANDLER_INPUT', 6, 'tasks[3].with', undefined],
      ['DW_HANDLER_INPUT', 13, 'tasks[6].compensate.with', undefined],
    ],
  )
})
