// kafka-command: one record, produced in the transaction that completes the task.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { limits } from '../../src/base/limits.ts'
import { engineWorld, workflowOf, type EngineWorld } from '../support/engine.ts'

const command = (more: string): string => `- { name: c, type: kafka-command, topic: out, ${more} }`
const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

/** An instance `k` with the input `{ id: 7 }` that has sent, or failed to. */
function sent(more: string, ...head: readonly string[]): EngineWorld {
  const world = engineWorld(workflowOf([command(more)], ...head))
  world.start('w', 'k', { id: 7 })
  return world
}

suite('a kafka-command', () => {
  test('produces one record under the instance’s key and completes with it', () => {
    const world = sent('value: { id: "${ input.id }", text: "no ${ input.id }" }')
    const value = { id: 7, text: 'no 7' }
    assert.deepEqual(world.produced, [{ topic: 'out', key: 'k', value, headers: {}, partition: undefined }])
    assert.equal(world.status('k'), 'COMPLETED')
  })

  test('takes key, headers and partition from its expressions, what is no text as JSON', () => {
    const world = sent(
      'value: 1, key: "${ input.id }", partition: "${ input.id - 5 }", headers: { a: x, b: "${ input }" }',
    )
    assert.deepEqual(world.produced, [
      { topic: 'out', key: '7', value: 1, headers: { a: 'x', b: '{"id":7}' }, partition: 2 },
    ])
  })

  test('whose value is null produces a tombstone, and whose key is null a record without one', () => {
    assert.deepEqual(sent('value: null').produced[0]?.value, null)
    assert.deepEqual(sent('value: 1, key: "${ null }"').produced[0]?.key, null)
  })

  test('carries the `traceparent` of the starting record on, unless it names its own', () => {
    for (const [headers, expected] of [
      ['', traceparent],
      [', headers: { traceparent: mine }', 'mine'],
    ] as const) {
      const world = engineWorld(workflowOf([command(`value: 1${headers}`)], 'start: [{ topic: t }]'))
      world.record('t', {}, { key: 'k', headers: { traceparent } })
      assert.deepEqual(world.produced[0]?.headers, { traceparent: expected })
    }
  })

  test('carries on no `traceparent` that is none: a header may hold anything, of any size', () => {
    for (const stranger of ['x'.repeat(1_000_000), '', 'drop table', `${traceparent}-more`]) {
      const world = engineWorld(workflowOf([command('value: 1')], 'start: [{ topic: t }]'))
      world.record('t', {}, { key: 'k', headers: { traceparent: stranger } })
      assert.deepEqual(world.produced[0]?.headers, {})
      assert.equal(world.instance('k').traceparent, undefined)
    }
  })

  test('that the log refuses fails under the reason, and nothing is produced', () => {
    const world = engineWorld(workflowOf([command('value: 1'), '- { name: z, type: work }']))
    world.refusedTopics.set('out', 'produce-rejected')
    world.start('w', 'k')
    assert.deepEqual(world.produced, [])
    assert.equal(world.task('k', 'c')?.error?.code, 'produce-rejected')
    assert.deepEqual(world.tasks('k'), { c: 'INCIDENT', z: 'NOT_STARTED' })
  })

  test('that the log refuses is tried again where its policy says so', () => {
    const world = engineWorld(workflowOf([command('value: 1, retry: { maxAttempts: 2, jitter: 0 }')]))
    world.refusedTopics.set('out', 'produce-rejected')
    world.start('w', 'k')
    world.refusedTopics.clear()
    world.advance('1s')
    assert.equal(world.produced.length, 1)
    assert.equal(world.status('k'), 'COMPLETED')
  })

  test('whose `set` fails produces nothing', () => {
    const world = sent('value: 1, set: { x: "${ input.no }" }', 'vars: { x: 0 }')
    assert.deepEqual([world.produced, world.tasks('k')], [[], { c: 'INCIDENT' }])
  })

  test('whose record is larger than any topic takes fails before it is staged', () => {
    const world = engineWorld(workflowOf([command('value: ["${ input }", "${ input }"]')]))
    world.start('w', 'k', 'x'.repeat(limits.recordBytesMax / 2))
    assert.equal(world.task('k', 'c')?.error?.code, 'produce-rejected')
  })

  for (const [what, more] of [
    ['a topic that is no text', 'value: 1, topic: "${ input.id }"'],
    ['an empty topic', `value: 1, topic: "\${ '' }"`],
    ['a negative partition', 'value: 1, partition: "${ 0 - 1 }"'],
    ['a partition that is no whole number', 'value: 1, partition: "${ 1.5 }"'],
    ['a value that cannot be evaluated', 'value: "${ input.no }"'],
  ] as const) {
    test(`fails with \`expression\` on ${what}`, () => {
      const line = `- { name: c, type: kafka-command, ${more.includes('topic:') ? '' : 'topic: out, '}${more} }`
      const world = engineWorld(workflowOf([line]))
      world.start('w', 'k', { id: 7 })
      assert.equal(world.task('k', 'c')?.error?.code, 'expression')
      assert.deepEqual(world.produced, [])
    })
  }
})
