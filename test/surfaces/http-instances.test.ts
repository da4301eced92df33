import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { InstanceView, StartAnswer } from '../../src/runtime/face.ts'
import { serve, until } from '../support/http.ts'

interface Page {
  readonly items: readonly { readonly id: string }[]
  readonly next?: string
}

suite('POST /instances', () => {
  test('answers 201 and where the instance is, once it has started', async (t) => {
    const { call, worker } = await serve(t)
    const answer = await call<StartAnswer>('/instances', { body: { workflow: 'order', key: 'o-1', input: { a: 1 } } })
    assert.equal(answer.status, 201)
    assert.deepEqual(answer.body, { outcome: 'started', instanceId: 'instance-1', key: 'o-1' })
    assert.equal(answer.headers.get('location'), '/instances/instance-1')
    assert.deepEqual(worker.startRequests, [{ workflow: 'order', key: 'o-1', input: { a: 1 } }])
  })

  test('goes on with the trace of its caller', async (t) => {
    const { call, worker } = await serve(t)
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    const start = (headers: { [name: string]: string }) => call('/instances', { headers, body: { workflow: 'order' } })
    await start({ traceparent, tracestate: 'a=1' })
    await start({ traceparent: `${traceparent}-more`, tracestate: 'a=1' })
    assert.deepEqual(
      worker.startRequests.map(({ trace }) => trace),
      [{ traceparent, tracestate: 'a=1' }, undefined],
    )
  })

  test('passes on who starts it', async (t) => {
    const { call, worker, problem } = await serve(t)
    await call('/instances', { body: { workflow: 'order', by: 'ann' } })
    assert.deepEqual(worker.startRequests, [{ workflow: 'order', input: null, by: 'ann' }])
    await problem('/instances', 400, 'request-invalid', { body: { workflow: 'order', by: 'a'.repeat(201) } })
  })

  test('takes an absent input for null', async (t) => {
    const { call, worker } = await serve(t)
    await call('/instances', { body: { workflow: 'order' } })
    assert.deepEqual(worker.startRequests, [{ workflow: 'order', input: null }])
  })

  test('answers 200 with the first answer when an Idempotency-Key is repeated', async (t) => {
    const { call } = await serve(t)
    const start = { headers: { 'idempotency-key': 'once' }, body: { workflow: 'order' } }
    const first = await call<StartAnswer>('/instances', start)
    const second = await call<StartAnswer>('/instances', start)
    assert.equal(first.status, 201)
    assert.equal(second.status, 200)
    assert.deepEqual(second.body, { ...first.body, outcome: 'repeated' })
    assert.equal(second.headers.get('location'), first.headers.get('location'))
  })

  test('answers 200 with the one that runs where another with its key is ignored', async (t) => {
    const { call } = await serve(t)
    await call('/instances', { body: { workflow: 'order', key: 'o-1' } })
    const answer = await call<StartAnswer>('/instances', { body: { workflow: 'order', key: 'o-1' } })
    assert.equal(answer.status, 200)
    assert.deepEqual(answer.body, { outcome: 'ignored', instanceId: 'instance-1', key: 'o-1' })
  })

  test('answers 202 with its place where the start waits for the one that runs', async (t) => {
    const { call, worker } = await serve(t)
    worker.startAnswers.push({ outcome: 'queued', key: 'o-1', place: 2 })
    const answer = await call<StartAnswer>('/instances', { body: { workflow: 'order', key: 'o-1' } })
    assert.equal(answer.status, 202)
    assert.deepEqual(answer.body, { outcome: 'queued', key: 'o-1', place: 2 })
  })

  const refusals = [
    ['already-running', 409],
    ['start-dropped', 409],
    ['expression', 422],
    ['payload-too-large', 413],
    ['key-invalid', 422],
  ] as const
  for (const [code, status] of refusals) {
    test(`answers ${status} to a start that is refused with ${code}`, async (t) => {
      const { problem, worker } = await serve(t)
      worker.startAnswers.push({ outcome: 'rejected', code, message: 'no' })
      await problem('/instances', status, code, { body: { workflow: 'order' } })
    })
  }

  test('names the nearest workflow where there is none of the name', async (t) => {
    const { problem } = await serve(t)
    const { body } = await problem('/instances', 404, 'workflow-not-found', { body: { workflow: 'ordr' } })
    assert.equal(body.suggestion, 'order')
  })

  test('lists every violation of an input that does not fit', async (t) => {
    const { problem, worker } = await serve(t)
    const violations = [
      { pointer: '/amount', message: 'must be number' },
      { pointer: '', message: "must have required property 'orderId'" },
    ]
    worker.startAnswers.push({ outcome: 'rejected', code: 'input-invalid', message: 'no', violations })
    const { body } = await problem('/instances', 422, 'input-invalid', { body: { workflow: 'order', input: {} } })
    assert.deepEqual(body.violations, violations)
  })

  test('refuses an Idempotency-Key that is longer than 200 characters or has others than printable ASCII', async (t) => {
    const { problem, worker } = await serve(t)
    for (const key of ['x'.repeat(201), 'é', '']) {
      const headers = { 'idempotency-key': key }
      const { body } = await problem('/instances', 400, 'request-invalid', { headers, body: { workflow: 'order' } })
      assert.equal(body.violations?.[0]?.in, 'header')
    }
    assert.deepEqual(worker.startRequests, [])
  })

  test('refuses members it does not know, wrong types, and a body that is missing', async (t) => {
    const { problem } = await serve(t)
    const { body } = await problem('/instances', 400, 'request-invalid', { body: { workflow: 'order', inputs: {} } })
    assert.equal(body.suggestion, 'input')
    await problem('/instances', 400, 'request-invalid', { body: { workflow: 1 } })
    await problem('/instances', 400, 'request-invalid', { body: { key: 'o-1' } })
    await problem('/instances', 400, 'request-invalid', { method: 'POST' })
  })
})

suite('GET /instances', () => {
  test('lists the newest first, page by page', async (t) => {
    const { call, worker } = await serve(t)
    for (const id of ['a', 'b', 'c']) worker.change(id, {})
    const first = await call<Page>('/instances?limit=2')
    assert.deepEqual(
      first.body.items.map(({ id }) => id),
      ['c', 'b'],
    )
    const second = await call<Page>(`/instances?limit=2&cursor=${first.body.next}`)
    assert.deepEqual(
      second.body.items.map(({ id }) => id),
      ['a'],
    )
    assert.equal(second.body.next, undefined)
  })

  test('filters by workflow, status, beginning of the key, and incident', async (t) => {
    const { call, worker } = await serve(t)
    worker.change('a', { workflow: 'refund' })
    worker.change('b', { status: 'COMPLETED' })
    worker.change('c', { key: 'vip/1' })
    worker.change('d', { incidents: 1 })
    const found = async (query: string) => (await call<Page>(`/instances?${query}`)).body.items.map(({ id }) => id)
    assert.deepEqual(await found('workflow=refund'), ['a'])
    assert.deepEqual(await found('status=COMPLETED'), ['b'])
    assert.deepEqual(await found('keyPrefix=vip%2F'), ['c'])
    assert.deepEqual(await found('incident=true'), ['d'])
    assert.deepEqual(await found('status=COMPLETED&status=EXECUTING'), ['d', 'c', 'b', 'a'])
  })

  test('hands on search attributes, and refuses what is none', async (t) => {
    const { call, problem, worker } = await serve(t)
    await call('/instances?attribute=customer%3Ac%3A17&attribute=amount:5')
    assert.deepEqual(worker.listed, [{ attribute: ['customer:c:17', 'amount:5'], limit: 50 }])
    await problem('/instances?attribute=customer', 400, 'request-invalid')
  })

  test('hands on versions, waiting tasks and times, and refuses what is no time', async (t) => {
    const { call, problem, worker } = await serve(t)
    const query = {
      version: '3f9c2a1b',
      waitingAt: 'each[].charge',
      startedAfter: '2030-01-31T06:00:00Z',
      startedBefore: '2030-01-31T07:00:00+01:00',
      endedAfter: '2030-01-31T06:00:00.5Z',
      endedBefore: '2030-02-01T06:00:00Z',
    }
    await call(`/instances?${new URLSearchParams(query).toString()}`)
    assert.deepEqual(worker.listed, [{ ...query, limit: 50 }])
    const { body } = await problem('/instances?endedBefore=yesterday', 400, 'request-invalid')
    assert.deepEqual(body.violations?.[0]?.pointer, '/endedBefore')
  })

  test('refuses unknown parameters with the nearest name, and values out of bounds, all at once', async (t) => {
    const { problem } = await serve(t)
    const path = '/instances?stauts=FAILED&limit=0&incident=perhaps'
    const { body } = await problem(path, 400, 'request-invalid')
    assert.equal(body.suggestion, 'status')
    assert.deepEqual(body.violations?.map(({ pointer }) => pointer).sort(), ['/incident', '/limit', '/stauts'])
    await problem('/instances?limit=1001', 400, 'request-invalid')
    await problem('/instances?limit=', 400, 'request-invalid')
    await problem('/instances?limit=1&limit=2', 400, 'request-invalid')
    const { body: status } = await problem('/instances?status=FALIED', 400, 'request-invalid')
    assert.equal(status.suggestion, 'FAILED')
  })
})

suite('GET /instances/{id}', () => {
  test('answers the instance as the worker sees it, nothing left out', async (t) => {
    const { call, worker } = await serve(t)
    const instance = worker.change('a', {
      endedAt: '2026-01-01T00:00:01.000Z',
      status: 'FAILED',
      error: { code: 'timeout', message: 'm' },
      input: { deep: [{ constructor: 'ACME' }] },
      output: null,
      tasks: [{ name: 't', type: 'set', status: 'COMPLETED', attempt: 1, hasIncident: false, output: [1, 'x'] }],
    })
    assert.deepEqual((await call<InstanceView>('/instances/a')).body, instance)
  })

  test('answers 404 to an id that is not known', async (t) => {
    const { problem } = await serve(t)
    await problem('/instances/nothing', 404, 'instance-not-found')
    await problem('/instances/nothing?waitMs=10', 404, 'instance-not-found')
  })

  test('with waitMs, answers once the timeline differs from what was seen', async (t) => {
    const { call, worker } = await serve(t)
    worker.change('a', {})
    const waiting = call<InstanceView>('/instances/a?seen=1&waitMs=30000')
    await until(() => worker.waiting === 1)
    worker.change('a', { status: 'COMPLETED' })
    assert.equal((await waiting).body.status, 'COMPLETED')
    const known = await call<InstanceView>('/instances/a?seen=1&waitMs=30000')
    assert.equal(known.body.timeline.length, 2)
  })

  test('answers as things are when waitMs has passed', async (t) => {
    const { call, worker } = await serve(t)
    worker.change('a', {})
    assert.equal((await call<InstanceView>('/instances/a?seen=1&waitMs=5')).body.id, 'a')
  })

  test('waits for 30 seconds at most', async (t) => {
    const { problem } = await serve(t)
    await problem('/instances/a?waitMs=30001', 400, 'request-invalid')
  })

  test('a call that waits is answered with what there is when the server closes, and the port is free again', async (t) => {
    const { call, close, url, worker } = await serve(t)
    worker.change('a', {})
    const waiting = call<InstanceView>('/instances/a?seen=1&waitMs=30000')
    await until(() => worker.waiting === 1)
    await close()
    const answer = await waiting
    assert.equal(answer.status, 200)
    assert.equal(answer.headers.get('connection'), 'close')
    assert.equal(answer.body.id, 'a')
    await assert.rejects(fetch(url))
  })
})

suite('GET /instances/by-key/{workflow}/{key}', () => {
  test('answers the latest instance with the key', async (t) => {
    const { call, worker } = await serve(t)
    worker.change('a', { key: 'k' })
    worker.change('b', { key: 'k' })
    assert.equal((await call<InstanceView>('/instances/by-key/order/k')).body.id, 'b')
  })

  test('takes any key, percent-encoded, however long', async (t) => {
    const { call, worker } = await serve(t)
    for (const key of ['a/b c?d', 'ü€😀', '../..', 'x'.repeat(2_000)]) {
      worker.change('a', { key })
      const path = `/instances/by-key/order/${encodeURIComponent(key)}`
      assert.equal((await call<InstanceView>(path)).body.id, 'a')
    }
  })

  test('answers 404 where there is none', async (t) => {
    const { problem } = await serve(t)
    await problem('/instances/by-key/order/k', 404, 'instance-not-found')
  })
})
