// Where the HTTP API listens, who may use it, and how it is reached: settings, with no secret in them.
import type { AllowedHost } from './hosts.ts'

export interface HttpSettings {
  readonly host: string
  /** 0 picks a free one. */
  readonly port: number
  /** Who may do what; absent: who reaches the address may do everything. */
  readonly tokensFile?: string
  readonly tlsCertFile?: string
  readonly tlsKeyFile?: string
  readonly tlsKeyPassphraseFile?: string
  /** Callers need a certificate that it signed. */
  readonly tlsClientCaFile?: string
  /** Who signed the certificates of the other workers; absent: those that Node trusts. */
  readonly tlsCaFile?: string
  /** Where the other workers reach this one. */
  readonly advertisedUrl?: string
  /** Names that callers reach it under, beside its own. */
  readonly hostNames: readonly AllowedHost[]
}

/** Only this machine reaches it. */
export const isLoopback = (host: string): boolean => host === 'localhost' || host === '127.0.0.1' || host === '::1'

/** Says who asks; where there is none, whoever reaches the address may do everything. */
export const asksWho = ({
  tokensFile,
  tlsClientCaFile,
}: Pick<HttpSettings, 'tokensFile' | 'tlsClientCaFile'>): boolean =>
  tokensFile !== undefined || tlsClientCaFile !== undefined
