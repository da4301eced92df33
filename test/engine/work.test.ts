// What handlers are told of an attempt, and what a restored partition owes them.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { owedFor } from '../../src/engine/derive.ts'
import { Staging } from '../../src/runtime/staging.ts'
import { engineWorld, workflowOf, type EngineWorld } from '../support/engine.ts'

const keysOf = (world: EngineWorld): readonly string[] => {
  const ids = new Set(world.runs.map(({ instanceId }) => instanceId))
  assert.equal(ids.size, 1)
  return world.runs.map(({ idempotencyKey, instanceId }) => idempotencyKey.slice(instanceId.length + 1))
}

suite('the idempotency key', () => {
  test('I4: is the same for every attempt of a task, and another one for another task', () => {
    const retry = 'retry: { maxAttempts: 2, initialInterval: 1s, jitter: 0 }'
    const world = engineWorld(workflowOf([`- { name: a, type: h, ${retry} }`, '- { name: b, type: h }']))
    world.start('w', 'k')
    world.grantAll()
    world.fail('a')
    world.advance('1s')
    world.grantAll()
    world.complete('a')
    world.grantAll()
    assert.deepEqual(keysOf(world), ['a', 'a', 'b'])
  })

  test('I4: is another one for each item of a for-each', () => {
    const each = '- { name: each, type: for-each, items: "${ [1, 2] }", tasks: [{ name: a, type: h }] }'
    const world = engineWorld(workflowOf([each]))
    world.start('w', 'k')
    world.grantAll()
    assert.deepEqual(keysOf(world), ['each[0].a', 'each[1].a'])
  })

  test('I4: is another one for each run of an interval, and the same for the attempts of one', () => {
    const run = '{ name: look, type: h, retry: { maxAttempts: 2, initialInterval: 10ms, jitter: 0 } }'
    const world = engineWorld(
      workflowOf([`- { name: poll, type: interval, every: 1s, until: tasks.look.output == 1, run: ${run} }`]),
    )
    world.start('w', 'k')
    world.grantAll()
    world.fail('look')
    world.advance('10ms')
    world.grantAll()
    world.complete('look', 0)
    world.advance('1s')
    world.grantAll()
    world.complete('look', 1)
    assert.equal(world.status('k'), 'COMPLETED')
    const [first, again, second] = keysOf(world)
    assert.deepEqual([first === again, first === second, first?.startsWith('look@')], [true, false, true])
  })

  test('I4: is another one for each compensation, though the same task comes by twice', () => {
    const undo = 'compensate: { type: undo, retry: { maxAttempts: 2, initialInterval: 1s, jitter: 0 } }'
    const world = engineWorld(
      workflowOf([
        '- name: p',
        '  type: process',
        '  retry: { maxAttempts: 2, initialInterval: 1s, jitter: 0 }',
        '  onFailure: fail',
        '  tasks:',
        `    - { name: a, type: set, set: { x: 1 }, ${undo} }`,
        '    - { name: b, type: kafka-command, topic: t, value: "${ input.missing }", onFailure: fail }',
      ]),
    )
    world.start('w', 'k', {})
    world.advance('1s')
    world.grantAll()
    world.fail('a-compensate')
    world.advance('1s')
    world.grantAll()
    world.complete('a-compensate')
    world.grantAll()
    world.complete('a-compensate')
    assert.equal(world.status('k'), 'FAILED')
    const [first, again, second] = keysOf(world)
    assert.deepEqual(
      [first, again, second],
      ['a-compensate/completed-2', 'a-compensate/completed-2', 'a-compensate/completed-1'],
    )
  })
})

suite('a restored partition', () => {
  const owed = (world: EngineWorld, instanceId: string) => {
    const rows = world.rows(Number(instanceId.slice(27)))
    return owedFor({ instanceId, task: 0 }, new Staging(rows, undefined), world.catalogue)
  }

  test('asks for a slot for what waited for one, or ran', () => {
    const world = engineWorld(workflowOf(['- { name: a, type: h, with: { n: 1 } }']))
    world.start('w', 'k')
    const [request] = world.requests
    assert.ok(request !== undefined)
    assert.deepEqual(owed(world, request.instanceId), request)
    world.grantAll()
    assert.deepEqual(owed(world, request.instanceId), request)
  })

  test('tells what was stopped, and was cleaning up, that it is stopped', () => {
    const world = engineWorld(
      workflowOf(
        [
          '- { name: a, type: h, dependsOn: [], with: { n: 1 } }',
          '- { name: wait, type: trigger, delay: 1s, dependsOn: [] }',
          '- { name: end, type: stop }',
        ],
        'stopTimeout: 5s',
      ),
    )
    world.areStopsSlow = true
    world.start('w', 'k')
    world.grantAll()
    world.advance('1s')
    const [stop] = world.stopped
    assert.ok(stop !== undefined)
    assert.deepEqual([stop.stopTimeoutMs, stop.input.value, stop.name], [5_000, { n: 1 }, 'a'])
    const { input, ...again } = owed(world, stop.instanceId) as typeof stop
    const { input: before, ...told } = stop
    assert.deepEqual([again, input.value], [told, before.value])
  })
})
