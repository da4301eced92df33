// Workflows: those that there are, their versions, and how many instances are on each.
import type { FastifyInstance } from 'fastify'
import { nearest } from '../../definition/nearest.ts'
import type { WorkerFace } from '../../runtime/face.ts'
import { countEverywhere } from '../counted.ts'
import { HttpProblem } from '../problem.ts'
import { list, count, object, problemAnswer, text } from '../schemas.ts'
import { counted, workflowDetail, workflowSummary, workflowVersion } from '../views.ts'

const versionQuery = object(
  { version: { type: 'string', description: 'whole, its address alone, or a label; absent: the current one' } },
  ['version'],
)

export function workflowRoutes(app: FastifyInstance, worker: WorkerFace): void {
  app.get(
    '/workflows',
    {
      schema: {
        operationId: 'listWorkflows',
        summary: 'Workflows by name, with how many instances are on the current version and on all of them',
        querystring: object({}),
        response: { 200: object({ items: list(workflowSummary), counted }), default: problemAnswer },
      },
    },
    (request) => countEverywhere(worker.workflows.list(), ({ items }) => items, request, worker),
  )

  app.get<{ Params: { name: string }; Querystring: { version?: string } }>(
    '/workflows/:name',
    {
      schema: {
        operationId: 'getWorkflow',
        summary: 'One workflow with its definition: the current version, or the one that is asked for',
        params: object({ name: text }),
        querystring: versionQuery,
        response: { 200: object({ workflow: workflowDetail, counted }), default: problemAnswer },
      },
    },
    (request) => {
      const { params, query } = request
      const finding = findWorkflow(worker, params.name, query.version)
      return countEverywhere(finding, ({ workflow }) => [workflow], request, worker)
    },
  )

  app.get<{ Params: { name: string } }>(
    '/workflows/:name/versions',
    {
      schema: {
        operationId: 'listWorkflowVersions',
        summary: 'The versions of a workflow, newest first; 1,000 at most, `total` is how many there are',
        params: object({ name: text }),
        querystring: object({}),
        response: { 200: object({ items: list(workflowVersion), total: count, counted }), default: problemAnswer },
      },
    },
    (request) => countEverywhere(findVersions(worker, request.params.name), ({ items }) => items, request, worker),
  )
}

async function findWorkflow(worker: WorkerFace, name: string, version: string | undefined) {
  const answer = await worker.workflows.find(name, version)
  if (answer !== undefined) return answer
  const isKnown = version !== undefined && (await worker.workflows.find(name)) !== undefined
  if (isKnown) throw new HttpProblem('workflow-not-found', `Workflow "${name}" has no version "${version}".`)
  throw missingWorkflow(name, worker)
}

async function findVersions(worker: WorkerFace, name: string) {
  const versions = await worker.workflows.versions(name)
  if (versions === undefined) throw missingWorkflow(name, worker)
  return versions
}

function missingWorkflow(name: string, worker: WorkerFace): HttpProblem {
  const suggestion = nearest(
    name,
    worker.view().workflows.map((workflow) => workflow.name),
  )
  return new HttpProblem(
    'workflow-not-found',
    `There is no workflow "${name}".`,
    suggestion === undefined ? {} : { suggestion },
  )
}
