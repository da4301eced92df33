// `fetch` with an authority or a certificate of one's own, which Node's takes no option for. With neither it is Node's.
// Redirects are never followed: what goes with a request, a token, is for the host that was named and for no other.
import { Agent, request as httpsRequest } from 'node:https'
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'

/** PEM texts. Absent: the authorities that Node trusts (with NODE_EXTRA_CA_CERTS), no certificate of our own. */
export interface Trust {
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly passphrase?: string | undefined
}

export interface FetchOptions {
  readonly method?: string
  readonly headers?: Headers | { readonly [name: string]: string }
  readonly body?: string
  readonly signal?: AbortSignal
}

export type Fetch = (url: string | URL, options?: FetchOptions) => Promise<Response>

/** @param trustNow asked for each call; the same object as long as nothing in it has changed */
export function fetchWith(trustNow: () => Trust | undefined): Fetch {
  let kept: { readonly trust: Trust; readonly agent: Agent } | undefined
  return (url, options = {}) => {
    const trust = trustNow()
    if (trust === undefined || new URL(url).protocol !== 'https:') {
      const { headers, ...rest } = options
      return fetch(url, {
        ...rest,
        ...(headers === undefined ? {} : { headers: new Headers(headers) }),
        redirect: 'manual',
      })
    }
    if (kept?.trust !== trust) {
      kept?.agent.destroy()
      const given = Object.fromEntries(Object.entries(trust).filter(([, value]) => value !== undefined))
      // Said, since NODE_TLS_REJECT_UNAUTHORIZED would turn it off otherwise.
      kept = { trust, agent: new Agent({ ...given, keepAlive: true, rejectUnauthorized: true, minVersion: 'TLSv1.2' }) }
    }
    return send(new URL(url), options, kept.agent)
  }
}

async function send(
  url: URL,
  { method = 'GET', headers, body, signal }: FetchOptions,
  agent: Agent,
): Promise<Response> {
  signal?.throwIfAborted()
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = Object.fromEntries(new Headers(headers))
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const request = httpsRequest(url, { method, agent, headers: { ...sent, ...length }, ...(signal ? { signal } : {}) })
    request.once('response', resolve)
    // As fetch has it: what was wrong is the cause.
    request.once('error', (cause) => reject(signal?.aborted ? signal.reason : new TypeError('fetch failed', { cause })))
    request.end(body)
  })
  const { statusCode: status = 0 } = answer
  const received = new Headers()
  for (const [name, value] of Object.entries(answer.headers)) received.set(name, String(value))
  const isEmpty = status === 204 || status === 205 || status === 304
  if (isEmpty) answer.resume()
  return new Response(isEmpty ? null : (Readable.toWeb(answer) as ReadableStream<Uint8Array>), {
    status,
    headers: received,
  })
}
