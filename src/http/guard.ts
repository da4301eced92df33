// The door of every route: who asks, whether they may, and a line in the log for each call that changes something.
// It holds ids and names, never what was sent. An address that there is not asks for a token, too: what there is, is
// nobody's business who may not come in.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from '../base/logger.ts'
import type { Caller } from './access.ts'
import type { Doors } from './doors.ts'
import { FailedAttempts } from './failed-attempts.ts'
import { httpLimits } from './limits.ts'
import { HttpProblem } from './problem.ts'
import { isReading, mayDo, roleFor } from './roles.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Absent: nobody is asked who they are, or a probe did not say. */
    caller?: Caller
  }
}

/** Lets in who may come in. Comes before all other hooks that do something. */
export function guard(app: FastifyInstance, doors: Doors, logger: Logger): void {
  const failures = new FailedAttempts()
  let inFlight = 0
  app.addHook('onRequest', async (request, reply) => {
    if (!isReading(request.method)) reply.raw.once('close', () => audit(request, reply, logger))
    const needed = roleFor(request.method, request.routeOptions.url)
    if (doors.access.asks) admit(request, needed)
    if (needed === 'none') return
    if (inFlight >= httpLimits.requestsInFlightMax)
      throw tooMany(`${httpLimits.requestsInFlightMax} requests are under way already.`, 1)
    inFlight += 1
    reply.raw.once('close', () => (inFlight -= 1))
  })

  function admit(request: FastifyRequest, needed: ReturnType<typeof roleFor>): void {
    const caller = doors.access.callerOf(request.headers, request.raw.socket)
    if (typeof caller !== 'string') request.caller = caller
    if (needed === 'none') return
    if (typeof caller === 'string') throw stranger(caller, request)
    if (mayDo(caller.role, needed)) return
    throw new HttpProblem(
      'forbidden',
      `"${caller.name}" has the role ${caller.role}, and this takes ${needed}: ask for a token with that role.`,
    )
  }

  function stranger(why: string, request: FastifyRequest): HttpProblem {
    const address = request.raw.socket.remoteAddress ?? ''
    const waitS = failures.note(address, performance.now())
    if (waitS !== undefined) return tooMany('Too many calls from this address had no token that counts.', waitS)
    logger.warn({ address, method: request.method, requestId: request.id }, `a call was turned away: ${why}`)
    // RFC 6750: what was wrong is told where something was sent.
    const wrong = request.headers.authorization === undefined ? '' : ', error="invalid_token"'
    return new HttpProblem('unauthenticated', why, {}, { 'www-authenticate': `Bearer realm="dagger-worker"${wrong}` })
  }
}

/** Who does it, for the history of an instance: the name that was proved, with what the caller adds to it. */
export function whoOf(
  { caller }: { readonly caller?: Caller | undefined },
  added: string | undefined,
): string | undefined {
  if (caller === undefined) return added
  return added === undefined ? caller.name : `${caller.name} (${added})`
}

function tooMany(detail: string, waitS: number): HttpProblem {
  return new HttpProblem('too-many-requests', detail, {}, { 'retry-after': String(waitS) })
}

function audit(request: FastifyRequest, reply: FastifyReply, logger: Logger): void {
  const { caller, method, id: requestId, params, routeOptions } = request
  const { schema, url } = routeOptions
  logger.info(
    {
      who: caller?.name ?? 'anybody',
      ...(caller?.through === undefined ? {} : { through: caller.through }),
      what: schema?.operationId ?? `${method} ${url ?? '(no such address)'}`,
      target: params,
      // The other side hung up before: what was asked may have been done all the same.
      outcome: reply.raw.headersSent ? reply.raw.statusCode : 'not answered',
      requestId,
      address: request.raw.socket.remoteAddress,
    },
    'audit',
  )
}
