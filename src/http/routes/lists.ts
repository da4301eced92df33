// Timers, subscriptions and kept records, each of all workers in one order.
import type { FastifyInstance } from 'fastify'
import { timerKinds, type ChannelFilter, type TimerFilter, type WorkerFace } from '../../runtime/face.ts'
import { keptView, subscriptionView, timerView } from '../insight-views.ts'
import { boundsQuery, orderedAnswer, orderEverywhere } from '../ordered.ts'
import { flag, object, text } from '../schemas.ts'

const timerQuery = { workflow: text, kind: { enum: timerKinds }, all: flag, ...boundsQuery }
const channelQuery = { workflow: text, topic: text, value: text, ...boundsQuery }
const keptQuery = { ...channelQuery, withRecord: flag }

export function listRoutes(app: FastifyInstance, worker: WorkerFace): void {
  app.get<{ Querystring: TimerFilter }>(
    '/timers',
    {
      schema: {
        operationId: 'listTimers',
        summary: 'Timers, the one that is due next first; with `all` also those that only forget what is over',
        querystring: object(timerQuery, Object.keys(timerQuery)),
        response: orderedAnswer(timerView),
      },
    },
    (request, reply) => {
      const { query } = request
      return orderEverywhere(worker.lists.timers(query), query.limit, worker, request, reply)
    },
  )

  app.get<{ Querystring: ChannelFilter }>(
    '/subscriptions',
    {
      schema: {
        operationId: 'listSubscriptions',
        summary: 'What listeners wait for: the values of each workflow and topic, and who waits for each',
        querystring: object(channelQuery, Object.keys(channelQuery)),
        response: orderedAnswer(subscriptionView),
      },
    },
    (request, reply) => {
      const { query } = request
      return orderEverywhere(worker.lists.subscriptions(query), query.limit, worker, request, reply)
    },
  )

  app.get<{ Querystring: ChannelFilter & { readonly withRecord?: boolean } }>(
    '/kept-records',
    {
      schema: {
        operationId: 'listKeptRecords',
        summary: 'Records that came before their listener and are kept for it; `withRecord` for their values as well',
        querystring: object(keptQuery, Object.keys(keptQuery)),
        response: orderedAnswer(keptView),
      },
    },
    (request, reply) => {
      const { query } = request
      return orderEverywhere(worker.lists.kept(query), query.limit, worker, request, reply)
    },
  )
}
