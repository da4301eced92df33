// Instances as people see them: names that actions take, and tasks in items of a for-each.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { summaryOf, viewOf, type Viewed } from '../../src/runtime/views.ts'
import { engineWorld, workflowOf, type EngineWorld } from '../support/engine.ts'

function viewed(world: EngineWorld): Viewed {
  const row = world.instance('k')
  const workflow = world.catalogue.find(row.version)
  assert.ok(workflow !== undefined)
  const rows = world.rows(world.partitionOf('k'))
  return { row, workflow, tables: { blocks: { find: (id) => rows.find('blocks', id) } } }
}

const each = (more = ''): string =>
  `- { name: each, type: for-each, items: "\${ input }", concurrency: 1000, tasks: [{ name: p, type: process, tasks: [{ name: a, type: h${more} }] }] }`

test('a task in an item has the name that actions take, in its list, its line and its history', () => {
  const world = engineWorld(workflowOf([each(), '- { name: z, type: h }']))
  world.start('w', 'k', ['x', 'y'])
  const view = viewOf(viewed(world), 0, () => undefined)
  assert.deepEqual(
    view.tasks.map(({ name, scope, status }) => [name, scope, status]),
    [
      ['each', undefined, 'EXECUTING'],
      ['z', undefined, 'NOT_STARTED'],
      ['each[0]', 'each', 'EXECUTING'],
      ['each[0].p', 'each[0]', 'EXECUTING'],
      ['each[0].a', 'each[0].p', 'SUBMITTED'],
      ['each[1]', 'each', 'EXECUTING'],
      ['each[1].p', 'each[1]', 'EXECUTING'],
      ['each[1].a', 'each[1].p', 'SUBMITTED'],
    ],
  )
  assert.deepEqual(view.waitingAt, ['each[0].a', 'each[1].a'])
  const [first] = view.waitingAt
  assert.ok(view.timeline.some(({ task }) => task === first))
  assert.deepEqual(world.operate('k', { kind: 'skip', task: first }), { outcome: 'done' })
})

test('of the tasks in items, those that are under way or have failed are told of, up to an end that is told too', () => {
  const world = engineWorld(workflowOf([each(', onFailure: incident')]), 1)
  world.checksInvariants = false
  world.start(
    'w',
    'k',
    Array.from({ length: 400 }, (_, index) => index),
  )
  world.advance('0s')
  world.grantAll()
  const { instanceId, task, attempt } = world.runs[399]!
  world.input(0, {
    type: 'task.fail',
    instanceId,
    task,
    attempt,
    error: { code: 'x', message: 'x' },
    isRetryable: false,
    afterMs: undefined,
  })
  const view = viewOf(viewed(world), 0, () => undefined)
  assert.equal(view.tasks.length, 1 + 500)
  assert.equal(view.tasksLeftOut, 3 * 400 - 500)
  assert.equal(view.tasks.find(({ hasIncident }) => hasIncident)?.name, 'each[399].a')
  assert.equal(summaryOf(viewed(world)).waitingAt.length, 20)
})

test('what runs beside its scope is told of once it was called for', () => {
  const task = '- { name: a, type: h, monitor: { completeBy: 1m, then: { name: late, type: h } } }'
  const world = engineWorld(workflowOf([task]))
  world.start('w', 'k')
  const names = (): readonly string[] => viewOf(viewed(world), 0, () => undefined).tasks.map(({ name }) => name)
  assert.deepEqual(names(), ['a'])
  world.advance('1m')
  assert.deepEqual(names(), ['a', 'late'])
})

test('a listener that is subscribed ahead of its turn says so', () => {
  const listener =
    '- { name: l, type: kafka-listener, topic: t, skipAhead: true, correlate: { message: message.key, instance: instance.key } }'
  const world = engineWorld(workflowOf(['- { name: a, type: h }', listener]))
  world.start('w', 'k')
  const { tasks } = viewOf(viewed(world), 0, () => undefined)
  assert.deepEqual(tasks[1], {
    name: 'l',
    type: 'kafka-listener',
    status: 'NOT_STARTED',
    attempt: 0,
    hasIncident: false,
    waitsFor: "its turn, or a record of t for 'k'",
  })
})
