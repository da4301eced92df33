import assert from 'node:assert/strict'
import { test } from 'node:test'
import { triesOf } from '../../src/definition/pattern.ts'

const characters = 10
for (const [pattern, choices] of [
  ['^abc$', 1],
  ['abc', 10],
  ['^a*$', 10],
  ['^a+b*$', 100],
  ['^a*?b+?$', 100],
  ['^a?b?$', 4],
  ['^a??b$', 2],
  ['^a{3}$', 1],
  ['^a{2,4}$', 3],
  ['^a{2,}$', 10],
  ['^a{0,1000}$', 10],
  ['^\\d+[*+?{2,3}]\\+$', 10],
  ['^(?:a|b|c)$', 3],
  ['^(?=a+)(?!b)(?<name>c?)$', 20],
  ['^(a|b)(c|d)$', 4],
  ['^a|b$', 20],
  ['a|b', 20],
  ['[', 10],
] as const) {
  test(`${pattern} on ten characters leaves ${choices} choices`, () => {
    assert.equal(triesOf(pattern, characters), characters + choices)
  })
}
