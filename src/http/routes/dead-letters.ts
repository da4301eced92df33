// Dead letters: what could not be used, why, and giving it to its topic again.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { parseTime } from '../../definition/time.ts'
import type { DeadLetterFilter, WorkerFace } from '../../runtime/face.ts'
import { whoOf } from '../guard.ts'
import { httpLimits } from '../limits.ts'
import { HttpProblem } from '../problem.ts'
import { count, flag, list, object, problemAnswer, text, time } from '../schemas.ts'
import { deadLetterSummary, deadLetterView, redrivenTo, redriveResult, redriveView } from '../views.ts'

interface Filter {
  readonly reason?: string
  readonly topic?: string
  readonly workflow?: string
  readonly since?: string
  readonly until?: string
}

const filterMembers = {
  reason: text,
  topic: { type: 'string', description: 'the one that they came from' },
  workflow: text,
  since: time,
  until: time,
}
const filterNames = Object.keys(filterMembers)

const listQuery = object(
  {
    ...filterMembers,
    pending: { type: 'boolean', description: 'only those that were not redriven' },
    limit: {
      type: 'integer',
      minimum: 1,
      maximum: httpLimits.deadLettersListedMax,
      default: httpLimits.deadLettersListedDefault,
    },
    cursor: { type: 'string', pattern: String.raw`^\d{1,15}(\.\d{1,15})*$` },
  },
  [...filterNames, 'pending', 'limit', 'cursor'],
)

const place = object({
  partition: { type: 'integer', minimum: 0, maximum: 0x7fffffff },
  offset: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
})

interface RedriveBody {
  readonly toTopic?: string
  readonly again?: boolean
  readonly by?: string
}

const redriveMembers = {
  toTopic: { type: 'string', description: 'another one than it came from' },
  again: { type: 'boolean', description: 'also where it was redriven already' },
  by: { type: 'string', maxLength: 200, description: 'who has it done' },
}

interface RedriveManyBody extends Filter, RedriveBody {
  readonly dryRun?: boolean
  readonly limit?: number
  readonly cursor?: string
}

const redriveManyBody = object(
  {
    ...filterMembers,
    ...redriveMembers,
    dryRun: flag,
    limit: { type: 'integer', minimum: 1, maximum: httpLimits.deadLettersRedrivenMax },
    cursor: { type: 'string', pattern: String.raw`^\d{1,10}@\d{1,15}/\d{1,15}(\.\d{1,15})*$` },
  },
  [...filterNames, 'toTopic', 'again', 'by', 'dryRun', 'limit', 'cursor'],
)

const redriveManyAnswer = object(
  {
    redriven: count,
    failed: count,
    alreadyRedriven: count,
    results: list(redriveResult),
    stopped: object({ code: text, message: text }),
    next: text,
  },
  ['stopped', 'next'],
)

export function deadLetterRoutes(app: FastifyInstance, worker: WorkerFace): void {
  app.get<{ Querystring: Filter & { readonly pending?: boolean; readonly limit: number; readonly cursor?: string } }>(
    '/dead-letters',
    {
      schema: {
        operationId: 'listDeadLetters',
        summary: 'Dead letters, newest first; `next` is the cursor of the page after, which may be there with no items',
        querystring: listQuery,
        response: { 200: object({ items: list(deadLetterSummary), next: text }, ['next']), default: problemAnswer },
      },
    },
    (request) => {
      const { pending, limit, cursor, ...filter } = request.query
      return worker.deadLetters.list({
        ...filterOf(filter, 'query'),
        limit,
        ...(pending === undefined ? {} : { pending }),
        ...(cursor === undefined ? {} : { cursor }),
      })
    },
  )

  app.get<{ Params: { partition: number; offset: number } }>(
    '/dead-letters/:partition/:offset',
    {
      schema: {
        operationId: 'getDeadLetter',
        summary: 'One dead letter: the original with its headers, and why and whence it came',
        params: place,
        querystring: object({}),
        response: { 200: deadLetterView, default: problemAnswer },
      },
    },
    (request) => findLetter(worker, request.params),
  )

  app.post<{ Params: { partition: number; offset: number }; Body: RedriveBody }>(
    '/dead-letters/:partition/:offset/redrive',
    {
      schema: {
        operationId: 'redriveDeadLetter',
        summary: 'Produces the original to its topic and partition again; once, however often it is asked',
        params: place,
        querystring: object({}),
        body: object(redriveMembers, ['toTopic', 'again', 'by']),
        response: {
          200: object({ outcome: { enum: ['already-redriven'] }, redriven: redriveView }),
          201: object({ outcome: { enum: ['redriven'] }, to: redrivenTo }),
          default: problemAnswer,
        },
      },
    },
    async (request, reply) => {
      const { partition, offset } = request.params
      const answer = await worker.deadLetters.redrive(partition, offset, { ...request.body, ...byOf(request) })
      if (answer.outcome === 'refused') throw new HttpProblem(answer.code, answer.message)
      return reply.code(answer.outcome === 'redriven' ? 201 : 200).send(answer)
    },
  )

  app.post<{ Body: RedriveManyBody }>(
    '/dead-letters/redrive',
    {
      schema: {
        operationId: 'redriveDeadLetters',
        summary: 'Redrives those that a filter wants, partition by partition, the oldest first; `next` goes on',
        querystring: object({}),
        body: redriveManyBody,
        response: { 200: redriveManyAnswer, default: problemAnswer },
      },
    },
    (request) => {
      const { dryRun = false, limit = httpLimits.deadLettersRedrivenDefault, ...rest } = request.body
      const { toTopic, again, by: _, cursor, ...filter } = rest
      return worker.deadLetters.redriveMany({
        ...filterOf(filter, 'body'),
        limit,
        ...(toTopic === undefined ? {} : { toTopic }),
        ...(again === undefined ? {} : { again }),
        ...byOf(request),
        isDryRun: dryRun,
        ...(cursor === undefined ? {} : { cursor }),
      })
    },
  )
}

async function findLetter(worker: WorkerFace, { partition, offset }: { partition: number; offset: number }) {
  const letter = await worker.deadLetters.find(partition, offset)
  if (letter !== undefined) return letter
  throw new HttpProblem('dead-letter-not-found', `There is no dead letter ${partition}@${offset}, or not any more.`)
}

/** @throws {HttpProblem} request-invalid: a time that is none. */
function filterOf({ since, until, ...filter }: Filter, where: 'query' | 'body'): DeadLetterFilter {
  return {
    ...filter,
    ...(since === undefined ? {} : { sinceMs: timeOf(since, where, 'since') }),
    ...(until === undefined ? {} : { untilMs: timeOf(until, where, 'until') }),
  }
}

function timeOf(given: string, where: 'query' | 'body', name: string): number {
  const ms = parseTime(given)
  if (ms !== undefined) return ms
  const message = 'expected a time as RFC 3339 has it, such as 2030-01-31T06:00:00Z'
  const violations = [{ in: where, pointer: `/${name}`, message }] as const
  throw new HttpProblem('request-invalid', `${where} /${name}: ${message}`, { violations })
}

function byOf(request: FastifyRequest<{ Body: RedriveBody }>): { readonly by?: string } {
  const by = whoOf(request, request.body.by)
  return by === undefined ? {} : { by }
}
