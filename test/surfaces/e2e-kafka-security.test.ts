// The order example over every way to be secure, as an operator sets it up; and what is said where the settings do not
// fit. The broker ends each SASL session after eight seconds: workers prove themselves again while they work.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test, type TestContext } from 'node:test'
import { NotStarted, Site } from '../support/daemon.ts'
import { keyPassphrase } from '../support/kafka/certificates.ts'
import { orderOf, runOrder } from '../support/kafka/order-example.ts'
import { password, startSecuredBroker, unsecuredToken, user, type SecuredBroker } from '../support/kafka/secured.ts'

let kafka: SecuredBroker
before(async () => (kafka = await startSecuredBroker({ 'connections.max.reauth.ms': '8000' })))
after(() => kafka.dispose())

type Settings = { readonly [key: string]: string | boolean }
type Door = Parameters<SecuredBroker['at']>[0] | 'PLAINTEXT'

interface Case {
  readonly door: Door
  /** In the configuration file. */
  readonly settings: () => Settings
  readonly env?: { readonly [name: string]: string }
}

const addressOf = (door: Door): string => (door === 'PLAINTEXT' ? kafka.broker.address : kafka.at(door))
const tls = (): Settings => ({ kafkaTls: true, kafkaTlsCaFile: kafka.files.ca })
const mtls = (): Settings => ({
  ...tls(),
  kafkaTlsCertFile: kafka.files.clientCert,
  kafkaTlsKeyFile: kafka.files.clientKey,
})
const as = (kafkaSaslMechanism: string): Settings => ({ kafkaSaslMechanism, kafkaSaslUsername: user })
const inVariable = { DAGGER_WORKER_KAFKA_SASL_PASSWORD: password }

function siteOf(t: TestContext, { door, settings, env = {} }: Case): { site: Site; app: string } {
  const app = `sec-${randomUUID().slice(0, 8)}`
  const config = { app, brokers: addressOf(door), partitions: 2, ...settings() }
  const site = Site.of(t, { 'workflows/order.yaml': orderOf(app), 'config.yaml': JSON.stringify(config) })
  Object.assign(site.env, env)
  return { site, app }
}

const flags = ['--config', 'config.yaml', '--partitions', '2']

const ways: { readonly [name: string]: Case } = {
  'TLS, with the authority in a file': { door: 'TLS', settings: tls },
  'TLS, by another name than the address': {
    door: 'TLS',
    settings: () => ({ ...tls(), kafkaTlsServerName: 'kafka.test' }),
  },
  'mTLS, the key in the clear': { door: 'MTLS', settings: mtls },
  'mTLS, the key encrypted': {
    door: 'MTLS',
    settings: () => ({ ...mtls(), kafkaTlsKeyFile: kafka.files.clientKeyEncrypted }),
    env: { DAGGER_WORKER_KAFKA_TLS_KEY_PASSPHRASE: keyPassphrase },
  },
  'SASL PLAIN over TLS': { door: 'SASL_TLS', settings: () => ({ ...tls(), ...as('PLAIN') }), env: inVariable },
  'SASL SCRAM-SHA-256 over TLS': {
    door: 'SASL_TLS',
    settings: () => ({
      ...tls(),
      ...as('SCRAM-SHA-256'),
      kafkaSaslPasswordFile: kafka.files.write('password', `${password}\n`),
    }),
  },
  'SASL SCRAM-SHA-512': { door: 'SASL', settings: () => as('SCRAM-SHA-512'), env: inVariable },
  'SASL OAUTHBEARER over TLS, the token in a file': {
    door: 'SASL_TLS',
    settings: () => ({
      ...tls(),
      kafkaSaslMechanism: 'OAUTHBEARER',
      kafkaSaslTokenFile: kafka.files.write('token', unsecuredToken(user)),
    }),
  },
}

for (const [name, way] of Object.entries(ways)) {
  test(`the order example runs over ${name}`, async (t) => {
    const { site, app } = siteOf(t, way)
    const daemon = await site.start(...flags)
    await runOrder(daemon, app, 'o-1')
    assert.deepEqual((await daemon.health()).problems, [])
    const isWarned = daemon.log.some(({ msg }) => msg.startsWith('SASL without TLS'))
    assert.equal(isWarned, way.door === 'SASL')
    assert.equal(await daemon.stop(), 0)
  })
}

const misfits: { readonly [what: string]: Case & { readonly says: RegExp } } = {
  'a wrong password (PLAIN)': {
    door: 'SASL',
    settings: () => as('PLAIN'),
    env: { DAGGER_WORKER_KAFKA_SASL_PASSWORD: 'wr0ng-0ne' },
    says: /DW_KAFKA_SASL.*does not let us in by PLAIN: .*Invalid username or password.*kafkaSaslUsername/s,
  },
  'a wrong password (SCRAM)': {
    door: 'SASL',
    settings: () => as('SCRAM-SHA-256'),
    env: { DAGGER_WORKER_KAFKA_SASL_PASSWORD: 'wr0ng-0ne' },
    says: /DW_KAFKA_SASL.*does not let us in by SCRAM-SHA-256: .*invalid credentials/s,
  },
  'a token that is over': {
    door: 'SASL',
    settings: () => ({
      kafkaSaslMechanism: 'OAUTHBEARER',
      kafkaSaslTokenFile: kafka.files.write('old-token', unsecuredToken(user, -60)),
    }),
    says: /DW_KAFKA_SASL.*refuses the token.*invalid_token/s,
  },
  'an authority that did not sign': {
    door: 'TLS',
    settings: () => ({ kafkaTls: true, kafkaTlsCaFile: kafka.files.strangerCert }),
    says: /DW_KAFKA_TLS.*cannot be trusted.*kafkaTlsCaFile/s,
  },
  'another name than the certificate has': {
    door: 'TLS',
    settings: () => ({ ...tls(), kafkaTlsServerName: 'other.test' }),
    says: /DW_KAFKA_TLS.*for another name.*kafkaTlsServerName/s,
  },
  'no certificate of our own': {
    door: 'MTLS',
    settings: tls,
    says: /DW_KAFKA_TLS.*refuses our side.*kafkaTlsCertFile/s,
  },
  'a certificate of our own that nobody trusts': {
    door: 'MTLS',
    settings: () => ({
      ...tls(),
      kafkaTlsCertFile: kafka.files.strangerCert,
      kafkaTlsKeyFile: kafka.files.strangerKey,
    }),
    says: /DW_KAFKA_TLS.*refuses our side.*kafkaTlsCertFile/s,
  },
  'a key of another certificate': {
    door: 'MTLS',
    settings: () => ({ ...mtls(), kafkaTlsKeyFile: kafka.files.strangerKey }),
    says: /DW_KAFKA_TLS.*key values mismatch/s,
  },
  'no TLS to a port with TLS': { door: 'TLS', settings: () => ({}), says: /DW_KAFKA_TLS.*speaks TLS.*set kafkaTls/s },
  'SASL in the clear to a port with TLS': {
    door: 'SASL_TLS',
    settings: () => as('PLAIN'),
    env: inVariable,
    says: /DW_KAFKA_TLS.*speaks TLS.*set kafkaTls/s,
  },
  'no SASL to a port with SASL': {
    door: 'SASL_TLS',
    settings: tls,
    says: /DW_KAFKA_SASL.*wants to know who we are.*SCRAM-SHA-512/s,
  },
  'SASL to a port without': {
    door: 'PLAINTEXT',
    settings: () => as('PLAIN'),
    env: inVariable,
    says: /DW_KAFKA_SASL.*asks nobody who he is/s,
  },
}

for (const [what, { says, ...misfit }] of Object.entries(misfits)) {
  test(`a worker with ${what} does not start, and says why`, async (t) => {
    const { site } = siteOf(t, misfit)
    await assert.rejects(site.start(...flags), (error) => {
      assert.ok(error instanceof NotStarted)
      assert.equal(error.code, 2)
      assert.match(error.stderr, says)
      assert.doesNotMatch(error.stderr, /wr0ng-0ne|k4fka/)
      return true
    })
  })
}

test('TLS to a port without is tried again, and the reason is told', async (t) => {
  const { site } = siteOf(t, { door: 'PLAINTEXT', settings: tls })
  const daemon = site.launch(...flags)
  await daemon.until(() =>
    Promise.resolve(daemon.log.some(({ msg }) => /TLS handshake failed.*trying again/.test(msg)) || undefined),
  )
})

test('bench and topics create go the same way', async (t) => {
  const { site, app } = siteOf(t, { door: 'SASL_TLS', settings: () => ({}), env: inVariable })
  const secure = ['--kafka-tls', 'true', '--kafka-tls-ca-file', kafka.files.ca]
  const sasl = ['--kafka-sasl-mechanism', 'SCRAM-SHA-512', '--kafka-sasl-username', user]
  const created = await site.type('topics', 'create', ...flags, ...secure, ...sasl)
  assert.equal(created.code, 0, created.stderr)
  assert.match(created.stdout, new RegExp(`created +${app}\\.inbox`))
  const bench = [
    'bench',
    '--config',
    'config.yaml',
    '--partitions',
    '1',
    '--instances',
    '20',
    '--seconds',
    '1',
    '--json',
  ]
  const measured = await site.type(...bench, ...secure, ...sasl)
  assert.equal(measured.code, 0, measured.stderr)
  const refused = await site.type('topics', 'create', ...flags, ...secure)
  assert.equal(refused.code, 2)
  assert.match(refused.stderr, /DW_KAFKA_SASL/)
})
