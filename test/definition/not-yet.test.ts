import assert from 'node:assert/strict'
import { test } from 'node:test'
import { notYet } from '../../src/definition/not-yet.ts'
import { loadWorkflows } from '../../src/definition/parse.ts'

const problemsOf = (text: string) => loadWorkflows([{ file: 'f.yaml', text }]).problems
const task = (more: string, type = 'set', rest = ', set: { x: 1 }'): string =>
  `workflow: w\ntasks:\n  - { name: a, type: ${type}${rest}${more} }\n`
const listener = (more: string, instance = 'instance.key'): string =>
  task(more, 'kafka-listener', `, topic: t, correlate: { message: message.key, instance: ${instance} }`)
const workflow = (more: string): string => `${task('')}${more}\n`

const refused: readonly (readonly [what: string, text: string])[] = [
  ...notYet.taskKeys.map((key) => [key, task(`, ${key}: none`)] as const),
  ...notYet.workflowKeys.map((key) => [key, workflow(`${key}: { a: 1 }`)] as const),
  ...notYet.roots.map((root) => [root, task(`, when: ${root}.X == "x"`)] as const),
  [
    'attributes',
    task(', tasks: [{ name: b, type: set, set: { x: 1 }, compensate: { type: set, attributes: {} } }]', 'process', ''),
  ],
]

for (const [what, text] of refused) {
  test(`${what} is refused by its name: ${text.split('\n').at(2)?.trim()}`, () => {
    const problems = problemsOf(text)
    const message = `\`${what}\` is part of the workflow language, but this release does not run it yet`
    const refusal = problems.find((problem) => problem.code === 'DW_NOT_YET' && problem.message === message)
    assert.ok(refusal !== undefined && refusal.place!.line >= 3)
  })
}

test('what is written out and is the default anyway is accepted', () => {
  assert.deepEqual(problemsOf(listener(', match: one, onExpired: drop')), [])
  assert.deepEqual(problemsOf(workflow('onClosed: start\nonRunning: ignore')), [])
})
