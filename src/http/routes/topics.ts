// Topics and their records: producing in the shape of Confluent's REST Proxy v2, reading by partition and offset.
import type { FastifyInstance } from 'fastify'
import { nearest } from '../../definition/nearest.ts'
import type { WorkerFace } from '../../runtime/face.ts'
import { httpLimits } from '../limits.ts'
import type { LongPolls } from '../long-polls.ts'
import { HttpProblem } from '../problem.ts'
import {
  answerOf,
  binaryProduceBody,
  jsonProduceBody,
  produceAnswer,
  produceAnswerType,
  produceTypes,
  recordsOf,
} from '../produce-body.ts'
import type { ProduceBody } from '../produce-body.ts'
import { count, list, object, problemAnswer, text } from '../schemas.ts'
import { inTraceOf } from '../tracing.ts'
import { recordView, topicView } from '../views.ts'

interface RecordsQuery {
  readonly offset: string
  readonly limit: number
  readonly waitMs: number
}

const recordsQuery = object(
  {
    offset: {
      type: 'string',
      pattern: '^(earliest|latest|[0-9]{1,15})$',
      description: 'an offset, "earliest" or "latest"',
      default: 'earliest',
    },
    limit: {
      type: 'integer',
      minimum: 1,
      maximum: httpLimits.recordsReadMax,
      default: httpLimits.recordsReadDefault,
    },
    waitMs: { type: 'integer', minimum: 0, maximum: httpLimits.waitMsMax, default: 0 },
  },
  ['offset', 'limit', 'waitMs'],
)

export function topicRoutes(app: FastifyInstance, worker: WorkerFace, polls: LongPolls): void {
  app.get(
    '/topics',
    {
      schema: {
        operationId: 'listTopics',
        summary: 'The topics there are, with their partitions and offsets',
        querystring: object({}),
        response: { 200: object({ topics: list(topicView) }), default: problemAnswer },
      },
    },
    async () => ({ topics: await worker.topics.list() }),
  )

  app.post<{ Params: { topic: string }; Body: ProduceBody }>(
    '/topics/:topic',
    {
      schema: {
        operationId: 'produce',
        summary: 'Produces records; answered once each is durable or refused',
        params: object({ topic: text }),
        querystring: object({}),
        body: {
          content: {
            [produceTypes.plain]: { schema: jsonProduceBody },
            [produceTypes.json]: { schema: jsonProduceBody },
            [produceTypes.binary]: { schema: binaryProduceBody },
          },
        },
        response: {
          200: {
            content: {
              [produceAnswerType]: { schema: produceAnswer },
              [produceTypes.plain]: { schema: produceAnswer },
            },
          },
          default: problemAnswer,
        },
      },
    },
    async (request, reply) => {
      const { topic } = request.params
      // With no body there is no content type, and the schemas, which go by it, have not been asked.
      if (request.body === undefined) {
        throw new HttpProblem('request-invalid', 'body: expected { "records": [{ "key": …, "value": … }] }')
      }
      const records = inTraceOf(request, recordsOf(request.body, request.mediaType))
      const results = await worker.topics.produce(topic, records)
      if (results === undefined) throw await missingTopic(worker, topic)
      const isPlain = request.mediaType === produceTypes.plain
      return reply.type(isPlain ? produceTypes.plain : produceAnswerType).send(answerOf(results))
    },
  )

  app.get<{ Params: { topic: string; partition: number }; Querystring: RecordsQuery }>(
    '/topics/:topic/partitions/:partition/records',
    {
      schema: {
        operationId: 'consume',
        summary: 'Records of a partition from an offset on, waiting up to waitMs for the first',
        params: object({ topic: text, partition: { type: 'integer', minimum: 0, maximum: 0x7fffffff } }),
        querystring: recordsQuery,
        response: { 200: object({ records: list(recordView), nextOffset: count }), default: problemAnswer },
      },
    },
    async (request, reply) => {
      const { topic, partition } = request.params
      const { limit, waitMs } = request.query
      const offset = await offsetOf(worker, topic, partition, request.query.offset)
      const ask = (wait: number) => worker.topics.consume({ topic, partition, offset, limit, waitMs: wait })
      const answer =
        waitMs === 0
          ? await ask(0)
          : await polls.wait(
              () => ask(waitMs),
              () => ask(0),
              reply.raw,
            )
      if (answer === undefined) throw await missingPartition(worker, topic, partition)
      return answer
    },
  )
}

async function offsetOf(worker: WorkerFace, topic: string, partition: number, offset: string): Promise<number> {
  if (offset !== 'earliest' && offset !== 'latest') return Number(offset)
  const found = (await worker.topics.list())
    .find(({ name }) => name === topic)
    ?.partitions.find((one) => one.partition === partition)
  if (found === undefined) throw await missingPartition(worker, topic, partition)
  return offset === 'earliest' ? found.earliest : found.end
}

/** Why there is nothing to be had there. */
export async function missingPartition(worker: WorkerFace, topic: string, partition: number): Promise<HttpProblem> {
  const found = (await worker.topics.list()).find(({ name }) => name === topic)
  if (found === undefined) return missingTopic(worker, topic)
  const numbers = found.partitions.length === 1 ? 'only partition 0' : `partitions 0 to ${found.partitions.length - 1}`
  return new HttpProblem('partition-not-found', `Topic "${topic}" has no partition ${partition}: it has ${numbers}.`, {
    error_code: 40402,
  })
}

async function missingTopic(worker: WorkerFace, topic: string): Promise<HttpProblem> {
  const suggestion = nearest(
    topic,
    (await worker.topics.list()).map(({ name }) => name),
  )
  const hint = suggestion === undefined ? 'GET /topics lists what there is.' : `Did you mean "${suggestion}"?`
  return new HttpProblem('topic-not-found', `There is no topic "${topic}". ${hint}`, {
    error_code: 40401,
    ...(suggestion === undefined ? {} : { suggestion }),
  })
}
