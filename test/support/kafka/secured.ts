// A broker with a door for each way to be secure, beside the open one that the tests themselves come in by. Its tokens
// are unsecured JWTs (alg "none"), which Kafka has for tests: what is tried is the way a token takes, not its signature.
import { startBroker, type KafkaBroker } from './broker.ts'
import { makeCertificates, type Certificates } from './certificates.ts'

export const user = 'shop'
export const password = 'k4fka s3cret!'

export interface SecuredBroker {
  readonly broker: KafkaBroker
  readonly files: Certificates
  /** The address of a door. */
  at(door: 'TLS' | 'MTLS' | 'SASL' | 'SASL_TLS'): string
  dispose(): Promise<void>
}

const login = (module: string, options: string): string =>
  `org.apache.kafka.common.security.${module} required${options};`

/** Starts it; `settings` are added to those of the broker. */
export async function startSecuredBroker(settings: Readonly<Record<string, string>> = {}): Promise<SecuredBroker> {
  const files = await makeCertificates()
  const scram = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
    '--add-scram',
    `${mechanism}=[name=${user},password="${password}"]`,
  ])
  const ofSasl = (door: string): Record<string, string> => ({
    [`listener.name.${door}.sasl.enabled.mechanisms`]: 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
    [`listener.name.${door}.plain.sasl.jaas.config`]: login('plain.PlainLoginModule', ` user_${user}="${password}"`),
    [`listener.name.${door}.scram-sha-256.sasl.jaas.config`]: login('scram.ScramLoginModule', ''),
    [`listener.name.${door}.scram-sha-512.sasl.jaas.config`]: login('scram.ScramLoginModule', ''),
    [`listener.name.${door}.oauthbearer.sasl.jaas.config`]: login('oauthbearer.OAuthBearerLoginModule', ''),
  })
  const broker = await startBroker(
    {
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.location': files.broker,
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.location': files.ca,
      'listener.name.mtls.ssl.client.auth': 'required',
      ...ofSasl('sasl'),
      ...ofSasl('sasl_tls'),
      ...settings,
    },
    undefined,
    { protocols: { TLS: 'SSL', MTLS: 'SSL', SASL: 'SASL_PLAINTEXT', SASL_TLS: 'SASL_SSL' }, format: scram },
  )
  return {
    broker,
    files,
    at: (door) => broker.doors.get(door)!,
    async dispose() {
      await broker.dispose()
      files.remove()
    },
  }
}

/** A token as the broker takes it, good for so long. */
export function unsecuredToken(subject: string, livesSeconds = 600): string {
  const now = Math.floor(Date.now() / 1_000)
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'none' })}.${part({ sub: subject, iat: now, exp: now + livesSeconds })}.`
}
