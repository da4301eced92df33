import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Payload } from '../../src/engine/payload.ts'
import { engineWorld, workflowOf } from '../support/engine.ts'
import type { EngineWorld } from '../support/engine.ts'

const refund = (name: string): string =>
  `compensate: { type: kafka-command, topic: refunds, value: { of: ${name}, gave: "\${ output }" } }`
const undone = (world: EngineWorld): unknown[] => world.produced.map(({ value }) => value)

suite('unwinding', () => {
  test('compensates every completed task in reverse order of completion, with its output at hand, and then fails', () => {
    const world = engineWorld(
      workflowOf([
        `- { name: a, type: h, ${refund('a')} }`,
        `- { name: b, type: h, ${refund('b')} }`,
        `- { name: end, type: fail, code: gone, reason: "no \${ input }" }`,
      ]),
    )
    world.start('w', 'k', 'stock')
    world.grantAll()
    world.complete('a', 1)
    world.grantAll()
    world.complete('b', 2)
    assert.deepEqual(undone(world), [
      { of: 'b', gave: 2 },
      { of: 'a', gave: 1 },
    ])
    assert.equal(world.status('k'), 'FAILED')
    assert.deepEqual(world.instance('k').error, { code: 'gone', message: 'no stock' })
    assert.equal(world.tasks('k')['a-compensate'], 'COMPLETED')
  })

  test('a task whose outcome is unknown is compensated first: it was running when it was stopped', () => {
    const world = engineWorld(
      workflowOf([
        `- { name: a, type: h, dependsOn: [], ${refund('a')} }`,
        `- { name: b, type: h, dependsOn: [], ${refund('b')} }`,
        `- { name: c, type: h, dependsOn: [], retry: { maxAttempts: 1 }, onFailure: fail, ${refund('c')} }`,
      ]),
    )
    world.start('w', 'k')
    world.grantAll()
    world.complete('b', 2)
    world.fail('c')
    // What said that it failed has nothing to undo.
    assert.deepEqual(undone(world), [
      { of: 'a', gave: null },
      { of: 'b', gave: 2 },
    ])
    assert.equal(world.status('k'), 'FAILED')
  })

  test('a task whose handler returned what cannot be used has done its work: it is compensated', () => {
    const world = engineWorld(workflowOf([`- { name: a, type: h, onFailure: fail, ${refund('a')} }`]))
    world.start('w', 'k')
    world.grantAll()
    world.fail('a', 'output-invalid', { isRetryable: false })
    assert.deepEqual(undone(world), [{ of: 'a', gave: null }])
  })

  test('a task whose `set` fails has done its work: it is compensated', () => {
    const world = engineWorld(
      workflowOf([`- { name: a, type: h, set: { x: "\${ input.no }" }, onFailure: fail, ${refund('a')} }`]),
    )
    world.start('w', 'k', {})
    world.grantAll()
    world.complete('a', 1)
    assert.equal(world.instance('k').error?.code, 'expression')
    assert.deepEqual(undone(world), [{ of: 'a', gave: null }])
  })

  test('a task that timed out for good may have done its work: it is compensated', () => {
    const world = engineWorld(
      workflowOf([
        `- { name: a, type: h, timeout: 1s, retry: { maxAttempts: 1 }, onFailure: skip, ${refund('a')} }`,
        `- { name: end, type: fail }`,
      ]),
    )
    world.start('w', 'k')
    world.grantAll()
    world.advance('1s')
    assert.deepEqual(undone(world), [{ of: 'a', gave: null }])
  })

  test('a task that was running when its `maxDuration` was over is compensated, where it was skipped as well', () => {
    for (const how of ['fail', 'skip']) {
      const world = engineWorld(
        workflowOf([
          `- { name: a, type: h, maxDuration: 1s, onMaxDuration: ${how}, onFailure: skip, ${refund('a')} }`,
          `- { name: end, type: fail }`,
        ]),
      )
      world.start('w', 'k')
      world.grantAll()
      world.advance('1s')
      assert.equal(world.tasks('k')['a'], 'SKIPPED')
      assert.deepEqual(undone(world), [{ of: 'a', gave: null }], how)
    }
  })

  test('a task that waits for its next attempt is compensated where nobody knows what came of the last one', () => {
    const retry = 'timeout: 1s, retry: { maxAttempts: 2, initialInterval: 1h, maxInterval: 1h, jitter: 0 }'
    for (const [ending, isKnown] of [
      ['maxDuration: 1m, onFailure: skip', true],
      ['maxDuration: 1m, onFailure: skip', false],
      ['onFailure: fail', true],
      ['onFailure: fail', false],
    ] as const) {
      const world = engineWorld(
        workflowOf([
          `- { name: a, type: h, ${ending}, ${retry}, ${refund('a')} }`,
          `- { name: gate, type: trigger, dependsOn: [], delay: 2m }`,
          `- { name: end, type: fail }`,
        ]),
      )
      world.start('w', 'k')
      world.grantAll()
      if (isKnown) world.fail('a')
      world.advance('2m')
      assert.deepEqual(undone(world), isKnown ? [] : [{ of: 'a', gave: null }], ending)
    }
  })

  test('a process is not compensated for what timed out inside: that is compensated for itself', () => {
    const world = engineWorld(
      workflowOf([
        `- name: p`,
        `  type: process`,
        `  ${refund('p')}`,
        `  tasks: [{ name: a, type: h, timeout: 1s, retry: { maxAttempts: 1 }, onFailure: fail, ${refund('a')} }]`,
      ]),
    )
    world.start('w', 'k')
    world.grantAll()
    world.advance('1s')
    assert.deepEqual([world.status('k'), world.instance('k').error?.code], ['FAILED', 'timeout'])
    assert.deepEqual(undone(world), [{ of: 'a', gave: null }])
  })

  test('a listener or a signal that nothing came for has nothing to undo', () => {
    const waits = 'type: kafka-listener, topic: t, correlate: { message: message.key, instance: instance.key }'
    for (const end of ['timeout: 1s', 'maxDuration: 1s']) {
      const world = engineWorld(workflowOf([`- { name: a, ${waits}, ${end}, onFailure: fail, ${refund('a')} }`]))
      world.start('w', 'k')
      world.advance('1s')
      assert.equal(world.status('k'), 'FAILED')
      assert.deepEqual(undone(world), [])
    }
  })

  test('stops what runs and waits for it, as long as `stopTimeout`', () => {
    const yaml = workflowOf(
      [
        `- { name: a, type: h, dependsOn: [], ${refund('a')} }`,
        `- { name: b, type: h, dependsOn: [], retry: { maxAttempts: 1 }, onFailure: fail }`,
      ],
      'stopTimeout: 10s',
    )
    for (const isHeard of [true, false]) {
      const world = engineWorld(yaml)
      world.areStopsSlow = true
      world.start('w', 'k')
      world.grantAll()
      world.fail('b')
      assert.equal(world.status('k'), 'COMPENSATING')
      assert.deepEqual(undone(world), [])
      if (isHeard) world.endStops()
      else world.advance('10s')
      assert.deepEqual(undone(world), [{ of: 'a', gave: null }])
      assert.equal(world.status('k'), 'FAILED')
    }
  })

  test('a compensation is retried as any task, and one that fails for good is an incident of an instance that stays COMPENSATING', () => {
    const world = engineWorld(
      workflowOf([
        `- { name: a, type: h, compensate: { type: undo, retry: { maxAttempts: 2, initialInterval: 1s, jitter: 0 } } }`,
        `- { name: end, type: fail }`,
      ]),
    )
    world.start('w', 'k')
    world.grantAll()
    world.complete('a', 7)
    world.grantAll()
    assert.deepEqual(world.lastRun('a-compensate').input.value, { input: null, output: 7 })
    world.fail('a-compensate')
    world.advance('1s')
    world.grantAll()
    world.fail('a-compensate')
    assert.equal(world.status('k'), 'COMPENSATING')
    assert.equal(world.tasks('k')['a-compensate'], 'INCIDENT')
    assert.equal(world.instance('k').incidents, 1)
  })

  test('a compensation that fails for good has no scope that could fail: with `onFailure: fail` it is an incident as well', () => {
    const world = engineWorld(
      workflowOf([
        '- { name: a, type: h, compensate: { name: undo, type: h, onFailure: fail, retry: { maxAttempts: 1 } } }',
        '- { name: end, type: fail }',
      ]),
    )
    world.start('w', 'k')
    world.grantAll()
    world.complete('a')
    world.grantAll()
    world.fail('undo')
    assert.equal(world.status('k'), 'COMPENSATING')
    assert.equal(world.instance('k').incidents, 1)
  })

  for (const [how, task] of [
    ['skip', 'SKIPPED'],
    ['fail', 'INCIDENT'],
  ] as const) {
    test(`maxDuration bounds a compensation with all its attempts, an incident of it included: ${how}`, () => {
      const undo = `{ name: undo, type: h, maxDuration: 10s, onMaxDuration: ${how}, retry: { maxAttempts: 1 } }`
      const tasks = [`- { name: a, type: h, compensate: ${undo} }`, '- { name: end, type: fail }']
      const world = engineWorld(workflowOf(tasks))
      for (const key of ['running', 'waiting']) {
        world.start('w', key)
        world.grantAll()
        world.complete('a')
        world.grantAll()
        if (key === 'waiting') world.fail('undo')
        world.advance('10s')
        assert.equal(world.tasks(key)['undo'], task)
        assert.equal(world.status(key), how === 'skip' ? 'FAILED' : 'COMPENSATING')
        if (how === 'fail') assert.equal(world.task(key, 'undo')?.error?.code, 'max-duration')
      }
    })
  }

  test('a compensation may wait for a signal, which comes while the instance is unwound', () => {
    const tasks = ['- { name: a, type: h, compensate: { name: undo, type: signal } }', '- { name: end, type: fail }']
    const world = engineWorld(workflowOf(tasks))
    world.start('w', 'k')
    world.grantAll()
    world.complete('a')
    assert.equal(world.status('k'), 'COMPENSATING')
    assert.deepEqual(world.operate('k', { kind: 'signal', name: 'undo', payload: Payload.of('by hand') }), {
      outcome: 'done',
    })
    assert.equal(world.status('k'), 'FAILED')
    assert.equal(world.tasks('k')['undo'], 'COMPLETED')
  })

  test('those in stopped or tolerated branches and items are compensated as well', () => {
    const world = engineWorld(
      workflowOf([
        `- name: each`,
        `  type: for-each`,
        `  items: [1, 2]`,
        `  onItemFailure: continue`,
        `  tasks:`,
        `    - { name: a, type: h, compensate: { type: kafka-command, topic: refunds, value: "\${ [item, output] }" } }`,
        `    - { name: b, type: h, retry: { maxAttempts: 1 }, onFailure: fail }`,
        `- { name: end, type: fail }`,
      ]),
    )
    world.start('w', 'k')
    world.grantAll()
    world.complete('each[0].a', 'x')
    world.complete('each[1].a', 'y')
    world.grantAll()
    world.fail('each[0].b')
    world.complete('each[1].b')
    assert.deepEqual(undone(world), [
      [2, 'y'],
      [1, 'x'],
    ])
    assert.equal(world.status('k'), 'FAILED')
  })

  test('a scope that is tried again is compensated for each of its attempts', () => {
    const world = engineWorld(
      workflowOf([
        `- name: p`,
        `  type: process`,
        `  retry: { maxAttempts: 2, initialInterval: 1s, jitter: 0 }`,
        `  tasks:`,
        `    - { name: a, type: h, ${refund('a')} }`,
        `    - { name: b, type: h, retry: { maxAttempts: 1 }, onFailure: fail }`,
      ]),
    )
    world.start('w', 'k')
    for (const output of [1, 2]) {
      world.grantAll()
      world.complete('a', output)
      world.grantAll()
      world.fail('b')
      world.advance('1s')
    }
    assert.deepEqual(undone(world), [
      { of: 'a', gave: 2 },
      { of: 'a', gave: 1 },
    ])
  })
})

suite('stop', () => {
  test('a `stop` task ends the instance STOPPED with its reason, with no compensation', () => {
    const world = engineWorld(
      workflowOf([
        `- { name: a, type: set, set: { x: 1 }, ${refund('a')} }`,
        `- { name: b, type: h, dependsOn: [a] }`,
        `- { name: end, type: stop, dependsOn: [a], reason: withdrawn }`,
      ]),
    )
    world.start('w', 'k')
    assert.deepEqual(undone(world), [])
    assert.equal(world.status('k'), 'STOPPED')
    assert.deepEqual(world.instance('k').error, { code: 'stopped', message: 'withdrawn' })
    assert.equal(world.tasks('k')['b'], 'STOPPED')
  })

  test('lets handlers clean up before the instance is STOPPED', () => {
    const world = engineWorld(
      workflowOf([
        '- { name: a, type: h, dependsOn: [] }',
        '- { name: wait, type: trigger, delay: 1s, dependsOn: [] }',
        '- { name: end, type: stop }',
      ]),
    )
    world.areStopsSlow = true
    world.start('w', 'k')
    world.grantAll()
    world.advance('1s')
    assert.equal(world.status('k'), 'EXECUTING')
    assert.equal(world.stopped.length, 1)
    world.complete('a', 'late')
    world.endStops()
    assert.equal(world.status('k'), 'STOPPED')
    assert.equal(world.tasks('k')['a'], 'STOPPED')
  })

  test('while handlers clean up, lets nobody act on it', () => {
    const world = cleaningUp()
    for (const action of [{ kind: 'suspend' }, { kind: 'stop', reason: 'again' }, skip] as const) {
      const answer = world.operate('k', action)
      assert.ok(answer.outcome === 'refused' && answer.code === 'not-now')
      assert.match(answer.message, /^(suspend|stop|skip): the instance is being stopped$/)
    }
    world.endStops()
    assert.equal(world.status('k'), 'STOPPED')
  })

  test('waits for clean-up of a suspended instance no longer than `stopTimeout`', () => {
    const world = cleaningUp({ isSuspended: true })
    world.stops.length = 0
    assert.equal(world.instance('k').endedAtMs, undefined)
    world.advance('30s')
    assert.equal(world.status('k'), 'STOPPED')
  })
})

const skip = { kind: 'skip', task: undefined } as const

/** An instance that was stopped while a handler ran, which takes its time. */
function cleaningUp({ isSuspended = false } = {}): EngineWorld {
  const world = engineWorld(workflowOf(['- { name: a, type: h }']))
  world.areStopsSlow = true
  world.start('w', 'k')
  world.grantAll()
  if (isSuspended) world.operate('k', { kind: 'suspend' })
  world.operate('k', { kind: 'stop', reason: 'enough' })
  return world
}
