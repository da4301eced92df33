import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { engineWorld, workflowOf } from '../support/engine.ts'

const family = (parent: string, child = '- { name: work, type: h }', ...head: string[]): string =>
  [
    workflowOf([parent, '- { name: after, type: set, set: { done: true } }'], 'output: ${ tasks.sub.output }'),
    workflowOf([child], ...head).replace('workflow: w', 'workflow: child'),
  ].join('\n---\n')
const sub = (more = ''): string =>
  `- { name: sub, type: workflow, workflow: child, key: "\${ 'c-' + instance.key }"${more} }`
const echo = 'output: ${ [input, tasks.work.output] }'

suite('a child', () => {
  test('is started with its key and input, is waited for, and gives its output', () => {
    const world = engineWorld(family(sub(', input: { of: "${ instance.key }" }'), undefined, echo))
    world.start('w', 'k')
    assert.match(world.instance('c-k', 'child').origin, /^parent /)
    world.grantAll()
    assert.equal(world.status('k'), 'EXECUTING')
    world.complete('work', 7)
    assert.deepEqual(world.instance('k').output?.value, [{ of: 'k' }, 7])
    assert.equal(world.status('k'), 'COMPLETED')
  })

  test('with `wait: false` the task is complete once it has started', () => {
    const world = engineWorld(family(sub(', wait: false')))
    world.start('w', 'k')
    assert.equal(world.status('k'), 'COMPLETED')
    assert.equal(world.status('c-k', 'child'), 'EXECUTING')
    world.grantAll()
    world.complete('work')
    assert.equal(world.status('c-k', 'child'), 'COMPLETED')
  })

  test('that fails or is stopped fails the task, with the codes child-failed and child-stopped', () => {
    for (const [type, code] of [
      ['fail', 'child-failed'],
      ['stop', 'child-stopped'],
    ]) {
      const world = engineWorld(family(sub(), `- { name: work, type: ${type}, reason: no }`))
      world.start('w', 'k')
      assert.equal(world.task('k', 'sub')?.error?.code, code)
      assert.equal(world.tasks('k')['sub'], 'INCIDENT')
    }
  })

  test('that may not start fails the task with start-refused, and one that there is not with workflow-not-found', () => {
    for (const onRunning of ['ignore', 'reject']) {
      const world = engineWorld(family(sub(), undefined, `onRunning: ${onRunning}`))
      world.start('child', 'c-k')
      world.start('w', 'k')
      assert.equal(world.task('k', 'sub')?.error?.code, 'start-refused')
    }
    const world = engineWorld(family(sub().replace('workflow: child', 'workflow: nobody')))
    world.start('w', 'k')
    assert.equal(world.task('k', 'sub')?.error?.code, 'workflow-not-found')
  })

  test('is stopped with its parent, and when its parent does not wait for it any more', () => {
    const stopped = engineWorld(family(sub()))
    stopped.start('w', 'k')
    stopped.input(stopped.partitionOf('k'), {
      type: 'instance.stop',
      instanceId: stopped.instance('k').id,
      reason: 'x',
    })
    assert.equal(stopped.status('k'), 'STOPPED')
    assert.equal(stopped.status('c-k', 'child'), 'STOPPED')
    const late = engineWorld(family(sub(', timeout: 5s, onFailure: skip')))
    late.start('w', 'k')
    late.advance('5s')
    assert.equal(late.tasks('k')['sub'], 'SKIPPED')
    assert.equal(late.status('c-k', 'child'), 'STOPPED')
  })

  test('by default has a key of its own, for each item as well', () => {
    const world = engineWorld(
      family(
        '- { name: sub, type: for-each, items: [1, 2], tasks: [{ name: each, type: workflow, workflow: child, input: "${ item }" }] }',
        undefined,
        echo,
      ),
    )
    world.start('w', 'k')
    world.grantAll()
    const { id } = world.instance('k')
    assert.ok(world.find('child', `${id}/sub[0].each`) !== undefined)
    for (const run of world.runs) {
      world.input(world.partitionOf(run.key), {
        type: 'task.complete',
        instanceId: run.instanceId,
        task: run.task,
        attempt: 1,
        output: run.input,
      })
    }
    assert.deepEqual(world.instance('k').output?.value, [
      [1, null],
      [2, null],
    ])
  })
})
