// Instances: starting one, finding one, listing them, following one as it goes on.
import type { FastifyInstance } from 'fastify'
import type { Json } from '../../base/json.ts'
import { nearest } from '../../definition/nearest.ts'
import type { InstanceFilter, StartAnswer, WorkerFace } from '../../runtime/face.ts'
import { isPassedOn, listEverywhere, partitionsHeader } from '../fleet.ts'
import { whoOf } from '../guard.ts'
import { checkTimes, filterMembers, filterNames } from '../instance-query.ts'
import { httpLimits } from '../limits.ts'
import type { LongPolls } from '../long-polls.ts'
import { HttpProblem } from '../problem.ts'
import { json, list, object, problemAnswer, text, type Schema } from '../schemas.ts'
import { traceOf } from '../tracing.ts'
import { instanceSummary, instanceView } from '../views.ts'

interface StartBody {
  readonly workflow: string
  readonly key?: string
  readonly input?: Json
  readonly by?: string
}

const who: Schema = { type: 'string', maxLength: 200, description: "who does it, for the instance's history" }
const startBody = object({ workflow: text, key: text, input: json, by: who }, ['key', 'input', 'by'])

const startAnswer = object({
  outcome: { enum: ['started', 'repeated', 'ignored'] },
  instanceId: text,
  key: text,
})

const queuedAnswer = object({ outcome: { enum: ['queued'] }, key: text, place: { type: 'integer', minimum: 1 } })

const idempotencyHeader = {
  type: 'object',
  properties: {
    'idempotency-key': {
      type: 'string',
      pattern: '^[ -~]{1,200}$',
      description: '1 to 200 printable ASCII characters',
    },
  },
}

const filterQuery = object(
  {
    ...filterMembers,
    limit: {
      type: 'integer',
      minimum: 1,
      maximum: httpLimits.instancesListedMax,
      default: httpLimits.instancesListedDefault,
    },
    cursor: text,
  },
  [...filterNames, 'limit', 'cursor'],
)

interface FollowQuery {
  readonly waitMs: number
  readonly seen: number
}

const followQuery = object(
  {
    waitMs: { type: 'integer', minimum: 0, maximum: httpLimits.waitMsMax, default: 0 },
    seen: { type: 'integer', minimum: 0, default: 0, description: "the timeline's length with what was dropped" },
  },
  ['waitMs', 'seen'],
)

export function instanceRoutes(app: FastifyInstance, worker: WorkerFace, polls: LongPolls): void {
  app.post<{ Body: StartBody }>(
    '/instances',
    {
      schema: {
        operationId: 'startInstance',
        summary: 'Starts an instance; the same Idempotency-Key again gives the first answer',
        headers: idempotencyHeader,
        querystring: object({}),
        body: startBody,
        response: { 200: startAnswer, 201: startAnswer, 202: queuedAnswer, default: problemAnswer },
      },
    },
    async (request, reply) => {
      const { workflow, key, input = null } = request.body
      const by = whoOf(request, request.body.by)
      const idempotencyKey = request.headers['idempotency-key']
      const trace = traceOf(request)
      const answer = await worker.instances.start({
        workflow,
        input,
        ...(trace === undefined ? {} : { trace }),
        ...(key === undefined ? {} : { key }),
        ...(typeof idempotencyKey === 'string' ? { idempotencyKey } : {}),
        ...(by === undefined ? {} : { by }),
      })
      if (answer.outcome === 'rejected') throw refusal(answer, workflow, worker)
      if (answer.outcome === 'queued') return reply.code(202).send(answer)
      return reply
        .code(answer.outcome === 'started' ? 201 : 200)
        .header('location', `/instances/${encodeURIComponent(answer.instanceId)}`)
        .send(answer)
    },
  )

  app.get<{ Querystring: InstanceFilter }>(
    '/instances',
    {
      schema: {
        operationId: 'listInstances',
        summary: 'Instances, newest first; `next` is the cursor of the page after',
        querystring: filterQuery,
        response: { 200: object({ items: list(instanceSummary), next: text }, ['next']), default: problemAnswer },
      },
    },
    async (request, reply) => {
      checkTimes(request.query, 'query')
      const own = await worker.instances.list({ ...request.query })
      if (isPassedOn(request)) reply.header(partitionsHeader, own.partitions.join(','))
      const page = isPassedOn(request) ? own : await listEverywhere(own, request.query.limit, request, worker)
      const { partitions: _, ...rest } = page
      return rest
    },
  )

  app.get<{ Params: { id: string }; Querystring: FollowQuery }>(
    '/instances/:id',
    {
      schema: {
        operationId: 'getInstance',
        summary: 'One instance; with waitMs, once its timeline differs from the length in `seen`',
        params: object({ id: text }),
        querystring: followQuery,
        response: { 200: instanceView, default: problemAnswer },
      },
    },
    async (request, reply) => {
      const { id } = request.params
      const { waitMs, seen } = request.query
      const find = () => worker.instances.find(id)
      const follow = () => worker.instances.follow(id, seen, waitMs)
      const instance = waitMs === 0 ? await find() : await polls.wait(follow, find, reply.raw)
      if (instance === undefined) throw missingInstance(id)
      return instance
    },
  )

  app.get<{ Params: { workflow: string; key: string } }>(
    '/instances/by-key/:workflow/:key',
    {
      schema: {
        operationId: 'getInstanceByKey',
        summary: 'The latest instance of a workflow with a business key',
        params: object({ workflow: text, key: text }),
        querystring: object({}),
        response: { 200: instanceView, default: problemAnswer },
      },
    },
    (request) => findByKey(worker, request.params),
  )
}

async function findByKey(worker: WorkerFace, { workflow, key }: { workflow: string; key: string }) {
  const instance = await worker.instances.findByKey(workflow, key)
  if (instance !== undefined) return instance
  const detail = `Workflow "${workflow}" has no instance with the key "${key}", or it is not kept any more.`
  throw new HttpProblem('instance-not-found', detail)
}

/** There is none of this id. */
export const missingInstance = (id: string): HttpProblem =>
  new HttpProblem('instance-not-found', `There is no instance "${id}", or it is not kept any more.`)

function refusal(answer: StartAnswer & { outcome: 'rejected' }, workflow: string, worker: WorkerFace): HttpProblem {
  const { code, message, violations } = answer
  const names = code === 'workflow-not-found' ? worker.view().workflows.map(({ name }) => name) : []
  const suggestion = nearest(workflow, names)
  return new HttpProblem(code, message, {
    ...(violations === undefined ? {} : { violations }),
    ...(suggestion === undefined ? {} : { suggestion }),
  })
}
