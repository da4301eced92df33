// Listeners with `skipAhead`: subscribed before their turn, and what a record that comes early does.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { engineWorld, workflowOf } from '../support/engine.ts'

/** A listener of topic `t` for the instance's key. */
const listener = (more = '', name = 'l', instance = 'instance.key'): string =>
  `{ name: ${name}, type: kafka-listener, topic: t, correlate: { message: message.key, instance: ${instance} }${more} }`
const ahead = (more = '', instance = 'instance.key'): string => listener(`, skipAhead: true${more}`, 'l', instance)
const handler = (name: string, more = ''): string => `{ name: ${name}, type: h${more} }`
const list = (...tasks: readonly string[]): readonly string[] => tasks.map((task) => `- ${task}`)
const inside = (type: string, ...tasks: readonly string[]): string => `type: ${type}, tasks: [${tasks.join(', ')}]`
const code = '{ maxAttempts: 1 }'

suite('`skipAhead: true`', () => {
  test('subscribes when the instance starts: an early record completes the listener', () => {
    const world = engineWorld(workflowOf(list(handler('a'), ahead(), handler('z')), 'output: ${ tasks.l.output }'))
    world.start('w', 'k')
    assert.equal(world.waiterCount, 1)
    world.record('t', 7, { key: 'k' })
    assert.deepEqual(world.tasks('k'), { a: 'STOPPED', l: 'COMPLETED', z: 'SUBMITTED' })
    world.grantAll()
    world.complete('z')
    assert.equal(world.status('k'), 'COMPLETED')
    assert.equal(world.instance('k').output?.value, 7)
    assert.equal(world.waiterCount, 0)
    assert.ok(world.instance('k').timeline.some(({ note }) => /^early record t\/\d@0$/.test(note ?? '')))
  })

  test('stops the running and skips the unstarted tasks that it depends on, directly or not, and no others', () => {
    const tasks = list(
      handler('done'),
      handler('runs'),
      handler('unbegun'),
      ahead(),
      handler('beside', ', dependsOn: []'),
      handler('after', ', dependsOn: [runs]'),
    )
    const world = engineWorld(workflowOf(tasks))
    world.start('w', 'k')
    world.grantAll()
    world.complete('done')
    world.grantAll()
    world.record('t', 1, { key: 'k' })
    assert.deepEqual(world.tasks('k'), {
      done: 'COMPLETED',
      runs: 'STOPPED',
      unbegun: 'SKIPPED',
      l: 'COMPLETED',
      beside: 'EXECUTING',
      after: 'SKIPPED',
    })
    assert.deepEqual(
      world.stopped.map(({ name }) => name),
      ['runs'],
    )
  })

  test('what was passed over is over once its handler has cleaned up, and the instance waits for that', () => {
    const world = engineWorld(workflowOf(list(handler('a'), ahead())))
    world.areStopsSlow = true
    world.start('w', 'k')
    world.grantAll()
    world.record('t', 1, { key: 'k' })
    assert.equal(world.tasks('k')['l'], 'COMPLETED')
    assert.equal(world.status('k'), 'EXECUTING')
    world.endStops()
    assert.equal(world.tasks('k')['a'], 'STOPPED')
    assert.equal(world.status('k'), 'COMPLETED')
  })

  test('enters the scopes around it, and passes over what those depend on', () => {
    const tasks = list(
      handler('a'),
      handler('b'),
      `{ name: p, when: "false", ${inside('process', handler('c'), `{ name: q, ${inside('process', handler('d'), ahead(), handler('e'))} }`)} }`,
      handler('z'),
    )
    const world = engineWorld(workflowOf(tasks))
    world.start('w', 'k')
    world.grantAll()
    world.record('t', 1, { key: 'k' })
    const passed = { a: 'STOPPED', b: 'SKIPPED', c: 'SKIPPED', d: 'SKIPPED', l: 'COMPLETED' }
    assert.deepEqual(world.tasks('k'), { ...passed, p: 'EXECUTING', q: 'EXECUTING', e: 'SUBMITTED', z: 'NOT_STARTED' })
    assert.equal(world.requests.length, 1)
    world.grantAll()
    world.complete('e')
    world.grantAll()
    world.complete('z')
    assert.equal(world.status('k'), 'COMPLETED')
  })

  test('begins the other branches of a parallel that it enters', () => {
    const branches = `branches: [[${handler('a')}, ${ahead()}], [${handler('b')}]]`
    const world = engineWorld(workflowOf(list(handler('first'), `{ name: p, type: parallel, ${branches} }`)))
    world.start('w', 'k')
    world.record('t', 1, { key: 'k' })
    const { first, p, a, l, b } = world.tasks('k')
    assert.deepEqual([first, p, a, l, b], ['STOPPED', 'EXECUTING', 'SKIPPED', 'COMPLETED', 'SUBMITTED'])
    world.grantAll()
    world.complete('b')
    assert.equal(world.status('k'), 'COMPLETED')
  })

  test('ends the incident of a task that it depends on', () => {
    const world = engineWorld(workflowOf(list(handler('a', `, retry: ${code}`), ahead())))
    world.start('w', 'k')
    world.grantAll()
    world.fail('a')
    assert.equal(world.instance('k').incidents, 1)
    world.record('t', 1, { key: 'k' })
    assert.deepEqual([world.status('k'), world.instance('k').incidents], ['COMPLETED', 0])
  })

  test('takes a record that came before the instance, as `keep` allows', () => {
    const world = engineWorld(workflowOf(list(handler('a'), ahead())))
    world.record('t', 1, { key: 'k' })
    world.start('w', 'k')
    assert.deepEqual(world.tasks('k'), { a: 'STOPPED', l: 'COMPLETED' })
  })

  test('keeps its place in line when its turn comes, and its timeout counts from then', () => {
    const world = engineWorld(workflowOf(list(handler('a'), ahead(', timeout: 10m, onFailure: skip'))))
    world.start('w', 'k')
    world.advance('1h')
    world.grantAll()
    world.complete('a')
    assert.equal(world.eventsOf('channel.joined').length, 1)
    world.advance('9m')
    world.record('t', 1, { key: 'k' })
    assert.deepEqual(world.tasks('k'), { a: 'COMPLETED', l: 'COMPLETED' })
  })

  test('a listener already SKIPPED takes nothing', () => {
    const tasks = list(
      '{ name: d, type: decision, cases: [{ when: input.go, next: [l] }], default: [] }',
      ahead(', dependsOn: [d]'),
      handler('z', ', dependsOn: []'),
    )
    const world = engineWorld(workflowOf(tasks))
    world.start('w', 'k', { go: false })
    assert.equal(world.waiterCount, 0)
    world.record('t', 1, { key: 'k' })
    assert.deepEqual(world.tasks('k'), { d: 'COMPLETED', l: 'SKIPPED', z: 'SUBMITTED' })
    assert.equal(world.keptCount, 1)
  })

  const gate = '{ name: gate, type: decision, cases: [{ when: has(input.go), next: [p] }], default: [] }'
  const ways = {
    skipped: 'when: "false"',
    failed: 'when: input.no, onFailure: incident',
    'never entered': 'dependsOn: [gate]',
  }
  for (const [how, keys] of Object.entries(ways)) {
    test(`nor does one in a process that was ${how}`, () => {
      const process = `{ name: p, ${keys}, ${inside('process', handler('b'), ahead())} }`
      const tasks = how === 'never entered' ? [gate, process] : [process]
      const world = engineWorld(workflowOf(list(...tasks, handler('z', ', dependsOn: []'))))
      world.start('w', 'k', {})
      assert.equal(world.tasks('k')['p'], how === 'failed' ? 'INCIDENT' : 'SKIPPED')
      assert.equal(world.waiterCount, 0)
      world.record('t', 1, { key: 'k' })
      assert.equal(world.tasks('k')['l'], 'NOT_STARTED')
      assert.equal(world.keptCount, 1)
    })
  }

  test('is given up with its scope, and subscribed anew when that is tried again', () => {
    const retry = 'retry: { maxAttempts: 2, initialInterval: 10s, jitter: 0 }'
    const tasks = list(
      `{ name: p, ${retry}, ${inside('process', handler('a', `, retry: ${code}, onFailure: fail`), ahead())} }`,
    )
    const world = engineWorld(workflowOf(tasks))
    world.start('w', 'k')
    world.grantAll()
    world.fail('a')
    assert.equal(world.tasks('k')['p'], 'SUBMITTED')
    assert.equal(world.waiterCount, 0)
    world.advance('10s')
    assert.equal(world.waiterCount, 1)
    world.record('t', 1, { key: 'k' })
    assert.equal(world.status('k'), 'COMPLETED')
  })

  test('is given up when the instance ends', () => {
    for (const end of ['stop', 'fail'] as const) {
      const world = engineWorld(workflowOf(list(handler('a'), ahead())))
      world.start('w', 'k')
      world.operate('k', { kind: end, reason: 'enough' })
      assert.equal(world.waiterCount, 0)
    }
  })

  test('follows `vars`, and waits for its turn while they have no value to wait for', () => {
    const tasks = list('{ name: s, type: set, set: { id: "${ input.id }" } }', handler('a'), ahead('', 'vars.id'))
    const world = engineWorld(workflowOf(tasks, 'vars: { id: null }'))
    world.start('w', 'k', { id: 'x' })
    assert.equal(world.waiterCount, 1)
    world.operate('k', { kind: 'set', values: [['id', 'y']] })
    world.record('t', 1, { key: 'x' })
    assert.equal(world.tasks('k')['l'], 'NOT_STARTED')
    world.record('t', 2, { key: 'y' })
    assert.equal(world.output('k', 'l'), 2)
  })

  test('while the instance is suspended, the record waits with it', () => {
    const world = engineWorld(workflowOf(list(handler('a'), ahead())))
    world.start('w', 'k')
    world.operate('k', { kind: 'suspend' })
    world.record('t', 1, { key: 'k' })
    assert.equal(world.tasks('k')['l'], 'NOT_STARTED')
    world.operate('k', { kind: 'resume' })
    assert.deepEqual(world.tasks('k'), { a: 'STOPPED', l: 'COMPLETED' })
  })

  test('a record in flight while its turn comes completes it all the same', () => {
    const world = engineWorld(workflowOf(list(handler('a'), ahead('', 'input'))), 8)
    const key = Array.from({ length: 50 }, (_, n) => `k${n}`).find(
      (each) => world.partitionOf(each) !== world.partitionOf('x'),
    )!
    world.start('w', key, 'x')
    world.hold('instance.correlate')
    world.record('t', 1, { key: 'x' })
    world.grantAll()
    world.complete('a')
    world.deliver()
    assert.deepEqual(world.tasks(key), { a: 'COMPLETED', l: 'COMPLETED' })
  })

  test('what was done and is stopped by it is compensated, should the instance fail', () => {
    const undo = ', compensate: { type: kafka-command, topic: undo, value: 1 }'
    const world = engineWorld(workflowOf(list(handler('a', undo), ahead(), '{ name: end, type: fail, code: gone }')))
    world.start('w', 'k')
    world.grantAll()
    world.record('t', 1, { key: 'k' })
    assert.equal(world.status('k'), 'FAILED')
    assert.equal(world.produced.length, 1)
  })
})
