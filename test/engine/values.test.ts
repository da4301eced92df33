// Values: `set` and its order, the limits of variables and outputs, what an expression that fails does, incidents.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { limits } from '../../src/base/limits.ts'
import { engineWorld, workflowOf } from '../support/engine.ts'

suite('set', () => {
  test('writes what a task came to, and the next expression sees it', () => {
    const tasks = [
      '- { name: h, type: work, set: { x: "${ output.n + vars.x }" } }',
      '- { name: c, type: kafka-command, topic: out, value: "${ vars.x }" }',
    ]
    const world = engineWorld(workflowOf(tasks, 'vars: { x: 1 }'))
    world.start('w', 'k')
    world.grantAll()
    world.complete('h', { n: 2 })
    assert.deepEqual([world.vars('k'), world.produced[0]?.value], [{ x: 3 }, 3])
  })

  for (const [first, second] of [
    ['a', 'b'],
    ['b', 'a'],
  ] as const) {
    test(`of parallel branches is written in the order of their events; the last one wins (${first}, then ${second})`, () => {
      const tasks = [
        '- { name: a, type: work, set: { x: "${ vars.x + [output] }" } }',
        '- { name: b, type: work, dependsOn: [], set: { x: "${ vars.x + [output] }" } }',
      ]
      const world = engineWorld(workflowOf(tasks, 'vars: { x: [] }'))
      world.start('w', 'k')
      world.grantAll()
      world.complete(first, first)
      world.complete(second, second)
      assert.deepEqual(world.vars('k')['x'], [first, second])
      assert.equal(world.instance('k').timeline.filter(({ status }) => status === 'SET').length, 2)
    })
  }

  test('of one task is evaluated on the state before it, all its variables alike', () => {
    const tasks = ['- { name: swap, type: set, set: { x: "${ vars.y }", y: "${ vars.x }" } }']
    const world = engineWorld(workflowOf(tasks, 'vars: { x: 1, y: 2 }'))
    world.start('w', 'k')
    assert.deepEqual(world.vars('k'), { x: 2, y: 1 })
  })

  test('may write to all variables together no more than they may hold', () => {
    const half = limits.varsBytesMax / 2
    const tasks = [
      `- { name: a, type: set, set: { x: "\${ input }" } }`,
      `- { name: b, type: set, set: { y: "\${ input }!" } }`,
    ]
    const world = engineWorld(workflowOf(tasks, 'vars: { x: "", y: "" }'))
    world.start('w', 'k', 'x'.repeat(half))
    assert.deepEqual(world.tasks('k'), { a: 'COMPLETED', b: 'INCIDENT' })
    assert.equal(world.task('k', 'b')?.error?.code, 'payload-too-large')
    assert.equal(world.vars('k')['y'], '')
  })

  test('sees null where a task has no output', () => {
    const world = engineWorld(workflowOf(['- { name: a, type: set, set: { x: "${ output }" } }'], 'vars: { x: 1 }'))
    world.start('w', 'k')
    assert.deepEqual(world.vars('k'), { x: null })
  })
})

suite('an expression that fails', () => {
  for (const [what, task] of [
    ['a decision', `- { name: t, type: decision, cases: [{ when: input.no, next: [] }] }`],
    ['a handler’s input', '- { name: t, type: work, retry: { maxAttempts: 1 }, with: "${ input.no }" }'],
    ['a trigger', '- { name: t, type: trigger, delay: "${ input.no }" }'],
    [
      'a listener',
      '- { name: t, type: kafka-listener, topic: a, correlate: { message: message.key, instance: input.no } }',
    ],
    ['an output that is not there yet', '- { name: t, type: set, set: { x: "${ tasks.z.output }" } }'],
  ] as const) {
    test(`fails its task with code \`expression\`: ${what}`, () => {
      const world = engineWorld(workflowOf([task, '- { name: z, type: set, set: { x: 1 } }'], 'vars: { x: 0 }'))
      world.start('w', 'k', {})
      assert.equal(world.task('k', 't')?.error?.code, 'expression')
      assert.equal(world.tasks('k')['t'], 'INCIDENT')
    })
  }

  test('in the workflow’s output leaves the instance EXECUTING with one incident, however many tasks end together', () => {
    const tasks = ['- { name: a, type: set, set: { x: 1 } }', '- { name: b, type: set, dependsOn: [], set: { x: 1 } }']
    const world = engineWorld(workflowOf(tasks, 'vars: { x: 0 }', 'output: "${ input.no }"'))
    world.start('w', 'k', {})
    assert.deepEqual([world.status('k'), world.instance('k').incidents], ['EXECUTING', 1])
    assert.equal(world.instance('k').error?.code, 'expression')
  })

  test('in the first values of `vars` starts nothing and answers the caller', () => {
    const world = engineWorld(workflowOf(['- { name: a, type: set, set: { x: 1 } }'], 'vars: { x: "${ input.no }" }'))
    const answer = world.start('w', 'k', {})
    assert.ok(answer.outcome === 'rejected' && answer.code === 'expression')
    assert.equal(world.find('w', 'k'), undefined)
  })

  test('leaves no trace of what the attempt had begun', () => {
    const tasks = [
      '- { name: l, type: kafka-listener, topic: a, timeout: 1h, correlate: [{ message: message.key, instance: instance.key }, { message: message.key, instance: input.no }] }',
    ]
    const world = engineWorld(workflowOf(tasks))
    world.start('w', 'k', {})
    assert.deepEqual([world.waiterCount, world.timers()], [0, []])
  })
})

suite('an incident', () => {
  test('is counted, and the other branches go on', () => {
    const tasks = [
      '- { name: bad, type: set, set: { x: "${ input.no }" } }',
      '- { name: after, type: work }',
      '- { name: other, type: work, dependsOn: [] }',
    ]
    const world = engineWorld(workflowOf(tasks, 'vars: { x: 0 }'))
    world.start('w', 'k', {})
    world.grantAll()
    world.complete('other')
    assert.deepEqual(world.tasks('k'), { bad: 'INCIDENT', after: 'NOT_STARTED', other: 'COMPLETED' })
    assert.deepEqual([world.status('k'), world.instance('k').incidents], ['EXECUTING', 1])
  })

  test('of the engine itself keeps the instance from ending by itself', () => {
    const world = engineWorld(workflowOf(['- { name: h, type: work }']))
    world.start('w', 'k')
    world.grantAll()
    const { id } = world.instance('k')
    const error = { code: 'engine', message: 'a bug' }
    world.input(world.partitionOf('k'), { type: 'instance.suspect', instanceId: id, error })
    world.complete('h')
    assert.deepEqual([world.status('k'), world.instance('k').incidents], ['EXECUTING', 1])
    assert.deepEqual(world.rejections, [{ command: 'instance.complete', code: 'instance-has-incident' }])
  })
})

suite('an instance', () => {
  test('has its workflow’s output', () => {
    const tasks = ['- { name: h, type: work }']
    const world = engineWorld(workflowOf(tasks, 'output: { got: "${ tasks.h.output }", was: "${ tasks.h.status }" }'))
    world.start('w', 'k')
    world.grantAll()
    world.complete('h', [1])
    assert.deepEqual(world.instance('k').output?.value, { got: [1], was: 'COMPLETED' })
  })

  test('keeps the latest entries of its timeline and counts those that it dropped', () => {
    const world = engineWorld(
      workflowOf(['- { name: h, type: work, retry: { maxAttempts: 0, maxInterval: 1s, jitter: 0 } }']),
    )
    world.start('w', 'k')
    for (let attempt = 1; attempt <= 100; attempt++) {
      world.grantAll()
      world.fail('h')
      world.advance('1s')
    }
    const { timeline, timelineDropped } = world.instance('k')
    assert.equal(timeline.length, limits.timelineEntriesMax)
    // Begun; and of each attempt: submitted, executing, retry scheduled; and submitted again.
    assert.equal(timelineDropped, 1 + 100 * 3 + 1 - limits.timelineEntriesMax)
    assert.equal(timeline.at(-1)?.attempt, 101)
  })

  test('is kept for its retention, and then forgotten with its key', () => {
    const world = engineWorld(workflowOf(['- { name: h, type: work }'], 'retention: 24h'))
    world.start('w', 'k')
    world.grantAll()
    world.complete('h', 'x'.repeat(100_000))
    world.advance('86399999ms')
    assert.equal(world.status('k'), 'COMPLETED')
    world.advance('1ms')
    assert.equal(world.find('w', 'k'), undefined)
    assert.ok(world.stores.every(({ values }) => values.size === 0))
  })

  test('is deleted on completion where its retention is 0', () => {
    const world = engineWorld(workflowOf(['- { name: h, type: work }'], 'retention: 0s'))
    world.start('w', 'k', 'x'.repeat(100_000))
    world.grantAll()
    world.complete('h', 'x'.repeat(100_000))
    assert.ok(world.stores.every(({ values }) => values.size === 0))
  })

  test('that is forgotten leaves its key to the one that came after it', () => {
    const world = engineWorld(workflowOf(['- { name: h, type: work }'], 'retention: 1h'))
    world.start('w', 'k')
    world.grantAll()
    world.complete('h')
    world.advance('30m')
    world.start('w', 'k')
    const { id } = world.instance('k')
    world.advance('30m')
    assert.equal(world.eventsOf('instance.forgotten').length, 1)
    assert.equal(world.instance('k').id, id)
  })
})

suite('a trigger', () => {
  for (const [what, task] of [
    ['a delay', '- { name: t, type: trigger, delay: "${ input.delay }" }'],
    ['a time', '- { name: t, type: trigger, at: "${ input.at }" }'],
  ] as const) {
    test(`waits for ${what}, and fires neither early nor twice`, () => {
      const world = engineWorld(workflowOf([task]))
      world.start('w', 'k', { delay: '1h', at: '2026-01-01T02:00:00+01:00' })
      const [timer] = world.timers()
      assert.ok(timer !== undefined)
      world.advance('3599999ms')
      assert.deepEqual(world.tasks('k'), { t: 'EXECUTING' })
      world.advance('1ms')
      assert.equal(world.status('k'), 'COMPLETED')
      world.input(timer.partition, { type: 'timer.fire', timer: timer.key })
      assert.deepEqual(world.rejections, [{ command: 'timer.fire', code: 'timer-superseded' }])
    })
  }

  test('for a time that has passed fires at once', () => {
    const world = engineWorld(workflowOf(['- { name: t, type: trigger, at: "1969-07-20T20:17:40Z" }']))
    world.start('w', 'k')
    world.advance('0s')
    assert.equal(world.status('k'), 'COMPLETED')
  })

  test('that is given no time and no duration fails', () => {
    for (const input of [{ delay: 'soon' }, { delay: 5 }, { delay: '-1s' }]) {
      const world = engineWorld(workflowOf(['- { name: t, type: trigger, delay: "${ input.delay }" }']))
      world.start('w', 'k', input)
      assert.equal(world.task('k', 't')?.error?.code, 'expression')
    }
  })

  test('that fires early is a bug that is noticed', () => {
    const world = engineWorld(workflowOf(['- { name: t, type: trigger, delay: 1h }']))
    world.start('w', 'k')
    const [timer] = world.timers()
    assert.ok(timer !== undefined)
    assert.throws(() => world.input(timer.partition, { type: 'timer.fire', timer: timer.key }), { kind: 'invariant' })
  })
})
