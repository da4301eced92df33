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
import { ofTls, tlsRefusal } from '../kafka/tls-refusals.ts'

/** The broker speaks TLS, and we do not: told by the first bytes of its answer. */
export class BrokerWantsTls extends Error {}

/** The broker refuses the token. */
export class TokenRefused extends Error {}

/** The problem for a person, or undefined where it may pass by itself. */
export function refusalOf(failure: unknown, { host, port }: Broker, { sasl }: KafkaConnection): Problem | undefined {
  const where = `The broker ${host}:${port}`
  const mechanism = sasl?.mechanism ?? 'SASL'
  for (const error of causesOf(failure)) {
    if (error instanceof ConfigError) return error.problems[0]
    if (error instanceof BrokerWantsTls)
      return ofTls(
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
    const refused = tlsRefusal(error, where)
    if (refused !== undefined) return refused
  }
  return undefined
}

const asWhom = (path: string, message: string): Problem => ({ code: 'DW_KAFKA_SASL', path, message })
