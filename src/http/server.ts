// The HTTP server of a worker: where it listens, and how it ends.
// Everybody who reaches the address may do everything, so it has to be an address of this machine until there are tokens.
import { ConfigError } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { WorkerFace } from '../runtime/face.ts'
import { createApp } from './app.ts'
import { httpLimits } from './limits.ts'
import type { RequestTracer } from './tracing.ts'

export interface HttpServerOptions {
  readonly worker: WorkerFace
  /** 127.0.0.1 (the default), localhost or ::1. */
  readonly host?: string
  /** 0 picks a free one. */
  readonly port: number
  readonly logger: Logger
  readonly tracer?: RequestTracer | undefined
}

export interface HttpServer {
  /** "http://127.0.0.1:7070" */
  readonly url: string
  /** Ends calls that wait with what there is, lets the others finish (5 s at most), and frees the port. */
  close(): Promise<void>
}

/** By what the operator may write: the address that is bound. One address each, whatever "localhost" resolves to. */
const addresses: ReadonlyMap<string, string> = new Map([
  ['127.0.0.1', '127.0.0.1'],
  ['localhost', '127.0.0.1'],
  ['::1', '::1'],
])

/**
 * Serves the API of a worker until it is closed.
 * @throws {ConfigError} DW_HTTP_HOST, DW_PORT_IN_USE, DW_PORT_DENIED: choose another host or port.
 */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { worker, host = '127.0.0.1', port, logger, tracer } = options
  const address = addresses.get(host)
  if (address === undefined) throw refusedHost(host)
  const app = createApp(worker, logger, tracer)
  try {
    await app.listen({ host: address, port })
  } catch (error) {
    await app.close()
    throw listenError(error, port)
  }
  const bound = app.server.address()
  const url = `http://${address.includes(':') ? `[${address}]` : address}:${typeof bound === 'object' && bound !== null ? bound.port : port}`
  let closed: Promise<void> | undefined
  const close = async () => {
    const cut = setTimeout(() => app.server.closeAllConnections(), httpLimits.closeGraceMs)
    await app.close()
    clearTimeout(cut)
  }
  return { url, close: () => (closed ??= close()) }
}

function refusedHost(host: string): ConfigError {
  const message =
    `host "${host}": another address than 127.0.0.1 needs a token, which this release does not have yet. ` +
    'Leave host out, and reach the worker through a tunnel or a proxy that authenticates.'
  return new ConfigError([{ code: 'DW_HTTP_HOST', message, path: 'host', suggestion: '127.0.0.1' }])
}

function listenError(error: unknown, port: number): unknown {
  const { code }: NodeJS.ErrnoException = Object(error)
  if (code === 'EADDRINUSE') {
    const message = `Port ${port} is in use, perhaps by another worker: choose another with --port N, or let one be picked with --port 0.`
    return new ConfigError([{ code: 'DW_PORT_IN_USE', message, path: 'port' }])
  }
  if (code === 'EACCES') {
    const message = `Port ${port} may not be opened by this user: choose one above 1023 with --port N.`
    return new ConfigError([{ code: 'DW_PORT_DENIED', message, path: 'port' }])
  }
  return error
}
