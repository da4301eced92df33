// Starts: one start, one instance (I1), whoever asks; and what becomes of a record that cannot start one (R1).
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { limits } from '../../src/base/limits.ts'
import { engineWorld, workflowOf } from '../support/engine.ts'

const work = ['- { name: h, type: work }']
const started = (...head: readonly string[]): string => workflowOf(work, ...head)
const encoder = new TextEncoder()

suite('a start by record', () => {
  test('takes the record’s value as input, its key as key, and remembers where it came from', () => {
    const world = engineWorld(started('start: [{ topic: t }]'))
    world.record('t', { n: 1 }, { key: 'k' })
    const { input, origin, key } = world.instance('k')
    assert.deepEqual([input.value, key], [{ n: 1 }, 'k'])
    assert.match(origin, /^record t\/\d@0$/)
  })

  test('takes key and input from its expressions', () => {
    const world = engineWorld(
      started('start: [{ topic: t, key: "${ message.value.id }", input: { got: "${ message.value.n }" } }]'),
    )
    world.record('t', { id: 42, n: 1 }, { key: 'other' })
    assert.deepEqual(world.instance('42').input.value, { got: 1 })
  })

  test('without any key takes the record’s coordinates', () => {
    const world = engineWorld(started('start: [{ topic: t }]'))
    world.record('t', 1)
    world.record('t', 2, { key: '' })
    assert.equal(world.eventsOf('instance.started').length, 2)
    assert.equal(world.instance('t/0@0').input.value, 1)
    assert.deepEqual(
      world.eventsOf('instance.started').map(({ row }) => row.key.startsWith('t/')),
      [true, true],
    )
  })

  test('whose `when` is false does not happen, and nobody is told', () => {
    const world = engineWorld(started(`start: [{ topic: t, when: "message.value.kind == 'placed'" }]`))
    world.record('t', { kind: 'cancelled' }, { key: 'k' })
    assert.deepEqual([world.find('w', 'k'), world.deadLetters], [undefined, []])
    assert.equal(world.eventsOf('record.unmatched').length, 1)
    world.record('t', { kind: 'placed' }, { key: 'k' })
    assert.equal(world.status('k'), 'EXECUTING')
  })

  test('of a tombstone has null as its input', () => {
    const world = engineWorld(started('start: [{ topic: t }]'))
    world.route({
      topic: 't',
      partition: 0,
      offset: 5,
      timestampMs: 0,
      key: encoder.encode('k'),
      value: null,
      headers: [],
    })
    assert.equal(world.instance('k').input.value, null)
  })

  test('happens once for each workflow that wants the record', () => {
    const other = started('start: [{ topic: t }]').replace('workflow: w', 'workflow: v')
    const world = engineWorld(`${started('start: [{ topic: t }]')}\n---\n${other}`)
    world.record('t', {}, { key: 'k' })
    assert.deepEqual([world.status('k', 'w'), world.status('k', 'v')], ['EXECUTING', 'EXECUTING'])
    assert.equal(world.eventsOf('instance.started').length, 2)
  })

  test('that was redriven is for the workflows that could not use it; where none of them is there any more, for all', () => {
    const topic = 'start: [{ topic: t }]'
    const others = ['v', 'u'].map((name) => started(topic).replace('workflow: w', `workflow: ${name}`))
    const world = engineWorld([started(topic), ...others].join('\n---\n'))
    const redriven = (key: string, names: string): readonly string[] => {
      const headers = [{ key: 'dw-redriven-for', value: encoder.encode(names) }]
      world.route({
        topic: 't',
        partition: 0,
        offset: 1,
        timestampMs: 0,
        key: encoder.encode(key),
        value: null,
        headers,
      })
      return ['w', 'v', 'u'].filter((name) => world.find(name, key) !== undefined)
    }
    assert.deepEqual(redriven('one', 'v'), ['v'])
    assert.deepEqual(redriven('two', 'u,w,gone'), ['w', 'u'])
    assert.deepEqual(redriven('all', 'gone'), ['w', 'v', 'u'])
  })

  test('takes the version that is current where its key is routed', () => {
    const world = engineWorld(started('start: [{ topic: t }]'))
    world.hold('instance.start')
    const key = Array.from({ length: 20 }, (_, n) => `k${n}`).find((each) => world.partitionOf(each) !== 0) ?? ''
    world.route({
      topic: 't',
      partition: 0,
      offset: 0,
      timestampMs: 0,
      key: encoder.encode(key),
      value: null,
      headers: [],
    })
    const [before] = world.catalogue.listCurrent()
    world.publish(started('start: [{ topic: t }]', 'description: newer'))
    world.deliver()
    assert.equal(world.instance(key).version, before?.version)
  })

  test('while one runs is ignored under `onRunning: ignore`', () => {
    const world = engineWorld(started('start: [{ topic: t }]'))
    world.record('t', 1, { key: 'k' })
    world.record('t', 2, { key: 'k' })
    assert.deepEqual([world.instance('k').input.value, world.deadLetters], [1, []])
  })

  test('while one runs goes to the dead-letter topic under `onRunning: reject`', () => {
    const world = engineWorld(started('start: [{ topic: t }]', 'onRunning: reject'))
    world.record('t', 1, { key: 'k' })
    world.record('t', 2, { key: 'k' })
    assert.deepEqual(
      world.deadLetters.map(({ code, workflows }) => [code, workflows]),
      [['already-running', ['w']]],
    )
  })

  test('after the last one has ended begins another', () => {
    const world = engineWorld(started('start: [{ topic: t }]', 'onRunning: reject'))
    world.record('t', 1, { key: 'k' })
    world.grantAll()
    world.complete('h')
    world.record('t', 2, { key: 'k' })
    assert.deepEqual([world.instance('k').input.value, world.status('k')], [2, 'EXECUTING'])
  })
})

suite('a record that cannot start anything goes to the dead-letter topic once', () => {
  const two = `${started('start: [{ topic: t }]')}\n---\n${workflowOf(['- { name: l, type: kafka-listener, topic: t, correlate: { message: message.key, instance: instance.key } }'], 'start: [{ topic: t }]').replace('workflow: w', 'workflow: v')}`
  const deep = (depth: number): Uint8Array => encoder.encode('['.repeat(depth) + ']'.repeat(depth))

  for (const [what, code, value, key] of [
    ['is not JSON', 'not-json', encoder.encode('{"a":'), 'k'],
    ['is empty', 'not-json', new Uint8Array(), 'k'],
    ['is not UTF-8', 'not-json', Uint8Array.of(0x22, 0xff, 0x22), 'k'],
    ['is nested too deeply', 'too-deep', deep(limits.jsonDepthMax + 1), 'k'],
    ['is larger than what travels between partitions', 'record-too-large', new Uint8Array(limits.recordBytesMax), 'k'],
    ['has a key that is not UTF-8', 'key-not-text', encoder.encode('1'), Uint8Array.of(0xc3, 0x28)],
  ] as const) {
    test(`where it ${what}`, () => {
      const world = engineWorld(two)
      world.record('t', value, { key })
      assert.deepEqual(
        world.deadLetters.map((letter) => letter.code),
        [code],
      )
      assert.deepEqual(world.eventsOf('instance.started'), [])
    })
  }

  test('and one that is nested just not too deeply, or holds brackets in its texts, is taken', () => {
    const world = engineWorld(two)
    world.record('t', deep(limits.jsonDepthMax), { key: 'deep' })
    world.record('t', `[{\\"${'[{'.repeat(300)}`, { key: 'text' })
    assert.deepEqual(world.deadLetters, [])
    assert.equal(world.status('deep'), 'EXECUTING')
    assert.equal(world.status('text'), 'EXECUTING')
  })

  test('with the names of all that could not use it', () => {
    const topic = 'start: [{ topic: t, key: "${ message.value.id }" }]'
    const others = ['v', 'u'].map((name) => started(topic).replace('workflow: w', `workflow: ${name}`))
    const world = engineWorld([started('start: [{ topic: t }]'), ...others].join('\n---\n'))
    world.record('t', {}, { key: 'k' })
    assert.deepEqual(
      world.deadLetters.map(({ workflows }) => workflows.toSorted((a, b) => (a < b ? -1 : 1))),
      [['u', 'v']],
    )
    assert.equal(world.status('k'), 'EXECUTING')
  })

  test('with every violation of the input schema, by JSON pointer', () => {
    const schema = 'input: { type: object, required: [id], properties: { n: { type: number }, s: { type: string } } }'
    const world = engineWorld(started('start: [{ topic: t }]', schema))
    world.record('t', { n: 'x', s: 1 }, { key: 'k' })
    const [letter] = world.deadLetters
    assert.equal(letter?.code, 'input-invalid')
    for (const pointer of ['/n', '/s', "'id'"]) assert.ok(letter?.message.includes(pointer), pointer)
    assert.equal(world.deadLetters.length, 1)
    world.record('t', { id: 1 }, { key: 'k' })
    assert.equal(world.status('k'), 'EXECUTING')
  })

  for (const [what, code, trigger] of [
    ['`when` fails', 'expression', 'when: message.value.no.such'],
    ['`key` fails', 'expression', 'key: "${ message.value.no }"'],
    ['`input` fails', 'expression', 'input: "${ message.value.no }"'],
    ['`key` is empty', 'key-invalid', `key: "\${ '' }"`],
    ['`key` is no key', 'key-invalid', 'key: "${ [1] }"'],
    ['`key` has no UTF-8', 'key-invalid', 'key: "${ message.value.half }"'],
    ['`key` is too long', 'key-invalid', 'key: "${ message.value.long }"'],
  ] as const) {
    test(`where its start’s ${what}`, () => {
      const world = engineWorld(started(`start: [{ topic: t, ${trigger} }]`))
      world.record('t', { half: '\ud800', long: 'x'.repeat(limits.keyLengthMax + 1) }, { key: 'k' })
      assert.deepEqual(
        world.deadLetters.map((letter) => letter.code),
        [code],
      )
    })
  }

  test('where no listener can find its value, but not where a start could use it', () => {
    const listen = workflowOf([
      '- { name: l, type: kafka-listener, topic: t, correlate: { message: message.value.id, instance: instance.key } }',
    ])
    const alone = engineWorld(listen)
    alone.record('t', {}, { key: 'k' })
    alone.record('t', { id: [1] }, { key: 'k' })
    assert.deepEqual(
      alone.deadLetters.map(({ code }) => code),
      ['expression', 'correlation-value'],
    )
    const used = engineWorld(
      `${listen}\n---\n${started('start: [{ topic: t }]').replace('workflow: w', 'workflow: v')}`,
    )
    used.record('t', {}, { key: 'k' })
    assert.deepEqual([used.deadLetters, used.status('k', 'v')], [[], 'EXECUTING'])
  })
})

suite('a start by call', () => {
  test('is answered with the instance', () => {
    const world = engineWorld(started())
    const answer = world.start('w', 'k', { n: 1 })
    assert.deepEqual(answer, { outcome: 'started', instanceId: world.instance('k').id, key: 'k' })
    assert.equal(world.instance('k').origin, 'api')
  })

  test('says in the history who asked, where that is known, and so does one that waited its turn', () => {
    const world = engineWorld(started('onRunning: queue'))
    world.start('w', 'k', null, undefined, undefined, 'by alice')
    assert.equal(world.instance('k').origin, 'api by alice')
    assert.equal(world.instance('k').timeline[0]?.note, 'api by alice')
    world.start('w', 'k', null, undefined, undefined, 'by bob')
    world.operate('k', { kind: 'stop', reason: 'enough' })
    assert.equal(world.instance('k').origin, 'api by bob')
  })

  test('while one runs is ignored or rejected, as the workflow says', () => {
    const ignoring = engineWorld(started())
    const first = ignoring.start('w', 'k')
    assert.deepEqual(ignoring.start('w', 'k'), { ...first, outcome: 'ignored' })
    const rejecting = engineWorld(started('onRunning: reject'))
    rejecting.start('w', 'k')
    const answer = rejecting.start('w', 'k')
    assert.ok(answer.outcome === 'rejected' && answer.code === 'already-running')
    assert.equal(rejecting.eventsOf('instance.started').length, 1)
  })

  test('repeated with its idempotency key gives the first answer, even after the instance has ended', () => {
    const world = engineWorld(started('retention: 0s'))
    const first = world.start('w', 'k', 1, 'once')
    world.grantAll()
    world.complete('h')
    assert.deepEqual(world.start('w', 'k', 1, 'once'), { ...first, outcome: 'repeated' })
    assert.equal(world.eventsOf('instance.started').length, 1)
  })

  test('that was ignored is repeated as such: it starts nothing later on', () => {
    const world = engineWorld(started())
    const running = world.start('w', 'k')
    world.start('w', 'k', 1, 'once')
    world.grantAll()
    world.complete('h')
    assert.deepEqual(world.start('w', 'k', 1, 'once'), { ...running, outcome: 'repeated' })
  })

  test('that was rejected is judged anew when it is repeated', () => {
    const world = engineWorld(started('onRunning: reject'))
    world.start('w', 'k')
    assert.equal(world.start('w', 'k', 1, 'once').outcome, 'rejected')
    world.grantAll()
    world.complete('h')
    assert.equal(world.start('w', 'k', 1, 'once').outcome, 'started')
  })

  test('is remembered for a day', () => {
    const world = engineWorld(started('retention: 0s'))
    world.start('w', 'k', 1, 'once')
    world.grantAll()
    world.complete('h')
    world.advance(`${limits.idempotencyKeptMs}ms`)
    assert.ok(world.stores.every(({ values }) => values.size === 0))
    assert.equal(world.start('w', 'k', 1, 'once').outcome, 'started')
  })

  test('with an input that does not fit is rejected with every violation', () => {
    const world = engineWorld(started('input: { type: object, required: [a, b] }'))
    const answer = world.start('w', 'k', {})
    assert.ok(answer.outcome === 'rejected' && answer.code === 'input-invalid')
    assert.equal(answer.violations?.length, 2)
  })

  test('with an input over the limit is rejected', () => {
    const world = engineWorld(started())
    const answer = world.start('w', 'k', 'x'.repeat(limits.payloadBytesMax))
    assert.ok(answer.outcome === 'rejected' && answer.code === 'payload-too-large')
  })
})

suite('an instance of an old version', () => {
  test('goes on with its own definition after a newer one was published', () => {
    const world = engineWorld(workflowOf(['- { name: h, type: work }', '- { name: old, type: work }']))
    world.start('w', 'k')
    world.publish(workflowOf(['- { name: h, type: work }', '- { name: young, type: work }']))
    world.grantAll()
    world.complete('h')
    assert.deepEqual(world.tasks('k'), { h: 'COMPLETED', old: 'SUBMITTED' })
  })
})
