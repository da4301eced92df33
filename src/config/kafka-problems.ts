// What no schema can say of the settings for Kafka's TLS and SASL: which go together, and that their files can be read.
// Nothing that does nothing is passed over: who names a CA and forgets TLS would talk in the clear and not know it.
import { readFileSync } from 'node:fs'
import type { Problem } from '../base/errors.ts'
import { kafkaSecretVariables, type Environment, type KafkaSecret, type KafkaSettings } from '../base/kafka-settings.ts'
import { thrownText } from '../base/thrown.ts'

type Key = keyof KafkaSettings

const ofTls: readonly Key[] = [
  'kafkaTlsCaFile',
  'kafkaTlsCertFile',
  'kafkaTlsKeyFile',
  'kafkaTlsKeyPassphraseFile',
  'kafkaTlsServerName',
]
const ofPasswords: readonly Key[] = ['kafkaSaslUsername', 'kafkaSaslPasswordFile']
const ofEndpoints: readonly Key[] = ['kafkaSaslClientId', 'kafkaSaslClientSecretFile', 'kafkaSaslScope']
const ofTokens: readonly Key[] = ['kafkaSaslTokenFile', 'kafkaSaslTokenEndpoint', ...ofEndpoints]
/** What the text of a file has to hold. */
const pemOf: { readonly [key in Key]?: RegExp } = {
  kafkaTlsCaFile: /-----BEGIN (?:TRUSTED )?CERTIFICATE-----/,
  kafkaTlsCertFile: /-----BEGIN (?:TRUSTED )?CERTIFICATE-----/,
  kafkaTlsKeyFile: /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
}

/** Everything that is wrong with them together; secrets are looked at, never shown. */
export function* kafkaProblems(settings: KafkaSettings, env: Environment): Generator<Problem> {
  const { kafkaTls, kafkaSaslMechanism: mechanism } = settings
  if (!kafkaTls) yield* needless(settings, ofTls, 'kafkaTls is not true, so that the connection has no TLS: set it')
  if (mechanism === undefined)
    yield* needless(settings, [...ofPasswords, ...ofTokens], 'there is no kafkaSaslMechanism: name it')
  else if (mechanism === 'OAUTHBEARER') yield* tokenProblems(settings, env)
  else yield* passwordProblems(settings, env, mechanism)
  yield* pairProblems(settings)
  for (const key of Object.keys(kafkaSecretVariables) as KafkaSecret[]) {
    if (settings[key] !== undefined && isSet(env, key))
      yield problem(key, `The variable ${kafkaSecretVariables[key]} is set as well: expected one of the two.`)
  }
  for (const key of [...ofTls, ...ofPasswords, ...ofTokens])
    if (key.endsWith('File')) yield* fileProblems(settings, key)
}

function* passwordProblems(settings: KafkaSettings, env: Environment, mechanism: string): Generator<Problem> {
  yield* needless(settings, ofTokens, `they are for OAUTHBEARER, and kafkaSaslMechanism is ${mechanism}`)
  if (settings.kafkaSaslUsername === undefined)
    yield problem('kafkaSaslUsername', `${mechanism} takes a user name: set kafkaSaslUsername.`)
  if (settings.kafkaSaslPasswordFile === undefined && !isSet(env, 'kafkaSaslPasswordFile'))
    yield problem('kafkaSaslPasswordFile', `${mechanism} takes a password: ${howToGive('kafkaSaslPasswordFile')}.`)
}

function* tokenProblems(settings: KafkaSettings, env: Environment): Generator<Problem> {
  const { kafkaSaslTokenFile: file, kafkaSaslTokenEndpoint: endpoint, kafkaSaslClientId: clientId } = settings
  yield* needless(settings, ofPasswords, 'OAUTHBEARER takes a token and no password')
  if ((file === undefined) === (endpoint === undefined)) {
    const message = 'OAUTHBEARER takes its token from one place: set kafkaSaslTokenFile or kafkaSaslTokenEndpoint.'
    yield problem('kafkaSaslTokenEndpoint', message)
  }
  if (endpoint === undefined) {
    yield* needless(settings, ofEndpoints, 'they are for kafkaSaslTokenEndpoint, which is not set')
    return
  }
  if (clientId === undefined)
    yield problem('kafkaSaslClientId', 'The token endpoint asks who wants a token: set kafkaSaslClientId.')
  if (settings.kafkaSaslClientSecretFile === undefined && !isSet(env, 'kafkaSaslClientSecretFile')) {
    const message = `The token endpoint asks for the client's secret: ${howToGive('kafkaSaslClientSecretFile')}.`
    yield problem('kafkaSaslClientSecretFile', message)
  }
  const url = URL.parse(endpoint)
  const isHere = url !== null && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  if (url?.protocol !== 'https:' && !(url?.protocol === 'http:' && isHere)) {
    const message = 'Expected an https:// address (http:// on this machine only): the client secret is sent there.'
    yield problem('kafkaSaslTokenEndpoint', message)
  } else if (url.username !== '' || url.password !== '') {
    const message = 'Expected an address with no user and no password in it: they are kafkaSaslClientId and its secret.'
    yield problem('kafkaSaslTokenEndpoint', message)
  }
}

function* pairProblems({ kafkaTlsCertFile, kafkaTlsKeyFile }: KafkaSettings): Generator<Problem> {
  if (kafkaTlsCertFile === undefined && kafkaTlsKeyFile !== undefined)
    yield problem('kafkaTlsCertFile', 'A key needs its certificate: set kafkaTlsCertFile, or remove kafkaTlsKeyFile.')
  if (kafkaTlsCertFile !== undefined && kafkaTlsKeyFile === undefined)
    yield problem('kafkaTlsKeyFile', 'A certificate needs its key: set kafkaTlsKeyFile, or remove kafkaTlsCertFile.')
}

function* fileProblems(settings: KafkaSettings, key: Key): Generator<Problem> {
  const path = settings[key]
  if (typeof path !== 'string') return
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const message = `The file ${path} cannot be read (${thrownText(error)}): correct ${key}, or make it readable.`
    yield problem(key, message)
    return
  }
  const pem = pemOf[key]
  if (pem?.test(text) === false) {
    const expected = key === 'kafkaTlsKeyFile' ? '-----BEGIN PRIVATE KEY-----' : '-----BEGIN CERTIFICATE-----'
    yield problem(key, `Expected PEM in ${path}, with a line ${expected}: convert a JKS or PKCS#12 store with openssl.`)
  }
  if (text.trim() === '') yield problem(key, `The file ${path} is empty: write into it what ${key} stands for.`)
}

function* needless(settings: KafkaSettings, keys: readonly Key[], why: string): Generator<Problem> {
  const set = keys.filter((key) => settings[key] !== undefined)
  if (set.length > 0) yield problem(set[0]!, `${set.join(', ')} would do nothing: ${why}.`)
}

const howToGive = (key: KafkaSecret): string =>
  `set ${key} to a file that holds it, or the variable ${kafkaSecretVariables[key]}`

const isSet = (env: Environment, key: KafkaSecret): boolean => (env[kafkaSecretVariables[key]] ?? '') !== ''

const problem = (path: Key, message: string): Problem => ({ code: 'DW_CONFIG', path, message })
