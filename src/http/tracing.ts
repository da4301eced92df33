// What calls of the API have to do with traces. With telemetry each has a span, below what its caller sent; without it
// what the caller sent goes on as it is. Probes, which come every few seconds, have none.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { utf8 } from '../base/utf8.ts'
import type { ProduceRecord } from '../runtime/face.ts'
import {
  traceContextOf,
  traceFields,
  traceHeaders,
  type RequestSpan,
  type TraceContext,
  type Tracer,
} from '../base/tracing.ts'

export type RequestTracer = Pick<Tracer, 'request' | 'within'>

const probes: ReadonlySet<string> = new Set(['/health', '/metrics', '/service/live', '/service/ready'])
const spans = new WeakMap<FastifyRequest, RequestSpan>()

/** What is asked of others, and begun, on behalf of a request goes on from here. */
export const traceOf = (request: FastifyRequest): TraceContext | undefined =>
  spans.get(request)?.trace ?? traceContextOf(request.headers['traceparent'], request.headers['tracestate'])

/** Records that say nothing of a trace themselves go on with that of the request that brought them. */
export function inTraceOf(request: FastifyRequest, records: readonly ProduceRecord[]): readonly ProduceRecord[] {
  const trace = Object.entries(traceHeaders(traceOf(request))).map(([key, value]) => ({ key, value: utf8(value) }))
  if (trace.length === 0) return records
  return records.map((record) => {
    const { headers = [] } = record
    return headers.some(({ key }) => key === 'traceparent') ? record : { ...record, headers: [...headers, ...trace] }
  })
}

/** For lines of the log about a request. */
export function spanFields(request: FastifyRequest): object {
  const span = spans.get(request)
  return span === undefined ? {} : traceFields(span.trace)
}

export function traceRequests(app: FastifyInstance, tracer: RequestTracer): void {
  app.addHook('onRequest', (request, _reply, done) => {
    const route = request.routeOptions.url
    if (route !== undefined && probes.has(route)) return done()
    const span = tracer.request(request.method, traceOf(request))
    spans.set(request, span)
    tracer.within(span.trace, done)
  })
  app.addHook('onResponse', async (request, reply) => {
    spans.get(request)?.end({ route: request.routeOptions.url, status: reply.statusCode })
  })
}
