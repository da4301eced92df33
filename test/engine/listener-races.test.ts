// A record on its way to a listener that gives up meanwhile: it is sent back, and never lost or given twice.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { engineWorld, workflowOf, type EngineWorld } from '../support/engine.ts'

const reply = { id: 'same' }
/** All instances wait for the value `same`. */
const shared = (more = ''): string =>
  `- { name: l, type: kafka-listener, topic: replies, correlate: { message: message.value.id, instance: "'same'" }${more} }`

suite('a record in flight while its listener times out', () => {
  /** Instances on other partitions than the value, so that the record has a way to go. */
  function racing(...keys: readonly string[]): EngineWorld {
    const world = engineWorld(workflowOf([shared(', timeout: 10m')]), 8)
    const home = world.partitionOf('same')
    for (const key of keys) {
      assert.notEqual(world.partitionOf(key), home)
      world.start('w', key)
      world.advance('1m')
    }
    world.hold('instance.correlate')
    world.record('replies', reply)
    return world
  }
  const [first, second] = Array.from({ length: 50 }, (_, n) => `k${n}`).filter(
    (key) =>
      engineWorld(workflowOf([shared()]), 8).partitionOf(key) !==
      engineWorld(workflowOf([shared()]), 8).partitionOf('same'),
  ) as [string, string]

  test('goes to the second waiter', () => {
    const world = racing(first, second)
    world.advance('8m')
    assert.equal(world.tasks(first)['l'], 'INCIDENT')
    world.deliver()
    assert.equal(world.status(second), 'COMPLETED')
    assert.equal(world.eventsOf('record.returned').length, 1)
    assert.equal(world.keptCount, 0)
  })

  test('is kept again where nobody else waits, for what is left of its time', () => {
    const world = racing(first)
    world.advance('10m')
    world.deliver()
    assert.equal(world.keptCount, 1)
    world.advance('50m')
    assert.equal(world.keptCount, 0)
  })

  test('is dropped where its time is over', () => {
    const world = racing(first)
    world.advance('2h')
    world.deliver()
    assert.deepEqual(
      world.eventsOf('record.dropped').map(({ reason }) => reason),
      ['expired'],
    )
    assert.equal(world.keptCount, 0)
  })

  test('comes in time where the timeout has not been decided yet', () => {
    const world = racing(first)
    world.deliver()
    world.advance('1h')
    assert.equal(world.status(first), 'COMPLETED')
  })

  test('is stale once its instance has ended: it answers no later one', () => {
    const on = shared(', timeout: 10m, onFailure: fail')
    const world = engineWorld(workflowOf([on]), 8)
    world.start('w', first)
    world.hold('instance.correlate')
    world.record('replies', reply)
    world.advance('10m')
    assert.equal(world.status(first), 'FAILED')
    world.deliver()
    assert.deepEqual(
      world.eventsOf('record.dropped').map(({ reason }) => reason),
      ['stale'],
    )
    assert.equal(world.keptCount, 0)
  })

  test('goes to the next waiter although its instance has ended', () => {
    const on = shared(', timeout: 10m, onFailure: fail')
    const world = engineWorld(workflowOf([on]), 8)
    world.start('w', first)
    world.advance('5m')
    world.start('w', second)
    world.hold('instance.correlate')
    world.record('replies', reply)
    world.advance('5m')
    world.deliver()
    assert.deepEqual([world.status(first), world.status(second)], ['FAILED', 'COMPLETED'])
  })

  test('is an answer to an older subscription once the listener has subscribed anew, and finds the new one', () => {
    const world = engineWorld(workflowOf([shared(', timeout: 10m, retry: { maxAttempts: 2, jitter: 0 }')]), 8)
    world.start('w', first)
    world.hold('instance.correlate')
    world.record('replies', reply)
    world.advance('11m')
    assert.equal(world.task(first, 'l')?.attempt, 2)
    world.deliver()
    assert.equal(world.eventsOf('record.returned').length, 1)
    assert.deepEqual([world.status(first), world.task(first, 'l')?.attempt], ['COMPLETED', 2])
  })

  test('finds the timed-out listener’s leave behind it: that is refused, and nothing is lost', () => {
    const world = racing(first)
    world.hold('channel.leave')
    world.advance('10m')
    world.deliver()
    assert.deepEqual(world.rejections, [{ command: 'channel.leave', code: 'not-waiting' }])
    assert.equal(world.keptCount, 1)
  })
})
