// A real HTTP server in front of a fake worker, for one test. Every answer that is asked for through `call` is held
// against the JSON Schema that its route declares, so that the OpenAPI document made of them says the truth.
import assert from 'node:assert/strict'
import { request as httpRequest } from 'node:http'
import type { TestContext } from 'node:test'
import { Ajv } from 'ajv'
import type { ValidateFunction } from 'ajv'
import fastify from 'fastify'
import { silentLogger } from '../../src/base/logger.ts'
import type { Logger } from '../../src/base/logger.ts'
import { LongPolls } from '../../src/http/long-polls.ts'
import type { ProblemDocument } from '../../src/http/problem.ts'
import { deadLetterRoutes } from '../../src/http/routes/dead-letters.ts'
import { instanceRoutes } from '../../src/http/routes/instances.ts'
import { operationRoutes } from '../../src/http/routes/operations.ts'
import { serviceRoutes } from '../../src/http/routes/service.ts'
import { topicRoutes } from '../../src/http/routes/topics.ts'
import { workflowRoutes } from '../../src/http/routes/workflows.ts'
import { problemDocument } from '../../src/http/schemas.ts'
import { startHttpServer } from '../../src/http/server.ts'
import { FakeWorker } from './fake-worker.ts'

export interface CallOptions {
  readonly method?: string
  readonly headers?: { readonly [name: string]: string }
  /** Sent as JSON unless it is a text or bytes already. */
  readonly body?: unknown
}

export interface Answer<Body> {
  readonly status: number
  readonly headers: Headers
  readonly body: Body
}

export interface ServedWorker {
  readonly worker: FakeWorker
  readonly url: string
  readonly port: number
  readonly call: <Body>(path: string, options?: CallOptions) => Promise<Answer<Body>>
  /** Asserts that the answer is a problem document with this status and code. */
  readonly problem: (
    path: string,
    status: number,
    code: string,
    options?: CallOptions,
  ) => Promise<Answer<ProblemDocument>>
  readonly close: () => Promise<void>
}

/** Serves a fake worker on a free port until the test ends. */
export async function serve(t: TestContext, logger: Logger = silentLogger): Promise<ServedWorker> {
  const worker = new FakeWorker()
  const server = await startHttpServer({ worker, port: 0, logger })
  t.after(() => server.close())

  const call = async <Body>(path: string, options: CallOptions = {}): Promise<Answer<Body>> => {
    const { body } = options
    const method = options.method ?? (body === undefined ? 'GET' : 'POST')
    const isRaw = typeof body === 'string' || body instanceof Uint8Array
    const response = await fetch(server.url + path, {
      method,
      headers: body === undefined ? { ...options.headers } : { 'content-type': 'application/json', ...options.headers },
      ...(body === undefined ? {} : { body: isRaw ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    const answer: Body = text === '' ? undefined : JSON.parse(text)
    const type = response.headers.get('content-type') ?? ''
    if (method !== 'HEAD') checkSchema(method, path, `${response.status} ${type.split(';', 1)[0]}`, answer)
    return { status: response.status, headers: response.headers, body: answer }
  }

  const problem = async (path: string, status: number, code: string, options: CallOptions = {}) => {
    const answer = await call<ProblemDocument>(path, options)
    assert.deepEqual({ status: answer.status, code: answer.body.code }, { status, code }, answer.body.detail)
    assert.equal(answer.headers.get('content-type'), 'application/problem+json; charset=utf-8')
    assert.equal(answer.body.status, status)
    assert.equal(answer.body.type, `urn:dagger-worker:problem:${code}`)
    return answer
  }

  return { worker, url: server.url, port: Number(new URL(server.url).port), call, problem, close: () => server.close() }
}

/** Resolves once it is so; lets everything else go on meanwhile. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(setImmediate)
}

/** The status and body of a GET with headers that `fetch` does not let one set, such as Host. */
export async function rawGet(
  url: string,
  headers: { [name: string]: string },
): Promise<{ status: number; body: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>()
  const request = httpRequest(url, { headers }, (response) => {
    let body = ''
    response.setEncoding('utf8')
    response.on('data', (part: string) => (body += part))
    response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
  })
  request.on('error', reject)
  request.end()
  return promise
}

interface DeclaredRoute {
  readonly method: string
  readonly path: RegExp
  /** By status and content type: "200 application/json". */
  readonly answers: ReadonlyMap<string, ValidateFunction>
}

const ajv = new Ajv({ strict: true, allowUnionTypes: true })
const isProblem = ajv.compile(Object(problemDocument))

/** Every route with a schema for its parameters, query, body and answers, as `serve` serves it. */
export const declaredRoutes: readonly (DeclaredRoute & { url: string; schema: { [part: string]: unknown } })[] =
  readRoutes()

function readRoutes() {
  const app = fastify({ exposeHeadRoutes: false })
  const routes: (DeclaredRoute & { url: string; schema: { [part: string]: unknown } })[] = []
  app.addHook('onRoute', ({ method, url, schema = {} }) => {
    const answers = new Map<string, ValidateFunction>()
    for (const [status, declared] of Object.entries(Object(schema.response))) {
      const { content = { 'application/json': { schema: declared } } } = Object(declared)
      for (const [type, { schema: one }] of Object.entries<{ schema: object }>(content)) {
        answers.set(`${status} ${type}`, ajv.compile(one))
      }
    }
    const path = new RegExp(`^${url.replace(/:\w+/g, '[^/]+')}$`)
    routes.push({ method: [method].flat().join(), url, path, answers, schema: { ...schema } })
  })
  const worker = new FakeWorker()
  const polls = new LongPolls()
  serviceRoutes(app, worker)
  instanceRoutes(app, worker, polls)
  operationRoutes(app, worker, polls)
  topicRoutes(app, worker, polls)
  workflowRoutes(app, worker)
  deadLetterRoutes(app, worker)
  return routes
}

function checkSchema(method: string, path: string, answer: string, body: unknown): void {
  const bare = path.split('?', 1)[0] ?? ''
  const route = declaredRoutes.find((one) => one.method === method && one.path.test(bare))
  const validate = route?.answers.get(answer) ?? isProblem
  assert.ok(validate(body), `${method} ${path} ${answer}: ${ajv.errorsText(validate.errors)}`)
}
