// Traces: what goes on from an instance and from its attempts, and what is told of them.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { AttemptEnded, Happening, Tracing } from '../../src/base/tracing.ts'
import { engineWorld, workflowOf, type EngineWorld } from '../support/engine.ts'

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
const other = '00-af7651916cd43dd8448eb211c80319c0-b7ad6b7169203331-01'

/** Says in words what it was asked. */
const wordy: Tracing = {
  begin: (_id, from) => ({ traceparent: `begun(${from?.traceparent ?? ''})`, tracestate: from?.tracestate }),
  attempt: (instance, key) => ({ traceparent: `${instance.traceparent}/${key}`, tracestate: instance.tracestate }),
}

function traced(...workflows: readonly string[]): EngineWorld {
  const world = engineWorld(workflows.join('\n---\n'))
  world.tracing = wordy
  return world
}

const attempts = (world: EngineWorld): readonly AttemptEnded[] =>
  world.happenings.filter((each): each is AttemptEnded => each.type === 'attempt')
const told = (world: EngineWorld): readonly string[] =>
  attempts(world).map(({ path, attempt, outcome, errorCode }) =>
    [path, attempt, outcome, ...(errorCode === undefined ? [] : [errorCode])].join(' '),
  )
const typesOf = (happenings: readonly Happening[]): readonly string[] => happenings.map(({ type }) => type)

suite('an instance', () => {
  test('goes on from the record, the call or the parent that started it, or has a trace of its own', () => {
    const parent = workflowOf(['- { name: sub, type: workflow, workflow: w, key: child }']).replace('w\n', 'p\n')
    const child = workflowOf(
      ['- { name: c, type: kafka-command, topic: out, value: 1 }'],
      'start: [{ topic: t }, { schedule: "* * * * *" }]',
    )
    const world = traced(parent, child)
    world.record('t', {}, { key: 'record', headers: { traceparent, tracestate: 'a=1' } })
    world.start('w', 'call', null, undefined, { traceparent })
    world.start('p', 'p', null, undefined, { traceparent: other })
    world.advance('1m')
    const from = (key: string, workflow = 'w'): string | undefined => world.instance(key, workflow).traceparent
    assert.equal(from('record'), `begun(${traceparent})`)
    assert.equal(world.instance('record').tracestate, 'a=1')
    assert.equal(from('call'), `begun(${traceparent})`)
    const [sub] = attempts(world).filter(({ task }) => task === 'sub')
    assert.equal(from('child'), `begun(begun(${other})/${sub?.key})`)
    assert.equal(from('w@2026-01-01T00:01:00Z'), 'begun()')
    const starts = world.happenings.filter((each) => each.type === 'started')
    assert.deepEqual(
      starts.map(({ by, from: caller, record }) => [by, caller?.traceparent, record?.topic]),
      [
        ['record', traceparent, 't'],
        ['api', traceparent, undefined],
        ['api', other, undefined],
        ['parent', `begun(${other})/${sub?.key}`, undefined],
        ['schedule', undefined, undefined],
      ],
    )
  })

  test('tells its start and its end, with the times of the state', () => {
    const world = traced(workflowOf(['- { name: h, type: work, onFailure: fail, retry: { maxAttempts: 1 } }']))
    world.start('w', 'k')
    const startedAtMs = world.nowMs
    world.grantAll()
    world.advance('4m')
    world.fail('h', 'gone')
    assert.deepEqual(typesOf(world.happenings), ['started', 'attempt', 'ended'])
    const ended = world.happenings.at(-1)
    assert.ok(ended?.type === 'ended')
    assert.deepEqual(
      [ended.status, ended.errorCode, ended.fromMs, ended.toMs],
      ['FAILED', 'gone', startedAtMs, world.nowMs],
    )
  })

  test('that is not traced carries on what came in, and tells nothing', () => {
    const world = engineWorld(
      workflowOf(['- { name: c, type: kafka-command, topic: out, value: 1 }'], 'start: [{ topic: t }]'),
    )
    world.record('t', {}, { key: 'k', headers: { traceparent, tracestate: 'a=1' } })
    assert.deepEqual(world.produced[0]?.headers, { traceparent, tracestate: 'a=1' })
    assert.deepEqual(world.happenings, [])
  })

  test('carries on no state of a trace that has none, nor one that is of no form', () => {
    const task = '- { name: c, type: kafka-command, topic: out, value: 1 }'
    for (const headers of [
      { tracestate: 'a=1' },
      { traceparent, tracestate: 'a='.padEnd(513, 'x') },
      { traceparent, tracestate: 'a=\u0007' },
    ]) {
      const world = engineWorld(workflowOf([task], 'start: [{ topic: t }]'))
      world.record('t', {}, { key: 'k', headers })
      assert.equal(world.produced[0]?.headers['tracestate'], undefined)
    }
  })
})

suite('an attempt', () => {
  test('is told when it ends, and what runs in it is given the same', () => {
    const world = traced(workflowOf(['- { name: h, type: work, retry: { initialInterval: 1m, jitter: 0 } }']))
    world.start('w', 'k')
    const beginMs = world.nowMs
    world.grantAll()
    world.advance('10s')
    world.fail('h', 'busy')
    world.advance('1m')
    const againMs = world.nowMs
    world.grantAll()
    world.advance('5s')
    world.complete('h')
    assert.deepEqual(told(world), ['h 1 failed busy', 'h 2 completed'])
    assert.deepEqual(
      attempts(world).map(({ fromMs, toMs }) => [fromMs, toMs]),
      [
        [beginMs, beginMs + 10_000],
        [againMs, againMs + 5_000],
      ],
    )
    assert.deepEqual(
      world.runs.map(({ trace }) => trace?.traceparent),
      attempts(world).map(({ key }) => `begun()/${key}`),
    )
  })

  test('of a kafka-command is named by the record that it sends', () => {
    const world = traced(workflowOf(["- { name: c, type: kafka-command, topic: \"${ 'o' + 'ut' }\", value: 1 }"]))
    world.start('w', 'k')
    const [attempt] = attempts(world)
    assert.equal(world.produced[0]?.headers['traceparent'], `begun()/${attempt?.key}`)
    assert.equal(attempt?.topic, 'out')
  })

  test('of a kafka-command that the log refused is told with the reason', () => {
    const world = traced(
      workflowOf(['- { name: c, type: kafka-command, topic: out, value: 1, retry: { maxAttempts: 1 } }']),
    )
    world.refusedTopics.set('out', 'record-too-large')
    world.start('w', 'k')
    assert.deepEqual(told(world), ['c 1 failed record-too-large'])
  })

  test('of a listener lasts as long as it waited, and names the record and what sent it', () => {
    const world = traced(
      workflowOf([
        '- { name: l, type: kafka-listener, topic: t, correlate: { message: message.key, instance: instance.key } }',
      ]),
    )
    world.start('w', 'k')
    const beginMs = world.nowMs
    world.advance('72h')
    world.record('t', {}, { key: 'k', headers: { traceparent: other } })
    const [attempt] = attempts(world)
    assert.deepEqual([attempt?.fromMs, attempt?.toMs], [beginMs, world.nowMs])
    assert.deepEqual([attempt?.topic, attempt?.record?.topic, attempt?.link?.traceparent], ['t', 't', other])
  })

  test('that waits for a person is told once, and what the person does with it is no attempt', () => {
    for (const action of [
      { kind: 'skip', task: undefined },
      { kind: 'stop', reason: 'enough' },
    ] as const) {
      const world = traced(workflowOf(['- { name: h, type: work, retry: { maxAttempts: 1 } }']))
      world.start('w', 'k')
      world.grantAll()
      world.fail('h', 'odd')
      world.operate('k', action)
      assert.deepEqual(told(world), ['h 1 failed odd'], action.kind)
    }
    const world = traced(workflowOf(['- { name: h, type: work, retry: { maxAttempts: 1 } }']))
    world.start('w', 'k')
    world.grantAll()
    world.fail('h', 'odd')
    world.operate('k', { kind: 'retry', task: undefined, input: undefined })
    world.advance('1s')
    world.grantAll()
    world.complete('h')
    assert.deepEqual(told(world), ['h 1 failed odd', 'h 2 completed'])
  })

  test('is stopped where its instance is, but for one that is not under way', () => {
    const world = traced(
      workflowOf(
        [
          '- { name: waits, type: signal }',
          '- { name: tries, type: work, dependsOn: [], retry: { initialInterval: 1h } }',
          '- { name: passed, type: set, dependsOn: [], when: "false", set: { n: 1 } }',
          '- { name: never, type: work, dependsOn: [waits] }',
        ],
        'vars: { n: 0 }',
      ),
    )
    world.start('w', 'k')
    world.grantAll()
    world.fail('tries', 'busy')
    world.operate('k', { kind: 'stop', reason: 'enough' })
    assert.deepEqual(told(world), ['tries 1 failed busy', 'waits 1 stopped'])
  })

  test('that was passed over by `onFailure` is told with its error', () => {
    const world = traced(workflowOf(['- { name: h, type: work, retry: { maxAttempts: 1 }, onFailure: skip }']))
    world.start('w', 'k')
    world.grantAll()
    world.fail('h', 'odd')
    assert.deepEqual(told(world), ['h 1 skipped odd'])
  })

  test('is another one in each item, run, entry of a scope and compensation, however quickly they come', () => {
    const send = (name: string): string =>
      `{ name: ${name}, type: kafka-command, topic: ${name}, value: 1, compensate: { type: kafka-command, topic: undo-${name}, value: 1 } }`
    const world = traced(
      workflowOf(
        [
          `- { name: each, type: for-each, items: [1, 2, 3], tasks: [${send('a')}] }`,
          `- { name: again, type: interval, every: 1s, until: vars.n == 3, run: { name: b, type: kafka-command, topic: b, value: 1, set: { n: "\${ vars.n + 1 }" } } }`,
          `- { name: p, type: process, onFailure: skip, retry: { maxAttempts: 2, initialInterval: 1s }, tasks: [{ name: c, type: kafka-command, topic: c, value: 1 }, { name: no, type: kafka-command, topic: no, value: 1, onFailure: fail, retry: { maxAttempts: 1 } }] }`,
          '- { name: end, type: fail }',
        ],
        'vars: { n: 0 }',
      ),
    )
    world.refusedTopics.set('no', 'produce-rejected')
    world.start('w', 'k')
    world.advance('1m')
    assert.equal(world.status('k'), 'FAILED')
    const sent = world.produced.map(({ headers }) => headers['traceparent'] ?? '')
    assert.equal(sent.length, 3 + 3 + 2 + 3)
    const keys = attempts(world).map(({ key }) => key)
    assert.equal(new Set(keys).size, keys.length)
    const commands = attempts(world).filter(
      ({ taskType, outcome }) => taskType === 'kafka-command' && outcome === 'completed',
    )
    assert.deepEqual(sent.toSorted(), commands.map(({ key }) => `begun()/${key}`).toSorted())
    assert.deepEqual(new Set(commands.map(({ topic }) => topic)), new Set(['a', 'b', 'c', 'undo-a']))
    assert.ok(told(world).includes('each[1].a 1 completed'))
  })
})
