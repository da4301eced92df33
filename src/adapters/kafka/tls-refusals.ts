// Why TLS does not come about where only a person can mend it, by node's codes: the same whatever the client.
import type { Problem } from '../../base/errors.ts'

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

/** The problem for a person, or undefined where it may pass by itself, or is not about TLS. @param where "The broker host:port" */
export function tlsRefusal(error: Error, where: string): Problem | undefined {
  const code = 'code' in error ? String(error.code) : ''
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const message = `${where} has a certificate for another name (${error.message}): name the brokers as it does, or set kafkaTlsServerName.`
    return ofTls('kafkaTlsServerName', message)
  }
  if (untrusted.has(code)) {
    const message = `${where} has a certificate that cannot be trusted: ${error.message} (${code}). Name the authority that signed it with kafkaTlsCaFile.`
    return ofTls('kafkaTlsCaFile', message)
  }
  if (code.startsWith('ERR_SSL_') && code.includes('_ALERT_')) {
    const message = `${where} refuses our side of TLS (${code}): name a certificate that it trusts with kafkaTlsCertFile and kafkaTlsKeyFile.`
    return ofTls('kafkaTlsCertFile', message)
  }
  return undefined
}

export const ofTls = (path: string, message: string): Problem => ({ code: 'DW_KAFKA_TLS', path, message })
