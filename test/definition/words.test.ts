import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { canonicalJson, versionOf } from '../../src/definition/canonical.ts'
import { parseDuration } from '../../src/definition/duration.ts'
import { codeFrame } from '../../src/definition/frame.ts'
import { dependentsOf, findCycles, topologicalOrder } from '../../src/definition/graph.ts'
import { nearest } from '../../src/definition/nearest.ts'
import { parseTime } from '../../src/definition/time.ts'

test('durations are read in short and in ISO 8601 form', () => {
  for (const [text, ms] of [
    ['250ms', 250],
    ['30s', 30_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['7d', 604_800_000],
    ['1w', 604_800_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['0s', 0],
    ['PT1H30M', 5_400_000],
    ['P1D', 86_400_000],
    ['P1W', 604_800_000],
    ['P1DT0.5S', 86_400_500],
  ] as const) {
    assert.equal(parseDuration(text), ms, text)
  }
})

test('what is no duration, has no fixed length or is longer than ten years is none', () => {
  for (const text of [
    '',
    '5',
    '5 m',
    's',
    '-5m',
    '1y',
    'P1M',
    'P1Y',
    'P',
    'PT',
    'P1DT',
    '30m1h',
    '1h1h',
    '5minuts',
    '4000d',
    `${'9'.repeat(99)}s`,
    '1e3s',
  ]) {
    assert.equal(parseDuration(text), undefined, text)
  }
})

test('times are RFC 3339 and nothing else', () => {
  assert.equal(parseTime('2026-01-01T00:00:00Z'), 1_767_225_600_000)
  assert.equal(parseTime('2026-01-01T01:00:00.5+01:00'), 1_767_225_600_500)
  for (const text of ['2026-01-01', 'tomorrow', '2026-13-01T00:00:00Z', '2026-01-01T00:00:00'])
    assert.equal(parseTime(text), undefined)
})

test('the nearest name is one that a person may have meant, or none', () => {
  const names = ['charge', 'charged', 'ship', 'decision']
  assert.equal(nearest('chrage', names), 'charge')
  assert.equal(nearest('Ship', names), 'ship')
  assert.equal(nearest('desicion', names), 'decision')
  assert.equal(nearest('warehouse', names), undefined)
})

test('an order puts dependencies first, and cycles are named in full and once', () => {
  const graph = new Map([
    ['c', ['b', 'elsewhere']],
    ['b', ['a']],
    ['a', []],
  ])
  assert.deepEqual(topologicalOrder(graph), ['a', 'b', 'c'])
  assert.deepEqual(findCycles(graph), [])
  assert.deepEqual(dependentsOf(graph).get('b'), ['c'])
  const knotted = new Map([
    ['a', ['b']],
    ['b', ['c']],
    ['c', ['b']],
    ['d', ['d']],
    ['e', []],
  ])
  assert.deepEqual(findCycles(knotted), [['b', 'c'], ['d']])
})

test('canonical JSON and versions do not depend on the order of keys, and do on everything else', () => {
  assert.equal(canonicalJson({ b: [2, 1], a: { d: null, c: 'x' } }), '{"a":{"c":"x","d":null},"b":[2,1]}')
  const version = versionOf('order', canonicalJson({ a: 1, b: 2 }))
  assert.match(version, /^order@[0-9a-f]{8}$/)
  assert.equal(version, versionOf('order', canonicalJson({ b: 2, a: 1 })))
  assert.notEqual(version, versionOf('order', canonicalJson({ a: 1, b: 3 })))
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const once = canonicalJson(JSON.parse(JSON.stringify(value)))
      assert.equal(canonicalJson(JSON.parse(once)), once)
    }),
  )
})

test('a frame of a long line is cut to the part around the caret', () => {
  const [line, caret] = codeFrame([`${'x'.repeat(400)}!${'y'.repeat(400)}`], 1, 401).split('\n')
  assert.ok(line!.length < 130)
  assert.equal(line![caret!.indexOf('^')], '!')
})
