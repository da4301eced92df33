// The API with TLS: certificates of workers and of callers, exchanged while it runs, and workers that ask each other.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { connect } from 'node:tls'
import { ConfigError } from '../../src/base/errors.ts'
import { silentLogger } from '../../src/base/logger.ts'
import { fetchWith, type FetchOptions, type Trust } from '../../src/base/secure-fetch.ts'
import { tokenLine, tokenOf } from '../../src/config/access-file.ts'
import { Doors, type DoorSettings } from '../../src/http/doors.ts'
import { startHttpServer } from '../../src/http/server.ts'
import { Unavailable } from '../../src/runtime/face.ts'
import { apiCertificates, type ApiCertificates, type Identity } from '../support/api-certificates.ts'
import { FakeWorker } from '../support/fake-worker.ts'

const alice = tokenOf(new Uint8Array(32).fill(1))

interface Member {
  readonly worker: FakeWorker
  readonly doors: Doors
  readonly url: string
  /** Who did what, as the worker was told. */
  readonly by: string[]
}

async function served(t: TestContext, settings: Partial<DoorSettings>): Promise<Member> {
  const worker = new FakeWorker()
  const by: string[] = []
  worker.instances = {
    ...worker.instances,
    operate: async (_id, _action, said) => {
      if (worker.failWith !== undefined) throw worker.failWith
      by.push(said)
      return { outcome: 'done' }
    },
  }
  const doors = new Doors({ host: '127.0.0.1', ...settings })
  const server = await startHttpServer({ worker, port: 0, logger: silentLogger, doors })
  t.after(() => server.close())
  return { worker, doors, url: server.url, by }
}

const tlsOf = ({ certFile, keyFile }: Identity) => ({ tlsCertFile: certFile, tlsKeyFile: keyFile })

async function ask(url: string, trust: Trust, options: FetchOptions = {}) {
  const answer = await fetchWith(() => trust)(url, options)
  return { status: answer.status, body: (await answer.json()) as any }
}

const suspend = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' } as const
const withToken = (options: FetchOptions = {}): FetchOptions => ({
  ...options,
  headers: { ...Object(options.headers), authorization: `Bearer ${alice}` },
})

/** They know of each other: `second` runs partition 1. */
function introduce(first: Member, second: Member): void {
  const at = '2026-01-01T00:00:00.000Z'
  const record = {
    worker: 'w-2',
    url: second.url,
    startedAt: at,
    at,
    owned: [{ partition: 1, position: 1 }],
    copies: [],
  }
  first.worker.peers.push(record)
  first.worker.failWith = new Unavailable('not-ready', 'partition 1 does not run here', 1)
}

suite('TLS', () => {
  test('is what the API has where there is a certificate; who does not know its authority is not let on', async (t) => {
    const made = await apiCertificates(t)
    const { url } = await served(t, tlsOf(await made.worker('w-1')))
    assert.match(url, /^https:\/\/127\.0\.0\.1:\d+$/)
    assert.equal((await ask(`${url}/health`, { ca: made.ca })).status, 200)
    await assert.rejects(fetch(`${url}/health`))
    await assert.rejects(ask(`${url}/health`, { ca: (await made.stranger('x')).cert }), (error: any) =>
      /UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO/.test(error.cause.code),
    )
    await assert.rejects(fetch(url.replace('https', 'http')))
    const old = connect({ port: Number(new URL(url).port), ca: made.ca, maxVersion: 'TLSv1.1', minVersion: 'TLSv1.1' })
    const [error] = await once(old, 'error')
    assert.match(String(error.code), /SSL/)
  })

  test('with files that do not belong together is refused before anything starts', async (t) => {
    const made = await apiCertificates(t)
    const [one, other] = [await made.worker('w-1'), await made.worker('w-2')]
    const doors = () => new Doors({ host: '127.0.0.1', tlsCertFile: one.certFile, tlsKeyFile: other.keyFile })
    assert.throws(doors, (error) => error instanceof ConfigError && error.code === 'DW_HTTP_TLS')
  })

  test('takes new certificates while it runs, and keeps the old ones where the new ones are broken', async (t) => {
    const made = await apiCertificates(t)
    const [old, next] = [await made.worker('w-old'), await made.worker('w-new')]
    const files = { tlsCertFile: join(made.folder, 'cert'), tlsKeyFile: join(made.folder, 'key') }
    const put = (identity: Identity): void => {
      copyFileSync(identity.certFile, files.tlsCertFile)
      copyFileSync(identity.keyFile, files.tlsKeyFile)
    }
    put(old)
    const { url, doors } = await served(t, files)
    const shown = async (): Promise<string> => {
      const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port), ca: made.ca })
      await once(socket, 'secureConnect')
      const name = String(socket.getPeerCertificate().subject.CN)
      socket.destroy()
      return name
    }
    assert.equal(await shown(), 'w-old')
    copyFileSync(next.certFile, files.tlsCertFile)
    assert.equal(doors.look(), false)
    assert.match(doors.problems().join(), /what was read before stays in use/)
    assert.equal(await shown(), 'w-old')
    put(next)
    assert.equal(doors.look(), true)
    assert.deepEqual([await shown(), doors.problems()], ['w-new', []])
  })
})

suite('client certificates', () => {
  test('are asked for: who has none of the authority is turned away, but for probes', async (t) => {
    const made = await apiCertificates(t)
    const { url, by } = await served(t, { ...tlsOf(await made.worker('w-1')), tlsClientCaFile: made.caFile })
    const ca = made.ca
    const none = await ask(`${url}/health`, { ca })
    assert.deepEqual([none.status, none.body.code], [401, 'unauthenticated'])
    assert.match(none.body.detail, /client certificate/)
    assert.equal((await ask(`${url}/health`, { ca, ...(await made.stranger('alice')) })).status, 401)
    assert.equal((await ask(`${url}/service/ready`, { ca })).status, 200)
    const { status } = await ask(`${url}/instances/i-1/suspend`, { ca, ...(await made.client('alice')) }, suspend)
    assert.deepEqual([status, by], [200, ['alice']])
  })

  test('have the role of their line in the tokens file; with none of it they need a token as well', async (t) => {
    const made = await apiCertificates(t)
    const tokensFile = join(made.folder, 'tokens')
    writeFileSync(tokensFile, `grafana read certificate\n${tokenLine('alice', 'operate', alice)}\n`)
    const { url, by } = await served(t, {
      ...tlsOf(await made.worker('w-1')),
      tlsClientCaFile: made.caFile,
      tokensFile,
    })
    const [grafana, nobody] = [await made.client('grafana'), await made.client('nobody')]
    const status = async (path: string, identity: Identity | undefined, options: FetchOptions = {}) =>
      (await ask(url + path, { ca: made.ca, ...identity }, options)).status
    assert.equal(await status('/health', grafana), 200)
    assert.equal(await status('/instances/i-1/suspend', grafana, suspend), 403)
    assert.equal(await status('/health', nobody), 401)
    assert.equal(await status('/health', undefined, withToken()), 401, 'the certificate has to be there')
    assert.equal(await status('/instances/i-1/suspend', nobody, withToken(suspend)), 200)
    assert.deepEqual(by, ['alice'])
  })

  test('say nothing of others unless they are a worker', async (t) => {
    const made = await apiCertificates(t)
    const tokensFile = join(made.folder, 'tokens')
    writeFileSync(tokensFile, 'eve operate certificate\nw-2 worker certificate\n')
    const own = await made.worker('w-1')
    const { url, by } = await served(t, { ...tlsOf(own), tlsClientCaFile: made.caFile, tokensFile })
    const said = { ...suspend, headers: { ...suspend.headers, 'dagger-worker-caller': 'alice operate' } }
    const readers = { ...suspend, headers: { ...suspend.headers, 'dagger-worker-caller': 'bob read' } }
    const as = async (identity: Identity, options: FetchOptions) =>
      (await ask(`${url}/instances/i-1/suspend`, { ca: made.ca, ...identity }, options)).status
    assert.equal(await as(await made.client('eve'), said), 200)
    assert.equal(await as(await made.worker('w-2'), said), 200)
    assert.equal(await as(own, said), 200)
    assert.equal(await as(await made.worker('w-2'), readers), 403)
    assert.deepEqual(by, ['eve', 'alice', 'alice'])
  })
})

suite('workers that ask each other', () => {
  async function pair(
    t: TestContext,
    settings: (made: ApiCertificates, name: string) => Promise<Partial<DoorSettings>>,
  ) {
    const made = await apiCertificates(t)
    const first = await served(t, await settings(made, 'w-1'))
    const second = await served(t, await settings(made, 'w-2'))
    introduce(first, second)
    return { made, first, second }
  }

  test('pass the token on: the other one knows who asks, and asks for itself', async (t) => {
    const { made, first, second } = await pair(t, async (certificates, name) => {
      const tokensFile = join(certificates.folder, 'tokens')
      writeFileSync(tokensFile, tokenLine('alice', 'operate', alice))
      return { ...tlsOf(await certificates.worker(name)), tlsCaFile: certificates.caFile, tokensFile }
    })
    const { status } = await ask(`${first.url}/instances/i-1/suspend`, { ca: made.ca }, withToken(suspend))
    assert.deepEqual([status, first.by, second.by], [200, [], ['alice']])
    const passed = { ...suspend, headers: { ...suspend.headers, 'dagger-worker-passed-on': 'yes' } }
    const said = { ...passed, headers: { ...passed.headers, 'dagger-worker-caller': 'alice operate' } }
    for (const options of [passed, said])
      assert.equal((await ask(`${second.url}/instances/i-1/suspend`, { ca: made.ca }, options)).status, 401)
    assert.deepEqual(second.by, ['alice'])
  })

  test('show their own certificate, and say whose request it is', async (t) => {
    const { made, first, second } = await pair(t, async (certificates, name) => {
      const tokensFile = join(certificates.folder, 'tokens')
      writeFileSync(
        tokensFile,
        ['w-1', 'w-2'].map((each) => `${each} worker certificate\n`).join('') + 'alice operate certificate',
      )
      const { caFile } = certificates
      return { ...tlsOf(await certificates.worker(name)), tlsCaFile: caFile, tlsClientCaFile: caFile, tokensFile }
    })
    const person = { ca: made.ca, ...(await made.client('alice')) }
    const { status } = await ask(`${first.url}/instances/i-1/suspend`, person, suspend)
    assert.deepEqual([status, first.by, second.by], [200, [], ['alice']])
  })

  test('that do not let the same callers in are told apart from callers who may not', async (t) => {
    const { made, first } = await pair(t, async (certificates, name) => {
      const tokensFile = join(certificates.folder, `tokens-${name}`)
      writeFileSync(tokensFile, name === 'w-1' ? tokenLine('alice', 'operate', alice) : tokenLine('x', 'read', 'other'))
      return { ...tlsOf(await certificates.worker(name)), tlsCaFile: certificates.caFile, tokensFile }
    })
    const { status, body } = await ask(`${first.url}/instances/i-1`, { ca: made.ca }, withToken())
    assert.deepEqual([status, body.code], [502, 'peer-refused'])
    assert.match(body.detail, /same tokens file/)
    first.worker.failWith = undefined
    const list = await ask(`${first.url}/workflows`, { ca: made.ca }, withToken())
    assert.equal(list.status, 200)
    first.worker.partitionsInAll = 3
    const asked = await ask(`${first.url}/workflows`, { ca: made.ca }, withToken())
    assert.deepEqual([asked.status, asked.body.code], [502, 'peer-refused'])
  })

  test('without the authority of the other one did nothing, and say what is missing', async (t) => {
    const { made, first, second } = await pair(t, async (certificates, name) => tlsOf(await certificates.worker(name)))
    const { status, body } = await ask(`${first.url}/instances/i-1/suspend`, { ca: made.ca }, suspend)
    assert.deepEqual([status, body.code, second.by], [503, 'not-ready', []])
    assert.match(body.detail, /tlsCaFile/)
  })
})

test('a worker with TLS gives no token to one without', async (t) => {
  const made = await apiCertificates(t)
  const tokensFile = join(made.folder, 'tokens')
  writeFileSync(tokensFile, tokenLine('alice', 'operate', alice))
  const first = await served(t, { ...tlsOf(await made.worker('w-1')), tokensFile })
  const second = await served(t, { tokensFile })
  introduce(first, second)
  const { status, body } = await ask(`${first.url}/instances/i-1/suspend`, { ca: made.ca }, withToken(suspend))
  assert.deepEqual([status, body.code, second.by], [502, 'peer-refused', []])
})

test('a redirect is not followed: a token is for the host that was named', async (t) => {
  const { createServer } = await import('node:http')
  const seen: string[] = []
  const elsewhere = createServer((request, response) => {
    seen.push(String(request.headers.authorization))
    response.end('{}')
  }).listen(0, '127.0.0.1')
  await once(elsewhere, 'listening')
  const { port } = Object(elsewhere.address())
  const redirecting = createServer((_request, response) => {
    response.writeHead(307, { location: `http://127.0.0.1:${port}/` }).end()
  }).listen(0, '127.0.0.1')
  await once(redirecting, 'listening')
  t.after(() => (elsewhere.close(), redirecting.close()))
  const answer = await fetchWith(() => undefined)(
    `http://127.0.0.1:${Object(redirecting.address()).port}/`,
    withToken(),
  )
  assert.deepEqual([answer.status, seen], [307, []])
})
