// The settings for Kafka's TLS and SASL: what goes together, from which layer it comes, and what is said where it does not
// fit. Secrets are in files or in variables of their own, and in no message.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { ConfigError, type Problem } from '../../src/base/errors.ts'
import { loadConfig } from '../../src/config/worker-config.ts'

const directory = mkdtempSync(join(tmpdir(), 'dw-config-kafka-'))
after(() => rmSync(directory, { recursive: true }))
mkdirSync(join(directory, 'workflows'))
const write = (name: string, text: string): string => {
  writeFileSync(join(directory, name), text)
  return name
}
write('ca.pem', '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n')
write('key.pem', '-----BEGIN ENCRYPTED PRIVATE KEY-----\nx\n-----END ENCRYPTED PRIVATE KEY-----\n')
write('secret', 'hush')
write('empty', '\n')
write('store.jks', 'þíþí')

type Texts = { readonly [key: string]: string }
const load = (flags: Texts, env: Texts = {}, file?: string) =>
  loadConfig({
    flags: { brokers: 'kafka:9093', ...flags },
    env,
    workingDirectory: directory,
    ...(file === undefined ? {} : { file }),
  })

function problemsOf(...given: Parameters<typeof load>): readonly Problem[] {
  try {
    load(...given)
  } catch (error) {
    assert(error instanceof ConfigError)
    return error.problems
  }
  return []
}

const pathsOf = (...given: Parameters<typeof load>) => problemsOf(...given).map(({ path }) => path)

const byPassword = { kafkaSaslMechanism: 'SCRAM-SHA-512', kafkaSaslUsername: 'shop' }
const byEndpoint = {
  kafkaSaslMechanism: 'OAUTHBEARER',
  kafkaSaslTokenEndpoint: 'https://login.example.com/token',
  kafkaSaslClientId: 'shop',
}
const passwordVariable = { DAGGER_WORKER_KAFKA_SASL_PASSWORD: 'hush' }

test('settings come from the file, the environment and flags; paths of the file are relative to it', () => {
  mkdirSync(join(directory, 'etc'))
  write('etc/ca.pem', '-----BEGIN CERTIFICATE-----')
  const file = write('etc/config.yaml', 'kafkaTls: true\nkafkaTlsCaFile: ca.pem\nkafkaSaslMechanism: PLAIN\n')
  const config = load(
    { kafkaSaslUsername: 'flag', kafkaSaslPasswordFile: 'secret' },
    { DAGGER_WORKER_KAFKA_SASL_MECHANISM: 'SCRAM-SHA-256', DAGGER_WORKER_KAFKA_SASL_USERNAME: 'variable' },
    file,
  )
  assert.equal(config.kafkaTls, true)
  assert.equal(config.kafkaTlsCaFile, join(directory, 'etc/ca.pem'))
  assert.equal(config.kafkaSaslPasswordFile, join(directory, 'secret'))
  assert.deepEqual([config.kafkaSaslMechanism, config.kafkaSaslUsername], ['SCRAM-SHA-256', 'flag'])
})

test('a secret is in no configuration that was loaded', () => {
  const config = load({ ...byPassword, kafkaTls: 'true' }, passwordVariable)
  assert.doesNotMatch(JSON.stringify(config), /hush/)
})

test('what would do nothing is a problem, as is what lacks its other half', () => {
  assert.deepEqual(pathsOf({ kafkaTlsCaFile: 'ca.pem' }), ['kafkaTlsCaFile'], 'no TLS')
  assert.deepEqual(pathsOf({ kafkaTls: 'true', kafkaTlsCertFile: 'ca.pem' }), ['kafkaTlsKeyFile'])
  assert.deepEqual(pathsOf({ kafkaTls: 'true', kafkaTlsKeyFile: 'key.pem' }), ['kafkaTlsCertFile'])
  assert.deepEqual(pathsOf({ kafkaSaslUsername: 'shop' }), ['kafkaSaslUsername'], 'no mechanism')
  assert.deepEqual(pathsOf(byPassword), ['kafkaSaslPasswordFile'])
  assert.deepEqual(pathsOf({ kafkaSaslMechanism: 'PLAIN' }, passwordVariable), ['kafkaSaslUsername'])
  assert.deepEqual(pathsOf({ ...byPassword, kafkaSaslPasswordFile: 'secret' }, passwordVariable), [
    'kafkaSaslPasswordFile',
  ])
  assert.deepEqual(pathsOf({ ...byPassword, kafkaSaslScope: 'a' }, passwordVariable), ['kafkaSaslScope'])
})

test('OAUTHBEARER takes its token from one place, and what the endpoint asks for', () => {
  const file = { kafkaSaslMechanism: 'OAUTHBEARER', kafkaSaslTokenFile: 'secret' }
  assert.deepEqual(pathsOf(file), [])
  assert.deepEqual(pathsOf({ kafkaSaslMechanism: 'OAUTHBEARER' }), ['kafkaSaslTokenEndpoint'])
  assert.deepEqual(pathsOf({ ...file, kafkaSaslClientId: 'x' }), ['kafkaSaslClientId'])
  assert.deepEqual(pathsOf({ ...file, kafkaSaslUsername: 'x' }), ['kafkaSaslUsername'])
  assert.deepEqual(pathsOf(byEndpoint), ['kafkaSaslClientSecretFile'])
  const whole = { ...byEndpoint, kafkaSaslClientSecretFile: 'secret' }
  assert.deepEqual(pathsOf(whole), [])
  assert.deepEqual(pathsOf({ ...whole, kafkaSaslTokenFile: 'secret' }), ['kafkaSaslTokenEndpoint'])
  for (const endpoint of ['http://login.example.com/', 'login.example.com', 'https://shop:hush@login.example.com/']) {
    const problems = problemsOf({ ...whole, kafkaSaslTokenEndpoint: endpoint })
    assert.deepEqual(
      problems.map(({ path }) => path),
      ['kafkaSaslTokenEndpoint'],
      endpoint,
    )
    assert.doesNotMatch(JSON.stringify(problems), /hush/)
  }
  assert.deepEqual(pathsOf({ ...whole, kafkaSaslTokenEndpoint: 'http://127.0.0.1:8080/token' }), [])
})

test('files that are not there, empty or of another kind are problems, all at once, by name', () => {
  const problems = problemsOf({
    ...byPassword,
    kafkaTls: 'true',
    kafkaTlsCaFile: 'nowhere.pem',
    kafkaTlsCertFile: 'store.jks',
    kafkaTlsKeyFile: 'ca.pem',
    kafkaSaslPasswordFile: 'empty',
  })
  const messageOf = (key: string): string => problems.find(({ path }) => path === key)?.message ?? ''
  assert.equal(problems.length, 4)
  assert.match(messageOf('kafkaTlsCaFile'), /nowhere\.pem cannot be read \(ENOENT/)
  assert.match(messageOf('kafkaTlsCertFile'), /Expected PEM in .*store\.jks/)
  assert.match(messageOf('kafkaTlsKeyFile'), /BEGIN PRIVATE KEY/)
  assert.match(messageOf('kafkaSaslPasswordFile'), /empty/)
})

test('a secret that was written into the configuration file is refused, and not shown', () => {
  const file = write('leak.yaml', 'kafkaSaslPassword: hush-hush\npartitions: 0\n')
  const problems = problemsOf({}, {}, file)
  assert.deepEqual(
    problems.map(({ code, path, place }) => [code, path, place?.line]),
    [
      ['DW_CONFIG_UNKNOWN', 'kafkaSaslPassword', 1],
      ['DW_CONFIG', 'partitions', 2],
    ],
  )
  assert.match(problems[0]!.message, /kafkaSaslPasswordFile/)
  assert.doesNotMatch(JSON.stringify(problems), /hush-hush/)
})

test('without brokers there is no Kafka to be secure with', () => {
  const flags = { kafkaTlsCaFile: 'nowhere.pem' }
  assert.equal(loadConfig({ flags, env: {}, workingDirectory: directory }).brokers, undefined)
})
