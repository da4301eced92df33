// Why a broker cannot be talked to where only a person can mend it: TLS that does not fit, an identity that is refused.
// Everything else (nobody listens, a connection that breaks) may pass. The client wraps the reason in errors of its own,
// some of them in three, so that the innermost one is looked for.
import { ResponseError } from '@platformatic/kafka'
import type { Broker } from '@platformatic/kafka'
import { ConfigError } from '../../base/errors.ts'
import type { Problem } from '../../base/errors.ts'
import { causesOf } from '../kafka/client.ts'
import { errorOf } from '../kafka/faults.ts'
import type { KafkaConnection } from '../kafka/options.ts'

/** The broker speaks TLS, and we do not: told by the first bytes of its answer. */
export class BrokerWantsTls extends Error {}

/** The broker refuses the token. */
export class TokenRefused extends Error {}

/** What of the broker's TLS is not as it should be, by node's codes. */
const untrusted: ReadonlySet<string> = new Set([
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_SIGNATURE_FAILURE',
  'CERT_NOT_YET_VALID',
  'CERT_HAS_EXPIRED',
  'CERT_UNTRUSTED',
  'CERT_REJECTED',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
])

/** The problem for a person, or undefined where it may pass by itself. */
export function refusalOf(failure: unknown, { host, port }: Broker, { sasl }: KafkaConnection): Problem | undefined {
  const where = `The broker ${host}:${port}`
  const mechanism = sasl?.mechanism ?? 'SASL'
  for (const error of causesOf(failure)) {
    if (error instanceof ConfigError) return error.problems[0]
    if (error instanceof BrokerWantsTls)
      return tls(
        'kafkaTls',
        `${where} speaks TLS, and this worker does not: set kafkaTls to true, or name another port.`,
      )
    if (error instanceof TokenRefused)
      return asWhom('kafkaSaslMechanism', `${where} refuses the token (${error.message}): check where it comes from.`)
    if (error instanceof ResponseError && 'response' in error) {
      const { errorCode, errorMessage, mechanisms } = Object(error.response)
      const code = errorOf(Number(errorCode))
      if (code === 'SASL_AUTHENTICATION_FAILED') {
        const said = typeof errorMessage === 'string' ? errorMessage : code
        return asWhom(
          'kafkaSaslUsername',
          `${where} does not let us in by ${mechanism}: ${said} (${code}). Check kafkaSaslUsername and the password, or the token.`,
        )
      }
      if (code === 'UNSUPPORTED_SASL_MECHANISM') {
        const known = Array.isArray(mechanisms) ? mechanisms.join(', ') : 'others'
        const message = `${where} does not take ${mechanism}: expected one of ${known} in kafkaSaslMechanism.`
        return asWhom('kafkaSaslMechanism', message)
      }
      if (code === 'ILLEGAL_SASL_STATE') {
        const message = `${where} asks nobody who he is on that port: name another port, or remove kafkaSaslMechanism.`
        return asWhom('kafkaSaslMechanism', message)
      }
    }
    const code = 'code' in error ? String(error.code) : ''
    if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
      const message = `${where} has a certificate for another name (${error.message}): name the brokers as it does, or set kafkaTlsServerName.`
      return tls('kafkaTlsServerName', message)
    }
    if (untrusted.has(code)) {
      const message = `${where} has a certificate that cannot be trusted: ${error.message} (${code}). Name the authority that signed it with kafkaTlsCaFile.`
      return tls('kafkaTlsCaFile', message)
    }
    if (code.startsWith('ERR_SSL_') && code.includes('_ALERT_')) {
      const message = `${where} refuses our side of TLS (${code}): name a certificate that it trusts with kafkaTlsCertFile and kafkaTlsKeyFile.`
      return tls('kafkaTlsCertFile', message)
    }
  }
  return undefined
}

const tls = (path: string, message: string): Problem => ({ code: 'DW_KAFKA_TLS', path, message })
const asWhom = (path: string, message: string): Problem => ({ code: 'DW_KAFKA_SASL', path, message })
