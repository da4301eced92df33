import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { engineWorld, workflowOf } from '../support/engine.ts'

const rules = (onFailure: string): string =>
  workflowOf([
    `- { name: a, type: h, retry: { maxAttempts: 1 }, onFailure: ${onFailure} }`,
    '- { name: rescue, type: set, dependsOn: [a], set: { rescued: true } }',
    '- { name: fine, type: set, dependsOn: [a], set: { fine: true } }',
  ])

suite('onFailure', () => {
  test('`next` goes on elsewhere, and there alone', () => {
    const world = engineWorld(rules('{ next: [rescue] }'))
    world.start('w', 'k')
    world.grantAll()
    world.fail('a')
    assert.deepEqual(world.tasks('k'), { a: 'FAILED', rescue: 'COMPLETED', fine: 'SKIPPED' })
    assert.equal(world.status('k'), 'COMPLETED')
  })

  test('an edge to a task that `next` names is dead where the task did not fail', () => {
    const world = engineWorld(rules('{ next: [rescue] }'))
    world.start('w', 'k')
    world.grantAll()
    world.complete('a')
    assert.deepEqual(world.tasks('k'), { a: 'COMPLETED', rescue: 'SKIPPED', fine: 'COMPLETED' })
  })

  test('a list picks by error code, the first that fits; where none does, the default decides', () => {
    const list = '[{ code: declined, next: [rescue] }, { code: [gone, lost], do: skip }, { code: fatal, do: fail }]'
    for (const [code, a, instance] of [
      ['declined', 'FAILED', 'COMPLETED'],
      ['lost', 'SKIPPED', 'COMPLETED'],
      ['fatal', 'FAILED', 'FAILED'],
      ['other', 'INCIDENT', 'EXECUTING'],
    ]) {
      const world = engineWorld(rules(list))
      world.start('w', 'k')
      world.grantAll()
      world.fail('a', code)
      assert.deepEqual([world.tasks('k')['a'], world.status('k')], [a, instance], code)
    }
  })

  test('`error` has its code, message and task in `when` and `set`', () => {
    const world = engineWorld(
      rules(
        `[{ when: "error.code == 'x' && error.task == 'a'", next: [rescue], set: { why: "\${ error.message }" } }]`,
      ),
    )
    world.start('w', 'k')
    world.grantAll()
    world.fail('a', 'x')
    assert.deepEqual(world.vars('k'), { why: 'x', rescued: true })
  })

  test('a rule that cannot be evaluated leaves the task to a person', () => {
    const world = engineWorld(rules('[{ when: input.missing, do: skip }]'))
    world.start('w', 'k', {})
    world.grantAll()
    world.fail('a', 'x')
    assert.equal(world.tasks('k')['a'], 'INCIDENT')
    assert.match(world.task('k', 'a')?.error?.message ?? '', /^onFailure: .*after x: x/s)
  })
})

test('with `mode: all` every true case of a decision is chosen', () => {
  const world = engineWorld(
    workflowOf([
      '- { name: d, type: decision, mode: all, cases: [{ when: input > 1, next: [b] }, { when: input > 2, next: [b, c] }], default: [e] }',
      ...['b', 'c', 'e'].map((name) => `- { name: ${name}, type: set, dependsOn: [d], set: { ${name}: 1 } }`),
    ]),
  )
  for (const [key, input, chosen] of [
    ['one', 1, ['e']],
    ['two', 2, ['b']],
    ['three', 3, ['b', 'c']],
  ] as const) {
    world.start('w', key, input)
    assert.deepEqual(Object.keys(world.vars(key)), chosen)
  }
})
