// What a connection to Kafka is made with, as the settings say: read when the connection is made, so that a certificate
// or a password that was exchanged counts from the next one on. No message in here tells a secret.
import { readFileSync } from 'node:fs'
import { createSecureContext, type ConnectionOptions } from 'node:tls'
import { ConfigError } from '../../base/errors.ts'
import {
  kafkaSecretVariables,
  type Environment,
  type KafkaSecret,
  type KafkaSettings,
  type SaslMechanism,
} from '../../base/kafka-settings.ts'
import { thrownText } from '../../base/thrown.ts'
import { createTokens } from './oauth-tokens.ts'
import { secretIn } from './secret-file.ts'

/** The parts of a connection that keep it secure; absent: no TLS, nobody says who we are. */
export interface KafkaCredentials {
  /** @throws {ConfigError} DW_KAFKA_TLS: a file is not there, or is not what it should be. */
  readonly tls?: () => ConnectionOptions
  readonly sasl?: {
    readonly mechanism: SaslMechanism
    /** The next three @throws {ConfigError} DW_KAFKA_SASL */
    readonly username?: () => string
    readonly password?: () => string
    readonly token?: () => string | Promise<string>
  }
}

export function kafkaCredentials(settings: KafkaSettings, env: Environment): KafkaCredentials {
  return {
    ...(settings.kafkaTls ? { tls: () => tlsOf(settings, env) } : {}),
    ...(settings.kafkaSaslMechanism === undefined ? {} : { sasl: saslOf(settings, settings.kafkaSaslMechanism, env) }),
  }
}

function tlsOf(settings: KafkaSettings, env: Environment): ConnectionOptions {
  const { kafkaTlsCaFile, kafkaTlsCertFile, kafkaTlsKeyFile, kafkaTlsServerName } = settings
  const ca = fileOf('DW_KAFKA_TLS', 'kafkaTlsCaFile', kafkaTlsCaFile)
  const cert = fileOf('DW_KAFKA_TLS', 'kafkaTlsCertFile', kafkaTlsCertFile)
  const key = fileOf('DW_KAFKA_TLS', 'kafkaTlsKeyFile', kafkaTlsKeyFile)
  const passphrase = findSecret('DW_KAFKA_TLS', 'kafkaTlsKeyPassphraseFile', settings, env)
  const given = { ca, cert, key, passphrase }
  try {
    const secureContext = createSecureContext(
      Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    )
    // Said, since NODE_TLS_REJECT_UNAUTHORIZED would turn it off otherwise.
    const always = { secureContext, rejectUnauthorized: true }
    return kafkaTlsServerName === undefined ? always : { ...always, servername: kafkaTlsServerName }
  } catch (error) {
    const files = [kafkaTlsCaFile, kafkaTlsCertFile, kafkaTlsKeyFile].filter((file) => file !== undefined)
    const wanted = 'expected PEM, a key that belongs to the certificate, and its passphrase where it is encrypted'
    throw refused(
      'DW_KAFKA_TLS',
      'kafkaTls',
      `TLS cannot be set up with ${files.join(', ')} (${thrownText(error)}): ${wanted}.`,
    )
  }
}

function saslOf(
  settings: KafkaSettings,
  mechanism: SaslMechanism,
  env: Environment,
): NonNullable<KafkaCredentials['sasl']> {
  const { kafkaSaslUsername = '', kafkaSaslTokenFile, kafkaSaslTokenEndpoint } = settings
  if (mechanism !== 'OAUTHBEARER') {
    const password = (): string => expectSecret('DW_KAFKA_SASL', 'kafkaSaslPasswordFile', settings, env)
    return { mechanism, username: () => kafkaSaslUsername, password }
  }
  if (kafkaSaslTokenEndpoint === undefined) {
    const token = (): string => fileOf('DW_KAFKA_SASL', 'kafkaSaslTokenFile', kafkaSaslTokenFile)?.trim() ?? ''
    return { mechanism, token }
  }
  const token = createTokens({
    endpoint: kafkaSaslTokenEndpoint,
    clientId: settings.kafkaSaslClientId ?? '',
    clientSecret: () => expectSecret('DW_KAFKA_SASL', 'kafkaSaslClientSecretFile', settings, env),
    scope: settings.kafkaSaslScope,
  })
  return { mechanism, token }
}

type Code = 'DW_KAFKA_TLS' | 'DW_KAFKA_SASL'

function expectSecret(code: Code, key: KafkaSecret, settings: KafkaSettings, env: Environment): string {
  const secret = findSecret(code, key, settings, env)
  if (secret !== undefined && secret !== '') return secret
  throw refused(code, key, `There is nothing in ${settings[key] ?? kafkaSecretVariables[key]}: expected a secret.`)
}

/** The text of the file without the line break at its end, else that of the variable. */
function findSecret(code: Code, key: KafkaSecret, settings: KafkaSettings, env: Environment): string | undefined {
  const text = fileOf(code, key, settings[key])
  return text === undefined ? env[kafkaSecretVariables[key]] : secretIn(text)
}

function fileOf(code: Code, key: string, path: string | undefined): string | undefined {
  if (path === undefined) return undefined
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw refused(code, key, `The file ${path} of ${key} cannot be read: ${thrownText(error)}.`)
  }
}

const refused = (code: Code, path: string, message: string): ConfigError => new ConfigError([{ code, path, message }])
