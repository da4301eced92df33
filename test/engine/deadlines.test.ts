import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { engineWorld, workflowOf } from '../support/engine.ts'

suite('maxDuration', () => {
  test('bounds a task with all its attempts; `fail` fails it with the code max-duration, and onFailure decides', () => {
    const world = engineWorld(
      workflowOf([
        '- { name: a, type: h, maxDuration: 5s, retry: { maxAttempts: 0, initialInterval: 2s, jitter: 0 }, onFailure: [{ code: max-duration, next: [late] }] }',
        '- { name: late, type: set, set: { isLate: true } }',
        '- { name: fine, type: set, dependsOn: [a], set: { isLate: false } }',
      ]),
    )
    world.start('w', 'k')
    world.grantAll()
    world.fail('a')
    world.advance('2s')
    world.grantAll()
    world.advance('3s')
    assert.deepEqual(world.tasks('k'), { a: 'FAILED', late: 'COMPLETED', fine: 'SKIPPED' })
    assert.deepEqual(world.vars('k'), { isLate: true })
    assert.equal(world.aborts.length, 1)
  })

  test('`skip` goes on, and what runs inside is stopped', () => {
    const world = engineWorld(
      workflowOf([
        '- name: p',
        '  type: process',
        '  maxDuration: 5s',
        '  onMaxDuration: skip',
        '  tasks: [{ name: a, type: h }]',
        '- { name: after, type: set, set: { done: true } }',
      ]),
    )
    world.start('w', 'k')
    world.grantAll()
    world.advance('5s')
    assert.deepEqual(world.tasks('k'), { p: 'SKIPPED', a: 'STOPPED', after: 'COMPLETED' })
    assert.equal(world.status('k'), 'COMPLETED')
  })

  test('of the workflow fails the instance, and is over with it', () => {
    const world = engineWorld(workflowOf(['- { name: a, type: h }'], 'maxDuration: 1m'))
    world.start('w', 'k')
    world.grantAll()
    world.advance('1m')
    assert.equal(world.status('k'), 'FAILED')
    assert.equal(world.instance('k').error?.code, 'max-duration')
    world.start('w', 'l')
    world.grantAll()
    world.complete('a')
    assert.equal(world.status('l'), 'COMPLETED')
    assert.ok(world.timers().every(({ key }) => key.includes('/f/')))
  })

  test('bounds a task that waits for a person as well', () => {
    const world = engineWorld(
      workflowOf(['- { name: a, type: h, retry: { maxAttempts: 1 }, maxDuration: 5s, onMaxDuration: skip }']),
    )
    world.start('w', 'k')
    world.grantAll()
    world.fail('a')
    assert.equal(world.tasks('k')['a'], 'INCIDENT')
    world.advance('5s')
    assert.equal(world.tasks('k')['a'], 'SKIPPED')
    assert.equal(world.status('k'), 'COMPLETED')
  })
})

suite('a stopped handler that cleans up', () => {
  const bounded = (bound: string): string =>
    workflowOf([
      '- name: p',
      '  type: process',
      '  onFailure: skip',
      '  tasks:',
      `    - { name: a, type: h, ${bound} }`,
      '    - { name: b, type: h, dependsOn: [], onFailure: fail, retry: { maxAttempts: 1 } }',
    ])

  for (const [title, bound] of [
    ['is not failed by its maxDuration', 'maxDuration: 5s'],
    ['is not watched by its monitor', 'monitor: { completeBy: 5s, then: { type: set, set: { isLate: true } } }'],
  ] as const) {
    test(`${title}: it is STOPPED, and its instance goes on`, () => {
      const world = engineWorld(bounded(bound))
      world.areStopsSlow = true
      world.start('w', 'k')
      world.grantAll()
      world.fail('b')
      assert.ok(world.timers().every(({ key }) => !key.includes('/x/') && !key.includes('/m/')))
      world.advance('5s')
      assert.equal(world.task('k', 'a')?.open?.kind, 'stopping')
      world.endStops()
      assert.deepEqual(world.tasks('k')['a'], 'STOPPED')
      assert.deepEqual(world.vars('k'), {})
      assert.equal(world.status('k'), 'COMPLETED')
    })
  }
})

suite('a task whose time is over and that a person has tried again', () => {
  const again = { kind: 'retry', task: undefined, input: undefined } as const

  test('has its maxDuration anew', () => {
    const world = engineWorld(workflowOf(['- { name: a, type: h, timeout: 1d, maxDuration: 1h }']))
    world.start('w', 'k')
    world.advance('1h')
    assert.equal(world.tasks('k')['a'], 'INCIDENT')
    world.operate('k', again)
    world.advance('59m')
    assert.equal(world.tasks('k')['a'], 'SUBMITTED')
    world.advance('1m')
    assert.equal(world.tasks('k')['a'], 'INCIDENT')
  })

  test('has the deadline of an interval anew, and what has not passed goes on', () => {
    const run = 'every: 10m, until: "false", run: { name: b, type: set, set: { x: 1 } }'
    const task = `- { name: a, type: interval, ${run}, deadline: 1h, maxDuration: 90m, onFailure: incident }`
    const world = engineWorld(workflowOf([task], 'vars: { x: 0 }'))
    world.start('w', 'k')
    world.advance('1h')
    assert.equal(world.task('k', 'a')?.error?.code, 'deadline')
    world.operate('k', again)
    world.advance('30m')
    assert.equal(world.task('k', 'a')?.error?.code, 'max-duration')
    world.operate('k', again)
    world.advance('29m')
    assert.equal(world.tasks('k')['a'], 'EXECUTING')
    world.advance('1m')
    assert.equal(world.task('k', 'a')?.error?.code, 'deadline')
  })
})

suite('monitor', () => {
  const remind = 'then: { type: kafka-command, topic: reminders, value: "${ instance.key }" }'

  test('runs its task once if the deadline passes, and stops nothing', () => {
    const world = engineWorld(workflowOf([`- { name: a, type: h, monitor: { completeBy: 5s, ${remind} } }`]))
    world.start('w', 'k')
    world.grantAll()
    world.advance('1h')
    assert.deepEqual(
      world.produced.map(({ value }) => value),
      ['k'],
    )
    assert.equal(world.task('k', 'a')?.status, 'SUBMITTED')
    world.start('w', 'l')
    world.grantAll()
    world.complete('a')
    world.advance('1h')
    assert.equal(world.status('l'), 'COMPLETED')
    assert.equal(world.produced.length, 1)
  })

  test('takes a time, of an expression, on a process and on the workflow', () => {
    const world = engineWorld(
      workflowOf(
        [
          `- { name: p, type: process, monitor: { completeBy: "\${ input }", ${remind} }, tasks: [{ name: a, type: h }] }`,
        ],
        `monitor: { completeBy: 10s, ${remind} }`,
      ),
    )
    world.start('w', 'k', '2026-01-01T00:00:05Z')
    world.grantAll()
    world.advance('4s')
    assert.equal(world.produced.length, 0)
    world.advance('1s')
    assert.equal(world.produced.length, 1)
    world.advance('5s')
    assert.equal(world.produced.length, 2)
    world.complete('a')
    assert.equal(world.status('k'), 'COMPLETED')
  })

  test('counts for the completion of its scope once it has begun', () => {
    const world = engineWorld(workflowOf(['- { name: a, type: h, monitor: { completeBy: 5s, then: { type: tell } } }']))
    world.start('w', 'k')
    world.grantAll()
    world.advance('5s')
    world.grantAll()
    world.complete('a')
    assert.equal(world.status('k'), 'EXECUTING')
    world.complete('a-monitor')
    assert.equal(world.status('k'), 'COMPLETED')
  })
})

suite('interval', () => {
  const poll = (...more: string[]): string =>
    workflowOf(
      [
        '- name: poll',
        '  type: interval',
        '  every: 10s',
        '  run: { name: ask, type: h, retry: { maxAttempts: 1 }, onFailure: skip }',
        '  until: has(tasks.ask.output) && tasks.ask.output == "done"',
        ...more.map((line) => `  ${line}`),
      ],
      'output: ${ tasks.poll.output }',
    )

  test('runs its task every so often until its condition is true; its output is that of the last run', () => {
    const world = engineWorld(poll())
    world.start('w', 'k')
    world.grantAll()
    world.advance('3s')
    world.complete('ask', 'wait')
    world.advance('6s')
    world.grantAll()
    assert.equal(world.runs.length, 1)
    world.advance('1s')
    world.grantAll()
    assert.equal(world.runs.length, 2)
    world.fail('ask')
    world.advance('10s')
    world.grantAll()
    world.complete('ask', 'done')
    assert.equal(world.instance('k').output?.value, 'done')
    assert.equal(world.status('k'), 'COMPLETED')
  })

  test('a run that takes longer than `every` is followed at once, and never by two', () => {
    const world = engineWorld(poll())
    world.start('w', 'k')
    world.grantAll()
    world.advance('25s')
    world.complete('ask', 'wait')
    world.advance('0s')
    world.grantAll()
    assert.equal(world.runs.length, 2)
  })

  test('its deadline ends it by force: complete, fail or skip', () => {
    for (const [how, status] of [
      ['complete', 'COMPLETED'],
      ['fail', 'FAILED'],
      ['skip', 'SKIPPED'],
    ]) {
      const world = engineWorld(poll('deadline: 15s', `onDeadline: ${how}`))
      world.start('w', 'k')
      world.grantAll()
      world.complete('ask', 'wait')
      world.advance('10s')
      world.grantAll()
      world.advance('5s')
      assert.equal(world.task('k', 'poll')?.status, status)
      assert.equal(world.tasks('k')['ask'], 'STOPPED')
      if (how === 'fail') assert.equal(world.instance('k').error?.code, 'deadline')
    }
  })
})
