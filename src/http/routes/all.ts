// Every route there is.
import type { FastifyInstance } from 'fastify'
import type { WorkerFace } from '../../runtime/face.ts'
import { addAliases } from '../aliases.ts'
import { parseBody } from '../json-body.ts'
import type { EventStreams } from '../event-stream.ts'
import type { LongPolls } from '../long-polls.ts'
import { produceTypes } from '../produce-body.ts'
import { actionRoutes } from './actions.ts'
import { deadLetterRoutes } from './dead-letters.ts'
import { eventRoutes } from './events.ts'
import { explainRoutes } from './explain.ts'
import { instanceRoutes } from './instances.ts'
import { listRoutes } from './lists.ts'
import { operationRoutes } from './operations.ts'
import { serviceRoutes } from './service.ts'
import { standingRoutes } from './standing.ts'
import { timelineRoutes } from './timeline.ts'
import { topicRoutes } from './topics.ts'
import { workflowRoutes } from './workflows.ts'

/** Adds them. */
export function allRoutes(app: FastifyInstance, worker: WorkerFace, polls: LongPolls, streams: EventStreams): void {
  addAliases(app)
  serviceRoutes(app, worker)
  workflowRoutes(app, worker)
  instanceRoutes(app, worker, polls)
  timelineRoutes(app, worker)
  eventRoutes(app, worker, streams)
  explainRoutes(app, worker)
  listRoutes(app, worker)
  standingRoutes(app, worker)
  actionRoutes(app, worker)
  operationRoutes(app, worker, polls)
  deadLetterRoutes(app, worker)
  // A scope of its own: only here are Confluent's content types accepted.
  void app.register(async (scope) => {
    for (const type of [produceTypes.json, produceTypes.binary])
      scope.addContentTypeParser(type, { parseAs: 'buffer' }, parseBody)
    topicRoutes(scope, worker, polls)
  })
}
