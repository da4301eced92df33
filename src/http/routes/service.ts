// How the worker is: for load balancers (ready) and for people and tools (health).
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { WorkerFace, WorkerView } from '../../runtime/face.ts'
import { metricsText, metricsTypeFor } from '../metrics.ts'
import { count, flag, list, object, problemAnswer, text } from '../schemas.ts'
import { partitionPhases, workerRecord, workerView } from '../views.ts'

const phaseCounts = Object.fromEntries(partitionPhases.map((phase) => [phase, count]))
const readiness = object({ ready: flag, problems: list(text), partitions: object({ total: count, ...phaseCounts }) })

const liveness = object({ live: flag, problems: list(text) })

/** A probe has no token: it needs the answer, and not the reasons, which name what there is. */
const isStranger = ({ server, caller }: FastifyRequest): boolean => server.doors.access.asks && caller === undefined

export function serviceRoutes(app: FastifyInstance, worker: WorkerFace): void {
  app.get(
    '/service/ready',
    {
      schema: {
        operationId: 'isReady',
        summary: 'Whether the worker takes work: 200 if so, 503 with the reasons if not',
        response: {
          200: readiness,
          503: { content: { 'application/json': { schema: readiness }, ...problemAnswer.content } },
          default: problemAnswer,
        },
        querystring: object({}),
      },
    },
    async (request, reply) => {
      const view = worker.view()
      const told = isStranger(request) ? { ...view, problems: [] } : view
      return reply.code(view.isReady ? 200 : 503).send(readinessOf(told))
    },
  )

  app.get(
    '/service/live',
    {
      schema: {
        operationId: 'isLive',
        summary:
          'Whether the worker goes on by itself: 503 where it has to be started anew. Waiting for Kafka is no reason',
        response: {
          200: liveness,
          503: { content: { 'application/json': { schema: liveness }, ...problemAnswer.content } },
          default: problemAnswer,
        },
        querystring: object({}),
      },
    },
    async (request, reply) => {
      const problems = worker.stuck()
      const isLive = problems.length === 0
      return reply.code(isLive ? 200 : 503).send({ live: isLive, problems: isStranger(request) ? [] : problems })
    },
  )

  app.get(
    '/metrics',
    {
      schema: {
        operationId: 'getMetrics',
        summary: 'What the worker counts and measures, as Prometheus reads it',
        response: {
          200: { content: { 'text/plain': { schema: text }, 'application/openmetrics-text': { schema: text } } },
          default: problemAnswer,
        },
        querystring: object({}),
      },
    },
    async (request, reply) => {
      const type = metricsTypeFor(request.headers.accept)
      return reply.type(type).send(await metricsText(worker.metrics, type))
    },
  )

  app.get(
    '/workers',
    {
      schema: {
        operationId: 'listWorkers',
        summary:
          'The workers of the application that were heard of lately: what each runs and keeps copies of, and how far',
        response: { 200: object({ items: list(workerRecord) }), default: problemAnswer },
        querystring: object({}),
      },
    },
    async () => ({ items: worker.fleet.all() }),
  )

  app.get(
    '/health',
    {
      schema: {
        operationId: 'getHealth',
        summary: 'All that the worker knows about itself; 200 as long as it can say so',
        response: { 200: workerView, default: problemAnswer },
        querystring: object({}),
      },
    },
    async () => worker.view(),
  )

  app.get(
    '/openapi.json',
    {
      schema: {
        operationId: 'getOpenApi',
        summary: 'What can be asked here, as OpenAPI 3.1: this document',
        querystring: object({}),
        response: { 200: { type: 'object' }, default: problemAnswer },
      },
    },
    async () => app.swagger(),
  )
}

function readinessOf(view: WorkerView) {
  const partitions: { [phase: string]: number } = { total: view.partitions.length }
  for (const phase of partitionPhases) {
    partitions[phase] = view.partitions.filter((partition) => partition.phase === phase).length
  }
  return { ready: view.isReady, problems: view.problems, partitions }
}
