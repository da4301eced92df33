// http: what is asked of the runtime; what it does is in test/handlers/http.test.ts.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { engineWorld, workflowOf } from '../support/engine.ts'

suite('an http task', () => {
  test('is evaluated into a request, and asks for a slot that no handler module is asked for', () => {
    const world = engineWorld(
      workflowOf([
        '- name: ship',
        '  type: http',
        '  url: https://carrier.example/${ input.carrier }',
        '  headers: { x-order: "${ instance.key }", x-count: "${ input.n }" }',
        '  body: { n: "${ input.n }" }',
        '  set: { tracking: "${ output.body.tracking }" }',
      ]),
    )
    world.start('w', 'k', { carrier: 'ups', n: 2 })
    const [{ kind, handler, execution } = assert.fail('it asks')] = world.requests
    assert.deepEqual([kind, handler, execution], ['http', 'http', 'main'])
    world.grantAll()
    const run = world.lastRun('ship')
    assert.deepEqual([run.kind, run.idempotencyKey.endsWith('/ship')], ['http', true])
    assert.deepEqual(run.input.value, {
      url: 'https://carrier.example/ups',
      method: 'POST',
      headers: { 'x-order': 'k', 'x-count': 2 },
      body: { n: 2 },
    })
    world.complete('ship', { status: 200, headers: {}, body: { tracking: 't1' } })
    assert.deepEqual([world.status('k'), world.vars('k')], ['COMPLETED', { tracking: 't1' }])
  })

  test('is a GET where nothing else is said, and has no body', () => {
    const world = engineWorld(workflowOf(['- { name: look, type: http, url: "https://a.example/" }']))
    world.start('w', 'k')
    world.grantAll()
    assert.deepEqual(world.lastRun('look').input.value, { url: 'https://a.example/', method: 'GET', headers: {} })
  })

  test('is retried ten times by default, with the request of its first attempt', () => {
    const world = engineWorld(workflowOf(['- { name: look, type: http, url: "https://a.example/${ now }" }']))
    world.start('w', 'k')
    for (let attempt = 1; attempt <= 10; attempt++) {
      world.grantAll()
      world.fail('look', 'http-503')
      world.advance('2m')
    }
    assert.deepEqual(
      world.runs.map(({ attempt }) => attempt),
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    )
    assert.equal(new Set(world.runs.map(({ input }) => JSON.stringify(input.value))).size, 1)
    assert.equal(world.instance('k').incidents, 1)
  })

  test('whose url cannot be evaluated fails under `expression`', () => {
    const world = engineWorld(
      workflowOf(['- { name: look, type: http, url: "${ input.none }", retry: { maxAttempts: 1 } }']),
    )
    world.start('w', 'k', {})
    assert.equal(world.instance('k').tasks[0]?.error?.code, 'expression')
    assert.equal(world.requests.length, 0)
  })

  test('that compensates posts the input and output of what it undoes, where it has no body of its own', () => {
    const undo = (more: string) => `compensate: { type: http, url: "https://a.example/undo"${more} }`
    for (const [more, body] of [
      ['', { input: { n: 1 }, output: 7 }],
      [', body: "${ output }"', 7],
    ] as const) {
      const world = engineWorld(
        workflowOf([`- { name: a, type: h, with: { n: 1 }, ${undo(more)} }`, '- { name: end, type: fail }']),
      )
      world.start('w', 'k')
      world.grantAll()
      world.complete('a', 7)
      world.grantAll()
      const input = world.lastRun('a-compensate').input.value
      assert.deepEqual(input, { url: 'https://a.example/undo', method: 'POST', headers: {}, body })
    }
  })
})
