// The trace of a record on Kafka, between clients that know nothing of us: in by a header, out by a header, and on in
// another worker when the first one is gone.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { Site } from '../support/daemon.ts'
import { useKafka } from '../support/kafka/use-kafka.ts'
import { partsOf, receiveOtlp, type ReceivedSpan } from '../support/otlp.ts'

const brokers = useKafka()
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const traceparent = `00-${traceId}-00f067aa0ba902b7-01`

test('a trace that one worker began is ended by another, with the record and the wait in it', async (t) => {
  const receiver = await receiveOtlp(t)
  const app = `traced-${randomUUID().slice(0, 8)}`
  const site = Site.of(t, {
    'workflows/w.yaml': `
workflow: w
start: [{ topic: ${app}-in }]
tasks:
  - name: wait
    type: kafka-listener
    topic: ${app}-answers
    correlate: { message: message.key, instance: instance.key }
  - { name: tell, dependsOn: [wait], type: kafka-command, topic: ${app}-out, value: 1 }
`,
  })
  Object.assign(site.env, { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: '50' })
  const flags = ['--brokers', brokers().join(','), '--app', app, '--otel']
  const first = await site.start(...flags)
  const produce = async (daemon: typeof first, topic: string, headers: Record<string, string>): Promise<void> => {
    const [offset] = await daemon.client.produce(topic, [{ key: 'k', value: 1, partition: 1, headers }])
    assert.equal(offset?.error, null)
  }
  const found = (name: string): ReceivedSpan | undefined => receiver.spans.find((span) => span.name === name)
  await produce(first, `${app}-in`, { traceparent })
  await first.instance('w', 'k', ({ waitingAt }) => waitingAt.includes('wait'))
  await first.until(async () => found('start w'))
  await first.kill()

  const second = await site.start(...flags, '--data', 'elsewhere')
  await produce(second, `${app}-answers`, { traceparent })
  const instance = await second.instance('w', 'k')
  await second.until(async () => found('run w'))
  const [sent] = await second.records(`${app}-out`)
  assert.equal(await second.stop(), 0)

  const start = found('start w')
  const wait = found('task wait')
  assert.deepEqual(
    [start, wait].map((span) => ['system', 'destination.name'].map((name) => span?.attributes[`messaging.${name}`])),
    [
      ['kafka', `${app}-in`],
      ['kafka', `${app}-answers`],
    ],
  )
  assert.deepEqual(
    ['messaging.destination.partition.id', 'messaging.kafka.offset'].map((name) => start?.attributes[name]),
    ['1', 0],
  )
  assert.deepEqual([start?.traceId, wait?.traceId, wait?.parentSpanId], [traceId, traceId, start?.spanId])
  assert.notEqual(start?.resource['service.instance.id'], wait?.resource['service.instance.id'])
  assert.ok(wait !== undefined && wait.toMs - wait.fromMs >= 1_000)
  assert.equal(found('run w')?.fromMs, Date.parse(instance.startedAt))
  assert.deepEqual(partsOf(sent?.headers['traceparent']), { traceId, spanId: found('task tell')?.spanId, flags: '01' })
})
