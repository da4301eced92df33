// Processes: named sub-DAGs, how they end, and what their failure stops.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { engineWorld, workflowOf } from '../support/engine.ts'

const vars = 'vars: { x: 0 }'
const set = '{ name: a, type: set, set: { x: 1 } }'
const fails = (name: string, more = ''): string =>
  `{ name: ${name}, type: set, set: { x: "\${ input.no }" }, onFailure: fail${more} }`

/** A process `p` of these tasks, with these keys. */
const process = (tasks: readonly string[], more = ''): string =>
  `- { name: p, type: process${more}, tasks: [${tasks.join(', ')}] }`

suite('a process', () => {
  test('completes when its tasks have, and then lets its dependents come', () => {
    const tasks = [process(['{ name: a, type: work }', '{ name: b, type: work }']), '- { name: c, type: work }']
    const world = engineWorld(workflowOf(tasks))
    world.start('w', 'k')
    world.grantAll()
    world.complete('a')
    assert.deepEqual(world.tasks('k'), { p: 'EXECUTING', a: 'COMPLETED', b: 'SUBMITTED', c: 'NOT_STARTED' })
    world.grantAll()
    world.complete('b')
    assert.deepEqual(world.tasks('k'), { p: 'COMPLETED', a: 'COMPLETED', b: 'COMPLETED', c: 'SUBMITTED' })
  })

  test('nests', () => {
    const inner = `{ name: q, type: process, tasks: [${set}] }`
    const world = engineWorld(workflowOf([process([inner]), '- { name: z, type: set, set: { x: 2 } }'], vars))
    world.start('w', 'k')
    assert.deepEqual(world.tasks('k'), { p: 'COMPLETED', q: 'COMPLETED', a: 'COMPLETED', z: 'COMPLETED' })
    assert.equal(world.status('k'), 'COMPLETED')
  })

  test('completes once when its last tasks end in one batch', () => {
    const world = engineWorld(
      workflowOf([process([set, '{ name: b, type: set, dependsOn: [], set: { x: 2 } }'])], vars),
    )
    world.start('w', 'k')
    assert.equal(world.eventsOf('task.completed').filter(({ task }) => task === 0).length, 1)
    assert.equal(world.status('k'), 'COMPLETED')
  })

  test('in which nothing ran is SKIPPED and leaves live edges, and its `set` is not written', () => {
    const skipped = '{ name: a, type: set, when: "false", set: { x: 1 } }'
    const tasks = [process([skipped], ', set: { x: 9 }'), '- { name: z, type: work }']
    const world = engineWorld(workflowOf(tasks, vars))
    world.start('w', 'k')
    assert.deepEqual(world.tasks('k'), { p: 'SKIPPED', a: 'SKIPPED', z: 'SUBMITTED' })
    assert.deepEqual(world.vars('k'), { x: 0 })
  })

  test('on a dead path is never entered and leaves dead edges', () => {
    const tasks = [
      `- { name: d, type: decision, cases: [{ when: input.go, next: [p] }], default: [] }`,
      `- { name: p, type: process, dependsOn: [d], tasks: [${set}] }`,
      '- { name: z, type: work }',
    ]
    const world = engineWorld(workflowOf(tasks, vars))
    world.start('w', 'k', { go: false })
    assert.deepEqual(world.tasks('k'), { d: 'COMPLETED', p: 'SKIPPED', a: 'NOT_STARTED', z: 'SKIPPED' })
    assert.equal(world.status('k'), 'COMPLETED')
  })

  test('whose `set` fails is not run again, whatever its retry policy', () => {
    const tasks = [process([set], ', retry: { maxAttempts: 3 }, set: { x: "${ input.no }" }, onFailure: incident')]
    const world = engineWorld(workflowOf(tasks, vars))
    world.start('w', 'k', {})
    assert.deepEqual(world.tasks('k'), { p: 'INCIDENT', a: 'COMPLETED' })
  })
})

suite('a failure inside a process', () => {
  const listener = `{ name: l, type: kafka-listener, dependsOn: [], topic: t, correlate: { message: message.key, instance: instance.key } }`
  const siblings = [
    '{ name: h, type: work }',
    listener,
    '{ name: pause, type: trigger, dependsOn: [], delay: 1h }',
    '{ name: waiting, type: work, dependsOn: [] }',
    `{ name: q, type: process, dependsOn: [], tasks: [{ name: deep, type: work }] }`,
    '{ name: later, type: work, dependsOn: [h] }',
    fails('bad', ', dependsOn: [gate]'),
    '{ name: gate, type: trigger, dependsOn: [], delay: 1m }',
  ]

  test('stops its open siblings: handlers are aborted, channels left, timers gone', () => {
    const world = engineWorld(workflowOf([process(siblings, ', onFailure: incident')], vars))
    world.start('w', 'k', {})
    assert.equal(world.waiterCount, 1)
    world.grantAll()
    world.advance('1m')
    assert.deepEqual(world.tasks('k'), {
      p: 'INCIDENT',
      h: 'STOPPED',
      l: 'STOPPED',
      pause: 'STOPPED',
      waiting: 'STOPPED',
      q: 'STOPPED',
      deep: 'STOPPED',
      later: 'NOT_STARTED',
      bad: 'FAILED',
      gate: 'COMPLETED',
    })
    assert.equal(world.waiterCount, 0)
    assert.deepEqual(world.timers(), [])
    const byName = new Map(world.runs.map((run) => [run.task, run.name]))
    assert.deepEqual(new Set(world.aborts.map(({ task }) => byName.get(task))), new Set(['deep', 'h', 'waiting']))
    assert.equal(world.aborts.length, 3)
  })

  test('is of no interest to what a stopped handler still returns', () => {
    const world = engineWorld(workflowOf([process(siblings, ', onFailure: incident')], vars))
    world.start('w', 'k', {})
    world.grantAll()
    world.advance('1m')
    world.complete('h', 'too late')
    assert.deepEqual(world.rejections.at(-1), { command: 'task.complete', code: 'task-not-open' })
    assert.equal(world.tasks('k')['h'], 'STOPPED')
  })

  test('fails the process, whose own `onFailure` is `fail` by default: the instance fails', () => {
    const world = engineWorld(workflowOf([process([fails('bad')]), '- { name: z, type: work }'], vars))
    world.start('w', 'k', {})
    assert.deepEqual(world.tasks('k'), { p: 'FAILED', bad: 'FAILED', z: 'NOT_STARTED' })
    assert.equal(world.status('k'), 'FAILED')
    assert.equal(world.instance('k').error?.code, 'expression')
  })

  test('is an incident of the process where it says so', () => {
    const world = engineWorld(workflowOf([process([fails('bad')], ', onFailure: incident')], vars))
    world.start('w', 'k', {})
    assert.deepEqual(world.tasks('k'), { p: 'INCIDENT', bad: 'FAILED' })
    assert.deepEqual([world.status('k'), world.instance('k').incidents], ['EXECUTING', 1])
  })

  test('skips the process where it says so, with live edges', () => {
    const world = engineWorld(
      workflowOf([process([fails('bad')], ', onFailure: skip'), '- { name: z, type: work }'], vars),
    )
    world.start('w', 'k', {})
    assert.deepEqual(world.tasks('k'), { p: 'SKIPPED', bad: 'FAILED', z: 'SUBMITTED' })
  })

  test('goes up through nested processes until one takes it', () => {
    const inner = `{ name: q, type: process, tasks: [${fails('bad')}] }`
    const world = engineWorld(workflowOf([process([inner], ', onFailure: skip'), '- { name: z, type: work }'], vars))
    world.start('w', 'k', {})
    assert.deepEqual(world.tasks('k'), { p: 'SKIPPED', q: 'FAILED', bad: 'FAILED', z: 'SUBMITTED' })
  })

  test('lets no task begin whose turn came in the same batch', () => {
    const tasks = [
      set,
      '{ name: sent, type: kafka-command, topic: t, value: 1 }',
      fails('bad', ', dependsOn: []'),
      '{ name: heard, type: work, dependsOn: [a] }',
    ]
    const world = engineWorld(workflowOf([process(tasks, ', onFailure: skip'), '- { name: z, type: work }'], vars))
    world.start('w', 'k', {})
    assert.deepEqual(world.tasks('k'), {
      p: 'SKIPPED',
      a: 'COMPLETED',
      sent: 'NOT_STARTED',
      bad: 'FAILED',
      heard: 'NOT_STARTED',
      z: 'SUBMITTED',
    })
    assert.deepEqual(world.produced, [])
  })

  test('lets none begin between two attempts of the process either, and another failure then does not count again', () => {
    const tasks = [
      set,
      '{ name: sent, type: kafka-command, topic: t, value: 1 }',
      fails('bad', ', dependsOn: []'),
      fails('worse', ', dependsOn: []'),
    ]
    const retry = ', retry: { maxAttempts: 2, initialInterval: 10s, jitter: 0 }, onFailure: skip'
    const world = engineWorld(workflowOf([process(tasks, retry), '- { name: z, type: work }'], vars))
    world.start('w', 'k', {})
    const between = { a: 'COMPLETED', sent: 'NOT_STARTED', bad: 'FAILED', worse: 'FAILED', z: 'NOT_STARTED' }
    assert.deepEqual(world.tasks('k'), { p: 'SUBMITTED', ...between })
    assert.equal(world.task('k', 'p')?.attempt, 1)
    world.advance('10s')
    assert.deepEqual(world.tasks('k'), { p: 'SKIPPED', ...between, z: 'SUBMITTED' })
    assert.equal(world.task('k', 'p')?.attempt, 2)
    assert.deepEqual(world.produced, [])
  })

  test('ends the incidents inside: they are nobody’s any more', () => {
    const tasks = [
      '{ name: stuck, type: set, set: { x: "${ input.no }" } }',
      '{ name: gate, type: trigger, dependsOn: [], delay: 1m }',
      fails('bad'),
    ]
    const world = engineWorld(workflowOf([process(tasks, ', onFailure: skip')], vars))
    world.start('w', 'k', {})
    assert.equal(world.instance('k').incidents, 1)
    world.advance('1m')
    assert.deepEqual(world.tasks('k'), { p: 'SKIPPED', stuck: 'STOPPED', gate: 'COMPLETED', bad: 'FAILED' })
    assert.equal(world.task('k', 'stuck')?.error?.code, 'expression')
    assert.deepEqual([world.status('k'), world.instance('k').incidents], ['COMPLETED', 0])
  })

  test('begins the process anew where it is retried, its inner processes and incidents included', () => {
    const tasks = [
      '{ name: h, type: work, retry: { maxAttempts: 1 }, onFailure: fail }',
      `{ name: q, type: process, dependsOn: [], tasks: [{ name: stuck, type: set, set: { x: "\${ input.no }" } }] }`,
    ]
    const policy = ', retry: { maxAttempts: 2, initialInterval: 10s, jitter: 0 }'
    const world = engineWorld(workflowOf([process(tasks, policy)], vars))
    world.start('w', 'k', {})
    world.grantAll()
    world.fail('h')
    assert.deepEqual(world.tasks('k'), { p: 'SUBMITTED', h: 'FAILED', q: 'STOPPED', stuck: 'STOPPED' })
    world.advance('10s')
    assert.deepEqual(world.tasks('k'), { p: 'EXECUTING', h: 'SUBMITTED', q: 'EXECUTING', stuck: 'INCIDENT' })
    assert.equal(world.task('k', 'p')?.attempt, 2)
    world.grantAll()
    world.fail('h')
    assert.equal(world.status('k'), 'FAILED')
  })
})

suite('a failure in the root scope', () => {
  test('stops what is open, of every scope, and fails the instance', () => {
    const tasks = [
      process(['{ name: h, type: work }']),
      '- { name: gate, type: trigger, dependsOn: [], delay: 1m }',
      `- ${fails('bad', ', dependsOn: [gate]')}`,
      '- { name: stuck, type: set, dependsOn: [], set: { x: "${ input.no }" } }',
    ]
    const world = engineWorld(workflowOf(tasks, vars))
    world.start('w', 'k', {})
    world.grantAll()
    assert.equal(world.instance('k').incidents, 1)
    world.advance('1m')
    assert.deepEqual(world.tasks('k'), {
      p: 'STOPPED',
      h: 'STOPPED',
      gate: 'COMPLETED',
      bad: 'FAILED',
      stuck: 'STOPPED',
    })
    assert.deepEqual([world.status('k'), world.instance('k').incidents], ['FAILED', 0])
    assert.equal(world.aborts.length, 1)
  })
})
