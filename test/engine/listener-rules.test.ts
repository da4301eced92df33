import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { engineWorld, workflowOf } from '../support/engine.ts'

const listener = (more: string, instance = 'input.c'): string =>
  `- { name: l, type: kafka-listener, topic: t, correlate: { message: message.key, instance: ${instance} }${more} }`

suite('a record that was redriven', () => {
  test('is for the listeners of the workflow that could not use it', () => {
    const waiting = workflowOf([listener('')])
    const world = engineWorld(`${waiting}\n---\n${waiting.replace('workflow: w', 'workflow: v')}`)
    for (const name of ['w', 'v']) world.start(name, name, { c: 'x' })
    const headers = [{ key: 'dw-redriven-for', value: Buffer.from('v') }]
    world.route({ topic: 't', partition: 0, offset: 1, timestampMs: 0, key: Buffer.from('x'), value: null, headers })
    assert.deepEqual([world.status('w', 'w'), world.status('v', 'v')], ['EXECUTING', 'COMPLETED'])
    world.record('t', 1, { key: 'x' })
    assert.equal(world.status('w', 'w'), 'COMPLETED')
  })
})

suite('match', () => {
  test('`one`: the longest-waiting listener takes a record', () => {
    const world = engineWorld(workflowOf([listener('')]))
    for (const key of ['a', 'b']) world.start('w', key, { c: 'x' })
    world.record('t', 1, { key: 'x' })
    assert.deepEqual([world.status('a'), world.status('b')], ['COMPLETED', 'EXECUTING'])
  })

  test('`all`: every listener that fits gets it', () => {
    const world = engineWorld(workflowOf([listener(', match: all, where: message.value > 0')]))
    for (const key of ['a', 'b', 'c']) world.start('w', key, { c: 'x' })
    world.record('t', 0, { key: 'x' })
    world.record('t', 1, { key: 'x' })
    assert.deepEqual(
      ['a', 'b', 'c'].map((key) => world.output(key, 'l')),
      [1, 1, 1],
    )
    assert.equal(world.waiterCount, 0)
  })
})

suite('onExpired', () => {
  test('`dead-letter`: a kept record that nobody came for goes to the dead-letter topic', () => {
    const world = engineWorld(workflowOf([listener(', keep: 10s, onExpired: dead-letter')]))
    world.record('t', 1, { key: 'x' })
    world.advance('10s')
    assert.deepEqual(
      world.deadLetters.map(({ code, workflows }) => [code, workflows]),
      [['expired', ['w']]],
    )
    assert.equal(world.keptCount, 0)
  })

  test('`drop` is the default', () => {
    const world = engineWorld(workflowOf([listener(', keep: 10s')]))
    world.record('t', 1, { key: 'x' })
    world.advance('10s')
    assert.deepEqual(world.deadLetters, [])
    assert.equal(world.eventsOf('record.unkept')[0]?.reason, 'expired')
  })
})

suite('until', () => {
  const sum = (more = ''): string =>
    workflowOf(
      [listener(`, set: { n: "\${ vars.n + message.value }" }, until: vars.n >= 6${more}`)],
      'vars: { n: 0 }',
      'output: ${ vars.n }',
    )

  test('keeps listening, applying `set` for each record, until true; its output is the last record', () => {
    const world = engineWorld(sum())
    world.start('w', 'k', { c: 'x' })
    for (const value of [1, 2, 3]) world.record('t', value, { key: 'x' })
    assert.equal(world.status('k'), 'COMPLETED')
    assert.equal(world.instance('k').output?.value, 6)
    assert.equal(world.output('k', 'l'), 3)
  })

  test('records that come while it is on its way to listen again are neither lost nor taken out of order', () => {
    const world = engineWorld(sum(', keep: 0s'))
    world.start('w', 'k', { c: 'x' })
    world.hold('channel.join', 'instance.correlate')
    for (const value of [1, 2, 3]) world.record('t', value, { key: 'x' })
    world.deliver()
    assert.equal(world.instance('k').output?.value, 6)
  })

  test('a burst that was kept is worked off in its order', () => {
    const world = engineWorld(sum().replace('vars.n >= 6', 'vars.n >= 300'))
    for (let n = 0; n < 300; n++) world.record('t', 1, { key: 'x' })
    world.start('w', 'k', { c: 'x' })
    assert.equal(world.instance('k').output?.value, 300)
    assert.equal(world.keptCount, 0)
  })

  test('its timeout bounds the whole wait', () => {
    const world = engineWorld(sum(', timeout: 10s'))
    world.start('w', 'k', { c: 'x' })
    world.advance('6s')
    world.record('t', 1, { key: 'x' })
    world.advance('4s')
    assert.equal(world.task('k', 'l')?.error?.code, 'timeout')
    assert.equal(world.waiterCount, 0)
  })

  test('a `set` or `until` that fails, fails the attempt with the code expression', () => {
    const world = engineWorld(sum())
    world.start('w', 'k', { c: 'x' })
    world.record('t', 'text', { key: 'x' })
    assert.equal(world.task('k', 'l')?.error?.code, 'expression')
  })
})

suite('correlation that follows vars', () => {
  const yaml = workflowOf(
    [`- { name: h, type: h, dependsOn: [], set: { c: "\${ output }" } }`, listener(', dependsOn: []', 'vars.c')],
    'vars: { c: old }',
  )

  test('a listener that waits, waits for the new value once a variable has changed', () => {
    const world = engineWorld(yaml)
    world.start('w', 'k')
    world.grantAll()
    world.complete('h', 'new')
    world.record('t', 1, { key: 'old' })
    assert.equal(world.status('k'), 'EXECUTING')
    world.record('t', 2, { key: 'new' })
    assert.equal(world.output('k', 'l'), 2)
    assert.equal(world.status('k'), 'COMPLETED')
  })

  test('a record that was on its way for the old value is sent back', () => {
    const world = engineWorld(yaml)
    world.start('w', 'k')
    world.grantAll()
    world.hold('instance.correlate')
    world.record('t', 1, { key: 'old' })
    world.complete('h', 'new')
    world.deliver()
    assert.equal(world.eventsOf('record.returned').length, world.partitionOf('old') === world.partitionOf('k') ? 0 : 1)
    world.record('t', 2, { key: 'new' })
    assert.equal(world.status('k'), 'COMPLETED')
  })

  test('a value that cannot be one fails the listener', () => {
    const world = engineWorld(yaml)
    world.start('w', 'k')
    world.grantAll()
    world.complete('h', { no: 'text' })
    assert.equal(world.task('k', 'l')?.error?.code, 'correlation-value')
    assert.equal(world.waiterCount, 0)
  })
})
