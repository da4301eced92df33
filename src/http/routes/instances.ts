// Instances: starting one, finding one, listing them, following one as it goes on.
import type { FastifyInstance } from 'fastify'
import type { Json } from '../../base/json.ts'
import { nearest } from '../../definition/nearest.ts'
import type { InstanceFilter, StartAnswer, WorkerFace } from '../../runtime/face.ts'
import { isPassedOn, listEverywhere, partitionsHeader } from '../fleet.ts'
import { httpLimits } from '../limits.ts'
import type { LongPolls } from '../long-polls.ts'
import { HttpProblem } from '../problem.ts'
import {
  flag,
  instanceStatuses,
  instanceSummary,
  instanceView,
  json,
  list,
  object,
  problemAnswer,
  text,
  type Schema,
} from '../schemas.ts'

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
    workflow: text,
    status: { enum: instanceStatuses },
    keyPrefix: text,
    incident: flag,
    limit: {
      type: 'integer',
      minimum: 1,
      maximum: httpLimits.instancesListedMax,
      default: httpLimits.instancesListedDefault,
    },
    cursor: text,
  },
  ['workflow', 'status', 'keyPrefix', 'incident', 'limit', 'cursor'],
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
      const { workflow, key, input = null, by } = request.body
      const idempotencyKey = request.headers['idempotency-key']
      const answer = await worker.startInstance({
        workflow,
        input,
        ...(key === undefined ? {} : { key }),
        ...(by === undefined ? {} : { by }),
        ...(typeof idempotencyKey === 'string' ? { idempotencyKey } : {}),
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
      const own = await worker.listInstances({ ...request.query })
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
      const find = () => worker.findInstance(id)
      const follow = () => worker.followInstance(id, seen, waitMs)
      const instance = waitMs === 0 ? await find() : await polls.wait(follow, find, reply.raw)
      if (instance === undefined) throw missingInstance(`There is no instance "${id}", or it is not kept any more.`)
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
  const instance = await worker.findInstanceByKey(workflow, key)
  if (instance !== undefined) return instance
  throw missingInstance(`Workflow "${workflow}" has no instance with the key "${key}", or it is not kept any more.`)
}

function missingInstance(detail: string): HttpProblem {
  return new HttpProblem('instance-not-found', detail)
}

function refusal(answer: StartAnswer & { outcome: 'rejected' }, workflow: string, worker: WorkerFace): HttpProblem {
  const { code, message, violations } = answer
  const names = code === 'workflow-not-found' ? worker.view().workflows.map(({ name }) => name) : []
  const suggestion = nearest(workflow, names)
  return new HttpProblem(code, message, {
    ...(violations === undefined ? {} : { violations }),
    ...(suggestion === undefined ? {} : { suggestion }),
  })
}
