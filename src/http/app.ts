// The HTTP application: what happens to every request, whichever route it is for.
//   1. Host: only our names (host-check.ts). With no CORS headers, no cookies, and JSON types only (which need a
//      preflight), a page of elsewhere can neither read nor write. Then who asks, and whether they may (guard.ts).
//   2. The body: JSON, bounded, checked (json-body.ts). 3. The route's schema: nothing unknown, nothing left out.
//   4. The route. 5. What another worker runs is asked there (fleet.ts); whatever else is thrown becomes a problem
//      document (problem.ts).
import { randomUUID } from 'node:crypto'
import { Ajv } from 'ajv'
import fastify from 'fastify'
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifyServerOptions } from 'fastify'
import type { Logger } from '../base/logger.ts'
import { nearest } from '../definition/nearest.ts'
import { Unavailable } from '../runtime/face.ts'
import type { WorkerFace } from '../runtime/face.ts'
import { Doors } from './doors.ts'
import { EventStreams } from './event-stream.ts'
import { ownerOf, passOn } from './fleet.ts'
import { guard } from './guard.ts'
import { parseBody } from './json-body.ts'
import { httpLimits } from './limits.ts'
import { LongPolls } from './long-polls.ts'
import { documentOf, headersOf, HttpProblem, problemOf, problems } from './problem.ts'
import { openapi } from './openapi.ts'
import { produceTypes } from './produce-body.ts'
import { allRoutes } from './routes/all.ts'
import { spanFields, traceRequests, type RequestTracer } from './tracing.ts'
import { refuseSocket } from './unreadable.ts'

declare module 'fastify' {
  interface FastifyInstance {
    doors: Doors
  }
}

/** The application with all its routes, not listening yet; closing it ends the calls that wait. */
export function createApp(
  worker: WorkerFace,
  logger: Logger,
  doors = new Doors({ host: '127.0.0.1' }),
  tracer?: RequestTracer,
): FastifyInstance {
  const polls = new LongPolls()
  const streams = new EventStreams()
  const { tls, settings } = doors
  // With no Host at all Node would answer by itself, with no problem document; checkHost refuses it.
  const ofNode = { requireHostHeader: false }
  // A certificate that is missing is refused with a problem document and not by hanging up; probes need none.
  const asked = { requestCert: settings.tlsClientCaFile !== undefined, rejectUnauthorized: false }
  const served: object = tls === undefined ? { http: ofNode } : { https: { ...ofNode, ...tls, ...asked } }
  const options: FastifyServerOptions = {
    ...served,
    bodyLimit: httpLimits.bodyBytesMax,
    requestTimeout: httpLimits.requestArrivalMs,
    routerOptions: { maxParamLength: httpLimits.pathPartMax },
    // While closing, requests get our own 503.
    return503OnClosing: false,
    genReqId: () => randomUUID(),
    frameworkErrors: (error, request, reply) => void sendProblem(problemOf(error), request, reply),
    clientErrorHandler: (error, socket) => refuseSocket(error, socket),
  }
  const app = fastify(options)
  app.decorate('doors', doors)
  // For whoever reads the document; where such a text is used its reader says what is wrong with it.
  const formats = { 'date-time': true, byte: true } as const
  const common = { strict: true, allowUnionTypes: true, verbose: true, formats }
  const bodies = new Ajv(common)
  // 'array': a parameter that may be given several times is a list when it is given once.
  const texts = new Ajv({ ...common, allErrors: true, coerceTypes: 'array', useDefaults: true })
  app.setValidatorCompiler<object>(({ schema, httpPart }) => (httpPart === 'body' ? bodies : texts).compile(schema))
  app.setSerializerCompiler(() => JSON.stringify)

  // An expectation that Node does not know: it would answer with a 417 of its own. It may be passed over (RFC 9110).
  app.server.on('checkExpectation', (request, response) => void app.server.emit('request', request, response))
  app.addHook('preClose', async () => {
    polls.close()
    streams.close()
  })
  if (tracer !== undefined) traceRequests(app, tracer)
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({
      'x-request-id': request.id,
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    })
    doors.checkHost(request.headers.host ?? '', request.raw.socket)
    if (polls.isClosing) throw new Unavailable('not-ready', 'The worker is shutting down.')
  })
  guard(app, doors, logger)
  app.addHook('onSend', async (_request, reply) => {
    if (polls.isClosing) reply.header('connection', 'close')
  })
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none'
    const { method, id: requestId } = request
    worker.metrics.histogram('httpSeconds', method, route, String(reply.statusCode)).record(reply.elapsedTime / 1_000)
    const answer = { status: reply.statusCode, tookMs: Math.round(reply.elapsedTime) }
    logger.debug({ requestId, method, route, ...answer, ...spanFields(request) }, 'http')
  })
  app.setErrorHandler(async (thrown, request, reply) => {
    let error: unknown = thrown
    const owner = ownerOf(error, request, worker.fleet)
    if (owner !== undefined) {
      try {
        return await passOn(owner, request, reply, streams)
      } catch (failure) {
        error = failure
      }
    }
    const problem = problemOf(error)
    if (problem.code === 'internal') {
      logger.error({ requestId: request.id, ...spanFields(request), err: error }, 'a request failed')
    }
    return sendProblem(problem, request, reply)
  })

  const methodsOf = new Map<string, string[]>()
  app.addHook('onRoute', ({ url, method }) => {
    methodsOf.set(url, [...(methodsOf.get(url) ?? []), ...[method].flat()])
  })
  app.setNotFoundHandler((request) => {
    throw missingRoute(request, methodsOf.keys())
  })

  app.removeAllContentTypeParsers()
  app.addContentTypeParser(produceTypes.plain, { parseAs: 'buffer' }, parseBody)
  openapi(app)
  void app.register(async (scope) => allRoutes(scope, worker, polls, streams))
  void app.after(() => refuseOtherMethods(app, new Map(methodsOf)))
  return app
}

function missingRoute(request: FastifyRequest, routes: Iterable<string>): HttpProblem {
  const path = pathOf(request)
  const suggestion = nearest(path, routes)
  const hint = suggestion === undefined ? '' : ` Did you mean ${suggestion}?`
  const members = suggestion === undefined ? {} : { suggestion }
  return new HttpProblem('route-not-found', `There is nothing at ${path}.${hint}`, members)
}

function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? ''
}

/** Fastify answers 404 to a method that a known address does not take; 405 says what it takes. */
function refuseOtherMethods(app: FastifyInstance, methodsOf: ReadonlyMap<string, readonly string[]>): void {
  for (const [url, methods] of methodsOf) {
    const others = app.supportedMethods.filter((method) => !methods.includes(method))
    const allow = methods.join(', ')
    app.route({
      method: others,
      url,
      schema: { hide: true },
      onRequest: async (request) => {
        throw new HttpProblem(
          'method-not-allowed',
          `${pathOf(request)} takes ${allow}, not ${request.method}.`,
          {},
          { allow },
        )
      },
      handler: async () => undefined,
    })
  }
}

function sendProblem(problem: HttpProblem, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return reply.code(problems[problem.code].status).headers(headersOf(problem)).send(documentOf(problem, request.id))
}
