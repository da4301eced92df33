// What people and systems do to an instance: one address for each action.
import type { FastifyInstance } from 'fastify'
import type { Json } from '../../base/json.ts'
import type { Action, WorkerFace } from '../../runtime/face.ts'
import { whoOf } from '../guard.ts'
import { HttpProblem } from '../problem.ts'
import { json, object, problemAnswer, text, type Schema } from '../schemas.ts'

export interface ActionBody {
  readonly name?: string
  readonly payload?: Json
  readonly reason?: string
  readonly task?: string
  readonly input?: Json
  readonly output?: Json
  readonly vars?: { readonly [name: string]: Json }
  readonly by?: string
}

interface Kind {
  readonly summary: string
  readonly members: { readonly [name: string]: Schema }
  readonly optional: readonly string[]
  readonly read: (body: ActionBody) => Action
}

const task = { task: { type: 'string', description: 'its name: "charge", "each[3].charge"' } }
const by = {
  by: {
    type: 'string',
    maxLength: 200,
    description: "who does it, for the instance's history; behind the name where that is known",
  },
}
const reason = { reason: { type: 'string', maxLength: 2_000 } }
const vars: Schema = {
  type: 'object',
  minProperties: 1,
  propertyNames: { type: 'string', pattern: '^[A-Za-z_][A-Za-z0-9_]{0,99}$' },
}

/** The actions that there are, and what each takes. */
export const kinds: { readonly [kind in Action['kind']]: Kind } = {
  signal: {
    summary: 'Sends a signal: to the task that waits for it, or to one that will',
    members: { name: text, payload: json },
    optional: ['payload'],
    read: ({ name = '', payload = null }) => ({ kind: 'signal', name, payload }),
  },
  suspend: {
    summary: 'Suspends: it starts nothing, and keeps collecting what comes',
    members: {},
    optional: [],
    read: () => ({ kind: 'suspend' }),
  },
  resume: {
    summary: 'Resumes: what was collected is applied in its order',
    members: {},
    optional: [],
    read: () => ({ kind: 'resume' }),
  },
  stop: {
    summary: 'Stops: handlers clean up, nothing is compensated',
    members: reason,
    optional: ['reason'],
    read: ({ reason: why = 'stopped by hand' }) => ({ kind: 'stop', reason: why }),
  },
  fail: {
    summary: 'Fails: everything stops, and what was done is compensated',
    members: reason,
    optional: ['reason'],
    read: ({ reason: why = 'failed by hand' }) => ({ kind: 'fail', reason: why }),
  },
  retry: {
    summary: 'Has a task that failed for good tried again, or a FAILED instance',
    members: { ...task, input: json },
    optional: ['task', 'input'],
    read: (body) => ({ kind: 'retry', task: body.task, input: body.input }),
  },
  skip: {
    summary: 'Skips a task that waits or failed: what comes after it goes on',
    members: task,
    optional: ['task'],
    read: (body) => ({ kind: 'skip', task: body.task }),
  },
  complete: {
    summary: 'Completes a task that waits or failed, with an output',
    members: { ...task, output: json },
    optional: ['task', 'output'],
    read: (body) => ({ kind: 'complete', task: body.task, output: body.output ?? null }),
  },
  set: {
    summary: 'Sets variables',
    members: { vars },
    optional: [],
    read: (body) => ({ kind: 'set', vars: body.vars ?? {} }),
  },
}

export function actionRoutes(app: FastifyInstance, worker: WorkerFace): void {
  for (const [kind, { summary, members, optional, read }] of Object.entries(kinds)) {
    app.post<{ Params: { id: string }; Body: ActionBody }>(
      `/instances/:id/${kind}`,
      {
        schema: {
          operationId: `${kind}Instance`,
          summary,
          params: object({ id: text }),
          querystring: object({}),
          body: object({ ...members, ...by }, [...optional, 'by']),
          response: { 200: object({ outcome: { enum: ['done'] } }), default: problemAnswer },
        },
      },
      async (request) => {
        const answer = await worker.instances.operate(
          request.params.id,
          read(request.body),
          whoOf(request, request.body.by) ?? 'api',
        )
        if (answer.outcome === 'refused') throw new HttpProblem(answer.code, answer.message)
        return answer
      },
    )
  }
}
