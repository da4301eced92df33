// OpenTelemetry in this process, told to a receiver: what does not need a daemon.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTelemetry } from '../../src/adapters/telemetry/telemetry.ts'
import { Diagnostics } from '../../src/adapters/telemetry/diagnostics.ts'
import { silentLogger } from '../../src/base/logger.ts'
import { partsOf, receiveOtlp } from '../support/otlp.ts'

const at = Date.parse('2026-01-01T00:00:00Z')

test('ids follow from what they are of; a line may have any fields; what is left is sent when it stops', async (t) => {
  const receiver = await receiveOtlp(t)
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = receiver.url
  process.env['OTEL_METRICS_EXPORTER'] = 'none'
  const telemetry = startTelemetry({
    ...{ workerId: 'w-1', messagingSystem: 'kafka', logger: silentLogger },
    nowMs: () => at,
  })
  const { tracer } = telemetry
  assert.ok(tracer !== undefined)

  const begun = tracer.begin('i-1', undefined)
  assert.deepEqual(tracer.begin('i-1', undefined), begun)
  assert.notDeepEqual(tracer.begin('i-2', undefined), begun)
  const instance = { id: 'i-1', ...begun }
  const attempt = tracer.attempt(instance, '0@1#1')
  assert.deepEqual(tracer.attempt(instance, '0@1#1'), attempt)
  assert.notDeepEqual(tracer.attempt(instance, '0@1#2'), attempt)
  assert.equal(partsOf(attempt.traceparent).traceId, partsOf(begun.traceparent).traceId)
  // One that was begun with no tracing has the trace that it would have had.
  assert.deepEqual(tracer.attempt({ id: 'i-1', traceparent: undefined }, '0@1#1'), attempt)
  // What says more than we know of says what we know of.
  const later = '01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03'
  assert.match(
    tracer.begin('i-1', { traceparent: later }).traceparent,
    /^00-4bf92f3577b34da6a3ce929d0e0e4736-.{16}-01$/,
  )

  const happenedTo = { ...instance, workflow: 'w', version: 'w@1', key: 'k' }
  tracer.tell([
    { type: 'started', instance: happenedTo, by: 'schedule', from: undefined, record: undefined, atMs: at },
    { type: 'ended', instance: happenedTo, fromMs: at - 86_400_000, toMs: at, status: 'FAILED', errorCode: 'gone' },
  ])
  for (const fields of [
    { level: 'warn', msg: 'odd', trace_id: 5, span_id: {}, nested: { list: [1, null, 'x'] } },
    { level: 'info', msg: 'even', trace_id: '4bf92f3577b34da6a3ce929d0e0e4736', span_id: '00f067aa0ba902b7' },
  ])
    telemetry.writeLine(`${JSON.stringify({ time: '2026-01-01T00:00:00.000Z', pid: 1, hostname: 'h', ...fields })}\n`)
  await telemetry.stop()

  const { spans, lines } = receiver
  assert.deepEqual(
    spans.map(({ name, parentSpanId, isError, attributes }) => [name, parentSpanId, isError, attributes['error.type']]),
    [
      ['start w', '', false, undefined],
      ['run w', partsOf(begun.traceparent).spanId, true, 'gone'],
    ],
  )
  const [, run] = spans
  assert.deepEqual([run?.fromMs, run?.toMs], [at - 86_400_000, at])
  assert.deepEqual(
    ['service.name', 'service.instance.id'].map((name) => run?.resource[name]),
    ['dagger-worker', 'w-1'],
  )
  assert.deepEqual(
    lines.map(({ body, severity, traceId, attributes }) => [body, severity, traceId, Object.keys(attributes)]),
    [
      ['odd', 'warn', '', ['nested']],
      ['even', 'info', '4bf92f3577b34da6a3ce929d0e0e4736', []],
    ],
  )
})

test('what is wrong with its variables is told at once, and that nothing can be delivered once in ten minutes, in words', () => {
  const told: object[] = []
  const logger = { ...silentLogger, warn: (fields: object) => void told.push(fields) }
  let nowMs = 0
  const diagnostics = new Diagnostics(logger, () => nowMs)
  for (const variable of ['SAMPLER', 'EXPORTER']) diagnostics.warn(`unknown OTEL_TRACES_${variable}`)
  assert.equal(told.splice(0).length, 2)
  diagnostics.setUp()
  for (; nowMs < 20 * 60_000; nowMs += 1_000)
    diagnostics.error(JSON.stringify({ message: 'connect ECONNREFUSED', stack: 'at x', name: 'AggregateError' }))
  diagnostics.warn('Dropped 7 spans because maxQueueSize reached')
  assert.deepEqual(told, [
    { error: 'connect ECONNREFUSED' },
    { error: 'connect ECONNREFUSED' },
    { error: 'Dropped 7 spans because maxQueueSize reached' },
  ])
})
