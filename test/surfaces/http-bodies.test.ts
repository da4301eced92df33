import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { suite, test } from 'node:test'
import { serve } from '../support/http.ts'

suite('bodies', () => {
  test('what is not JSON is refused with its place', async (t) => {
    const { problem } = await serve(t)
    const places: readonly (readonly [string, number, number])[] = [
      ['', 1, 1],
      ['<html>', 1, 1],
      ['{\n  "a": abc\n}', 2, 8],
      ['{"a": 1,}', 1, 9],
      ['[1, 2', 1, 6],
      ["{'a': 1}", 1, 2],
      ['{"a" 1}', 1, 6],
      ['{"a": 01}', 1, 7],
      ['["\\x"]', 1, 3],
      ['["line\nbreak"]', 1, 7],
      ['{"a": "open', 1, 12],
      ['{} {}', 1, 4],
      ['[1}', 1, 3],
      ['{"a": tru}', 1, 7],
    ]
    for (const [body, line, column] of places) {
      const answer = await problem('/instances', 400, 'json-invalid', { body })
      assert.deepEqual([answer.body.line, answer.body.column], [line, column], body)
    }
  })

  test('what is not UTF-8 is refused rather than changed', async (t) => {
    const { problem } = await serve(t)
    await problem('/instances', 400, 'json-invalid', { body: Uint8Array.of(0x22, 0xff, 0x22) })
  })

  test('JSON is taken 100 levels deep and no deeper, brackets in strings not counted', async (t) => {
    const { call, problem } = await serve(t)
    const nested = (depth: number) => `{"workflow":"order","input":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`
    assert.equal((await call('/instances', { body: nested(100) })).status, 201)
    await problem('/instances', 400, 'json-too-deep', { body: nested(101) })
    await problem('/instances', 400, 'json-too-deep', { body: '['.repeat(1_000_000) })
    await problem('/instances', 400, 'json-too-deep', { body: '{"a":'.repeat(100_000) })
    const input = `"${'['.repeat(500)}\\"${'{'.repeat(500)}`
    assert.equal((await call('/instances', { body: { workflow: 'order', input } })).status, 201)
  })

  test('keys that could reach a prototype are refused, however they are written, and change nothing', async (t) => {
    const { call, problem } = await serve(t)
    const inputs = [
      '{"__proto__": {"polluted": true}}',
      '[{"a": {"\\u005f_proto__": 1}}]',
      '{"constructor": {"prototype": {"polluted": true}}}',
    ]
    for (const input of inputs) {
      await problem('/instances', 400, 'json-forbidden-key', { body: `{"workflow": "order", "input": ${input}}` })
    }
    assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false)
    const harmless = '{"workflow": "order", "input": {"constructor": "ACME", "prototype": {}, "toString": 1}}'
    assert.equal((await call('/instances', { body: harmless })).status, 201)
  })

  test('a body over 2 MiB is 413, whether its length is told or not', async (t) => {
    const { problem, url } = await serve(t)
    const body = JSON.stringify('x'.repeat(2 * 1_048_576))
    await problem('/instances', 413, 'body-too-large', { body })
    const stream = new Blob([body]).stream()
    const headers = { 'content-type': 'application/json' }
    const streamed = await fetch(`${url}/instances`, { method: 'POST', headers, body: stream, duplex: 'half' })
    assert.equal(streamed.status, 413)
    assert.match(await streamed.text(), /"code":"body-too-large"/)
  })

  test('other content types are 415, also those a page of elsewhere may send without asking', async (t) => {
    const { problem, url } = await serve(t)
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/xml',
      'json',
      'text/json; charset=utf-8',
    ]) {
      const headers = { 'content-type': type }
      await problem('/instances', 415, 'media-type-unsupported', { headers, body: '{"workflow":"order"}' })
      await problem('/topics/orders', 415, 'media-type-unsupported', { headers, body: '{"records":[]}' })
    }
    const kafka = { 'content-type': 'application/vnd.kafka.json.v2+json' }
    await problem('/instances', 415, 'media-type-unsupported', { headers: kafka, body: '{"workflow":"order"}' })
    const untyped = await fetch(`${url}/instances`, { method: 'POST', body: new Blob(['{"workflow":"order"}']) })
    assert.equal(untyped.status, 415)
  })

  test('a body that is shorter than its Content-Length is not taken', async (t) => {
    const { port, worker } = await serve(t)
    const head = `POST /instances HTTP/1.1\r\nhost: localhost:${port}\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n`
    const socket = connect(port, '127.0.0.1', () => socket.end(`${head}{"workflow":"order"}`))
    await new Promise((resolve) => socket.on('close', resolve).resume())
    assert.deepEqual(worker.startRequests, [])
  })
})
