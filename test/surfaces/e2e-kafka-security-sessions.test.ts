// Credentials while a worker runs: sessions that end, a password that is exchanged, tokens from an endpoint.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { after, before, test, type TestContext } from 'node:test'
import { NotStarted, Site, type Daemon } from '../support/daemon.ts'
import { pause } from '../support/kafka/kafka-world.ts'
import { orderOf, runOrder } from '../support/kafka/order-example.ts'
import { password, startSecuredBroker, unsecuredToken, user, type SecuredBroker } from '../support/kafka/secured.ts'

const sessionMs = 8_000
const clientSecret = 'cl1ent-s3cret'
let kafka: SecuredBroker
before(async () => (kafka = await startSecuredBroker({ 'connections.max.reauth.ms': `${sessionMs}` })))
after(() => kafka.dispose())

/** The secret files are in the site, and relative to the configuration file. */
function siteOf(t: TestContext, settings: object, files: { readonly [path: string]: string } = {}) {
  const app = `ses-${randomUUID().slice(0, 8)}`
  const config = { app, brokers: kafka.at('SASL_TLS'), kafkaTls: true, kafkaTlsCaFile: kafka.files.ca, ...settings }
  const own = { 'workflows/order.yaml': orderOf(app), 'config.yaml': JSON.stringify(config) }
  return { site: Site.of(t, { ...own, ...files }), app }
}

const flags = ['--config', 'config.yaml', '--partitions', '2']
const warnings = (daemon: Daemon): readonly string[] =>
  daemon.log.filter(({ level }) => level === 'warn' || level === 'error').map(({ msg }) => msg)
const told = (daemon: Daemon, words: RegExp): Promise<true> =>
  daemon.until(
    async () => ((await daemon.health()).problems.some((problem) => words.test(problem)) ? true : undefined),
    () => daemon.health(),
  )

test('a worker whose sessions end again and again goes on as if they did not', async (t) => {
  const { site, app } = siteOf(
    t,
    { kafkaSaslMechanism: 'SCRAM-SHA-512', kafkaSaslUsername: user, kafkaSaslPasswordFile: 'password' },
    { password },
  )
  const daemon = await site.start(...flags)
  const before = warnings(daemon)
  const endsAt = Date.now() + 3 * sessionMs
  for (let order = 0; Date.now() < endsAt; order++) await runOrder(daemon, app, `o-${order}`)
  assert.deepEqual(warnings(daemon), before)
  assert.deepEqual((await daemon.health()).problems, [])
})

test('a password that is exchanged counts from the next session on; one that is refused is told, and the worker stays', async (t) => {
  const { site, app } = siteOf(
    t,
    { kafkaSaslMechanism: 'PLAIN', kafkaSaslUsername: user, kafkaSaslPasswordFile: 'password' },
    { password },
  )
  const daemon = await site.start(...flags)
  site.write('password', 'wr0ng-0ne')
  await told(daemon, /does not let us in by PLAIN/)
  assert.ok(daemon.isRunning)
  site.write('password', `${password}\n`)
  await daemon.until(async () => {
    const { isReady, problems } = await daemon.health()
    return isReady && problems.length === 0 ? true : undefined
  })
  await runOrder(daemon, app, 'after')
  assert.doesNotMatch(JSON.stringify([daemon.log, await daemon.health()]), /wr0ng-0ne|k4fka/)
})

/** An OAuth server of one client: gives tokens for a few seconds, refuses others, and can be away. */
async function tokenServer(t: TestContext) {
  let given = 0
  let isAway = false
  const server = createServer((request, response) => {
    const [, who = ''] = (request.headers.authorization ?? '').split(' ')
    const isKnown = Buffer.from(who, 'base64').toString() === `worker-client:${clientSecret}`
    const answer = isKnown
      ? { access_token: unsecuredToken(user, 30), expires_in: 30, token_type: 'Bearer' }
      : { error: 'invalid_client', error_description: 'no such client, or another secret' }
    if (isKnown && !isAway) given += 1
    response.writeHead(isAway ? 503 : isKnown ? 200 : 401).end(JSON.stringify(isAway ? {} : answer))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return {
    settings: {
      kafkaSaslMechanism: 'OAUTHBEARER',
      kafkaSaslTokenEndpoint: `http://127.0.0.1:${address.port}/token`,
      kafkaSaslClientId: 'worker-client',
    },
    given: () => given,
    goAway: (away: boolean) => (isAway = away),
  }
}

const secretOf = (secret: string) => ({ DAGGER_WORKER_KAFKA_SASL_CLIENT_SECRET: secret })

test('tokens come from an endpoint: asked for when it is there, kept for a while, fetched anew for later sessions', async (t) => {
  const tokens = await tokenServer(t)
  const { site, app } = siteOf(t, tokens.settings)
  Object.assign(site.env, secretOf(clientSecret))
  tokens.goAway(true)
  const daemon = site.launch(...flags)
  await daemon.until(() =>
    Promise.resolve(daemon.log.some(({ msg }) => /token endpoint.*503.*trying again/.test(msg)) || undefined),
  )
  tokens.goAway(false)
  await daemon.ready()
  await runOrder(daemon, app, 'o-1')
  const first = tokens.given()
  assert.ok(first < 5, `${first} tokens for all connections`)
  await pause(20_000)
  await runOrder(daemon, app, 'o-2')
  assert.ok(tokens.given() > first)
  assert.deepEqual((await daemon.health()).problems, [])
})

test('an endpoint that refuses the client keeps the worker from starting, in the words of the endpoint', async (t) => {
  const tokens = await tokenServer(t)
  const { site } = siteOf(t, tokens.settings)
  Object.assign(site.env, secretOf('wr0ng-0ne'))
  await assert.rejects(site.start(...flags), (error) => {
    assert.ok(error instanceof NotStarted)
    assert.equal(error.code, 2)
    assert.match(error.stderr, /DW_KAFKA_SASL.*refuses the client worker-client with 401: invalid_client/s)
    assert.doesNotMatch(error.stderr, /wr0ng-0ne/)
    return true
  })
})
