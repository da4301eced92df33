// Who may do what, by token: every address asks, and what was done says by whom.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { ConfigError } from '../../src/base/errors.ts'
import { silentLogger, type Logger } from '../../src/base/logger.ts'
import { digestOf, readAccess, tokenLine, tokenOf, type Role } from '../../src/config/access-file.ts'
import { Access } from '../../src/http/access.ts'
import { createApp } from '../../src/http/app.ts'
import { Doors } from '../../src/http/doors.ts'
import { FailedAttempts } from '../../src/http/failed-attempts.ts'
import { hostCheck } from '../../src/http/host-check.ts'
import { httpLimits } from '../../src/http/limits.ts'
import { roleFor } from '../../src/http/roles.ts'
import { startHttpServer } from '../../src/http/server.ts'
import { until } from '../support/http.ts'
import { FakeWorker } from '../support/fake-worker.ts'

const tokens = { alice: tokenOf(new Uint8Array(32).fill(1)), grafana: tokenOf(new Uint8Array(32).fill(2)) }
const lines = [tokenLine('alice', 'operate', tokens.alice), tokenLine('grafana', 'read', tokens.grafana)]
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

function fileWith(t: TestContext, ...text: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'dw-tokens-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'tokens'), text.join('\n'))
  return join(folder, 'tokens')
}

interface LogLine {
  readonly level: string
  readonly message: string
  readonly [field: string]: unknown
}

function logOf(): { readonly logger: Logger; readonly lines: LogLine[] } {
  const said: LogLine[] = []
  const level = (name: string) => (fields: object, message: string) =>
    void said.push({ ...fields, level: name, message })
  const logger: Logger = {
    debug: () => {},
    info: level('info'),
    warn: level('warn'),
    error: level('error'),
    child: () => logger,
  }
  return { logger, lines: said }
}

async function served(t: TestContext, logger = silentLogger) {
  const worker = new FakeWorker()
  const tokensFile = fileWith(t, '# who may come in', '', ...lines)
  const doors = new Doors({ host: '127.0.0.1', tokensFile })
  const server = await startHttpServer({ worker, port: 0, logger, doors })
  t.after(() => server.close())
  const call = async (path: string, options: RequestInit = {}) => {
    const answer = await fetch(server.url + path, options)
    return { status: answer.status, headers: answer.headers, body: JSON.parse(await answer.text()) }
  }
  return { worker, doors, tokensFile, call, url: server.url }
}

const post = (body: unknown, headers: { [name: string]: string } = {}): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
})

/** Every address and method that the application takes, as it says itself: one that is added is among them. */
async function allRoutes(): Promise<readonly { readonly method: string; readonly route: string }[]> {
  const app = createApp(new FakeWorker(), silentLogger)
  await app.ready()
  const parts: string[] = []
  return app
    .printRoutes({ commonPrefix: false })
    .split('\n')
    .flatMap((line) => {
      const [, indent = '', part = '', methods = ''] = /^((?:│ {3}| {4})*)[├└]── (\S+) \(([A-Z, ]+)\)$/.exec(line) ?? []
      if (part === '') return []
      parts.splice(indent.length / 4, Number.POSITIVE_INFINITY, part)
      return methods.split(', ').map((method) => ({ method, route: parts.join('') }))
    })
}

/** As `fetch` has it, for methods that it does not let one send. */
async function statusOf(url: string, method: string, headers: { [name: string]: string }): Promise<number> {
  const sent = request(url, { method, headers }).end()
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  answer.resume()
  return answer.statusCode ?? 0
}

suite('every address', () => {
  test('asks for a token, and for one that may operate where something changes', async (t) => {
    const { url } = await served(t)
    const routes = await allRoutes()
    for (const route of ['/service/ready', '/instances/:id/signal', '/topics/:topic/partitions/:partition/records'])
      assert.ok(
        routes.some((each) => each.route === route),
        route,
      )
    const open: string[] = []
    for (const { method, route } of routes) {
      const status = async (token?: string): Promise<number> => {
        const headers = token === undefined ? {} : bearer(token)
        return statusOf(url + route.replaceAll(/:\w+/g, '0'), method, headers)
      }
      const which = `${method} ${route}`
      const needed = roleFor(method, route)
      if (needed === 'none') {
        open.push(which)
        continue
      }
      // After so many calls by strangers their address is told to wait, and is not let in either.
      for (const stranger of [await status(), await status('wrong')]) assert.ok([401, 429].includes(stranger), which)
      const [read, operate] = [await status(tokens.grafana), await status(tokens.alice)]
      assert.equal(read === 403, needed === 'operate', `${which} ${read}`)
      for (const known of [read, operate]) assert.ok(known !== 401 && known !== 429, `${which} ${known}`)
      assert.notEqual(operate, 403, which)
      assert.equal(needed === 'operate', !['GET', 'HEAD', 'OPTIONS'].includes(method), which)
    }
    assert.deepEqual(
      open.filter((each) => !/^(?:GET|HEAD) \/service\/(?:ready|live)$/.test(each)),
      [],
    )
    assert.ok(open.includes('GET /service/ready'))
  })

  test('says what is wrong, as a problem, and how to ask', async (t) => {
    const { call } = await served(t)
    for (const [headers, challenge] of [
      [{}, 'Bearer realm="dagger-worker"'],
      [bearer('wrong'), 'Bearer realm="dagger-worker", error="invalid_token"'],
      [bearer(`${tokens.alice}x`), 'Bearer realm="dagger-worker", error="invalid_token"'],
      [{ authorization: tokens.alice }, 'Bearer realm="dagger-worker", error="invalid_token"'],
      [{ authorization: `Basic ${tokens.alice}` }, 'Bearer realm="dagger-worker", error="invalid_token"'],
    ] as const) {
      const { status, body, headers: got } = await call('/health', { headers })
      assert.deepEqual([status, body.code, got.get('www-authenticate')], [401, 'unauthenticated', challenge])
    }
    const { status, body } = await call('/instances', post({ workflow: 'order' }, bearer(tokens.grafana)))
    assert.deepEqual([status, body.code], [403, 'forbidden'])
    assert.match(body.detail, /"grafana" has the role read, and this takes operate/)
  })

  test('is not told to strangers: what there is not is 401 as well, and a body is not looked at', async (t) => {
    const { call } = await served(t)
    assert.equal((await call('/nothing')).status, 401)
    assert.equal((await call('/instances/1/stop')).status, 401)
    assert.equal((await call('/instances', { method: 'POST', body: 'not json' })).status, 401)
    assert.equal((await call('/nothing', { headers: bearer(tokens.grafana) })).status, 404)
  })

  test('of probes is open, and tells strangers no reasons', async (t) => {
    const { call, worker } = await served(t)
    worker.setView({ isReady: false, problems: ['partition 3 of orders-secret is restoring'] })
    const stranger = await call('/service/ready')
    assert.deepEqual([stranger.status, stranger.body.ready, stranger.body.problems], [503, false, []])
    const known = await call('/service/ready', { headers: bearer(tokens.grafana) })
    assert.deepEqual(known.body.problems, ['partition 3 of orders-secret is restoring'])
    assert.equal((await call('/service/ready', { headers: bearer('wrong') })).status, 503)
  })

  test('lets everybody in where no file names anybody', async (t) => {
    const server = await startHttpServer({ worker: new FakeWorker(), port: 0, logger: silentLogger })
    t.after(() => server.close())
    assert.equal((await fetch(`${server.url}/health`)).status, 200)
  })
})

suite('who did it', () => {
  test('stands in the history by the name that was proved; what the caller says stands behind it', async (t) => {
    const { worker, call } = await served(t)
    const by: string[] = []
    worker.instances = {
      ...worker.instances,
      operate: async (_id, _action, said) => {
        by.push(said)
        return { outcome: 'done' }
      },
    }
    await call('/instances/i-1/suspend', post({}, bearer(tokens.alice)))
    await call('/instances/i-1/suspend', post({ by: 'bob' }, bearer(tokens.alice)))
    await call('/instances/i-1/suspend', post({}, { ...bearer(tokens.alice), 'dagger-worker-caller': 'bob operate' }))
    assert.deepEqual(by, ['alice', 'alice (bob)', 'alice'])
    await call('/instances', post({ workflow: 'order', key: 'o-1' }, bearer(tokens.alice)))
    assert.equal(worker.startRequests.at(-1)?.by, 'alice')
  })

  test('is a line in the log for each call that changes something, with no payload', async (t) => {
    const { logger, lines: said } = logOf()
    const { call } = await served(t, logger)
    const canary = 'canary-4711'
    await call('/health', { headers: bearer(tokens.alice) })
    await call('/instances/i-1/signal', post({ name: canary, payload: canary, by: canary }, bearer(tokens.alice)))
    await call('/topics/orders', post({ records: [{ key: canary, value: canary }] }, bearer(tokens.alice)))
    await call('/topics/orders', post({ records: [{ value: canary }] }, bearer(tokens.grafana)))
    await call('/topics/orders', post({ records: [{ value: canary }] }, bearer('wrong')))
    const audited = () => said.filter(({ message }) => message === 'audit')
    await until(() => audited().length === 4)
    const audits = audited()
    assert.deepEqual(
      audits.map(({ level, who, what, target, outcome }) => ({
        level,
        who,
        what,
        target: { ...Object(target) },
        outcome,
      })),
      [
        { level: 'info', who: 'alice', what: 'signalInstance', target: { id: 'i-1' }, outcome: 200 },
        { level: 'info', who: 'alice', what: 'produce', target: { topic: 'orders' }, outcome: 200 },
        { level: 'info', who: 'grafana', what: 'produce', target: { topic: 'orders' }, outcome: 403 },
        { level: 'info', who: 'anybody', what: 'produce', target: { topic: 'orders' }, outcome: 401 },
      ],
    )
    for (const { requestId } of audits) assert.match(String(requestId), /^[0-9a-f-]{36}$/)
    const all = JSON.stringify(said)
    for (const secret of [canary, tokens.alice, tokens.grafana, 'wrong']) assert.ok(!all.includes(secret), secret)
  })
})

suite('the tokens file', () => {
  test('is read again when it changes, and a broken one leaves the tokens that there were', async (t) => {
    const { call, doors, tokensFile, worker } = await served(t)
    const bob = tokenOf(new Uint8Array(32).fill(3))
    const status = async (token: string) => (await call('/health', { headers: bearer(token) })).status
    assert.deepEqual([await status(tokens.alice), await status(bob)], [200, 401])
    writeFileSync(tokensFile, tokenLine('bob', 'read', bob))
    assert.equal(doors.look(), true)
    assert.deepEqual([await status(tokens.alice), await status(bob)], [401, 200])
    writeFileSync(tokensFile, 'alice operate sha256:12\n')
    assert.equal(doors.look(), false)
    assert.equal(await status(bob), 200)
    assert.match(doors.problems().join(), /what was read before stays in use\. Line 1: Expected "sha256:"/)
    rmSync(tokensFile)
    assert.equal(doors.look(), false)
    assert.match(doors.problems().join(), /ENOENT/)
    writeFileSync(tokensFile, lines.join('\n'))
    assert.equal(doors.look(), true)
    assert.deepEqual([await status(tokens.alice), doors.problems()], [200, []])
    assert.equal(worker.failWith, undefined)
  })

  test('with something wrong in it is refused with the lines, and shows none of it', () => {
    const secret = 'dw_this-is-a-token-that-somebody-wrote-here'
    const text = [lines[0], `bob read ${secret}`, 'eve admin sha256:', 'two words', '-x read certificate', lines[0]]
    const problems = readAccess('tokens', text.join('\n'))
    assert.ok('length' in problems)
    assert.deepEqual(
      problems.map(({ place }) => place?.line),
      [2, 3, 4, 5, 6],
    )
    assert.ok(!JSON.stringify(problems).includes(secret))
    assert.ok('length' in readAccess('tokens', '# nobody\n'))
    assert.throws(() => new Doors({ host: '127.0.0.1', tokensFile: '/nowhere/tokens' }))
  })

  test('takes more than one token of a name, and certificates by theirs', () => {
    const other = tokenLine('alice', 'read', tokens.grafana)
    const access = readAccess(
      'tokens',
      [lines[0], other, 'w-1 worker certificate # a worker', 'ci read certificate'].join('\n'),
    )
    assert.ok('tokens' in access)
    assert.deepEqual(
      access.tokens.map(({ name, role }) => [name, role]),
      [
        ['alice', 'operate'],
        ['alice', 'read'],
      ],
    )
    assert.deepEqual(Object.fromEntries(access.certificates), { 'w-1': 'worker', ci: 'read' })
    assert.ok('length' in readAccess('tokens', `w-1 worker ${lines[0]!.split(' ')[2]}`))
  })

  test('holds hashes: what is in it is no token', async (t) => {
    const { call } = await served(t)
    const hash = digestOf(tokens.alice).toString('hex')
    for (const token of [hash, `sha256:${hash}`])
      assert.equal((await call('/health', { headers: bearer(token) })).status, 401)
  })

  test('is gone through to its end for every token, the first one as the last', () => {
    const compared: string[] = []
    const list = {
      certificates: new Map(),
      tokens: (['alice', 'grafana'] as const).map((name) => ({
        name,
        role: 'read' as Role,
        get digest() {
          compared.push(name)
          return digestOf(tokens[name])
        },
      })),
    }
    const access = new Access({ list: () => list, needsCertificate: false, ownFingerprint: () => undefined })
    for (const token of [tokens.alice, tokens.grafana, 'wrong']) {
      compared.length = 0
      access.callerOf(bearer(token), Object({}))
      assert.deepEqual(compared, ['alice', 'grafana'])
    }
  })
})

suite('too much', () => {
  test('of strangers from one address is told to wait; a good token is not', async (t) => {
    const { call } = await served(t)
    for (let count = 0; count < httpLimits.failedAttemptsMax; count++) assert.equal((await call('/health')).status, 401)
    const { status, body, headers } = await call('/health')
    assert.deepEqual([status, body.code], [429, 'too-many-requests'])
    const waitS = Number(headers.get('retry-after'))
    assert.ok(waitS > 0 && waitS <= 60)
    assert.equal((await call('/health', { headers: bearer(tokens.alice) })).status, 200)
  })

  test('is counted for a minute, and for so many addresses', () => {
    const attempts = new FailedAttempts()
    for (let count = 0; count < httpLimits.failedAttemptsMax; count++) assert.equal(attempts.note('a', 0), undefined)
    assert.equal(attempts.note('a', 30_000), 30)
    assert.equal(attempts.note('b', 30_000), undefined)
    assert.equal(attempts.note('a', 60_000), undefined)
    for (let count = 0; count < httpLimits.failedAttemptsMax; count++) attempts.note('a', 60_001)
    assert.ok(attempts.note('a', 60_001) !== undefined)
    for (let other = 0; other < httpLimits.failingAddressesMax; other++) attempts.note(`c-${other}`, 60_002)
    assert.equal(attempts.note('a', 60_003), undefined, 'it was the oldest, and made room')
  })

  test('under way is refused, and counts again once it is answered; probes always come through', async (t) => {
    const { worker, call } = await served(t)
    const held = Promise.withResolvers<void>()
    worker.instances = {
      ...worker.instances,
      list: async () => {
        await held.promise
        return { items: [], partitions: [0, 1] }
      },
    }
    const headers = bearer(tokens.alice)
    const waiting = Array.from({ length: httpLimits.requestsInFlightMax }, () => call('/instances', { headers }))
    let refused = await call('/instances/i-1', { headers })
    while (refused.status !== 429) refused = await call('/instances/i-1', { headers })
    assert.deepEqual([refused.body.code, refused.headers.get('retry-after')], ['too-many-requests', '1'])
    assert.equal((await call('/service/ready')).status, 200)
    held.resolve()
    for (const { status } of await Promise.all(waiting)) assert.equal(status, 200)
    assert.equal((await call('/instances/i-1', { headers })).status, 404)
  })
})

suite('names', () => {
  const checks = (options: Parameters<typeof hostCheck>[0], host: string, localAddress = '10.0.0.7'): boolean => {
    try {
      hostCheck(options)(host, { localPort: 7070, localAddress })
      return true
    } catch {
      return false
    }
  }

  test('are those of this machine, the advertised one, and those that the operator lists', () => {
    const names = [
      { hostname: 'proxy.example', port: undefined },
      { hostname: 'exact.example', port: '8443' },
    ]
    const options = { names, advertisedUrl: 'https://w-1.example:7070', isOpen: true, isSecure: true }
    for (const host of [
      'localhost:7070',
      '10.0.0.7:7070',
      'w-1.example:7070',
      'W-1.example',
      'proxy.example',
      'proxy.example:99',
      'exact.example:8443',
    ])
      assert.ok(checks(options, host), host)
    for (const host of [
      '10.0.0.8:7070',
      'evil.example:7070',
      'exact.example',
      'w-1.example.evil:7070',
      'w-1.example@evil:7070',
      '',
    ])
      assert.ok(!checks(options, host), host)
    assert.ok(checks({ isOpen: true }, '10.0.0.7:7070', '::ffff:10.0.0.7'))
    assert.ok(checks({ isOpen: true }, '[fe80::1]:7070', 'fe80::1'))
    assert.ok(!checks({ isOpen: false }, '10.0.0.7:7070'), 'only a tunnel brings that to an address of this machine')
  })
})

test('another address than this machine is refused only where nobody is asked', async (t) => {
  const tokensFile = fileWith(t, ...lines)
  const { logger, lines: said } = logOf()
  assert.throws(() => new Doors({ host: '0.0.0.0' }), ConfigError)
  const doors = new Doors({ host: '0.0.0.0', tokensFile })
  const server = await startHttpServer({ worker: new FakeWorker(), port: 0, logger, doors })
  t.after(() => server.close())
  assert.match(server.url, /^http:\/\/[^0:]/)
  assert.match(said.find(({ level }) => level === 'warn')?.message ?? '', /tokens cross the network in clear/)
  const port = new URL(server.url).port
  assert.equal((await fetch(`http://127.0.0.1:${port}/health`, { headers: bearer(tokens.alice) })).status, 200)
  assert.equal((await fetch(`http://127.0.0.1:${port}/health`)).status, 401)
})
