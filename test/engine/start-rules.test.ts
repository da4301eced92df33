// What a start finds with its key: one that runs (onRunning), or one that has ended (onClosed); whoever starts.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { limits } from '../../src/base/limits.ts'
import { engineWorld, workflowOf, type EngineWorld } from '../support/engine.ts'

const work = ['- { name: h, type: work, onFailure: fail }']
const w = (...head: readonly string[]): string => workflowOf(work, 'start: [{ topic: t }]', ...head)

/** Inputs of the instances, in the order in which they began. */
const inputs = (world: EngineWorld) => world.eventsOf('instance.started').map(({ row }) => row.input.value)
const notStarted = (world: EngineWorld): readonly string[] =>
  world.eventsOf('instance.not-started').map(({ reason }) => reason)
const dequeued = (world: EngineWorld): readonly string[] => world.eventsOf('start.dequeued').map(({ reason }) => reason)

function end(world: EngineWorld): void {
  world.grantAll()
  world.complete('h')
}

function fail(world: EngineWorld): void {
  world.grantAll()
  world.fail('h', 'x', { isRetryable: false })
}

suite('onClosed', () => {
  test('start (the default) begins another', () => {
    const world = engineWorld(w())
    world.start('w', 'k', 1)
    end(world)
    assert.equal(world.start('w', 'k', 2).outcome, 'started')
  })

  test('ignore starts nothing as long as the one before is kept; a call hears which one', () => {
    const world = engineWorld(w('onClosed: ignore', 'retention: 1h'))
    const first = world.start('w', 'k', 1)
    end(world)
    assert.deepEqual(world.start('w', 'k', 2), { ...first, outcome: 'ignored' })
    world.record('t', 3, { key: 'k' })
    assert.deepEqual(
      [inputs(world), notStarted(world), world.deadLetters],
      [[1], ['already-closed', 'already-closed'], []],
    )
    world.advance('2h')
    assert.equal(world.start('w', 'k', 4).outcome, 'started')
  })

  test('start-if-failed starts after one that failed or was stopped, not after one that completed', () => {
    const world = engineWorld(w('onClosed: start-if-failed'))
    world.start('w', 'k', 1)
    fail(world)
    world.start('w', 'k', 2)
    const { id } = world.instance('k')
    world.input(world.partitionOf('k'), { type: 'instance.stop', instanceId: id, reason: 'by hand' })
    world.start('w', 'k', 3)
    end(world)
    assert.equal(world.start('w', 'k', 4).outcome, 'ignored')
    assert.deepEqual(inputs(world), [1, 2, 3])
  })

  test('says nothing of one that runs', () => {
    const world = engineWorld(w('onClosed: ignore', 'onRunning: reject'))
    world.start('w', 'k', 1)
    const answer = world.start('w', 'k', 2)
    assert.deepEqual([answer.outcome, 'code' in answer && answer.code], ['rejected', 'already-running'])
  })

  test('ignore fails the task of a parent that asks', () => {
    const parent = workflowOf(['- { name: c, type: workflow, workflow: w, key: k, onFailure: fail }']).replace(
      ' w',
      ' p',
    )
    const world = engineWorld(`${w('onClosed: ignore')}\n---\n${parent}`)
    world.start('w', 'k', 1)
    end(world)
    world.start('p', 'a')
    assert.deepEqual([world.status('a', 'p'), world.task('a', 'c', 'p')?.error?.code], ['FAILED', 'start-refused'])
  })

  test('the same call again is answered as the first time', () => {
    const world = engineWorld(w('onClosed: ignore'))
    world.start('w', 'k', 1)
    end(world)
    const ignored = world.start('w', 'k', 2, 'call')
    assert.deepEqual(world.start('w', 'k', 2, 'call'), { ...ignored, outcome: 'repeated' })
  })
})

suite('onRunning: queue', () => {
  test('starts one after the other, in the order of their coming', () => {
    const world = engineWorld(w('onRunning: queue'))
    world.record('t', 1, { key: 'k' })
    world.record('t', 2, { key: 'k' })
    assert.deepEqual(world.start('w', 'k', 3), { outcome: 'queued', key: 'k', place: 2 })
    assert.deepEqual(inputs(world), [1])
    end(world)
    assert.deepEqual(inputs(world), [1, 2])
    fail(world)
    assert.deepEqual(inputs(world), [1, 2, 3])
    end(world)
    assert.deepEqual([world.status('k'), dequeued(world)], ['COMPLETED', ['its-turn', 'its-turn']])
  })

  test('holds up nobody with another key', () => {
    const world = engineWorld(w('onRunning: queue'))
    world.start('w', 'k', 1)
    assert.equal(world.start('w', 'other', 2).outcome, 'started')
  })

  test('goes on while instances are kept no time', () => {
    const world = engineWorld(w('onRunning: queue', 'retention: 0s'))
    for (const n of [1, 2, 3]) world.start('w', 'k', n)
    for (const _ of [1, 2, 3]) end(world)
    assert.deepEqual([inputs(world), world.find('w', 'k')], [[1, 2, 3], undefined])
  })

  test('goes on at once with what has nothing to wait for', () => {
    const quick = ['- { name: h, type: work, when: input.slow }']
    const world = engineWorld(workflowOf(quick, 'onRunning: queue'))
    world.start('w', 'k', { slow: true })
    for (const _ of [1, 2, 3]) world.start('w', 'k', { slow: false })
    end(world)
    assert.equal(world.eventsOf('instance.completed').length, 4)
  })

  test('is not asked about onClosed: what waits came while one ran', () => {
    const world = engineWorld(w('onRunning: queue', 'onClosed: ignore'))
    world.start('w', 'k', 1)
    world.start('w', 'k', 2)
    end(world)
    assert.deepEqual(inputs(world), [1, 2])
  })

  test('is bounded, and rejects beyond: a record goes to the dead-letter topic, a call is told', () => {
    const world = engineWorld(w('onRunning: queue'), 1)
    for (let n = 0; n <= limits.queuedStartsMax; n++) world.start('w', 'k', n)
    const answer = world.start('w', 'k', 'more')
    assert.deepEqual([answer.outcome, 'code' in answer && answer.code], ['rejected', 'already-running'])
    world.record('t', 'more', { key: 'k' })
    assert.deepEqual(
      world.deadLetters.map(({ code }) => code),
      ['already-running'],
    )
    end(world)
    assert.equal(world.start('w', 'k', 'more').outcome, 'queued')
  })

  test('takes only what could start: a bad input is refused at once', () => {
    const world = engineWorld(w('onRunning: queue', 'input: { type: integer }'))
    world.start('w', 'k', 1)
    const answer = world.start('w', 'k', 'x')
    assert.deepEqual(['code' in answer && answer.code, dequeued(world)], ['input-invalid', []])
  })

  test('a call hears its place as it moves up, and at last its instance', () => {
    const world = engineWorld(w('onRunning: queue'))
    world.start('w', 'k', 1)
    world.start('w', 'k', 2, 'second')
    assert.deepEqual(world.start('w', 'k', 3, 'third'), { outcome: 'queued', key: 'k', place: 2 })
    end(world)
    assert.deepEqual(world.start('w', 'k', 3, 'third'), { outcome: 'queued', key: 'k', place: 1 })
    assert.equal(world.start('w', 'k', 2, 'second').outcome, 'repeated')
    end(world)
    const { id } = world.instance('k')
    assert.deepEqual(world.start('w', 'k', 3, 'third'), { outcome: 'repeated', instanceId: id, key: 'k' })
    assert.deepEqual(inputs(world), [1, 2, 3])
  })

  test('one whose call was forgotten starts all the same', () => {
    const world = engineWorld(w('onRunning: queue'))
    world.start('w', 'k', 1)
    world.start('w', 'k', 2, 'call')
    world.advance('25h')
    end(world)
    assert.deepEqual(inputs(world), [1, 2])
  })

  test('keeps the version that a start came with', () => {
    const world = engineWorld(w('onRunning: queue'))
    world.start('w', 'k', 1)
    world.start('w', 'k', 2)
    const version = world.instance('k').version
    world.publish(w('onRunning: queue', 'description: newer'))
    end(world)
    assert.deepEqual([world.instance('k').version, inputs(world)], [version, [1, 2]])
  })

  test('that cannot start in its turn is refused then, and the next one starts', () => {
    const late = 'vars: { x: "${ instance.startedAt < timestamp(\'2026-01-01T00:30:00Z\') ? 1 : input.missing }" }'
    const world = engineWorld(w('onRunning: queue', late))
    world.record('t', { n: 1 }, { key: 'k' })
    world.record('t', { n: 2 }, { key: 'k' })
    world.start('w', 'k', { n: 3 }, 'call')
    world.start('w', 'k', { n: 4, missing: 0 })
    world.advance('1h')
    end(world)
    assert.deepEqual(inputs(world), [{ n: 1 }, { n: 4, missing: 0 }])
    assert.deepEqual(
      world.deadLetters.map(({ code }) => code),
      ['expression'],
    )
    const again = world.start('w', 'k', { n: 3 }, 'call')
    assert.deepEqual('code' in again && again.code, 'start-dropped')
  })

  test('a parent’s task waits for its turn, and what waits for a parent that is stopped goes', () => {
    const parent = workflowOf(['- { name: c, type: workflow, workflow: w, key: k }']).replace(' w', ' p')
    const world = engineWorld(`${w('onRunning: queue')}\n---\n${parent}`)
    world.start('w', 'k', 1)
    world.start('p', 'a')
    world.start('p', 'b')
    const { id } = world.instance('a', 'p')
    world.input(Number(id.slice(27)), { type: 'instance.stop', instanceId: id, reason: 'by hand' })
    assert.deepEqual(dequeued(world), ['not-wanted'])
    end(world)
    end(world)
    assert.deepEqual([world.status('b', 'p'), world.eventsOf('instance.completed').length], ['COMPLETED', 3])
  })
})

suite('onRunning: replace', () => {
  test('stops the one that runs, and starts the new one once that has ended', () => {
    const world = engineWorld(w('onRunning: replace'))
    const first = world.start('w', 'k', 1)
    assert.deepEqual(world.start('w', 'k', 2), { outcome: 'queued', key: 'k', place: 1 })
    const [stopped] = world.eventsOf('instance.stopped')
    assert.deepEqual(
      [stopped?.instanceId, stopped?.error.message],
      ['instanceId' in first && first.instanceId, 'replaced'],
    )
    assert.deepEqual([inputs(world), world.status('k')], [[1, 2], 'EXECUTING'])
  })

  test('waits for handlers that clean up; meanwhile the newest alone waits', () => {
    const world = engineWorld(w('onRunning: replace'))
    world.areStopsSlow = true
    world.start('w', 'k', 1)
    world.grantAll()
    world.record('t', 2, { key: 'k' })
    world.start('w', 'k', 3, 'call')
    world.start('w', 'k', 4)
    assert.deepEqual([inputs(world), dequeued(world)], [[1], ['replaced', 'replaced']])
    world.endStops()
    assert.deepEqual([inputs(world), world.deadLetters], [[1, 4], []])
    const again = world.start('w', 'k', 3, 'call')
    assert.deepEqual('code' in again && again.code, 'start-dropped')
  })

  test('waits for an instance that is being unwound', () => {
    const undo = 'compensate: { type: undo }'
    const tasks = [`- { name: a, type: work, ${undo} }`, '- { name: h, type: work, onFailure: fail }']
    const world = engineWorld(workflowOf(tasks, 'onRunning: replace'))
    world.start('w', 'k', 1)
    world.grantAll()
    world.complete('a')
    fail(world)
    assert.equal(world.status('k'), 'COMPENSATING')
    world.start('w', 'k', 2)
    assert.deepEqual(inputs(world), [1])
    world.grantAll()
    world.complete('a-compensate')
    assert.deepEqual(inputs(world), [1, 2])
  })

  test('does not stop anything for a start that cannot be', () => {
    const world = engineWorld(w('onRunning: replace', 'input: { type: integer }'))
    world.start('w', 'k', 1)
    world.start('w', 'k', 'x')
    assert.equal(world.status('k'), 'EXECUTING')
    assert.equal(world.eventsOf('instance.stopped').length, 0)
  })

  test('of a parent’s start by another one fails the parent’s task', () => {
    const parent = workflowOf(['- { name: c, type: workflow, workflow: w, key: k, onFailure: fail }']).replace(
      ' w',
      ' p',
    )
    const world = engineWorld(`${w('onRunning: replace')}\n---\n${parent}`)
    world.areStopsSlow = true
    world.start('w', 'k', 1)
    world.grantAll()
    world.start('p', 'a')
    world.start('w', 'k', 2)
    assert.equal(world.task('a', 'c', 'p')?.error?.code, 'start-refused')
  })
})
