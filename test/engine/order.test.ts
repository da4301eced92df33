// Which tasks run, and in which order: dead-path elimination (S1-S4 in deciders/scope.ts).
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { engineWorld, workflowOf } from '../support/engine.ts'

const set = (name: string, more = ''): string => `- { name: ${name}, type: set, set: { x: 1 }${more} }`
const handler = (name: string, more = ''): string => `- { name: ${name}, type: work${more} }`
const vars = 'vars: { x: 0 }'

/** Statuses of the tasks after a start with this input. */
function ran(tasks: readonly string[], input: object = {}): { readonly [name: string]: string } {
  const world = engineWorld(workflowOf(tasks, vars))
  world.start('w', 'k', { ...input })
  return world.tasks('k')
}

suite('order', () => {
  test('a task runs after the one above it in its list', () => {
    const world = engineWorld(workflowOf([handler('a'), handler('b')]))
    world.start('w', 'k')
    assert.deepEqual(world.tasks('k'), { a: 'SUBMITTED', b: 'NOT_STARTED' })
    world.grantAll()
    world.complete('a')
    assert.deepEqual(world.tasks('k'), { a: 'COMPLETED', b: 'SUBMITTED' })
  })

  test('`dependsOn: []` starts with its scope', () => {
    const statuses = ran([handler('a'), handler('b', ', dependsOn: []'), handler('c')])
    assert.deepEqual(statuses, { a: 'SUBMITTED', b: 'SUBMITTED', c: 'NOT_STARTED' })
  })

  for (const [first, second] of [
    ['a', 'b'],
    ['b', 'a'],
  ] as const) {
    test(`a task waits for all that it depends on, whichever ends first (${first}, then ${second})`, () => {
      const tasks = [handler('a'), handler('b', ', dependsOn: []'), handler('c', ', dependsOn: [a, b]')]
      const world = engineWorld(workflowOf(tasks))
      world.start('w', 'k')
      world.grantAll()
      world.complete(first)
      assert.equal(world.tasks('k')['c'], 'NOT_STARTED')
      world.complete(second)
      assert.equal(world.tasks('k')['c'], 'SUBMITTED')
    })
  }

  test('a task of two branches that end in one batch begins once', () => {
    const tasks = [set('a'), set('b', ', dependsOn: []'), handler('c', ', dependsOn: [a, b]')]
    const world = engineWorld(workflowOf(tasks, vars))
    world.start('w', 'k')
    assert.equal(world.requests.length, 1)
    assert.equal(world.eventsOf('task.submitted').length, 1)
  })

  test('an instance whose last branches end in one batch completes once', () => {
    const world = engineWorld(workflowOf([set('a'), set('b', ', dependsOn: []'), set('c', ', dependsOn: []')], vars))
    world.start('w', 'k')
    assert.equal(world.status('k'), 'COMPLETED')
    assert.equal(world.eventsOf('instance.completed').length, 1)
  })

  test('an instance whose last branches end in one batch and that is not kept completes once', () => {
    const world = engineWorld(workflowOf([set('a'), set('b', ', dependsOn: []')], vars, 'retention: 0s'))
    world.start('w', 'k')
    assert.equal(world.find('w', 'k'), undefined)
    assert.equal(world.eventsOf('instance.completed').length, 1)
  })

  test('an instance whose last branches are both dead completes once', () => {
    const tasks = [
      `- { name: d, type: decision, cases: [{ when: input.go, next: [a, b] }], default: [] }`,
      set('a', ', dependsOn: [d]'),
      set('b', ', dependsOn: [d]'),
    ]
    const world = engineWorld(workflowOf(tasks, vars))
    world.start('w', 'k', { go: false })
    assert.deepEqual(world.tasks('k'), { d: 'COMPLETED', a: 'SKIPPED', b: 'SKIPPED' })
    assert.equal(world.eventsOf('instance.completed').length, 1)
  })
})

suite('dead paths', () => {
  const diamond = [
    `- { name: d, type: decision, cases: [{ when: input.n == 1, next: [a] }, { when: input.n > 0, next: [b] }] }`,
    set('a', ', dependsOn: [d]'),
    set('b', ', dependsOn: [d]'),
    set('after', ', dependsOn: [a]'),
    set('join', ', dependsOn: [after, b]'),
  ]

  test('the first true case wins, the other path is skipped to its end, and the join runs', () => {
    assert.deepEqual(ran(diamond, { n: 1 }), {
      d: 'COMPLETED',
      a: 'COMPLETED',
      b: 'SKIPPED',
      after: 'COMPLETED',
      join: 'COMPLETED',
    })
    assert.deepEqual(ran(diamond, { n: 2 }), {
      d: 'COMPLETED',
      a: 'SKIPPED',
      b: 'COMPLETED',
      after: 'SKIPPED',
      join: 'COMPLETED',
    })
  })

  test('no true case and no default is `no-case`', () => {
    const world = engineWorld(workflowOf(diamond, vars))
    world.start('w', 'k', { n: 0 })
    assert.equal(world.task('k', 'd')?.error?.code, 'no-case')
    assert.equal(world.instance('k').incidents, 1)
  })

  test('no true case takes the default', () => {
    const tasks = [
      `- { name: d, type: decision, cases: [{ when: input.go, next: [a] }], default: [b] }`,
      set('a', ', dependsOn: [d]'),
      set('b', ', dependsOn: [d]'),
    ]
    assert.deepEqual(ran(tasks, { go: false }), { d: 'COMPLETED', a: 'SKIPPED', b: 'COMPLETED' })
  })

  test('edges to tasks that no case names are live', () => {
    const tasks = [
      `- { name: d, type: decision, cases: [{ when: input.go, next: [a] }], default: [] }`,
      set('a', ', dependsOn: [d]'),
      set('always', ', dependsOn: [d]'),
    ]
    assert.deepEqual(ran(tasks, { go: false }), { d: 'COMPLETED', a: 'SKIPPED', always: 'COMPLETED' })
    assert.deepEqual(ran(tasks, { go: true }), { d: 'COMPLETED', a: 'COMPLETED', always: 'COMPLETED' })
  })

  test('a task with one live edge runs although the others are dead', () => {
    const tasks = [
      `- { name: d, type: decision, cases: [{ when: input.go, next: [review] }], default: [ship] }`,
      set('review', ', dependsOn: [d]'),
      set('ship', ', dependsOn: [d, review]'),
    ]
    assert.deepEqual(ran(tasks, { go: true }), { d: 'COMPLETED', review: 'COMPLETED', ship: 'COMPLETED' })
    assert.deepEqual(ran(tasks, { go: false }), { d: 'COMPLETED', review: 'SKIPPED', ship: 'COMPLETED' })
  })

  test('a decision that is skipped for itself takes its default', () => {
    const tasks = [
      `- { name: d, type: decision, when: "false", cases: [{ when: "true", next: [a] }], default: [b] }`,
      set('a', ', dependsOn: [d]'),
      set('b', ', dependsOn: [d]'),
      set('always', ', dependsOn: [d]'),
    ]
    assert.deepEqual(ran(tasks), { d: 'SKIPPED', a: 'SKIPPED', b: 'COMPLETED', always: 'COMPLETED' })
  })

  test('a decision that fails under `onFailure: skip` takes its default', () => {
    const tasks = [
      `- { name: d, type: decision, onFailure: skip, cases: [{ when: input.no.such, next: [a] }], default: [b] }`,
      set('a', ', dependsOn: [d]'),
      set('b', ', dependsOn: [d]'),
    ]
    assert.deepEqual(ran(tasks), { d: 'SKIPPED', a: 'SKIPPED', b: 'COMPLETED' })
  })

  test('a decision on a dead path chooses nothing, its default included', () => {
    const tasks = [
      `- { name: outer, type: decision, cases: [{ when: input.go, next: [d] }], default: [] }`,
      `- { name: d, type: decision, dependsOn: [outer], cases: [{ when: "true", next: [a] }], default: [b] }`,
      set('a', ', dependsOn: [d]'),
      set('b', ', dependsOn: [d]'),
      set('always', ', dependsOn: [d]'),
    ]
    assert.deepEqual(ran(tasks, { go: false }), {
      outer: 'COMPLETED',
      d: 'SKIPPED',
      a: 'SKIPPED',
      b: 'SKIPPED',
      always: 'SKIPPED',
    })
  })

  test('a task whose `when` is false leaves live edges', () => {
    assert.deepEqual(ran([set('a', ', when: "false"'), set('b')]), { a: 'SKIPPED', b: 'COMPLETED' })
  })

  test('a `when` that gives no true or false fails its task', () => {
    const world = engineWorld(workflowOf([set('a', ', when: "input.go"')], vars))
    world.start('w', 'k', { go: 'yes' })
    assert.equal(world.task('k', 'a')?.error?.code, 'expression')
  })

  test('a `when` that fails never lets its task begin, however often it may be tried', () => {
    const world = engineWorld(workflowOf([handler('a', ', when: input.missing == 1')]))
    world.start('w', 'k', {})
    world.advance('1h')
    assert.deepEqual(world.requests, [])
    assert.deepEqual(world.tasks('k'), { a: 'INCIDENT' })
  })
})
