// Why: what an instance waits for, and what became of a record.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { mergeRecords, type InstanceExplanation, type RecordExplanation, type WorkerFace } from '../../runtime/face.ts'
import { askPeers, isPassedOn } from '../fleet.ts'
import { instanceExplanation, recordExplanation } from '../insight-views.ts'
import { object, problemAnswer, text } from '../schemas.ts'
import { missingInstance } from './instances.ts'
import { missingPartition } from './topics.ts'

interface RecordPlace {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

const recordPlace = object({
  topic: text,
  partition: { type: 'integer', minimum: 0, maximum: 0x7fffffff },
  offset: { type: 'integer', minimum: 0, maximum: 999_999_999_999_999 },
})

export function explainRoutes(app: FastifyInstance, worker: WorkerFace): void {
  app.get<{ Params: { id: string } }>(
    '/instances/:id/explain',
    {
      schema: {
        operationId: 'explainInstance',
        summary:
          'What each open task of an instance waits for, and which records came near lately and why they did not match',
        params: object({ id: text }),
        querystring: object({}),
        response: { 200: instanceExplanation, default: problemAnswer },
      },
    },
    ({ params }) => explainInstance(worker, params.id),
  )

  app.get<{ Params: RecordPlace }>(
    '/topics/:topic/partitions/:partition/records/:offset/explain',
    {
      schema: {
        operationId: 'explainRecord',
        summary: 'What became of a record: which workflow took it, or why none did',
        params: recordPlace,
        querystring: object({}),
        response: { 200: recordExplanation, default: problemAnswer },
      },
    },
    (request) => explainRecord(worker, request.params, request),
  )
}

async function explainInstance(worker: WorkerFace, id: string): Promise<InstanceExplanation> {
  const explanation = await worker.explain.instance(id)
  if (explanation === undefined) throw missingInstance(id)
  return explanation
}

/** What all workers know together. */
async function explainRecord(
  worker: WorkerFace,
  { topic, partition, offset }: RecordPlace,
  request: FastifyRequest,
): Promise<RecordExplanation> {
  const own = await worker.explain.record(topic, partition, offset)
  if (own === undefined) throw await missingPartition(worker, topic, partition)
  if (isPassedOn(request)) return own
  const others = await askPeers(request, worker.fleet)
  return mergeRecords([own, ...others.map(({ body }) => body as RecordExplanation)])
}
