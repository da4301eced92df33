import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Payload } from '../../src/engine/payload.ts'
import { engineWorld, workflowOf } from '../support/engine.ts'
import type { EngineWorld } from '../support/engine.ts'

const once = workflowOf([
  '- { name: a, type: h, retry: { maxAttempts: 2, initialInterval: 1s, jitter: 0 } }',
  '- { name: b, type: set, set: { got: "${ has(tasks.a.output) ? tasks.a.output : null }" } }',
])

/** An instance whose first task has failed for good. */
function withIncident(yaml = once): EngineWorld {
  const world = engineWorld(yaml)
  world.start('w', 'k')
  for (let attempt = 0; attempt < 2; attempt++) {
    world.grantAll()
    world.fail('a')
    world.advance('1s')
  }
  assert.equal(world.tasks('k')['a'], 'INCIDENT')
  return world
}
const done = { outcome: 'done' }

suite('an incident', () => {
  test('is retried: its attempts are counted anew, and late results of those before are refused', () => {
    const world = withIncident()
    assert.deepEqual(world.operate('k', { kind: 'retry', task: undefined, input: undefined }), done)
    world.advance('0s')
    world.grantAll()
    assert.equal(world.lastRun('a').attempt, 3)
    world.fail('a')
    world.advance('1s')
    world.grantAll()
    world.complete('a', 7)
    assert.deepEqual(world.vars('k'), { got: 7 })
    assert.equal(world.status('k'), 'COMPLETED')
  })

  test('is retried with another input', () => {
    const world = withIncident()
    world.operate('k', { kind: 'retry', task: 'a', input: Payload.of({ n: 1 }) })
    world.advance('0s')
    world.grantAll()
    assert.deepEqual(world.lastRun('a').input.value, { n: 1 })
  })

  test('is skipped, and leaves live edges', () => {
    const world = withIncident()
    assert.deepEqual(world.operate('k', { kind: 'skip', task: undefined }), done)
    assert.deepEqual(world.tasks('k'), { a: 'SKIPPED', b: 'COMPLETED' })
    assert.equal(world.instance('k').incidents, 0)
  })

  test('is completed with an output', () => {
    const world = withIncident()
    world.operate('k', { kind: 'complete', task: undefined, output: Payload.of('by hand') })
    assert.deepEqual(world.vars('k'), { got: 'by hand' })
    assert.ok(world.instance('k').timeline.some(({ note }) => note === 'complete ann'))
  })

  test('ends with the instance, where that is failed', () => {
    const world = withIncident()
    world.operate('k', { kind: 'fail', reason: 'enough' })
    assert.equal(world.status('k'), 'FAILED')
    assert.deepEqual(world.instance('k').error, { code: 'failed-by-hand', message: 'enough' })
    assert.equal(world.instance('k').incidents, 0)
  })

  test('of the instance itself is retried once what it lacks is there, or completed with an output', () => {
    const yaml = workflowOf(['- { name: a, type: set, set: { x: 1 } }'], 'vars: { y: null }', 'output: ${ vars.y + 1 }')
    const world = engineWorld(yaml)
    world.start('w', 'k')
    assert.equal(world.instance('k').incidents, 1)
    world.operate('k', { kind: 'set', values: [['y', 2]] })
    world.operate('k', { kind: 'retry', task: undefined, input: undefined })
    assert.equal(world.instance('k').output?.value, 3)
    world.start('w', 'l')
    world.operate('l', { kind: 'complete', task: undefined, output: Payload.of('other') })
    assert.equal(world.instance('l').output?.value, 'other')
    assert.equal(world.status('l'), 'COMPLETED')
  })

  test('of a compensation is retried, and the instance goes on being unwound', () => {
    const world = engineWorld(
      workflowOf([
        '- { name: a, type: set, set: { x: 1 }, compensate: { type: h, retry: { maxAttempts: 1 } } }',
        '- { name: end, type: fail }',
      ]),
    )
    world.start('w', 'k')
    world.grantAll()
    world.fail('a-compensate')
    world.operate('k', { kind: 'retry', task: undefined, input: undefined })
    world.advance('0s')
    world.grantAll()
    world.complete('a-compensate')
    assert.equal(world.status('k'), 'FAILED')
  })
})

suite('a task that waits', () => {
  test('can be skipped or completed by hand; what it waited for is withdrawn', () => {
    const world = engineWorld(
      workflowOf([
        '- { name: l, type: kafka-listener, topic: t, correlate: { message: message.key, instance: instance.key } }',
        '- { name: h, type: h }',
      ]),
    )
    world.start('w', 'k')
    world.operate('k', { kind: 'complete', task: 'l', output: Payload.of(1) })
    assert.equal(world.waiterCount, 0)
    world.grantAll()
    world.operate('k', { kind: 'skip', task: 'h' })
    assert.equal(world.aborts.length, 1)
    assert.equal(world.status('k'), 'COMPLETED')
  })

  test('of an item is found by its name, where its for-each has been tried again', () => {
    const world = engineWorld(
      workflowOf([
        '- name: each',
        '  type: for-each',
        '  items: [1]',
        '  retry: { maxAttempts: 2, initialInterval: 1s, jitter: 0 }',
        '  tasks:',
        '    - { name: a, type: h, retry: { maxAttempts: 1 } }',
        '    - { name: b, type: h, retry: { maxAttempts: 1 }, dependsOn: [], onFailure: fail }',
      ]),
    )
    world.start('w', 'k')
    world.grantAll()
    world.fail('each[0].b')
    world.advance('1s')
    world.grantAll()
    world.fail('each[0].a')
    assert.equal(world.instance('k').incidents, 1)
    assert.deepEqual(world.operate('k', { kind: 'skip', task: 'each[0].a' }), done)
    world.complete('each[0].b')
    assert.equal(world.status('k'), 'COMPLETED')
    assert.deepEqual(world.operate('k', { kind: 'skip', task: 'each[0].a' }).outcome, 'refused')
  })

  test('that is over, or unclear, or unknown is refused in words', () => {
    const world = withIncident()
    world.operate('k', { kind: 'skip', task: 'a' })
    const refused = world.operate('k', { kind: 'skip', task: 'a' })
    assert.equal(refused.outcome === 'refused' && refused.code, 'not-now')
    const other = engineWorld(once)
    other.start('w', 'k')
    const unknown = other.operate('k', { kind: 'skip', task: 'nobody' })
    assert.deepEqual(unknown, {
      outcome: 'refused',
      code: 'task-not-found',
      message: "no task 'nobody' of the instance has begun",
    })
  })
})

suite('a suspended instance', () => {
  test('starts nothing and keeps collecting its records, answers and due timers; resuming applies them in order', () => {
    const world = engineWorld(
      workflowOf(
        [
          '- { name: l, type: kafka-listener, topic: t, dependsOn: [], correlate: { message: message.key, instance: instance.key }, set: { order: "${ vars.order + \'l\' }" } }',
          '- { name: h, type: h, dependsOn: [], set: { order: "${ vars.order + \'h\' }" } }',
          '- { name: w, type: trigger, dependsOn: [], delay: 1s, set: { order: "${ vars.order + \'w\' }" } }',
          '- { name: after, type: h, dependsOn: [l, h, w] }',
        ],
        'vars: { order: "" }',
      ),
    )
    world.start('w', 'k')
    world.grantAll()
    assert.deepEqual(world.operate('k', { kind: 'suspend' }), done)
    world.complete('h')
    world.advance('1s')
    world.record('t', 1, { key: 'k' })
    assert.equal(world.status('k'), 'SUSPENDED')
    assert.deepEqual(world.vars('k'), { order: '' })
    assert.equal(world.instance('k').deferred, 3)
    assert.deepEqual(world.operate('k', { kind: 'resume' }), done)
    assert.deepEqual(world.vars('k'), { order: 'hwl' })
    world.grantAll()
    world.complete('after')
    assert.equal(world.status('k'), 'COMPLETED')
  })

  test('gives back the slots that it is granted, and asks again when it goes on', () => {
    const world = engineWorld(once)
    world.start('w', 'k')
    world.operate('k', { kind: 'suspend' })
    world.grantAll()
    assert.equal(world.runs.length, 0)
    assert.equal(world.aborts.length, 1)
    world.operate('k', { kind: 'resume' })
    world.grantAll()
    assert.equal(world.runs.length, 1)
  })

  test('asks again, when it goes on, for what ran when its worker died', () => {
    const world = engineWorld(once)
    world.start('w', 'k')
    const asked = [...world.requests]
    world.grantAll()
    world.operate('k', { kind: 'suspend' })
    // The next worker grants a slot to what it owes, and is told to take it back.
    world.requests.push(...asked)
    world.grantAll()
    assert.deepEqual([world.runs.length, world.aborts.length], [1, 1])
    world.operate('k', { kind: 'resume' })
    world.grantAll()
    assert.equal(world.runs.length, 2)
  })

  test('can be stopped and failed', () => {
    for (const [kind, status] of [
      ['stop', 'STOPPED'],
      ['fail', 'FAILED'],
    ] as const) {
      const world = engineWorld(once)
      world.start('w', 'k')
      world.operate('k', { kind: 'suspend' })
      world.operate('k', { kind, reason: 'x' })
      assert.equal(world.status('k'), status)
    }
  })
})

suite('a signal', () => {
  const approval = workflowOf([
    '- { name: approved, type: signal, timeout: 1h, onFailure: skip }',
    '- { name: again, type: signal, signal: approved }',
  ])

  test('completes the task that waits for it, with what came with it', () => {
    const world = engineWorld(approval)
    world.start('w', 'k')
    world.operate('k', { kind: 'signal', name: 'approved', payload: Payload.of({ by: 'ann' }) })
    assert.deepEqual(world.output('k', 'approved'), { by: 'ann' })
  })

  test('that comes before its task waits for it, in its order', () => {
    const world = engineWorld(
      workflowOf([
        '- { name: w, type: trigger, delay: 1s }',
        '- { name: a, type: signal, signal: s }',
        '- { name: b, type: signal, signal: s }',
      ]),
    )
    world.start('w', 'k')
    for (const n of [1, 2]) world.operate('k', { kind: 'signal', name: 's', payload: Payload.of(n) })
    world.advance('1s')
    assert.deepEqual([world.output('k', 'a'), world.output('k', 'b')], [1, 2])
    assert.deepEqual(world.instance('k').signals, [])
  })

  test('that does not come in time fails its task with the code timeout', () => {
    const world = engineWorld(approval)
    world.start('w', 'k')
    world.advance('1h')
    assert.equal(world.task('k', 'approved')?.error?.code, 'timeout')
  })

  test('signals that wait have an end, and are told so', () => {
    const world = engineWorld(approval)
    world.start('w', 'k')
    const send = () => world.operate('k', { kind: 'signal', name: 'nobody', payload: Payload.of(1) })
    for (let n = 0; n < 100; n++) assert.deepEqual(send(), done)
    const refused = send()
    assert.equal(refused.outcome === 'refused' && refused.code, 'signals-full')
  })
})

suite('a FAILED instance', () => {
  test('goes on at the task that failed, and those that were stopped with it begin anew', () => {
    const world = engineWorld(
      workflowOf([
        '- { name: first, type: h }',
        '- { name: a, type: h, retry: { maxAttempts: 1 }, onFailure: fail, dependsOn: [first] }',
        '- { name: beside, type: h, dependsOn: [first] }',
      ]),
    )
    world.start('w', 'k')
    world.grantAll()
    world.complete('first')
    world.grantAll()
    world.fail('a')
    assert.equal(world.status('k'), 'FAILED')
    assert.deepEqual(world.operate('k', { kind: 'retry', task: undefined, input: undefined }), done)
    world.grantAll()
    assert.deepEqual(
      world.runs.slice(3).map(({ name }) => name),
      ['a', 'beside'],
    )
    world.complete('a')
    world.complete('beside')
    assert.equal(world.status('k'), 'COMPLETED')
    assert.equal(world.runs.length, 5)
  })

  test('is not retried once compensations have run', () => {
    const world = engineWorld(
      workflowOf([
        '- { name: a, type: set, set: { x: 1 }, compensate: { type: set, set: { x: 0 } } }',
        '- { name: end, type: fail }',
      ]),
    )
    world.start('w', 'k')
    const refused = world.operate('k', { kind: 'retry', task: undefined, input: undefined })
    assert.equal(refused.outcome === 'refused' && refused.code, 'not-now')
  })
})
