// Attempts: the retry policy's arithmetic, timeouts, and the life of a handler task.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { limits } from '../../src/base/limits.ts'
import { Payload } from '../../src/engine/payload.ts'
import { engineWorld, workflowOf, type EngineWorld } from '../support/engine.ts'

/** An instance `k` whose handler task `h` runs. */
function running(more = '', head: readonly string[] = []): EngineWorld {
  const world = engineWorld(workflowOf([`- { name: h, type: work${more} }`], ...head))
  world.start('w', 'k', { n: 1 })
  world.grantAll()
  return world
}

/** Fails the run and gives how long the next attempt is away; undefined where there is none. */
function delayAfterFailure(world: EngineWorld, more: Parameters<EngineWorld['fail']>[2] = {}): number | undefined {
  world.fail('h', 'handler', more)
  const open = world.task('k', 'h')?.open
  return open?.kind === 'retry' ? open.dueAtMs - world.nowMs : undefined
}

function nextAttempt(world: EngineWorld, afterMs: number): void {
  world.advance(`${afterMs}ms`)
  world.grantAll()
}

suite('a retry policy', () => {
  test('waits longer each time, up to `maxInterval`, and ends with `maxAttempts`', () => {
    const policy = 'maxAttempts: 5, initialInterval: 1s, backoffCoefficient: 3, maxInterval: 10s, jitter: 0'
    const world = running(`, retry: { ${policy} }`)
    for (const expected of [1_000, 3_000, 9_000, 10_000]) {
      assert.equal(delayAfterFailure(world), expected)
      nextAttempt(world, expected)
    }
    assert.equal(world.lastRun('h').attempt, 5)
    assert.equal(delayAfterFailure(world), undefined)
    assert.deepEqual(world.tasks('k'), { h: 'INCIDENT' })
    assert.equal(world.instance('k').incidents, 1)
  })

  test('gives a handler ten attempts by default', () => {
    const world = running(', retry: { jitter: 0 }')
    const delays: number[] = []
    for (let delay = delayAfterFailure(world); delay !== undefined; delay = delayAfterFailure(world)) {
      delays.push(delay)
      nextAttempt(world, delay)
    }
    assert.deepEqual(delays, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000])
  })

  test('gives a built-in type one attempt by default', () => {
    const world = engineWorld(workflowOf(['- { name: a, type: set, set: { x: "${ input.no }" } }'], 'vars: { x: 0 }'))
    world.start('w', 'k', {})
    assert.equal(world.task('k', 'a')?.attempt, 1)
    assert.deepEqual(world.tasks('k'), { a: 'INCIDENT' })
  })

  test('of `maxAttempts: 0` never ends, at no interval that is no number', () => {
    const world = running(', retry: { maxAttempts: 0, initialInterval: 0s, jitter: 0 }')
    for (let attempt = 1; attempt <= 1_100; attempt++) {
      assert.equal(delayAfterFailure(world), 0)
      nextAttempt(world, 0)
    }
    assert.equal(world.lastRun('h').attempt, 1_101)
  })

  test('is stretched or shrunk by no more than `jitter`, and not always by the same', () => {
    const world = engineWorld(workflowOf(['- { name: h, type: work, retry: { initialInterval: 10s, jitter: 0.2 } }']))
    const delays: number[] = []
    for (let n = 0; n < 50; n++) {
      world.start('w', `k${n}`)
      world.grantAll()
      world.fail('h')
      const open = world.task(`k${n}`, 'h')?.open
      assert.ok(open?.kind === 'retry')
      delays.push(open.dueAtMs - world.nowMs)
    }
    assert.ok(Math.min(...delays) >= 8_000 && Math.max(...delays) <= 12_000)
    assert.ok(Math.max(...delays) - Math.min(...delays) > 2_000)
  })

  test('does not retry a code that it names', () => {
    const world = running(', retry: { nonRetryable: [declined] }')
    world.fail('h', 'declined')
    assert.deepEqual(world.tasks('k'), { h: 'INCIDENT' })
    assert.equal(world.task('k', 'h')?.error?.code, 'declined')
  })

  test('does not retry what says that it is not to be retried', () => {
    const world = running()
    assert.equal(delayAfterFailure(world, { isRetryable: false }), undefined)
    assert.deepEqual(world.tasks('k'), { h: 'INCIDENT' })
  })

  test('begins no attempt beyond `maxElapsed` from the first one’s start', () => {
    const world = running(', retry: { maxElapsed: 7s, jitter: 0 }')
    for (const expected of [1_000, 2_000, 4_000]) {
      assert.equal(delayAfterFailure(world), expected)
      nextAttempt(world, expected)
    }
    assert.equal(delayAfterFailure(world), undefined)
  })

  test('gives way to the interval that a handler names', () => {
    const world = running(', retry: { jitter: 0 }')
    assert.equal(delayAfterFailure(world, { afterMs: 90_000 }), 90_000)
  })

  test('waits ten years at the most, whatever a handler names', () => {
    for (const afterMs of [Infinity, 1e300, Number.MAX_SAFE_INTEGER]) {
      const world = running()
      assert.equal(delayAfterFailure(world, { afterMs }), 3_650 * 86_400_000)
    }
  })

  test('may wait until the very millisecond in which the attempt would have timed out', () => {
    const world = running(', timeout: 30s')
    assert.equal(delayAfterFailure(world, { afterMs: 30_000 }), 30_000)
    nextAttempt(world, 30_000)
    assert.deepEqual([world.lastRun('h').attempt, world.tasks('k')['h']], [2, 'EXECUTING'])
  })
})

suite('a timeout', () => {
  test('counts as an attempt: the handler is aborted and tried again', () => {
    const world = running(', timeout: 30s, retry: { maxAttempts: 2, jitter: 0 }')
    world.advance('29999ms')
    assert.deepEqual(world.aborts, [])
    world.advance('1ms')
    assert.equal(world.aborts.length, 1)
    assert.equal(world.task('k', 'h')?.error?.code, 'timeout')
    nextAttempt(world, 1_000)
    assert.equal(world.lastRun('h').attempt, 2)
    world.advance('30s')
    assert.deepEqual(world.tasks('k'), { h: 'INCIDENT' })
  })

  test('of a handler that names none comes all the same', () => {
    const world = running()
    world.advance(`${limits.handlerTimeoutMs}ms`)
    assert.equal(world.task('k', 'h')?.error?.code, 'timeout')
  })

  test('that comes first leaves nothing to what the handler returns', () => {
    const world = running(', timeout: 30s')
    world.advance('30s')
    world.complete('h', 'late')
    assert.deepEqual(world.rejections.at(-1), { command: 'task.complete', code: 'task-not-open' })
    assert.equal(world.tasks('k')['h'], 'SUBMITTED')
  })

  test('that comes second finds its timer gone', () => {
    const world = running(', timeout: 30s')
    const [timer] = world.timers()
    assert.ok(timer !== undefined)
    world.complete('h')
    world.advance('30s')
    world.input(timer.partition, { type: 'timer.fire', timer: timer.key })
    assert.deepEqual(world.rejections.at(-1), { command: 'timer.fire', code: 'timer-superseded' })
    assert.equal(world.status('k'), 'COMPLETED')
  })
})

suite('a handler task', () => {
  test('waits for a slot, runs, and completes with its output', () => {
    const world = engineWorld(workflowOf(['- { name: h, type: work, with: { n: "${ input.n }" } }']))
    world.start('w', 'k', { n: 7 })
    assert.deepEqual(world.tasks('k'), { h: 'SUBMITTED' })
    assert.deepEqual(world.runs, [])
    world.grantAll()
    assert.deepEqual(world.tasks('k'), { h: 'EXECUTING' })
    assert.deepEqual(world.lastRun('h').input.value, { n: 7 })
    world.complete('h', { done: true })
    assert.deepEqual(world.output('k', 'h'), { done: true })
    assert.equal(world.status('k'), 'COMPLETED')
  })

  test('completes once: a second completion of its attempt is refused', () => {
    const world = running()
    world.complete('h', 1)
    world.complete('h', 2)
    assert.deepEqual(world.rejections, [{ command: 'task.complete', code: 'task-not-open' }])
    assert.equal(world.output('k', 'h'), 1)
  })

  test('is not ended by a result of an attempt before', () => {
    const world = running()
    const old = world.lastRun('h')
    const delay = delayAfterFailure(world) ?? assert.fail()
    nextAttempt(world, delay)
    const { instanceId, task } = old
    world.input(world.partitionOf('k'), { type: 'task.complete', instanceId, task, attempt: 1, output: Payload.of(1) })
    assert.deepEqual(world.rejections.at(-1), { command: 'task.complete', code: 'attempt-superseded' })
    world.complete('h', 2)
    assert.equal(world.output('k', 'h'), 2)
  })

  test('that nobody let run can be neither completed nor failed', () => {
    const world = engineWorld(workflowOf(['- { name: h, type: work }']))
    world.start('w', 'k')
    const [request] = world.requests
    assert.ok(request !== undefined)
    const { instanceId, task, attempt } = request
    world.input(world.partitionOf('k'), { type: 'task.complete', instanceId, task, attempt, output: Payload.of(1) })
    assert.deepEqual(world.rejections, [{ command: 'task.complete', code: 'task-not-open' }])
  })

  test('keeps its attempt and its input while runs are cut short, and the fifth in a row counts as one', () => {
    const world = running(', with: { n: "${ input.n }" }, retry: { maxAttempts: 2, jitter: 0 }')
    const { instanceId, task, attempt } = world.lastRun('h')
    const again = (): void => world.input(world.partitionOf('k'), { type: 'task.execute', instanceId, task, attempt })
    for (let run = 2; run <= limits.runsCutShortMax; run++) again()
    assert.equal(world.runs.length, limits.runsCutShortMax)
    assert.ok(world.runs.every((run) => run.attempt === 1))
    assert.equal(world.timers().length, 1)
    again()
    assert.equal(world.task('k', 'h')?.error?.code, 'run-lost')
    nextAttempt(world, 1_000)
    assert.deepEqual([world.lastRun('h').attempt, world.lastRun('h').input.value], [2, { n: 1 }])
    assert.equal(world.task('k', 'h')?.open?.kind === 'handler' && world.runs.length, limits.runsCutShortMax + 1)
  })

  test('whose input cannot be evaluated evaluates it anew in its next attempt', () => {
    const tasks = [
      '- { name: h, type: work, with: "${ vars.list[0] }", retry: { jitter: 0 } }',
      '- { name: s, type: set, dependsOn: [gate], set: { list: [5] } }',
      '- { name: gate, type: trigger, dependsOn: [], delay: 500ms }',
    ]
    const world = engineWorld(workflowOf(tasks, 'vars: { list: [] }'))
    world.start('w', 'k')
    assert.equal(world.task('k', 'h')?.error?.code, 'expression')
    nextAttempt(world, 1_000)
    assert.equal(world.lastRun('h').input.value, 5)
  })

  test('keeps the input of its first attempt when variables change', () => {
    const tasks = [
      '- { name: h, type: work, with: "${ vars.x }", retry: { jitter: 0 } }',
      '- { name: s, type: set, dependsOn: [gate], set: { x: 2 } }',
      '- { name: gate, type: trigger, dependsOn: [], delay: 500ms }',
    ]
    const world = engineWorld(workflowOf(tasks, 'vars: { x: 1 }'))
    world.start('w', 'k')
    world.grantAll()
    world.fail('h')
    nextAttempt(world, 1_000)
    assert.deepEqual([world.vars('k')['x'], world.lastRun('h').input.value], [2, 1])
  })

  test('is not run again because its `set` fails', () => {
    const world = running(', set: { x: "${ output.no }" }', ['vars: { x: 0 }'])
    world.complete('h', {})
    assert.deepEqual(world.tasks('k'), { h: 'INCIDENT' })
    assert.equal(world.task('k', 'h')?.error?.code, 'expression')
  })

  test('whose output is over the limit fails with `payload-too-large` and is not run again', () => {
    const world = running()
    world.complete('h', 'x'.repeat(limits.payloadBytesMax))
    assert.deepEqual(world.tasks('k'), { h: 'INCIDENT' })
    assert.equal(world.task('k', 'h')?.error?.code, 'payload-too-large')
  })

  test('whose input is over the limit fails with `payload-too-large`', () => {
    const more = ', retry: { maxAttempts: 1 }, with: ["${ input }", "${ input }"]'
    const world = engineWorld(workflowOf([`- { name: h, type: work${more} }`]))
    world.start('w', 'k', 'x'.repeat(limits.payloadBytesMax - 10))
    assert.equal(world.task('k', 'h')?.error?.code, 'payload-too-large')
  })

  test('takes input and output right up to the limit, and lets go of the input', () => {
    const world = engineWorld(
      workflowOf(['- { name: h, type: work, with: "${ input }" }', '- { name: z, type: work }']),
    )
    const most = 'x'.repeat(limits.payloadBytesMax - 2)
    world.start('w', 'k', most)
    world.grantAll()
    assert.equal(world.lastRun('h').input.value, most)
    assert.equal(world.instance('k').stored.length, 2)
    world.complete('h', most)
    assert.equal(world.output('k', 'h'), most)
    assert.deepEqual(new Set(world.instance('k').stored.map((key) => key.split('/').at(-1))), new Set(['0o', 'in']))
  })
})
