// The HTTP application: what happens to every request, whichever route it is for.
//   1. Host: only names of this machine. A page of elsewhere whose name was made to resolve to 127.0.0.1 (DNS rebinding)
//      still sends its own name. With no CORS headers, no cookies, and JSON types only (which need a preflight), a page
//      of elsewhere can neither read nor write.
//   2. The body: JSON, bounded, checked (json-body.ts). 3. The route's schema: nothing unknown, nothing left out.
//   4. The route. 5. What another worker runs is asked there (fleet.ts); whatever else is thrown becomes a problem
//      document (problem.ts).
import { randomUUID } from 'node:crypto'
import { Ajv } from 'ajv'
import fastify from 'fastify'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from '../base/logger.ts'
import { nearest } from '../definition/nearest.ts'
import { Unavailable } from '../runtime/face.ts'
import type { WorkerFace } from '../runtime/face.ts'
import { ownerOf, passOn } from './fleet.ts'
import { parseJsonBody } from './json-body.ts'
import { httpLimits } from './limits.ts'
import { LongPolls } from './long-polls.ts'
import { documentOf, headersOf, HttpProblem, problemOf, problems } from './problem.ts'
import { produceTypes } from './produce-body.ts'
import { actionRoutes } from './routes/actions.ts'
import { deadLetterRoutes } from './routes/dead-letters.ts'
import { instanceRoutes } from './routes/instances.ts'
import { operationRoutes } from './routes/operations.ts'
import { serviceRoutes } from './routes/service.ts'
import { topicRoutes } from './routes/topics.ts'
import { workflowRoutes } from './routes/workflows.ts'
import { refuseSocket } from './unreadable.ts'

declare module 'fastify' {
  interface FastifySchema {
    readonly operationId?: string
    readonly summary?: string
  }
}

/** The application with all its routes, not listening yet; closing it ends the calls that wait. */
export function createApp(worker: WorkerFace, logger: Logger): FastifyInstance {
  const polls = new LongPolls()
  const app = fastify({
    // With no Host at all Node would answer by itself, with no problem document; checkHost refuses it.
    http: { requireHostHeader: false },
    bodyLimit: httpLimits.bodyBytesMax,
    requestTimeout: httpLimits.requestArrivalMs,
    routerOptions: { maxParamLength: httpLimits.pathPartMax },
    // While closing, requests get our own 503.
    return503OnClosing: false,
    genReqId: () => randomUUID(),
    frameworkErrors: (error, request, reply) => void sendProblem(problemOf(error), request, reply),
    clientErrorHandler: (error, socket) => refuseSocket(error, socket),
  })
  const bodies = new Ajv({ strict: true, allowUnionTypes: true, verbose: true })
  // 'array': a parameter that may be given several times is a list when it is given once.
  const texts = new Ajv({ strict: true, allErrors: true, coerceTypes: 'array', useDefaults: true, verbose: true })
  app.setValidatorCompiler<object>(({ schema, httpPart }) => (httpPart === 'body' ? bodies : texts).compile(schema))
  app.setSerializerCompiler(() => JSON.stringify)

  // An expectation that Node does not know: it would answer with a 417 of its own. It may be passed over (RFC 9110).
  app.server.on('checkExpectation', (request, response) => void app.server.emit('request', request, response))
  app.addHook('preClose', async () => polls.close())
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({
      'x-request-id': request.id,
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    })
    checkHost(request)
    if (polls.isClosing) throw new Unavailable('not-ready', 'The worker is shutting down.')
  })
  app.addHook('onSend', async (_request, reply) => {
    if (polls.isClosing) reply.header('connection', 'close')
  })
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none'
    const { method, id: requestId } = request
    logger.debug({ requestId, method, route, status: reply.statusCode, tookMs: Math.round(reply.elapsedTime) }, 'http')
  })
  app.setErrorHandler(async (thrown, request, reply) => {
    let error: unknown = thrown
    const owner = ownerOf(error, request, worker.fleet)
    if (owner !== undefined) {
      try {
        return await passOn(owner, request, reply)
      } catch (failure) {
        error = failure
      }
    }
    const problem = problemOf(error)
    if (problem.code === 'internal') logger.error({ requestId: request.id, err: error }, 'a request failed')
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
  app.addContentTypeParser(produceTypes.plain, { parseAs: 'buffer' }, async (_request: unknown, body: Buffer) =>
    parseJsonBody(body),
  )
  serviceRoutes(app, worker)
  workflowRoutes(app, worker)
  instanceRoutes(app, worker, polls)
  actionRoutes(app, worker)
  operationRoutes(app, worker, polls)
  deadLetterRoutes(app, worker)
  // A scope of its own: only here are Confluent's content types accepted.
  void app.register(async (scope) => {
    for (const type of [produceTypes.json, produceTypes.binary]) {
      scope.addContentTypeParser(type, { parseAs: 'buffer' }, async (_request: unknown, body: Buffer) =>
        parseJsonBody(body),
      )
    }
    topicRoutes(scope, worker, polls)
  })
  void app.after(() => refuseOtherMethods(app, new Map(methodsOf)))
  return app
}

const ownName = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::(\d{1,5}))?$/i

function checkHost(request: FastifyRequest): void {
  const host = request.headers.host ?? ''
  const match = ownName.exec(host)
  if (match !== null && Number(match[1] ?? 80) === request.raw.socket.localPort) return
  throw new HttpProblem(
    'host-not-allowed',
    `The Host header is "${host}": expected localhost, 127.0.0.1 or [::1], with the port of this worker.`,
  )
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
