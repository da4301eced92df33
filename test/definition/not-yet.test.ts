import assert from 'node:assert/strict'
import { test } from 'node:test'
import { notYet } from '../../src/definition/not-yet.ts'
import { loadWorkflows } from '../../src/definition/parse.ts'

const problemsOf = (text: string) => loadWorkflows([{ file: 'f.yaml', text }]).problems
const workflow = (more: string): string => `workflow: w\ntasks:\n  - { name: a, type: set, set: { x: 1 } }\n${more}\n`

for (const key of notYet) {
  test(`${key} is refused by its name`, () => {
    const problems = problemsOf(workflow(`${key}: { a: 1 }`))
    const message = `\`${key}\` is part of the workflow language, but this release does not run it yet`
    assert.deepEqual(
      problems.map(({ code, message: text, place }) => [code, text, place?.line]),
      [['DW_NOT_YET', message, 4]],
    )
  })
}

test('what is written out and is the default anyway is accepted', () => {
  const listener =
    '- { name: l, type: kafka-listener, topic: t, correlate: { message: message.key, instance: instance.key }, match: one, onExpired: drop }'
  assert.deepEqual(problemsOf(`workflow: w\nonClosed: start\nonRunning: ignore\ntasks:\n  ${listener}\n`), [])
})
