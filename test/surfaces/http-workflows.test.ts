import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Unavailable } from '../../src/runtime/face.ts'
import { serve } from '../support/http.ts'

interface Versioned {
  readonly name: string
  readonly version: string
}

suite('GET /workflows', () => {
  test('lists workflows with the counts of their instances, and what was counted', async (t) => {
    const { call } = await serve(t)
    const { status, body } = await call<{ items: readonly Versioned[]; counted: object }>('/workflows')
    assert.deepEqual([status, body.items.map(({ name }) => name)], [200, ['order', 'refund']])
    assert.deepEqual(body.counted, { isComplete: true, instances: 3, partitions: 2, partitionsInAll: 2 })
  })

  test('gives one with its definition, by its name and by a version', async (t) => {
    const { call, problem } = await serve(t)
    const one = await call<{ workflow: Versioned & { definition: unknown } }>('/workflows/order')
    assert.deepEqual(one.body.workflow.definition, { workflow: 'order', tasks: [] })
    const same = await call('/workflows/order?version=order@3f9c2a1b')
    assert.deepEqual(same.body, one.body)
    const { body } = await problem('/workflows/order?version=0000', 404, 'workflow-not-found')
    assert.match(body.detail, /has no version "0000"/)
  })

  test('gives the versions of one', async (t) => {
    const { call } = await serve(t)
    const { body } = await call<{ items: readonly Versioned[]; total: number }>('/workflows/order/versions')
    assert.deepEqual([body.items.map(({ version }) => version), body.total], [['order@3f9c2a1b'], 1])
  })

  test('names the nearest one where there is none of the name', async (t) => {
    const { problem } = await serve(t)
    for (const path of ['/workflows/ordre', '/workflows/ordre/versions', '/workflows/ordre?version=1']) {
      const { body } = await problem(path, 404, 'workflow-not-found')
      assert.equal(body.suggestion, 'order')
    }
    await problem('/workflows?nope=1', 400, 'request-invalid')
  })

  test('is 503 while instances cannot be counted', async (t) => {
    const { worker, problem } = await serve(t)
    worker.failWith = new Unavailable('not-ready', 'later')
    await problem('/workflows', 503, 'not-ready')
  })
})
