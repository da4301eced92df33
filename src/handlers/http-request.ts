// The input of an `http` task, read as a request. The engine has evaluated it (engine/tasks/http.ts); a person may have
// given another one.
import { TerminalFailure } from '../base/errors.ts'
import type { Json } from '../base/json.ts'
import { thrownText } from '../base/thrown.ts'

export interface HttpRequest {
  readonly url: URL
  readonly method: string
  readonly headers: Headers
  readonly body: string | undefined
}

const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
/** They say how and to whom it is sent, which is not the author's to say. */
const ownHeaders = ['connection', 'content-length', 'expect', 'host', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade'] // prettier-ignore

/** @throws {TerminalFailure} `http-request-invalid`: another attempt would be the same. */
export function readRequest(input: Json): HttpRequest {
  const given: { readonly [key: string]: Json | undefined } =
    typeof input === 'object' && input !== null && !Array.isArray(input) ? (input as { [key: string]: Json }) : {}
  const url = typeof given['url'] === 'string' ? URL.parse(given['url']) : null
  if (url === null) throw invalid('url: expected an address such as https://api.example.com/orders')
  const method = typeof given['method'] === 'string' ? given['method'].toUpperCase() : 'GET'
  if (!methods.has(method)) throw invalid(`method: expected one of ${[...methods].join(', ')}`)
  const headers = readHeaders(given['headers'])
  const { body = null } = given
  if (body === null) return { url, method, headers, body: undefined }
  if (method === 'GET' || method === 'HEAD') throw invalid(`a ${method} request has no body`)
  if (!headers.has('content-type')) {
    headers.set('content-type', typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json')
  }
  return { url, method, headers, body: typeof body === 'string' ? body : JSON.stringify(body) }
}

function readHeaders(given: Json | undefined): Headers {
  const headers = new Headers()
  for (const [name, value] of Object.entries(given ?? {})) {
    if (ownHeaders.includes(name.toLowerCase())) throw invalid(`headers: ${name} is not for the workflow to say`)
    try {
      headers.set(name, typeof value === 'string' ? value : JSON.stringify(value))
    } catch (error) {
      throw invalid(`headers: ${thrownText(error)}`)
    }
  }
  return headers
}

const invalid = (message: string): TerminalFailure => new TerminalFailure(message, { code: 'http-request-invalid' })
