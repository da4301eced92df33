// The HTTP server of a worker: where it listens, and how it ends.
import { hostname } from 'node:os'
import { Server as TlsServer } from 'node:tls'
import { ConfigError } from '../base/errors.ts'
import { asksWho, isLoopback } from '../base/http-settings.ts'
import type { Logger } from '../base/logger.ts'
import type { WorkerFace } from '../runtime/face.ts'
import { createApp } from './app.ts'
import { Doors } from './doors.ts'
import { httpLimits } from './limits.ts'
import type { RequestTracer } from './tracing.ts'

export interface HttpServerOptions {
  readonly worker: WorkerFace
  /** 0 picks a free one. */
  readonly port: number
  readonly logger: Logger
  readonly tracer?: RequestTracer | undefined
  /** Where it listens and who may come in; by default this machine, where everybody may. */
  readonly doors?: Doors
}

export interface HttpServer {
  /** "http://127.0.0.1:7070": where others reach it. */
  readonly url: string
  /** Ends calls that wait with what there is, lets the others finish (5 s at most), and frees the port. */
  close(): Promise<void>
}

/**
 * Serves the API of a worker until it is closed.
 * @throws {ConfigError} DW_HTTP_ADDRESS, DW_PORT_IN_USE, DW_PORT_DENIED: choose another host or port.
 */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { worker, port, logger, doors = new Doors({ host: '127.0.0.1' }), tracer } = options
  const { settings } = doors
  // One address, whatever "localhost" resolves to.
  const address = settings.host === 'localhost' ? '127.0.0.1' : settings.host
  const app = createApp(worker, logger, doors, tracer)
  try {
    await app.listen({ host: address, port })
  } catch (error) {
    await app.close()
    throw listenError(error, address, port)
  }
  const bound = app.server.address()
  const boundPort = typeof bound === 'object' && bound !== null ? bound.port : port
  const scheme = doors.tls === undefined ? 'http' : 'https'
  const url = settings.advertisedUrl?.replace(/\/$/, '') ?? `${scheme}://${reachedAs(address)}:${boundPort}`
  if (!isLoopback(address) && asksWho(settings) && doors.tls === undefined)
    logger.warn({ address }, 'tokens cross the network in clear: set tlsCertFile and tlsKeyFile, or let a proxy do it')
  const { server }: { server: unknown } = app
  doors.watch(logger, (tls) => server instanceof TlsServer && server.setSecureContext(tls))
  let closed: Promise<void> | undefined
  const close = async () => {
    const cut = setTimeout(() => app.server.closeAllConnections(), httpLimits.closeGraceMs)
    await app.close()
    clearTimeout(cut)
    doors.close()
  }
  return { url, close: () => (closed ??= close()) }
}

/** All addresses at once are no address to call. */
function reachedAs(address: string): string {
  if (address === '0.0.0.0' || address === '::') return hostname()
  return address.includes(':') ? `[${address}]` : address
}

function listenError(error: unknown, address: string, port: number): unknown {
  const { code }: NodeJS.ErrnoException = Object(error)
  if (code === 'EADDRINUSE') {
    const message = `Port ${port} is in use, perhaps by another worker: choose another with --port N, or let one be picked with --port 0.`
    return new ConfigError([{ code: 'DW_PORT_IN_USE', message, path: 'port' }])
  }
  if (code === 'EACCES') {
    const message = `Port ${port} may not be opened by this user: choose one above 1023 with --port N.`
    return new ConfigError([{ code: 'DW_PORT_DENIED', message, path: 'port' }])
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    const message = `${address} is not an address of this machine: correct host, or listen on all of them with 0.0.0.0.`
    return new ConfigError([{ code: 'DW_HTTP_ADDRESS', message, path: 'host' }])
  }
  return error
}
