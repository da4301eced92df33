// Tokens by the client credentials grant of OAuth 2.0 (RFC 6749, 4.4): who we are goes as HTTP Basic, what comes back is
// handed on unread.
//
// A worker has dozens of connections, and each asks when it is made and before its session ends. So a token is used again
// for a short while, and those who ask at once share an answer; a token of which half the time is gone is not used again,
// or a session that begins with it would end at once.
import { ConfigError } from '../../base/errors.ts'
import { thrownText } from '../../base/thrown.ts'

export interface TokenOptions {
  readonly endpoint: string
  readonly clientId: string
  /** Asked for each time. */
  readonly clientSecret: () => string
  readonly scope: string | undefined
}

/** Below the client's own five seconds for a connection. */
const timeoutMs = 4_000
const usedAgainMsMax = 60_000
const answerCharsMax = 300

/**
 * Gives a token that is good for a while.
 * @throws {ConfigError} DW_KAFKA_SASL: the endpoint refuses us. @throws Error It cannot be asked now.
 */
export function createTokens(options: TokenOptions): () => Promise<string> {
  let kept: { readonly token: Promise<string>; until: number } | undefined
  return () => {
    if (kept !== undefined && performance.now() < kept.until) return kept.token
    const askedAt = performance.now()
    const asking = ask(options)
    const entry = { token: asking.then(({ token }) => token), until: Number.POSITIVE_INFINITY }
    kept = entry
    asking.then(
      ({ livesMs }) => (entry.until = askedAt + Math.min(usedAgainMsMax, livesMs / 2)),
      () => (entry.until = 0),
    )
    return entry.token
  }
}

async function ask({
  endpoint,
  clientId,
  clientSecret,
  scope,
}: TokenOptions): Promise<{ token: string; livesMs: number }> {
  const secret = clientSecret()
  const body = new URLSearchParams({ grant_type: 'client_credentials', ...(scope === undefined ? {} : { scope }) })
  let status: number
  let text: string
  try {
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: { authorization: `Basic ${basic(clientId, secret)}`, accept: 'application/json' },
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    })
    status = response.status
    text = await response.text()
  } catch (error) {
    // fetch says "fetch failed", and why in its cause.
    const reason = thrownText(error instanceof Error && error.cause !== undefined ? error.cause : error)
    throw new Error(`the token endpoint ${endpoint} does not answer: ${reason}`, { cause: error })
  }
  if (status === 200) {
    const { access_token: token, expires_in: livesSeconds } = answerOf(text)
    if (typeof token === 'string' && token !== '')
      return { token, livesMs: typeof livesSeconds === 'number' ? livesSeconds * 1_000 : 0 }
  }
  // RFC 6749, 5.2: two texts say what was wrong. The rest of the answer may hold anything.
  const { error, error_description: description } = answerOf(text)
  const said = [error, description].filter((part) => typeof part === 'string').join(': ')
  const shown = said.replaceAll(secret, '***').slice(0, answerCharsMax) || 'no token is in its answer'
  const message = `The token endpoint ${endpoint} refuses the client ${clientId} with ${status}: ${shown}. Check kafkaSaslClientId, its secret and kafkaSaslScope.`
  if (status >= 500 || status === 429 || status === 408) throw new Error(message)
  throw new ConfigError([{ code: 'DW_KAFKA_SASL', path: 'kafkaSaslTokenEndpoint', message }])
}

/** As forms have them, which is what the grammar of Basic is given here (RFC 6749, 2.3.1). */
function basic(clientId: string, secret: string): string {
  const encoded = [clientId, secret].map((part) => new URLSearchParams({ x: part }).toString().slice(2))
  return Buffer.from(encoded.join(':')).toString('base64')
}

function answerOf(text: string): { readonly [key: string]: unknown } {
  try {
    const answer: unknown = JSON.parse(text)
    return typeof answer === 'object' && answer !== null ? { ...answer } : {}
  } catch {
    return {}
  }
}
