// Calls to the worker's HTTP API: the one place of the command line that knows statuses and `fetch`.
import { clientVariables } from '../base/client-variables.ts'
import { fetchWith, type Fetch, type Trust } from '../base/secure-fetch.ts'
import { exitCodes } from './exit-codes.ts'
import { CommandFailure } from './failure.ts'
import { printable, shellQuoted } from './output.ts'

export const defaultServer = 'http://127.0.0.1:7070'
/** Of a call that does not wait for anything. */
const callTimeoutMs = 30_000

/** The worker said no: an RFC 9457 problem. */
export class ApiProblem extends CommandFailure {
  readonly status: number
  /** "input-invalid", "workflow-not-found", …; empty where the answer had none. */
  readonly code: string
  constructor(status: number, code: string, message: string) {
    super(message, status === 503 || status === 429 ? exitCodes.unavailable : exitCodes.failed)
    this.status = status
    this.code = code
  }
}

/** Nothing answers at the address. */
export class WorkerUnreachable extends CommandFailure {
  constructor(server: string, reason: string) {
    super(
      untrusted.test(reason)
        ? `The certificate of ${server} is not trusted (${reason}).\nName who signed it with:  --ca-file FILE (or ${clientVariables.caFile})`
        : `No worker answers at ${server} (${reason}).\n` +
            `Start one with:        dagger-worker start --workflows ./workflows\n` +
            `or name another with:  --server URL (or DAGGER_WORKER_SERVER)`,
      exitCodes.unavailable,
    )
  }
}

/** How Node calls a certificate that it does not take. */
const untrusted = /^(?:CERT_|ERR_TLS_CERT|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/

export interface Credentials {
  readonly token?: string
  /** Absent: what Node trusts, and no certificate. */
  readonly trust?: Trust
}

export class Calls {
  /** Without a slash at the end. */
  readonly server: string
  readonly #closing = new AbortController()
  readonly #fetch: Fetch
  readonly #authorization: { readonly authorization?: string }

  /** @throws {CommandFailure} The address is not an http URL. */
  constructor(server: string, { token, trust }: Credentials = {}) {
    if (!/^https?:$/.test(URL.parse(server)?.protocol ?? '')) {
      throw new CommandFailure(
        `"${server}" is not an address of a worker: expected something like ${defaultServer}.`,
        exitCodes.usage,
      )
    }
    this.server = server.replace(/\/+$/, '')
    this.#fetch = fetchWith(() => trust)
    this.#authorization = token === undefined ? {} : { authorization: `Bearer ${token}` }
  }

  /** Gives up every call under way, which fails with an AbortError, and every one after it. */
  close(): void {
    this.#closing.abort()
  }

  get isClosed(): boolean {
    return this.#closing.signal.aborted
  }

  /** As `call`; undefined where the answer is 404. */
  async find<Answer>(path: string, options: CallOptions = {}): Promise<Answer | undefined> {
    try {
      return await this.call<Answer>(path, options)
    } catch (error) {
      if (error instanceof ApiProblem && error.status === 404) return undefined
      throw error
    }
  }

  /** One call; its answer is JSON. @throws {ApiProblem} @throws {WorkerUnreachable} */
  async call<Answer>(path: string, options: CallOptions = {}): Promise<Answer> {
    const url = new URL(this.server + path)
    for (const [name, value] of Object.entries(options.query ?? {})) {
      for (const each of [value].flat()) if (each !== undefined) url.searchParams.append(name, String(each))
    }
    const timeout = AbortSignal.timeout(callTimeoutMs + (options.waitMs ?? 0))
    const headers: Record<string, string> = {
      accept: 'application/json',
      ...this.#authorization,
      ...options.headers,
    }
    if (options.body !== undefined) headers['content-type'] = options.contentType ?? 'application/json'
    let response: Response
    let text: string
    try {
      response = await this.#fetch(url, {
        method: options.body === undefined ? 'GET' : 'POST',
        headers,
        ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
        signal: AbortSignal.any([timeout, this.#closing.signal]),
      })
      text = await response.text()
    } catch (error) {
      this.#closing.signal.throwIfAborted()
      throw new WorkerUnreachable(this.server, reasonOf(error))
    }
    if (!response.ok) throw problemOf(response, text, path)
    try {
      return JSON.parse(text)
    } catch {
      throw new CommandFailure(
        `${this.server} answered ${path} with something that is not JSON: is it a dagger-worker? Try: curl ${shellQuoted(`${this.server}/health`)}`,
        exitCodes.unavailable,
      )
    }
  }
}

export interface CallOptions {
  readonly body?: unknown
  readonly contentType?: string
  readonly headers?: { readonly [name: string]: string }
  /** A list is given as one parameter for each. */
  readonly query?: { readonly [name: string]: string | number | boolean | readonly string[] | undefined }
  /** How long the worker may take its time by agreement. */
  readonly waitMs?: number
}

function problemOf(response: Response, text: string, path: string): ApiProblem {
  let problem: { [name: string]: unknown } = {}
  try {
    problem = Object(JSON.parse(text))
  } catch {
    // Not a problem document: the status has to do.
  }
  const code = typeof problem['code'] === 'string' ? problem['code'] : ''
  const { title, detail, violations, suggestion } = problem
  const what = [title, detail].filter((part) => typeof part === 'string').map(printable)
  const lines = [what.length > 0 ? what.join(': ') : `The worker answered ${path} with HTTP ${response.status}.`]
  for (const violation of Array.isArray(violations) ? violations : []) {
    const { pointer, message } = Object(violation)
    lines.push(printable(`  ${pointer === '' ? '(the value itself)' : pointer}  ${message}`))
  }
  if (typeof suggestion === 'string' && !lines[0]!.includes(`"${suggestion}"?`))
    lines.push(`Did you mean "${printable(suggestion)}"?`)
  lines.push(...adviceOn(response.status, code))
  return new ApiProblem(response.status, code, lines.join('\n'))
}

function* adviceOn(status: number, code: string): Generator<string> {
  if (status >= 300 && status < 400) yield 'Redirects are not followed: name the address itself with --server.'
  if (code === 'unauthenticated') {
    const { token, tokenFile } = clientVariables
    yield `Name a file with your token:  --token-file FILE (or ${tokenFile}, or the token itself in ${token})`
    yield 'Who runs the worker makes one:  dagger-worker token create --name YOU --role operate --file TOKENS'
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return `no answer within ${callTimeoutMs / 1_000} s`
  const { cause } = error
  if (cause instanceof Error) return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message
  return error.message
}
