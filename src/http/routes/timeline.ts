// The timeline of an instance by itself, page by page: entries are numbered from 1 as they come, so that a number says where
// to go on, here and in the stream of events.
import type { FastifyInstance } from 'fastify'
import type { InstanceView, TimelineEntry, WorkerFace } from '../../runtime/face.ts'
import { httpLimits } from '../limits.ts'
import { count, list, object, problemAnswer, text } from '../schemas.ts'
import { numberedEntry } from '../views.ts'
import { missingInstance } from './instances.ts'

export interface NumberedEntry extends TimelineEntry {
  readonly number: number
}

interface TimelineQuery {
  readonly after: number
  readonly limit: number
  readonly task?: string
}

const timelineQuery = object(
  {
    after: {
      type: 'integer',
      minimum: 0,
      default: 0,
      description: '`next` of the page before: entries behind that one',
    },
    limit: {
      type: 'integer',
      minimum: 1,
      maximum: httpLimits.itemsListedMax,
      default: httpLimits.itemsListedDefault,
    },
    task: text,
  },
  ['after', 'limit', 'task'],
)

export function timelineRoutes(app: FastifyInstance, worker: WorkerFace): void {
  app.get<{ Params: { id: string }; Querystring: TimelineQuery }>(
    '/instances/:id/timeline',
    {
      schema: {
        operationId: 'getTimeline',
        summary:
          'What happened to an instance, the oldest first; the oldest that are not kept any more are counted in `dropped`',
        params: object({ id: text }),
        querystring: timelineQuery,
        response: {
          200: object({ items: list(numberedEntry), dropped: count, next: count }, ['next']),
          default: problemAnswer,
        },
      },
    },
    ({ params, query }) => pageOf(worker, params.id, query),
  )
}

async function pageOf(worker: WorkerFace, id: string, { after, limit, task }: TimelineQuery) {
  const instance = await worker.instances.find(id)
  if (instance === undefined) throw missingInstance(id)
  const wanted = entriesAfter(instance, after).filter((entry) => task === undefined || entry.task === task)
  const items = wanted.slice(0, limit)
  const next = wanted.length > limit ? items.at(-1)?.number : undefined
  return { items, dropped: instance.timelineDropped, ...(next === undefined ? {} : { next }) }
}

/** The entries behind one, with their numbers. */
export function entriesAfter({ timeline, timelineDropped }: InstanceView, after: number): readonly NumberedEntry[] {
  return timeline
    .map((entry, index) => ({ number: timelineDropped + index + 1, ...entry }))
    .filter(({ number }) => number > after)
}
