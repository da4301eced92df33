// How things stand: every partition of the application, and in one answer what is stuck, what would be lost, and how far
// behind it is.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { PartitionStanding, WorkerFace } from '../../runtime/face.ts'
import { askPeers, everybody, isPassedOn } from '../fleet.ts'
import { incidents, partitionStanding, workerStanding } from '../insight-views.ts'
import { count, flag, list, object, problemAnswer, text, time } from '../schemas.ts'
import { lettersLately, statusOf, type StatusView } from '../status.ts'

const reasonCodes: readonly StatusView['reasons'][number]['code'][] = [
  'partition-stopped',
  'incidents',
  'timers-overdue',
  'dead-letters',
  'definitions',
  'problem',
  'far-behind',
  'not-running',
  'silent',
]

const statusView = object({
  verdict: { enum: ['well', 'needs-a-person', 'unknown'] },
  reasons: list(object({ code: { enum: reasonCodes }, message: text })),
  workers: list(workerStanding),
  silent: list(object({ worker: text, url: text })),
  missing: list(count),
  behind: list(object({ topic: text, behind: count, oldestUnreadAt: time }, ['oldestUnreadAt'])),
  incidents: Object(incidents).properties.groups,
  deadLetters: object({ since: time, byReason: list(object({ reason: text, count })), isCut: flag }),
})

export function standingRoutes(app: FastifyInstance, worker: WorkerFace): void {
  app.get(
    '/partitions',
    {
      schema: {
        operationId: 'listPartitions',
        summary:
          'Every partition: who owns it, how far it is in what it reads, its changelog and its copies; `missing` are told of by no worker',
        querystring: object({}),
        response: { 200: object({ items: list(partitionStanding), missing: list(count) }), default: problemAnswer },
      },
    },
    (request) => partitions(request, worker),
  )

  app.get(
    '/status',
    {
      schema: {
        operationId: 'getStatus',
        summary:
          'How the application stands: what is stuck and why, where what was committed lies, how far behind it is',
        querystring: object({}),
        response: { 200: statusView, default: problemAnswer },
      },
    },
    (request) => status(request, worker),
  )
}

async function partitions(request: FastifyRequest, worker: WorkerFace) {
  const own = await worker.standing.partitions()
  const others = isPassedOn(request) ? [] : await askPeers(request, worker.fleet, everybody)
  const theirs = others.flatMap(({ body }) => (body as { items: readonly PartitionStanding[] }).items)
  const items = [...own, ...theirs].toSorted((a, b) => a.partition - b.partition)
  const told = new Set(items.map(({ partition }) => partition))
  const missing = [...Array(worker.partitionsInAll).keys()].filter((partition) => !told.has(partition))
  return { items, missing }
}

async function status(request: FastifyRequest, worker: WorkerFace): Promise<StatusView> {
  const nowMs = Date.now()
  const own = await worker.standing.worker()
  if (isPassedOn(request)) {
    const none = { since: new Date(nowMs).toISOString(), byReason: [], isCut: false }
    return statusOf({ workers: [own], deadLetters: none, peers: [] }, 0, nowMs)
  }
  const [others, deadLetters] = await Promise.all([
    askPeers(request, worker.fleet, everybody),
    lettersLately(worker, nowMs),
  ])
  const workers = [own, ...others.flatMap(({ body }) => (body as StatusView).workers)]
  return statusOf({ workers, deadLetters, peers: worker.fleet.peers() }, worker.partitionsInAll, nowMs)
}
