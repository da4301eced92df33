// Where records meet listeners (C1-C3 in deciders/channel.ts): every order in which the two can come.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { engineWorld, workflowOf } from '../support/engine.ts'

const pair = '{ message: message.value.id, instance: instance.key }'
const listener = (name: string, more = ''): string =>
  `- { name: ${name}, type: kafka-listener, topic: replies, correlate: ${pair}${more} }`
const reply = (id: string, more: object = {}): { id: string } => ({ id, ...more })
/** All instances wait for the value `same`. */
const shared = (more = ''): string =>
  `- { name: l, type: kafka-listener, topic: replies, correlate: { message: message.value.id, instance: "'same'" }${more} }`

suite('a listener', () => {
  test('takes the record that comes after it, and its output is the record’s value', () => {
    const world = engineWorld(workflowOf([listener('l', ', set: { by: "${ message.value.by }" }')], 'vars: { by: "" }'))
    world.start('w', 'k')
    assert.equal(world.waiterCount, 1)
    world.record('replies', reply('k', { by: 'me' }))
    assert.deepEqual([world.status('k'), world.output('k', 'l')], ['COMPLETED', { id: 'k', by: 'me' }])
    assert.deepEqual(world.vars('k'), { by: 'me' })
    assert.equal(world.waiterCount, 0)
  })

  test('takes the record that came before it', () => {
    const world = engineWorld(workflowOf([listener('l')]))
    world.record('replies', reply('k', { n: 1 }))
    assert.equal(world.keptCount, 1)
    world.advance('59m')
    world.start('w', 'k')
    assert.deepEqual([world.status('k'), world.keptCount], ['COMPLETED', 0])
    assert.match(world.instance('k').timeline.at(-2)?.note ?? '', /^kept record replies\/0@0$/)
  })

  test('takes one record of two; the second waits for the next listener of its value', () => {
    const world = engineWorld(workflowOf([listener('first'), listener('second')]))
    world.start('w', 'k')
    world.hold('instance.correlate', 'channel.join')
    world.record('replies', reply('k', { n: 1 }))
    world.record('replies', reply('k', { n: 2 }))
    world.deliver()
    assert.deepEqual(world.output('k', 'first'), { id: 'k', n: 1 })
    assert.deepEqual(world.output('k', 'second'), { id: 'k', n: 2 })
  })

  test('takes a tombstone as null', () => {
    const byKey =
      '- { name: l, type: kafka-listener, topic: replies, correlate: { message: message.key, instance: instance.key } }'
    const world = engineWorld(workflowOf([byKey]))
    world.start('w', 'k')
    world.route({
      topic: 'replies',
      partition: 0,
      offset: 0,
      timestampMs: 0,
      key: new TextEncoder().encode('k'),
      value: null,
      headers: [],
    })
    assert.deepEqual([world.status('k'), world.output('k', 'l')], ['COMPLETED', null])
  })

  test('is found by numbers and by texts alike, in their canonical form', () => {
    const world = engineWorld(workflowOf([listener('l')]))
    world.start('w', '17')
    world.record('replies', { id: 17 })
    assert.equal(world.status('17'), 'COMPLETED')
  })

  for (const [what, input] of [
    ['a fraction', { v: 1.5 }],
    ['a list', { v: [1] }],
    ['null', { v: null }],
    ['true', { v: true }],
    ['a text without UTF-8', { v: 'x\ud800' }],
    ['a text that is too long', { v: 'x'.repeat(1_025) }],
  ] as const) {
    test(`on ${what} fails with \`correlation-value\``, () => {
      const on =
        '- { name: l, type: kafka-listener, topic: replies, correlate: { message: message.value.id, instance: input.v } }'
      const world = engineWorld(workflowOf([on]))
      world.start('w', 'k', input)
      assert.equal(world.task('k', 'l')?.error?.code, 'correlation-value')
      assert.equal(world.waiterCount, 0)
    })
  }

  test('that has timed out takes nothing: the record is kept', () => {
    const world = engineWorld(workflowOf([listener('l', ', timeout: 30m')]))
    world.start('w', 'k')
    world.advance('30m')
    assert.equal(world.task('k', 'l')?.error?.code, 'timeout')
    assert.deepEqual([world.waiterCount, world.timers()], [0, []])
    world.record('replies', reply('k'))
    assert.deepEqual([world.tasks('k'), world.keptCount], [{ l: 'INCIDENT' }, 1])
  })

  test('that was answered does not time out', () => {
    const world = engineWorld(workflowOf([listener('l', ', timeout: 30m'), '- { name: z, type: work }']))
    world.start('w', 'k')
    world.record('replies', reply('k'))
    world.advance('30m')
    assert.deepEqual(world.tasks('k'), { l: 'COMPLETED', z: 'SUBMITTED' })
  })

  test('that is retried after its timeout subscribes anew', () => {
    const world = engineWorld(workflowOf([listener('l', ', timeout: 1m, retry: { maxAttempts: 2, jitter: 0 }')]))
    world.start('w', 'k')
    world.advance('1m')
    assert.equal(world.waiterCount, 0)
    world.advance('1s')
    assert.equal(world.waiterCount, 1)
    world.record('replies', reply('k'))
    assert.deepEqual([world.status('k'), world.task('k', 'l')?.attempt], ['COMPLETED', 2])
  })

  test('whose `set` fails has taken its record all the same', () => {
    const world = engineWorld(
      workflowOf([listener('l', ', timeout: 1h, set: { by: "${ message.value.by }" }')], 'vars: { by: "" }'),
    )
    world.start('w', 'k')
    world.record('replies', reply('k'))
    assert.equal(world.task('k', 'l')?.error?.code, 'expression')
    assert.deepEqual([world.keptCount, world.waiterCount, world.timers()], [0, 0, []])
  })
})

suite('of several listeners', () => {
  test('on one value the longest-waiting takes the record', () => {
    const world = engineWorld(workflowOf([shared()]))
    for (const key of ['a', 'b', 'c']) {
      world.start('w', key)
      world.advance('1s')
    }
    world.record('replies', reply('same'))
    assert.deepEqual(
      ['a', 'b', 'c'].map((key) => world.status(key)),
      ['COMPLETED', 'EXECUTING', 'EXECUTING'],
    )
    world.record('replies', reply('same'))
    assert.deepEqual(
      ['a', 'b', 'c'].map((key) => world.status(key)),
      ['COMPLETED', 'COMPLETED', 'EXECUTING'],
    )
  })

  test('on one value the longest-waiting is the one that began to wait first, whichever subscription arrives first', () => {
    const world = engineWorld(workflowOf([shared()]), 8)
    const home = world.partitionOf('same')
    const remote = Array.from({ length: 20 }, (_, n) => `r${n}`).find((key) => world.partitionOf(key) !== home) ?? ''
    const local = Array.from({ length: 200 }, (_, n) => `l${n}`).find((key) => world.partitionOf(key) === home) ?? ''
    world.hold('channel.join')
    world.start('w', remote)
    world.advance('1s')
    world.start('w', local)
    world.deliver()
    world.record('replies', reply('same'))
    assert.deepEqual([world.status(remote), world.status(local)], ['COMPLETED', 'EXECUTING'])
  })

  test('the one whose `where` holds takes the record', () => {
    const tasks = [
      listener('yes', ', where: message.value.ok'),
      listener('no', ', dependsOn: [], where: "!message.value.ok"'),
    ]
    const world = engineWorld(workflowOf(tasks))
    world.start('w', 'k')
    world.record('replies', reply('k', { ok: false }))
    assert.deepEqual(world.tasks('k'), { yes: 'EXECUTING', no: 'COMPLETED' })
    world.record('replies', reply('k', { ok: true }))
    assert.equal(world.status('k'), 'COMPLETED')
  })

  test('those on whose `where` a record cannot be evaluated are passed over', () => {
    const world = engineWorld(workflowOf([listener('l', ', where: message.value.no.such')]))
    world.start('w', 'k')
    world.record('replies', reply('k'))
    assert.deepEqual([world.tasks('k'), world.keptCount], [{ l: 'EXECUTING' }, 1])
  })

  test('the one of which all pairs are equal takes the record', () => {
    const pairs =
      '[{ message: message.value.id, instance: "\'same\'" }, { message: message.value.part, instance: instance.key }]'
    const world = engineWorld(workflowOf([`- { name: l, type: kafka-listener, topic: replies, correlate: ${pairs} }`]))
    world.start('w', 'a')
    world.start('w', 'b')
    world.record('replies', reply('same', { part: 'b' }))
    world.record('replies', reply('same', { part: 'nobody' }))
    assert.deepEqual([world.status('a'), world.status('b'), world.keptCount], ['EXECUTING', 'COMPLETED', 1])
  })

  test('a listener takes no record that another one’s expression routed to its value', () => {
    const tasks = [
      listener('byId'),
      '- { name: byRef, type: kafka-listener, dependsOn: [], topic: replies, correlate: { message: message.value.ref, instance: instance.key } }',
    ]
    const world = engineWorld(workflowOf(tasks))
    world.start('w', 'k')
    world.record('replies', { id: 'other', ref: 'k' })
    assert.deepEqual(world.tasks('k'), { byId: 'EXECUTING', byRef: 'COMPLETED' })
  })

  test('two workflows on one topic each get the record', () => {
    const world = engineWorld(
      `${workflowOf([listener('l')])}\n---\n${workflowOf([listener('m')]).replace('workflow: w', 'workflow: v')}`,
    )
    world.start('w', 'k')
    world.start('v', 'k')
    world.record('replies', reply('k'))
    assert.deepEqual([world.status('k', 'w'), world.status('k', 'v')], ['COMPLETED', 'COMPLETED'])
  })

  test('two versions of one workflow share the records: one of them gets it', () => {
    const world = engineWorld(workflowOf([shared()]))
    world.start('w', 'old')
    world.publish(workflowOf([shared()], 'description: another version'))
    world.advance('1s')
    world.start('w', 'new')
    assert.notEqual(world.instance('old').version, world.instance('new').version)
    world.record('replies', reply('same'))
    assert.deepEqual([world.status('old'), world.status('new')], ['COMPLETED', 'EXECUTING'])
  })
})
