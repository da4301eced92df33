// Operations: one action on many instances, that goes on by itself and is looked at, and cancelled, from any worker.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Action, InstanceFilter, OperationView, WorkerFace } from '../../runtime/face.ts'
import { askerOf, askPeer, askPeers, everybody, isPassedOn, type Asker, type Question } from '../fleet.ts'
import { checkTimes, filterMembers, filterNames } from '../instance-query.ts'
import { httpLimits } from '../limits.ts'
import type { LongPolls } from '../long-polls.ts'
import { actionKinds, operationView } from '../operation-views.ts'
import { Operations, type OperationRequest } from '../operations.ts'
import { HttpProblem } from '../problem.ts'
import { json, list, object, problemAnswer, text } from '../schemas.ts'
import { kinds, type ActionBody } from './actions.ts'

interface OperationBody extends ActionBody {
  readonly action: Action['kind']
  readonly filter?: Omit<InstanceFilter, 'limit' | 'cursor'>
  readonly all?: boolean
  readonly dryRun?: boolean
  readonly limit?: number
  readonly id?: string
}

/** What the actions take: which, is said by `kinds`. */
const actionMembers = Object.assign({}, ...Object.values(kinds).map(({ members }) => members)) as object
const actionNames = Object.keys(actionMembers)
const operationMembers = {
  action: { enum: actionKinds },
  ...actionMembers,
  payload: json,
  filter: object(filterMembers, filterNames),
  all: { type: 'boolean', description: 'with no filter: all instances that there are' },
  dryRun: { type: 'boolean', description: 'counts what matches, and does nothing' },
  limit: {
    type: 'integer',
    minimum: 1,
    maximum: httpLimits.operationInstancesMax,
    description: 'at most so many instances, the newest of them',
  },
  id: {
    type: 'string',
    pattern: '^op-[0-9a-z]{1,40}$',
    description: 'the id of an operation that was lost with its worker: what that did is not done again',
  },
  by: { type: 'string', maxLength: 100, description: 'who does it, for the history of each instance' },
}
const operationBody = object(
  operationMembers,
  Object.keys(operationMembers).filter((name) => name !== 'action'),
)

const waitQuery = object(
  { waitMs: { type: 'integer', minimum: 0, maximum: httpLimits.operationWaitMsMax, default: 0 } },
  ['waitMs'],
)

export function operationRoutes(app: FastifyInstance, worker: WorkerFace, polls: LongPolls): void {
  const operations = new Operations(worker)
  app.addHook('preClose', async () => operations.close())

  app.post<{ Body: OperationBody }>(
    '/operations',
    {
      schema: {
        operationId: 'startOperation',
        summary: 'Begins to act on all instances that a filter wants, as they are now',
        querystring: object({}),
        body: operationBody,
        response: { 202: operationView, default: problemAnswer },
      },
    },
    async (request, reply) => {
      const asked = requestOf(request.body, askerOf(request))
      if (asked.id !== undefined) await refuseRunning(asked.id, request, worker)
      const operation = operations.start(asked)
      return reply.code(202).header('location', `/operations/${operation.id}`).send(operation)
    },
  )

  app.get(
    '/operations',
    {
      schema: {
        operationId: 'listOperations',
        summary: 'Operations of all workers that answer, the latest first; each is kept as long as its worker runs',
        querystring: object({}),
        response: { 200: object({ items: list(operationView) }), default: problemAnswer },
      },
    },
    (request) => listOf(operations, request, worker),
  )

  app.get<{ Params: { id: string }; Querystring: { waitMs: number } }>(
    '/operations/:id',
    {
      schema: {
        operationId: 'getOperation',
        summary: 'One operation; with waitMs, once it is over or that has passed',
        params: object({ id: text }),
        querystring: waitQuery,
        response: { 200: operationView, default: problemAnswer },
      },
    },
    async (request, reply) => {
      const { id } = request.params
      const { waitMs } = request.query
      const find = async () => operations.find(id)
      const own = waitMs === 0 ? await find() : await polls.wait(() => operations.follow(id, waitMs), find, reply.raw)
      return own ?? (await elsewhere(request, id, worker)).view
    },
  )

  app.post<{ Params: { id: string } }>(
    '/operations/:id/cancel',
    {
      schema: {
        operationId: 'cancelOperation',
        summary: 'Begins nothing else of an operation; what was done stays done',
        params: object({ id: text }),
        querystring: object({}),
        body: object({}),
        response: { 200: operationView, default: problemAnswer },
      },
    },
    (request) => cancel(request.params.id, operations, request, worker),
  )
}

async function listOf(operations: Operations, request: FastifyRequest, { fleet }: WorkerFace) {
  const own = operations.list()
  if (isPassedOn(request)) return { items: own }
  const others = await askPeers(request, fleet, everybody)
  const items = [...own, ...others.flatMap(({ body }) => (body as { items: readonly OperationView[] }).items)]
  return { items: items.toSorted((a, b) => (a.startedAt < b.startedAt ? 1 : -1)) }
}

async function cancel(id: string, operations: Operations, request: FastifyRequest, worker: WorkerFace) {
  const own = operations.cancel(id)
  if (own !== undefined) return own
  const path = `/operations/${encodeURIComponent(id)}`
  const asker = askerOf(request)
  const { url } = await elsewhere({ ...asker, url: path }, id, worker)
  const { status, body } = await askPeer(url, { ...asker, url: `${path}/cancel` }, {})
  if (status !== 200) throw missing(id)
  return body
}

/** Where another worker has it. @throws {HttpProblem} */
async function elsewhere(
  question: Question,
  id: string,
  { fleet }: WorkerFace,
): Promise<{ readonly url: string; readonly view: OperationView }> {
  const [found] = isPassedOn(question) ? [] : await askPeers(question, fleet, everybody)
  if (found === undefined) throw missing(id)
  return { url: found.url, view: found.body as OperationView }
}

function missing(id: string): HttpProblem {
  const detail = `No worker has an operation "${id}": it ended with its worker, or is over for long. What it did is done; to go on with it, start the same with this id.`
  return new HttpProblem('operation-not-found', detail)
}

async function refuseRunning(id: string, request: FastifyRequest, { fleet }: WorkerFace): Promise<void> {
  const found = await askPeers({ ...askerOf(request), url: `/operations/${id}` }, fleet, everybody)
  const isRunning = found.some(({ body }) => (body as OperationView).endedAt === undefined)
  if (isRunning) throw new HttpProblem('operation-running', `The operation ${id} is under way in another worker.`)
}

/** @throws {HttpProblem} */
function requestOf(body: OperationBody, asker: Asker): OperationRequest {
  const { action, filter = {}, all, dryRun, limit, id, by, ...rest } = body
  if (isNarrow(filter) === (all === true))
    throw invalid('/filter', 'says which instances; for all that there are, leave it out and set `all`')
  checkTimes(filter, 'body', '/filter')
  const { members, optional, read } = kinds[action]
  for (const name of actionNames) {
    if (name in rest && !(name in members)) throw invalid(`/${name}`, `is nothing that ${action} takes`)
    if (!(name in rest) && name in members && !optional.includes(name)) throw invalid(`/${name}`, 'is missing')
  }
  return {
    id,
    action: read(rest),
    members: { ...rest },
    filter,
    isDryRun: dryRun === true,
    limit: limit ?? httpLimits.operationInstancesMax,
    by,
    asker,
  }
}

/** True of a filter that leaves something out: nobody stops everything by a filter that happens to be empty. */
function isNarrow(filter: NonNullable<OperationBody['filter']>): boolean {
  return Object.values(filter).some(
    (value) => value !== '' && value !== false && !(Array.isArray(value) && value.length === 0),
  )
}

function invalid(pointer: string, message: string): HttpProblem {
  return new HttpProblem('request-invalid', `${pointer} ${message}.`, {
    violations: [{ in: 'body', pointer, message }],
  })
}
