import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { suite, test } from 'node:test'
import { ConfigError } from '../../src/base/errors.ts'
import { silentLogger } from '../../src/base/logger.ts'
import type { Logger } from '../../src/base/logger.ts'
import { problemOf, problems } from '../../src/http/problem.ts'
import { Doors } from '../../src/http/doors.ts'
import { startHttpServer } from '../../src/http/server.ts'
import { unreadable } from '../../src/http/unreadable.ts'
import { Unavailable } from '../../src/runtime/face.ts'
import { FakeWorker } from '../support/fake-worker.ts'
import { declaredRoutes, rawGet, serve } from '../support/http.ts'

/** Sends bytes as they are and resolves with all that comes back until the server hangs up. */
async function exchange(port: number, bytes: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let answer = ''
  const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
  socket.setEncoding('utf8')
  socket.on('data', (part: string) => (answer += part))
  socket.on('error', reject)
  socket.on('close', () => resolve(answer))
  return promise
}

suite('addresses and methods', () => {
  test('an unknown address is 404, with the nearest one', async (t) => {
    const { problem } = await serve(t)
    const { body } = await problem('/instanses?limit=1', 404, 'route-not-found')
    assert.equal(body.suggestion, '/instances')
    await problem('/', 404, 'route-not-found')
    await problem('/unheard/of', 404, 'route-not-found', { body: {} })
  })

  test('a method that a known address does not take is 405, with those it takes', async (t) => {
    const { problem } = await serve(t)
    const { headers } = await problem('/topics/orders', 405, 'method-not-allowed', { method: 'DELETE' })
    assert.equal(headers.get('allow'), 'POST')
    const get = await problem('/health', 405, 'method-not-allowed', { body: {} })
    assert.deepEqual(get.headers.get('allow')?.split(', ').sort(), ['GET', 'HEAD'])
  })

  test('a preflight is refused: there is no CORS', async (t) => {
    const { problem } = await serve(t)
    const headers = { origin: 'http://evil.example', 'access-control-request-method': 'POST' }
    const answer = await problem('/instances', 405, 'method-not-allowed', { method: 'OPTIONS', headers })
    assert.equal(answer.headers.get('access-control-allow-origin'), null)
  })

  test('a path that is not validly encoded is 400, a part that is too long is 414, a head that is too large is 431', async (t) => {
    const { port, problem } = await serve(t)
    await problem('/instances/%zz', 400, 'url-invalid')
    await problem(`/instances/${'x'.repeat(8_193)}`, 414, 'url-too-long')
    const head = `GET / HTTP/1.1\r\nhost: localhost:${port}\r\nx-large: ${'x'.repeat(20_000)}\r\n\r\n`
    const answer = await exchange(port, head)
    assert.match(answer, /^HTTP\/1\.1 431 .*"code":"headers-too-large"/s)
  })

  test('what Node would answer by itself is answered as the API does: no Host, and an expectation it does not know', async (t) => {
    const { port } = await serve(t)
    const nameless = await exchange(port, 'GET /health HTTP/1.1\r\nconnection: close\r\n\r\n')
    assert.match(nameless, /^HTTP\/1\.1 403 .*"code":"host-not-allowed"/s)
    const head = `GET /nowhere HTTP/1.1\r\nhost: localhost:${port}\r\nexpect: wonders\r\nconnection: close\r\n\r\n`
    assert.match(await exchange(port, head), /^HTTP\/1\.1 404 .*"code":"route-not-found"/s)
  })

  test('what is not HTTP is answered with 400 and the connection closed', async (t) => {
    const { port } = await serve(t)
    const answer = await exchange(port, 'hello\r\n\r\n')
    assert.match(answer, /^HTTP\/1\.1 400 .*content-type: application\/problem\+json.*"code":"request-malformed"/s)
  })

  test('HEAD answers as GET does, with no body', async (t) => {
    const { call } = await serve(t)
    const { status, body } = await call('/health', { method: 'HEAD' })
    assert.equal(status, 200)
    assert.equal(body, undefined)
  })
})

suite('Host', () => {
  test('only names of this machine with the port of the server are served (DNS rebinding)', async (t) => {
    const { port, url } = await serve(t)
    const status = async (host: string) => (await rawGet(`${url}/health`, { host })).status
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `LOCALHOST:${port}`, `[::1]:${port}`]) {
      assert.equal(await status(host), 200, host)
    }
    const foreign = [
      'evil.example',
      `evil.example:${port}`,
      `localhost.evil.example:${port}`,
      `127.0.0.1.evil.example:${port}`,
      `evil@localhost:${port}`,
      'localhost',
      `localhost:${port + 1}`,
      `127.0.0.2:${port}`,
    ]
    for (const host of foreign) assert.equal(await status(host), 403, host)
    assert.match(await exchange(port, 'GET /health HTTP/1.1\r\nhost:\r\nconnection: close\r\n\r\n'), /^HTTP\/1\.1 403 /)
    const { body } = await rawGet(`${url}/nothing`, { host: 'evil.example' })
    assert.equal(JSON.parse(body).code, 'host-not-allowed')
  })
})

suite('when the worker cannot', () => {
  const unavailable = ['outcome-unknown', 'not-ready', 'overloaded', 'disk-full'] as const
  for (const code of unavailable) {
    test(`${code} is 503 on every route, with when to try again`, async (t) => {
      const { problem, worker } = await serve(t)
      worker.failWith = new Unavailable(code, 'not now')
      const calls = [
        ['/service/ready', undefined],
        ['/health', undefined],
        ['/topics', undefined],
        ['/topics/orders', { body: { records: [{ value: 1 }] } }],
        ['/topics/orders/partitions/0/records?offset=0&waitMs=10', undefined],
        ['/instances', { body: { workflow: 'order' } }],
        ['/instances', undefined],
        ['/instances/a?waitMs=10', undefined],
        ['/instances/by-key/order/a', undefined],
      ] as const
      for (const [path, options] of calls) {
        const { headers } = await problem(path, 503, code, options)
        assert.match(headers.get('retry-after') ?? '', /^[1-9]\d*$/)
      }
    })
  }

  test('an error of ours is 500, tells nothing, and is in the log under the id of the request', async (t) => {
    const logged: { requestId?: string; err?: Error }[] = []
    const logger: Logger = { ...silentLogger, error: (fields) => void logged.push(fields) }
    const { problem, worker } = await serve(t, logger)
    for (const secret of ['password=hunter2', 'at file:///src/runtime']) {
      worker.failWith = Object.assign(new Error(secret), { code: 'ECONNRESET', headers: { 'x-leak': secret } })
      const answer = await problem('/health', 500, 'internal')
      assert.equal(JSON.stringify([answer.body, ...answer.headers]).includes(secret), false)
      const entry = logged.pop()
      assert.equal(entry?.err?.message, secret)
      assert.equal(answer.body.instance, `urn:dagger-worker:request:${entry.requestId}`)
      assert.equal(answer.headers.get('x-request-id'), entry.requestId)
    }
  })
})

suite('the worker itself', () => {
  test('is ready with 200 and how many partitions are in which phase', async (t) => {
    const { call } = await serve(t)
    const { status, body } = await call<{ ready: boolean; partitions: { total: number; running: number } }>(
      '/service/ready',
    )
    assert.equal(status, 200)
    assert.equal(body.ready, true)
    assert.equal(body.partitions.total, 2)
    assert.equal(body.partitions.running, 2)
  })

  test('is not ready with 503 and why', async (t) => {
    const { call, worker } = await serve(t)
    worker.setView({ isReady: false, problems: ['partition 3 is restoring'] })
    const { status, body } = await call<{ ready: boolean; problems: readonly string[] }>('/service/ready')
    assert.equal(status, 503)
    assert.equal(body.ready, false)
    assert.deepEqual(body.problems, ['partition 3 is restoring'])
  })

  test('is live as long as it goes on by itself, whether it is ready or not', async (t) => {
    const { call, worker } = await serve(t)
    worker.setView({ isReady: false, problems: ['the broker is away'] })
    assert.deepEqual(await call('/service/live').then(({ status, body }) => [status, body]), [
      200,
      { live: true, problems: [] },
    ])
    worker.stuckNow = ['partition 3: its store has not answered for 121 s (writing)']
    const { status, body } = await call('/service/live')
    assert.deepEqual([status, body], [503, { live: false, problems: worker.stuckNow }])
  })

  test('tells all that it knows at /health', async (t) => {
    const { call, worker } = await serve(t)
    const place = { file: 'a.yaml', line: 1, column: 2 }
    worker.setView({
      definitionProblems: [{ code: 'DW_TEST', message: 'm', place, path: 'p', suggestion: 's', frame: 'f' }],
      partitions: [{ partition: 0, phase: 'stopped', reason: 'r', restoreLeft: 3 }],
      workflows: [{ name: 'order', version: 'order@1', label: '1', description: 'd', startTopics: [] }],
    })
    const { status, body } = await call('/health')
    assert.equal(status, 200)
    assert.deepEqual(body, worker.view())
  })

  test('answers are not kept by anybody on the way, and are what they say they are', async (t) => {
    const { call } = await serve(t)
    const { headers } = await call('/health')
    assert.equal(headers.get('cache-control'), 'no-store')
    assert.equal(headers.get('x-content-type-options'), 'nosniff')
    assert.equal(headers.get('set-cookie'), null)
  })
})

suite('the server', () => {
  const start = (host: string, port = 0) =>
    (async () =>
      startHttpServer({ worker: new FakeWorker(), doors: new Doors({ host }), port, logger: silentLogger }))()
  const withCode = (code: string) => (error: unknown) => error instanceof ConfigError && error.code === code

  test('listens on addresses of this machine only, as long as nobody is asked for a token', async () => {
    for (const host of ['0.0.0.0', '::', '192.168.0.1', 'example.com', '']) {
      await assert.rejects(start(host), withCode('DW_HTTP_HOST'), host)
    }
    const server = await start('localhost')
    assert.match(server.url, /^http:\/\/127\.0\.0\.1:\d+$/)
    await server.close()
  })

  test('says so when its port is taken', async (t) => {
    const { port } = await serve(t)
    await assert.rejects(start('127.0.0.1', port), withCode('DW_PORT_IN_USE'))
  })

  test('may be closed twice', async (t) => {
    const { close } = await serve(t)
    await Promise.all([close(), close()])
  })

  test('every route declares its parameters, its body, and its answers', () => {
    assert.ok(declaredRoutes.length >= 9)
    for (const { method, url, schema, answers } of declaredRoutes) {
      assert.ok(typeof schema['operationId'] === 'string' && typeof schema['summary'] === 'string', url)
      assert.ok('querystring' in schema, `${method} ${url}`)
      assert.equal('params' in schema, url.includes(':'), url)
      assert.equal('body' in schema, method === 'POST', url)
      assert.ok(answers.has('default application/problem+json'), url)
    }
  })

  test('what cannot be provoked from outside in good time is told apart as well', () => {
    assert.equal(unreadable('ERR_HTTP_REQUEST_TIMEOUT').code, 'request-timeout')
    assert.equal(unreadable(undefined).code, 'request-malformed')
    assert.equal(problemOf({ code: 'FST_ERR_CTP_INVALID_CONTENT_LENGTH' }).code, 'body-incomplete')
    assert.equal(problemOf({ code: 'ECONNRESET', statusCode: 400 }).code, 'body-incomplete')
    assert.equal(problemOf({ code: 'ECONNRESET' }).code, 'internal')
    assert.equal(problemOf(undefined).code, 'internal')
  })

  test('every status of a problem is one of an error', () => {
    for (const { status, title } of Object.values(problems)) {
      assert.ok(status >= 400 && status < 600)
      assert.notEqual(title, '')
    }
  })
})
