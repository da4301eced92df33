import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { RecordView, TopicView } from '../../src/runtime/face.ts'
import { serve, until } from '../support/http.ts'
import type { ServedWorker } from '../support/http.ts'

interface Produced {
  readonly offsets: readonly {
    partition: number | null
    offset: number | null
    error_code: number | null
    error: string | null
  }[]
}

interface Records {
  readonly records: readonly RecordView[]
  readonly nextOffset: number
}

const jsonType = { 'content-type': 'application/vnd.kafka.json.v2+json' }
const binaryType = { 'content-type': 'application/vnd.kafka.binary.v2+json' }

function kept({ worker }: ServedWorker, topic = 'reviews', partition = 0): readonly RecordView[] {
  return worker.records.get(topic)?.[partition] ?? []
}

suite('POST /topics/{topic}', () => {
  test('answers with partition and offset of each record, in their order', async (t) => {
    const { call } = await serve(t)
    const records = [
      { key: 'a', value: 1, partition: 2 },
      { value: 2, partition: 0 },
      { key: null, value: 3, partition: 2 },
    ]
    const { status, body } = await call<Produced>('/topics/orders', { headers: jsonType, body: { records } })
    assert.equal(status, 200)
    assert.deepEqual(body, {
      offsets: [
        { partition: 2, offset: 0, error_code: null, error: null },
        { partition: 0, offset: 0, error_code: null, error: null },
        { partition: 2, offset: 1, error_code: null, error: null },
      ],
      key_schema_id: null,
      value_schema_id: null,
    })
  })

  test('a JSON key that is a string is its text, any other its JSON text', async (t) => {
    const served = await serve(t)
    const keys = ['o-1', 7, { b: [1] }, true, null]
    const records = keys.map((key) => ({ key, value: 0 }))
    await served.call('/topics/reviews', { headers: jsonType, body: { records: [...records, { value: 0 }] } })
    assert.deepEqual(
      kept(served).map(({ key }) => key),
      ['o-1', '7', '{"b":[1]}', 'true', null, null],
    )
  })

  test('a JSON value is its JSON text, and null is a tombstone', async (t) => {
    const served = await serve(t)
    const values = [{ text: 'ü', list: [1, null] }, 'text', false]
    await served.call('/topics/reviews', { body: { records: values.map((value) => ({ value })) } })
    assert.deepEqual(
      kept(served).map(({ value }) => value),
      values,
    )
    const { worker, call } = await serve(t)
    const produce = t.mock.method(worker, 'produce')
    await call('/topics/reviews', { body: { records: [{ value: null }] } })
    assert.equal(produce.mock.calls[0]?.arguments[1][0]?.value, null)
  })

  test('takes bytes as base64 in the binary type, with padding or without', async (t) => {
    const served = await serve(t)
    const records = [{ key: 'w7w=', value: '//79' }, { key: 'w7w', value: 'AA' }, { value: null }]
    const { status } = await served.call('/topics/reviews', { headers: binaryType, body: { records } })
    assert.equal(status, 200)
    assert.deepEqual(
      kept(served).map(({ key, valueBase64 = null }) => ({ key, valueBase64 })),
      [
        { key: 'ü', valueBase64: '//79' },
        { key: 'ü', valueBase64: null },
        { key: null, valueBase64: null },
      ],
    )
  })

  test('refuses what is not base64 in the binary type, and produces none of it', async (t) => {
    const served = await serve(t)
    const bad = [{ value: 'not base64!' }, { value: { a: 1 } }, { value: 'A' }, { key: 'not base64!', value: 'AA==' }]
    for (const record of bad) {
      const options = { headers: binaryType, body: { records: [{ value: 'AA==' }, record] } }
      const { body } = await served.problem('/topics/reviews', 400, 'request-invalid', options)
      assert.match(body.violations?.[0]?.pointer ?? '', /^\/records\/1\/(key|value)$/)
    }
    assert.deepEqual(kept(served), [])
  })

  test('takes headers as an object of texts', async (t) => {
    const served = await serve(t)
    const headers = { traceparent: '00-1-2-01', empty: '' }
    await served.call('/topics/reviews', { body: { records: [{ value: 1, headers }] } })
    assert.deepEqual(kept(served)[0]?.headers, headers)
    const options = { body: { records: [{ value: 1, headers: { n: 1 } }] } }
    await served.problem('/topics/reviews', 400, 'request-invalid', options)
  })

  test('gives records that say nothing of a trace that of the call', async (t) => {
    const served = await serve(t)
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    const records = [
      { value: 1, headers: { a: 'b' } },
      { value: 2, headers: { traceparent: 'mine' } },
    ]
    await served.call('/topics/reviews', { headers: { traceparent, tracestate: 'a=1' }, body: { records } })
    assert.deepEqual(
      kept(served).map(({ headers }) => headers),
      [{ a: 'b', traceparent, tracestate: 'a=1' }, { traceparent: 'mine' }],
    )
  })

  test("answers Confluent's types in Confluent's type, and JSON in JSON", async (t) => {
    const { call } = await serve(t)
    const type = async (headers: { [name: string]: string }) =>
      (await call('/topics/reviews', { headers, body: { records: [{ value: null }] } })).headers.get('content-type')
    assert.equal(await type(jsonType), 'application/vnd.kafka.v2+json; charset=utf-8')
    assert.equal(await type(binaryType), 'application/vnd.kafka.v2+json; charset=utf-8')
    assert.equal(await type({}), 'application/json; charset=utf-8')
    assert.equal(await type({ 'content-type': 'Application/JSON;charset=UTF-8' }), 'application/json; charset=utf-8')
  })

  test('a record that is refused says so in its place, for good (1) or for now (2), and the others are produced', async (t) => {
    const { call, worker } = await serve(t)
    worker.produceResults.push({ error: 'record-too-large', message: 'm' }, { error: 'overloaded', message: 'm' })
    const body = { records: [{ value: 1 }, { value: 2 }, { value: 3 }] }
    const answer = await call<Produced>('/topics/reviews', { body })
    assert.equal(answer.status, 200)
    assert.deepEqual(
      answer.body.offsets.map(({ offset, error_code: code }) => [offset, code]),
      [
        [null, 1],
        [null, 2],
        [0, null],
      ],
    )
  })

  test("answers 404 with Confluent's number and the nearest name where there is no such topic", async (t) => {
    const { problem } = await serve(t)
    const { body } = await problem('/topics/order', 404, 'topic-not-found', { body: { records: [{ value: 1 }] } })
    assert.equal(body.error_code, 40401)
    assert.equal(body.suggestion, 'orders')
    const far = await problem('/topics/xyz', 404, 'topic-not-found', { body: { records: [{ value: 1 }] } })
    assert.equal(far.body.suggestion, undefined)
  })

  test('refuses bodies of another shape in every content type', async (t) => {
    const { problem } = await serve(t)
    const bodies = [
      {},
      [],
      'null',
      { records: [] },
      { records: [{}] },
      { records: [{ key: 'only' }] },
      { records: [{ value: 1, partition: -1 }] },
      { records: [{ value: 1, partition: '0' }] },
      { records: [{ value: 1, timestamp: 1 }] },
      { records: [{ value: 1 }], value_schema: '' },
    ]
    for (const headers of [{}, jsonType, binaryType]) {
      for (const body of bodies) await problem('/topics/reviews', 400, 'request-invalid', { headers, body })
      await problem('/topics/reviews', 400, 'json-invalid', { headers, body: '' })
    }
    await problem('/topics/reviews', 400, 'request-invalid', { method: 'POST' })
  })

  test('takes 10,000 records at most', async (t) => {
    const { call, problem } = await serve(t)
    const records = Array.from({ length: 10_000 }, () => ({ value: 1 }))
    assert.equal((await call<Produced>('/topics/reviews', { body: { records } })).body.offsets.length, 10_000)
    await problem('/topics/reviews', 400, 'request-invalid', { body: { records: [...records, { value: 1 }] } })
  })
})

suite('GET /topics', () => {
  test('lists the topics with their partitions and offsets', async (t) => {
    const { call } = await serve(t)
    await call('/topics/reviews', { body: { records: [{ value: 1 }] } })
    const { body } = await call<{ topics: readonly TopicView[] }>('/topics')
    assert.deepEqual(body.topics.at(-1), { name: 'reviews', partitions: [{ partition: 0, earliest: 0, end: 1 }] })
  })
})

suite('GET /topics/{topic}/partitions/{partition}/records', () => {
  const path = '/topics/reviews/partitions/0/records'

  test('reads from an offset on, with where to go on', async (t) => {
    const { call } = await serve(t)
    await call('/topics/reviews', { body: { records: [1, 2, 3].map((value) => ({ key: 'k', value })) } })
    const values = async (query: string) => {
      const { body } = await call<Records>(path + query)
      return [body.records.map(({ value }) => value), body.nextOffset]
    }
    assert.deepEqual(await values(''), [[1, 2, 3], 3])
    assert.deepEqual(await values('?offset=earliest&limit=2'), [[1, 2], 2])
    assert.deepEqual(await values('?offset=1&limit=1'), [[2], 2])
    assert.deepEqual(await values('?offset=latest'), [[], 3])
  })

  test('with waitMs, answers as soon as there is a record', async (t) => {
    const { call, worker } = await serve(t)
    const waiting = call<Records>(`${path}?offset=latest&waitMs=30000`)
    await until(() => worker.waiting === 1)
    await call('/topics/reviews', { body: { records: [{ value: 'news' }] } })
    assert.deepEqual(
      (await waiting).body.records.map(({ value }) => value),
      ['news'],
    )
  })

  test('a call that waits is answered with no records, and the same offset, when the server closes', async (t) => {
    const { call, close, worker } = await serve(t)
    const waiting = call<Records>(`${path}?offset=0&waitMs=30000`)
    await until(() => worker.waiting === 1)
    await close()
    assert.deepEqual((await waiting).body, { records: [], nextOffset: 0 })
  })

  test('answers 404 to topics and partitions there are not, by number or by name of the offset', async (t) => {
    const { problem } = await serve(t)
    for (const offset of ['0', 'latest']) {
      const missing = await problem(`/topics/review/partitions/0/records?offset=${offset}`, 404, 'topic-not-found')
      assert.equal(missing.body.suggestion, 'reviews')
      const { body } = await problem(
        `/topics/reviews/partitions/1/records?offset=${offset}`,
        404,
        'partition-not-found',
      )
      assert.equal(body.error_code, 40402)
    }
  })

  test('refuses offsets, limits and waits out of bounds, and partitions that are no numbers', async (t) => {
    const { problem } = await serve(t)
    for (const query of [
      'offset=-1',
      'offset=first',
      'offset=1e3',
      'limit=0',
      'limit=1001',
      'waitMs=30001',
      'offest=1',
    ]) {
      await problem(`${path}?${query}`, 400, 'request-invalid')
    }
    await problem('/topics/reviews/partitions/x/records', 400, 'request-invalid')
    await problem('/topics/reviews/partitions/-1/records', 400, 'request-invalid')
  })
})
