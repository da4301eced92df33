// What an `http` task sends, to whom, and what becomes of the answer: against a server of this process.
import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, beforeEach, suite, test } from 'node:test'
import { parseHost } from '../../src/base/hosts.ts'
import type { Json } from '../../src/base/json.ts'
import type { TraceContext } from '../../src/base/tracing.ts'
import { limits } from '../../src/base/limits.ts'
import { silentLogger } from '../../src/base/logger.ts'
import { retryHintsOf, type RetryHints } from '../../src/base/thrown.ts'
import { httpHandler } from '../../src/handlers/http.ts'

interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

type Answer = (request: Seen, response: ServerResponse) => void

const seen: Seen[] = []
let answer: Answer = (_request, response) => void response.end()

async function serverOf(): Promise<{ host: string; close: () => void }> {
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => (body += text))
    request.on('end', () => {
      const { method = '', url = '', headers } = request
      seen.push({ method, url, headers, body })
      answer({ method, url, headers, body }, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

const own = await serverOf()
const other = await serverOf()
after(() => {
  own.close()
  other.close()
})
beforeEach(() => {
  seen.length = 0
  answer = (_request, response) => void response.end()
})

const json =
  (status: number, value: Json, headers: { readonly [name: string]: string } = {}): Answer =>
  (_request, response) =>
    void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value))

interface Options {
  readonly trace?: TraceContext
  readonly allowed?: readonly string[]
  readonly signal?: AbortSignal
}

async function call(input: Json, { allowed = [own.host], signal, trace }: Options = {}): Promise<Json> {
  const hosts = allowed.map((text) => parseHost(text) ?? assert.fail(`${text} is a host`))
  const handler = httpHandler({ allowed: hosts, nowMs: () => Date.parse('2026-01-01T00:00:00Z') })
  return (await handler.run({
    ...{ input, instance: { id: 'i', key: 'k', workflow: 'w', version: 'w@1' }, name: 'h', attempt: 1 },
    ...{ idempotencyKey: 'i/h', signal: signal ?? new AbortController().signal, logger: silentLogger },
    heartbeat: () => {},
    ...trace,
  })) as Json
}

async function failureOf(input: Json, options?: Options): Promise<RetryHints & { readonly message: string }> {
  try {
    await call(input, options)
  } catch (error) {
    return { ...retryHintsOf(error), message: error instanceof Error ? error.message : '' }
  }
  return assert.fail('it fails')
}

const to = (path: string, host = own.host): string => `http://${host}${path}`

suite('a request', () => {
  test('carries its method, headers, body and the idempotency key of its task', async () => {
    answer = json(201, { id: 7 }, { 'x-trace': 't' })
    const output = await call({ url: to('/orders?a=1'), method: 'POST', headers: { 'X-Api-Key': 's' }, body: { n: 1 } })
    const { method, url, headers, body } = seen[0] ?? assert.fail('it was sent')
    assert.deepEqual([method, url, body, headers['x-api-key']], ['POST', '/orders?a=1', '{"n":1}', 's'])
    assert.deepEqual([headers['idempotency-key'], headers['content-type']], ['i/h', 'application/json'])
    const {
      status,
      headers: answered,
      body: given,
    } = output as { status: number; headers: { [name: string]: Json }; body: Json }
    assert.deepEqual([status, answered['x-trace'], given], [201, 't', { id: 7 }])
  })

  test('sends a text as it is, and what its author says of its type and of its key stands', async () => {
    await call({
      url: to('/'),
      method: 'PUT',
      headers: { 'content-type': 'text/csv', 'Idempotency-Key': 'mine' },
      body: 'a,b',
    })
    const { headers, body } = seen[0] ?? assert.fail('it was sent')
    assert.deepEqual([headers['content-type'], headers['idempotency-key'], body], ['text/csv', 'mine', 'a,b'])
  })

  test('goes on with the trace of its task, unless its author names another', async () => {
    const trace = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', tracestate: 'a=1' }
    for (const [headers, expected] of [
      [{}, [trace.traceparent, 'a=1']],
      [{ TraceParent: 'mine' }, ['mine', undefined]],
    ] as const) {
      seen.length = 0
      await call({ url: to('/'), method: 'GET', headers: { ...headers } }, { trace })
      assert.deepEqual([seen[0]?.headers['traceparent'], seen[0]?.headers['tracestate']], expected)
    }
  })

  test('that is none is refused before it is sent, for good', async () => {
    const wrong: readonly Json[] = [
      null,
      { url: 'no address' },
      { url: to('/'), method: 'TRACE' },
      { url: to('/'), method: 'GET', body: 1 },
      { url: to('/'), headers: { Host: 'elsewhere' } },
      { url: to('/'), headers: { 'x-a': 'a\r\nx-b: b' } },
    ]
    for (const input of wrong) {
      const { code, retryable } = await failureOf(input)
      assert.deepEqual([code, retryable], ['http-request-invalid', false], JSON.stringify(input))
    }
    assert.equal(seen.length, 0)
  })
})

suite('N1: a host', () => {
  test('is called only where the operator has allowed it, on the port that was named', async () => {
    const refused = [
      ['http://127.0.0.1:1/', [own.host]],
      [to('/'), []],
      [to('/'), ['127.0.0.1']],
      [to('/').replace('//', '//user:secret@'), [own.host]],
      [to('/').replace('http:', 'ftp:'), [own.host]],
      ['file:///etc/passwd', [own.host]],
      [to('/', 'localhost'), [own.host]],
    ] as const
    for (const [url, allowed] of refused) {
      const { code, retryable } = await failureOf({ url }, { allowed })
      assert.deepEqual([code, retryable], ['http-host-refused', false], url)
    }
    assert.equal(seen.length, 0)
    const { message } = await failureOf({ url: to('/') }, { allowed: [] })
    assert.match(message, new RegExp(`--http-allow ${own.host.replaceAll('.', '\\.')}`))
  })

  test('is the same however it is written', async () => {
    const port = own.host.split(':')[1] ?? ''
    for (const written of [`127.1:${port}`, `0x7f000001:${port}`, `2130706433:${port}`])
      await call({ url: to('/', written) })
    await call({ url: to('/') }, { allowed: [`2130706433:${port}`] })
    assert.equal(seen.length, 4)
  })

  test('is not reached by a redirect where it is not allowed', async () => {
    answer = (_request, response) => void response.writeHead(302, { location: to('/', other.host) }).end()
    assert.equal((await failureOf({ url: to('/') })).code, 'http-host-refused')
    answer = (_request, response) => void response.writeHead(302, { location: 'file:///etc/passwd' }).end()
    assert.equal((await failureOf({ url: to('/') })).code, 'http-host-refused')
    assert.equal(seen.length, 2)
  })
})

suite('a redirect', () => {
  const redirect =
    (status: number, location: string): Answer =>
    ({ url }, response) =>
      url === '/from' ? void response.writeHead(status, { location }).end() : json(200, 'there')({} as Seen, response)

  test('is followed with the same method and body, or with GET, as its status says', async () => {
    for (const [status, method, body] of [
      [307, 'POST', '1'],
      [308, 'POST', '1'],
      [303, 'GET', ''],
      [302, 'GET', ''],
      [301, 'GET', ''],
    ] as const) {
      seen.length = 0
      answer = redirect(status, '/to')
      await call({ url: to('/from'), method: 'POST', body: 1 })
      assert.deepEqual([seen[1]?.url, seen[1]?.method, seen[1]?.body], ['/to', method, body])
    }
  })

  test('N2: to another host that is allowed takes no header of the author along', async () => {
    answer = redirect(307, to('/to', other.host))
    const headers = { Authorization: 'Bearer s', 'X-Api-Key': 's', Accept: 'text/plain' }
    await call({ url: to('/from'), headers }, { allowed: [own.host, other.host] })
    const there = seen[1] ?? assert.fail('it was followed')
    assert.deepEqual([there.headers.authorization, there.headers['x-api-key']], [undefined, undefined])
    assert.deepEqual([there.headers.accept, there.headers['idempotency-key']], ['text/plain', 'i/h'])
  })

  test('has an end', async () => {
    answer = (_request, response) => void response.writeHead(302, { location: '/again' }).end()
    const { code, retryable } = await failureOf({ url: to('/') })
    assert.deepEqual([code, retryable, seen.length], ['http-error', false, 6])
  })
})

suite('an answer', () => {
  test('of 4xx or 5xx fails the attempt under its status; what may pass is tried again, when the answer says', async () => {
    const cases: readonly (readonly [status: number, header: string | undefined, hints: RetryHints])[] = [
      [404, undefined, { code: 'http-404', retryable: false }],
      [409, '3', { code: 'http-409', retryable: false }],
      [408, undefined, { code: 'http-408', retryable: true }],
      [425, undefined, { code: 'http-425', retryable: true }],
      [429, '7', { code: 'http-429', retryable: true, retryAfterMs: 7_000 }],
      [500, undefined, { code: 'http-500', retryable: true }],
      [503, 'Thu, 01 Jan 2026 00:00:05 GMT', { code: 'http-503', retryable: true, retryAfterMs: 5_000 }],
      [503, 'soon', { code: 'http-503', retryable: true }],
    ]
    for (const [status, header, hints] of cases) {
      answer = json(status, { why: 'because' }, header === undefined ? {} : { 'retry-after': header })
      const { message, ...found } = await failureOf({ url: to('/x?token=t') })
      assert.deepEqual(found, hints)
      assert.match(message, /because/)
      assert.doesNotMatch(message, /token/)
    }
  })

  test('is JSON where it says so, text otherwise, null where JSON is empty', async () => {
    const bodyOf = async (type: string, text: string | Buffer): Promise<Json> => {
      answer = (_request, response) => void response.writeHead(200, { 'content-type': type }).end(text)
      return ((await call({ url: to('/') })) as { body: Json }).body
    }
    assert.deepEqual(await bodyOf('application/json; charset=utf-8', '{"a":1}'), { a: 1 })
    assert.deepEqual(await bodyOf('application/problem+json', '[1]'), [1])
    assert.equal(await bodyOf('application/json', ''), null)
    assert.equal(await bodyOf('text/plain', '{"a":1}'), '{"a":1}')
    assert.equal(await bodyOf('text/plain; charset=iso-8859-1', Buffer.from([0xe9])), 'é')
    assert.equal(await bodyOf('text/plain; charset=none-such', 'x'), 'x')
  })

  test('that is not the JSON it says fails with `http-error`', async () => {
    answer = (_request, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end('<html>')
    assert.equal((await failureOf({ url: to('/') })).code, 'http-error')
  })

  test('N3: that is larger than what can be kept is not read to its end', async () => {
    let isOver = false
    answer = (_request, response) => {
      response.on('close', () => (isOver = true))
      const piece = 'x'.repeat(65_536)
      const more = (): void => {
        while (response.write(piece));
        if (!isOver) response.once('drain', more)
      }
      more()
    }
    const { code, retryable } = await failureOf({ url: to('/') })
    assert.deepEqual([code, retryable], ['payload-too-large', false])
  })

  test('N3: in pieces that together are within the bound is whole', async () => {
    const text = 'é'.repeat(limits.payloadBytesMax / 4)
    answer = (_request, response) => void response.end(text)
    assert.equal(((await call({ url: to('/') })) as { body: string }).body, text)
  })

  test('that does not come, or breaks off, fails with `http-error`', async () => {
    answer = (_request, response) => void response.destroy()
    assert.equal((await failureOf({ url: to('/') })).code, 'http-error')
    answer = (_request, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('part')
      setImmediate(() => response.destroy())
    }
    assert.equal((await failureOf({ url: to('/') })).code, 'http-error')
    const gone = await serverOf()
    gone.close()
    const { code, retryable, message } = await failureOf({ url: to('/', gone.host) }, { allowed: [gone.host] })
    assert.deepEqual([code, retryable], ['http-error', true])
    assert.match(message, /ECONNREFUSED/)
  })

  test('N3: is waited for until the signal says that it is over', async () => {
    const controller = new AbortController()
    answer = () => controller.abort(new Error('the attempt is over'))
    assert.match((await failureOf({ url: to('/') }, { signal: controller.signal })).message, /the attempt is over/)
  })

  test('keeps each cookie', async () => {
    answer = (_request, response) => void response.writeHead(200, { 'set-cookie': ['a=1', 'b=2'] }).end()
    assert.deepEqual(((await call({ url: to('/') })) as { headers: { [name: string]: Json } }).headers['set-cookie'], [
      'a=1',
      'b=2',
    ])
  })
})

suite('allowed hosts', () => {
  test('are read as URLs have them', () => {
    assert.deepEqual(parseHost('API.example.com'), { hostname: 'api.example.com', port: undefined })
    assert.deepEqual(parseHost('127.1:080'), { hostname: '127.0.0.1', port: '80' })
    assert.deepEqual(parseHost('[::1]:8080'), { hostname: '[::1]', port: '8080' })
    for (const wrong of [
      '',
      'http://a',
      'a/b',
      'a b',
      'a:0',
      'a:65536',
      'u@a',
      'a:b',
      'a%2fb',
      '*',
      'a?b',
      '[::1',
      ':80',
    ])
      assert.equal(parseHost(wrong), undefined, wrong)
  })
})
