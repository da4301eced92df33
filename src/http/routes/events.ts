// Live views: what happens to one instance, and which instances change, as server-sent events.
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { InstanceStatus, InstanceSummary, InstanceView, WorkerFace } from '../../runtime/face.ts'
import { eventStreamType, type EventStream, type EventStreams } from '../event-stream.ts'
import { isPassedOn, openOfPeer } from '../fleet.ts'
import { httpLimits } from '../limits.ts'
import { object, problemAnswer, text } from '../schemas.ts'
import { instanceStatuses } from '../views.ts'
import { missingInstance } from './instances.ts'
import { entriesAfter } from './timeline.ts'

interface After {
  readonly after: number
}

interface Filter {
  readonly workflow?: string
  readonly status?: InstanceStatus
}

const stream = { 200: { content: { [eventStreamType]: { schema: text } } }, default: problemAnswer }
const lastEventId = {
  type: 'object',
  properties: { 'last-event-id': { type: 'string', pattern: '^[0-9]{1,15}$' } },
}

export function eventRoutes(app: FastifyInstance, worker: WorkerFace, streams: EventStreams): void {
  app.get<{ Params: { id: string }; Querystring: After }>(
    '/instances/:id/events',
    {
      exposeHeadRoute: false,
      schema: {
        operationId: 'streamInstance',
        summary:
          'The timeline of an instance, as events as they come: `timeline` with an id, `dropped`, and `end` with its status. Last-Event-ID, or `after`, goes on behind an entry',
        params: object({ id: text }),
        headers: lastEventId,
        querystring: object({ after: { type: 'integer', minimum: 0, default: 0 } }, ['after']),
        response: stream,
      },
    },
    async (request, reply) => {
      const { id } = request.params
      const instance = await worker.instances.find(id)
      if (instance === undefined) throw missingInstance(id)
      const opened = streams.open()
      opened.send(reply)
      const last = request.headers['last-event-id']
      void tell(instance, last === undefined ? request.query.after : Number(last), opened, worker)
      await reply
    },
  )

  app.get<{ Querystring: Filter }>(
    '/events',
    {
      exposeHeadRoute: false,
      schema: {
        operationId: 'streamInstances',
        summary:
          'Instances as they change from now on, as events: `instance` with what a list has of it, once for several changes that follow each other; `skipped` counts what came too fast. It ends when other workers come or go: ask again',
        querystring: object({ workflow: text, status: { enum: instanceStatuses } }, ['workflow', 'status']),
        response: stream,
      },
    },
    async (request, reply) => {
      const opened = streams.open()
      opened.send(reply)
      tellOfAll(opened, request.query, worker)
      if (!isPassedOn(request)) tellOfPeers(opened, request, worker)
      await reply
    },
  )
}

/** What has happened to an instance, and what does, to its end. */
async function tell(first: InstanceView, after: number, to: EventStream, worker: WorkerFace): Promise<void> {
  let instance: InstanceView | undefined = first
  let seen = Math.min(after, first.timelineDropped + first.timeline.length)
  try {
    while (instance !== undefined && !to.isOver) {
      if (instance.timelineDropped > seen) {
        to.push({ event: 'dropped', data: { count: instance.timelineDropped - seen } })
        seen = instance.timelineDropped
      }
      for (const entry of entriesAfter(instance, seen)) {
        to.push({ id: entry.number, event: 'timeline', data: entry })
        seen = entry.number
      }
      if (instance.endedAt !== undefined) {
        to.push({ event: 'end', data: { status: instance.status } })
        break
      }
      instance = await worker.instances.follow(first.id, seen, httpLimits.streamHeartbeatMs)
    }
  } catch {
    // It lives elsewhere by now, or cannot be read: the client asks again, and goes on behind what it has seen.
  }
  to.end()
}

/** Changes of this worker, together where they follow each other. */
function tellOfAll(to: EventStream, { workflow, status }: Filter, worker: WorkerFace): void {
  const pending = new Map<string, InstanceSummary>()
  let skipped = 0
  const unwatch = worker.instances.watch((changed) => {
    for (const each of changed) {
      if ((workflow ?? each.workflow) !== each.workflow || (status ?? each.status) !== each.status) continue
      if (pending.size < httpLimits.streamPendingMax || pending.has(each.id)) pending.set(each.id, each)
      else skipped += 1
    }
  })
  const flushing = setInterval(() => {
    for (const each of pending.values()) to.push({ event: 'instance', data: each })
    pending.clear()
    if (skipped > 0) to.push({ event: 'skipped', data: { count: skipped } })
    skipped = 0
  }, httpLimits.streamFlushMs).unref()
  to.onEnd(() => {
    unwatch()
    clearInterval(flushing)
  })
}

/** Changes of the other workers, as they tell them. Where one comes or goes, the stream ends. */
function tellOfPeers(to: EventStream, request: FastifyRequest, worker: WorkerFace): void {
  const urls = (): readonly string[] =>
    worker.fleet.peers().flatMap(({ owned, url }) => (owned.length > 0 ? [url] : []))
  const asked = urls()
  const known = asked.join(' ')
  to.onBeat(() => {
    if (urls().join(' ') !== known) to.end()
  })
  for (const url of asked) void tellOfPeer(to, url, request)
}

async function tellOfPeer(to: EventStream, url: string, request: FastifyRequest): Promise<void> {
  const gone = new AbortController()
  to.onEnd(() => gone.abort())
  try {
    const body = await openOfPeer(url, request, gone.signal)
    let text = ''
    for await (const piece of Readable.fromWeb(body).setEncoding('utf8')) {
      const events = `${text}${String(piece)}`.split('\n\n')
      text = events.pop() ?? ''
      for (const event of events) if (event.startsWith('event: ')) to.write(`${event}\n\n`)
    }
  } catch {
    // It is gone, and so is what it would have told.
  }
  to.end()
}
