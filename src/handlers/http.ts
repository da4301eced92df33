// The work of an `http` task: one request, to a host that the operator has allowed.
//
//   N1. Nothing is sent to a host that is not allowed, and a redirect is looked at like the first address.
//   N2. What an author put into headers stays with the host that it was meant for: a redirect to another one carries
//       none of it.
//   N3. The answer is bounded in bytes, and its end is waited for no longer than the task's signal says.
import { RetryableFailure, TerminalFailure } from '../base/errors.ts'
import { isAllowed, type AllowedHost } from '../base/hosts.ts'
import type { Json } from '../base/json.ts'
import { limits } from '../base/limits.ts'
import { thrownText } from '../base/thrown.ts'
import type { HandlerModule, HandlerTaskInput } from './contract.ts'
import { readBody, readStart } from './http-body.ts'
import { readRequest, type HttpRequest } from './http-request.ts'

export interface HttpOptions {
  readonly allowed: readonly AllowedHost[]
  readonly nowMs: () => number
}

const redirectsMax = 5
const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])
/** 4xx that another attempt may find otherwise. */
const passingStatuses: ReadonlySet<number> = new Set([408, 425, 429])
/** What goes along to another host. N2 */
const harmlessHeaders = ['accept', 'content-type', 'idempotency-key', 'traceparent', 'tracestate', 'user-agent']

/** What performs `http` tasks. */
export function httpHandler(options: HttpOptions): HandlerModule {
  return { name: 'http', run: (task) => call(task, options) }
}

async function call(task: HandlerTaskInput, { allowed, nowMs }: HttpOptions): Promise<Json> {
  const request = readRequest(task.input)
  const headers = new Headers(request.headers)
  if (!headers.has('idempotency-key')) headers.set('idempotency-key', task.idempotencyKey)
  // Over what its author wrote there nothing is written.
  if (task.traceparent !== undefined && !headers.has('traceparent')) {
    headers.set('traceparent', task.traceparent)
    if (task.tracestate !== undefined) headers.set('tracestate', task.tracestate)
  }
  if (!headers.has('user-agent')) headers.set('user-agent', 'dagger-worker')
  const { response, url } = await send({ ...request, headers }, allowed, task.signal)
  const { status } = response
  try {
    if (status >= 400) throw await statusFailure(request.method, url, response, nowMs())
    return { status, headers: headersOf(response.headers), body: await readBody(response) }
  } catch (error) {
    if (error instanceof RetryableFailure || error instanceof TerminalFailure) throw error
    throw new RetryableFailure(`the answer of ${shown(url)} broke off: ${causeOf(error)}`, { code: 'http-error' })
  }
}

interface Sent extends Omit<HttpRequest, 'headers'> {
  readonly headers: Headers
}

/** N1 */
async function send(
  request: Sent,
  allowed: readonly AllowedHost[],
  signal: AbortSignal,
): Promise<{ response: Response; url: URL }> {
  let { url, method, body } = request
  let headers = request.headers
  for (let hop = 0; ; hop++) {
    checkHost(url, allowed)
    const response = await fetchOnce({ url, method, headers, body }, signal)
    const location = redirectStatuses.has(response.status) ? response.headers.get('location') : null
    if (location === null) return { response, url }
    await response.body?.cancel()
    if (hop === redirectsMax) {
      throw new TerminalFailure(`${shown(request.url)} redirects more than ${redirectsMax} times`, {
        code: 'http-error',
      })
    }
    const next = redirected(url, location)
    if (next.origin !== url.origin) headers = harmless(headers)
    if (response.status === 303 || (response.status < 303 && method === 'POST')) {
      if (method !== 'HEAD') method = 'GET'
      body = undefined
      headers.delete('content-type')
    }
    url = next
  }
}

async function fetchOnce({ url, method, headers, body }: Sent, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(url, { method, headers, redirect: 'manual', signal, ...(body === undefined ? {} : { body }) })
  } catch (error) {
    throw new RetryableFailure(`${method} ${shown(url)} failed: ${causeOf(error)}`, { code: 'http-error' })
  }
}

function redirected(from: URL, location: string): URL {
  const next = URL.parse(location, from.href)
  if (next === null) {
    throw new TerminalFailure(`${shown(from)} redirects to what is no address`, { code: 'http-error' })
  }
  if (from.protocol === 'https:' && next.protocol !== 'https:') {
    const message = `${shown(from)} redirects from https to ${next.protocol.slice(0, -1)}: that is not followed`
    throw new TerminalFailure(message, { code: 'http-host-refused' })
  }
  return next
}

function checkHost(url: URL, allowed: readonly AllowedHost[]): void {
  const isPlain = (url.protocol === 'http:' || url.protocol === 'https:') && url.username === '' && url.password === ''
  if (isPlain && isAllowed(url, allowed)) return
  const message = isPlain
    ? `this worker may not call ${url.host}: start it with --http-allow ${url.host} (or the key httpAllow of its configuration), and retry the task`
    : `${url.protocol}//${url.host}: only http and https are called, and with no name or password in the address`
  throw new TerminalFailure(message, { code: 'http-host-refused' })
}

function harmless(headers: Headers): Headers {
  return new Headers([...headers].filter(([name]) => harmlessHeaders.includes(name)))
}

async function statusFailure(method: string, url: URL, response: Response, nowMs: number): Promise<Error> {
  const { status, statusText } = response
  const start = (await readStart(response)).trim()
  const message = `${method} ${shown(url)} answered ${status} ${statusText}${start === '' ? '' : `: ${start}`}`
  const code = `http-${status}`
  if (status < 500 && !passingStatuses.has(status)) return new TerminalFailure(message, { code })
  const afterMs = retryAfterMs(response.headers.get('retry-after'), nowMs)
  return new RetryableFailure(message, { code, ...(afterMs === undefined ? {} : { afterMs }) })
}

/** Seconds, or a date. */
function retryAfterMs(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1_000
  const atMs = Date.parse(header)
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs)
}

function headersOf(headers: Headers): Json {
  const cookies = headers.getSetCookie()
  return { ...Object.fromEntries(headers), ...(cookies.length > 0 ? { 'set-cookie': cookies } : {}) }
}

/** Without what stands behind "?": it says more than a message should. */
const shown = (url: URL): string => `${url.origin}${url.pathname}`

function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const text = thrownText(cause)
  const code = cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : ''
  return (text === '' ? code : text).slice(0, limits.errorTextMax)
}
