// Requests of strangers on the real application in front of a worker of the real runtime: every answer is of the API, a
// refusal is a problem document with a code that there is, and nothing is the server's fault.
import assert from 'node:assert/strict'
import { silentLogger } from '../../src/base/logger.ts'
import { createApp } from '../../src/http/app.ts'
import { problems } from '../../src/http/problem.ts'
import { startMemoryWorker } from '../support/worker.ts'
import type { MemoryWorker } from '../support/worker.ts'
import { hostileRequests } from './hostile/requests.ts'
import { exchange } from './raw-http.ts'
import type { RawAnswer } from './raw-http.ts'
import { httpAttack } from './request-arbitrary.ts'
import type { HttpAttack } from './request-arbitrary.ts'
import type { Target } from './target.ts'

const workflows = `
workflow: taker
input: { type: [object, array, string, number, boolean, "null"], maxProperties: 100 }
start: [{ topic: starts }]
tasks:
  - { name: say, type: kafka-command, topic: said, value: "\${ input }", onFailure: skip }
---
workflow: keeper
onRunning: reject
vars: { id: "\${ input.id }" }
tasks:
  - { name: wait, type: kafka-listener, topic: replies, correlate: { message: message.key, instance: instance.key } }
`

export const bodies: Target<HttpAttack> = {
  name: 'bodies',
  corpus: hostileRequests.map((request) => ({ kind: 'corpus', request })),
  arbitrary: httpAttack,
  inputsEach: 1,
  required: [
    '200',
    '201',
    'request-malformed',
    'url-invalid',
    'json-invalid',
    'json-too-deep',
    'json-forbidden-key',
    'request-invalid',
    'host-not-allowed',
    'route-not-found',
    'topic-not-found',
    'instance-not-found',
    'workflow-not-found',
    'method-not-allowed',
    'body-too-large',
    'payload-too-large',
    'url-too-long',
    'media-type-unsupported',
    'input-invalid',
    'key-invalid',
    'expression',
    'headers-too-large',
  ],
  kinds: ['read', 'start', 'produce', 'broken', 'corpus'],
  async run({ kind, request }) {
    const { app, memory } = await served()
    let isOver = false
    const exchanged = exchange(app, request).finally(() => (isOver = true))
    const [answers] = await Promise.all([exchanged, memory.until(() => isOver, 'the request is answered')])
    // Half a request has no answer, and two have two; whoever sends a whole one gets one.
    if (kind !== 'broken' && kind !== 'corpus') assert.equal(answers.length, 1)
    return { classes: answers.length === 0 ? ['no answer'] : answers.map(classOf) }
  },
}

interface Served {
  readonly app: ReturnType<typeof createApp>
  readonly memory: MemoryWorker
}

/** Requests that one worker answers: what they leave behind is not to pile up. */
const requestsOfAWorker = 500

let current: Served | undefined
let requests = 0

async function served(): Promise<Served> {
  if (current === undefined || requests++ % requestsOfAWorker === 0) {
    await current?.app.close()
    await current?.memory.worker.stop()
    const memory = await startMemoryWorker(workflows, { partitions: 2 })
    const app = createApp(memory.worker, silentLogger)
    await app.ready()
    current = { app, memory }
  }
  return current
}

/** Its status, or the code of its problem. */
function classOf({ status, headers, body }: RawAnswer): string {
  assert.ok(status >= 200 && status < 500, `status ${status}: ${body.toString('utf8', 0, 300)}`)
  if (status < 400) {
    if (body.length > 0) JSON.parse(body.toString('utf8'))
    return String(status)
  }
  assert.match(headers['content-type'] ?? '', /^application\/problem\+json/, `status ${status} with no problem`)
  // The answer to HEAD.
  if (body.length === 0) return String(status)
  const problem: { readonly code: string; readonly status: number } = JSON.parse(body.toString('utf8'))
  assert.ok(Object.hasOwn(problems, problem.code), `${problem.code} is no code`)
  assert.equal(problem.status, status)
  return problem.code
}
