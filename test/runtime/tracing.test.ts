// Spans come after the commit (P6), each once, whatever becomes of a batch on its way there.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Happening, Tracer } from '../../src/base/tracing.ts'
import { greetingWorkflow, startMemoryWorker, type MemoryWorker } from '../support/worker.ts'

interface Told extends Tracer {
  readonly happenings: Happening[]
}

/** Remembers what it is told, and looks at the log when it is. */
function listening(look: () => void = () => {}): Told {
  const happenings: Happening[] = []
  return {
    happenings,
    begin: (instanceId) => ({ traceparent: instanceId }),
    attempt: (instance, key) => ({ traceparent: `${instance.id}/${key}` }),
    tell(more) {
      happenings.push(...more)
      look()
    },
    within: (_trace, call) => call(),
    request: () => assert.fail('there is no HTTP here'),
  }
}

const said = (tracer: Told): readonly string[] =>
  tracer.happenings
    .filter((each) => each.type === 'attempt')
    .map(({ instance, outcome, errorCode = '' }) => `${instance.key} ${outcome} ${errorCode}`.trim())

test('what is told is committed already', async () => {
  const memory: { worker?: MemoryWorker } = {}
  const tracer = listening(() => {
    assert.ok((memory.worker?.values('said').length ?? 0) >= said(tracer).length)
  })
  const worker = await startMemoryWorker(greetingWorkflow, { partitions: 2, tracer })
  memory.worker = worker
  for (const name of ['a', 'b', 'c']) await worker.produce('greetings', name, { name })
  await worker.until(() => said(tracer).length === 3, 'all is told')
  assert.deepEqual(
    new Set(tracer.happenings.map(({ type, instance }) => `${instance.key} ${type}`)),
    new Set(['a', 'b', 'c'].flatMap((key) => ['started', 'attempt', 'ended'].map((type) => `${key} ${type}`))),
  )
  assert.equal(tracer.happenings.length, 9)
})

test('a batch that the log refused and that is decided again is told as it was committed, once', async () => {
  const tracer = listening()
  const memory = await startMemoryWorker(
    greetingWorkflow
      .replace('topic: said', `topic: "\${ input.name == 'lost' ? 'no-such-topic' : 'said' }"\n    onFailure: fail`)
      .replace('value:', 'retry: { maxAttempts: 1 }\n    value:'),
    { partitions: 1, tracer },
  )
  memory.broker.createTopic({ name: 'said', partitions: 1, cleanup: 'retained' })
  for (const name of ['a', 'lost', 'b']) await memory.produce('greetings', name, { name })
  await memory.until(() => said(tracer).length === 3, 'all is told')
  assert.deepEqual(new Set(said(tracer)), new Set(['a completed', 'b completed', 'lost failed produce-rejected']))
  assert.equal(new Set(tracer.happenings.map(({ type, instance }) => `${instance.id} ${type}`)).size, 9)
  assert.equal(tracer.happenings.length, 9)
})
