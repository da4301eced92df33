// Telemetry of the daemon, as a receiver of OpenTelemetry's protocol gets it: one trace from the record that starts an
// instance to its end, through a wait, a handler, a kill -9 and what it sends.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { suite, test } from 'node:test'
import type { Daemon } from '../support/daemon.ts'
import { Site } from '../support/daemon.ts'
import { partsOf, receiveOtlp, type OtlpReceiver, type ReceivedSpan } from '../support/otlp.ts'

const caller = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' }
const answerer = { traceId: 'af7651916cd43dd8448eb211c80319c0', spanId: 'b7ad6b7169203331' }
const textOf = ({ traceId, spanId }: typeof caller, flags = '01'): string => `00-${traceId}-${spanId}-${flags}`

const orders = `
workflow: order
start: [{ topic: orders }]
tasks:
  - name: charge
    type: kafka-command
    topic: charges
    value: { order: "\${ instance.key }" }
  - name: charged
    type: kafka-listener
    dependsOn: [charge]
    topic: charge-results
    correlate: { message: message.key, instance: instance.key }
  - name: pack
    type: pack
    dependsOn: [charged]
    with: { weight: 3 }
    retry: { initialInterval: 10ms }
`
const pack = `
export default (task) => {
  task.logger.info({ weighs: task.input.weight }, 'packing')
  if (task.attempt === 1) throw Object.assign(new Error('no box for payload-canary'), { code: 'no-box' })
  return { traceparent: task.traceparent, tracestate: task.tracestate ?? null }
}
`

const parent = `
workflow: parent
tasks:
  - { name: sub, type: workflow, workflow: child, key: c }
---
workflow: child
tasks:
  - { name: nothing, type: kafka-command, topic: charges, value: 1 }
`
const own = `
workflow: own
start: [{ topic: starts }]
tasks:
  - { name: near, type: inner }
  - { name: far, type: far, execution: thread }
`

/** What the README says to type, but for where the collector is. */
const example = exampleOf(readFileSync(new URL('../../README.md', import.meta.url), 'utf8'))

function exampleOf(readme: string): {
  readonly env: { readonly [name: string]: string }
  readonly flags: readonly string[]
} {
  const [, section = ''] = readme.split('\n## Telemetry\n')
  const [, block = ''] = /```sh\n([^`]*)```/.exec(section) ?? []
  const [variables = '', flags = ''] = block.replaceAll('\\\n', ' ').split('npx dagger-worker start')
  const env = Object.fromEntries([...variables.matchAll(/(\w+)=(\S+)/g)].map(([, name, value]) => [name, value]))
  assert.ok(Object.hasOwn(env, 'OTEL_EXPORTER_OTLP_ENDPOINT') && flags.includes('--otel'))
  return { env, flags: flags.trim().split(/\s+/) }
}

async function sendTraced(daemon: Daemon, topic: string, key: string, headers: Record<string, string>): Promise<void> {
  const [offset] = await daemon.client.produce(topic, [{ key, value: { note: 'payload-canary' }, headers }])
  assert.equal(offset?.error, null)
}

/** The span of a name, once it is there. */
async function spanOf(daemon: Daemon, { spans }: OtlpReceiver, name: string): Promise<ReceivedSpan> {
  return daemon.until(
    async () => spans.find((span) => span.name === name),
    async () => spans.map((span) => span.name),
  )
}

function siteOf(t: Parameters<typeof Site.of>[0], { url }: { readonly url: string }): Site {
  const site = Site.of(t, { 'workflows/order.yaml': orders, 'handlers/pack.mjs': pack })
  Object.assign(site.env, {
    ...example.env,
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
    OTEL_BSP_SCHEDULE_DELAY: '50',
    OTEL_BLRP_SCHEDULE_DELAY: '50',
  })
  return site
}

suite('telemetry', () => {
  test('every metric of the worker is told, with its unit', async (t) => {
    const receiver = await receiveOtlp(t)
    const site = siteOf(t, receiver)
    site.env['OTEL_METRIC_EXPORT_INTERVAL'] = '200'
    site.env['OTEL_METRIC_EXPORT_TIMEOUT'] = '200'
    const daemon = await site.start(...example.flags)
    await sendTraced(daemon, 'orders', 'M-1', {})
    const isTold = async () => receiver.metrics.find(({ name }) => name === 'dagger_worker_instances_started_total')
    await daemon.until(isTold, async () => receiver.paths)
    const units = new Map(receiver.metrics.map(({ name, unit }) => [name, unit]))
    assert.equal(units.get('dagger_worker_batch_commit_seconds'), 's')
    assert.equal(units.get('process_resident_memory_bytes'), 'By')
    assert.equal(units.get('dagger_worker_ready'), '1')
    await daemon.stop()
  })

  test('one trace follows the record through a wait, a kill -9, a handler and what is sent', async (t) => {
    const receiver = await receiveOtlp(t)
    const site = siteOf(t, receiver)
    let daemon = await site.start(...example.flags)
    await sendTraced(daemon, 'orders', 'A-1', { traceparent: textOf(caller), tracestate: 'vendor=7' })
    const begun = await daemon.instance('order', 'A-1', ({ waitingAt }) => waitingAt.includes('charged'))
    const start = await spanOf(daemon, receiver, 'start order')
    await spanOf(daemon, receiver, 'task charge')
    await daemon.kill()

    daemon = await site.start(...example.flags)
    const [sent] = await daemon.records('charges')
    await sendTraced(daemon, 'charge-results', 'A-1', { traceparent: textOf(answerer) })
    const instance = await daemon.instance('order', 'A-1', ({ status }) => status === 'COMPLETED')
    const run = await spanOf(daemon, receiver, 'run order')
    assert.equal(await daemon.stop(), 0)

    const ofInstance = receiver.spans.filter(({ traceId }) => traceId === caller.traceId)
    assert.deepEqual(ofInstance.map(({ name }) => name).toSorted(), [
      'run order',
      'start order',
      'task charge',
      'task charged',
      'task pack',
      'task pack',
    ])
    assert.equal(start.parentSpanId, caller.spanId)
    assert.equal(start.traceState, 'vendor=7')
    assert.equal(start.kind, 'CONSUMER')
    for (const span of ofInstance) {
      if (span !== start) assert.equal(span.parentSpanId, start.spanId, span.name)
      assert.equal(span.resource['service.name'], 'shop')
      assert.equal(span.attributes['dagger_worker.workflow.name'], 'order')
      assert.equal(span.attributes['dagger_worker.instance.id'], instance.id)
      assert.equal(span.attributes['dagger_worker.instance.key'], 'A-1')
    }
    assert.equal(new Set(ofInstance.map(({ spanId }) => spanId)).size, ofInstance.length)

    const [charge, charged, first, second] = ['charge', 'charged', 'pack', 'pack'].map((task, index) =>
      ofInstance.filter(({ name }) => name === `task ${task}`).at(index === 3 ? 1 : 0),
    )
    assert.ok(charge && charged && first && second)
    assert.deepEqual(partsOf(sent?.headers['traceparent']), {
      traceId: caller.traceId,
      spanId: charge.spanId,
      flags: '01',
    })
    assert.equal(sent?.headers['tracestate'], 'vendor=7')
    assert.equal(charge.kind, 'PRODUCER')
    assert.equal(charge.attributes['messaging.destination.name'], 'charges')

    // The wait began in a worker that is dead, and the span is as long as the wait.
    const { timeline } = instance
    const at = (task: string, status: string): number =>
      Date.parse(timeline.find((entry) => entry.task === task && entry.status === status)?.at ?? '')
    assert.equal(charged.fromMs, at('charged', 'EXECUTING'))
    assert.equal(charged.toMs, at('charged', 'COMPLETED'))
    assert.ok(charged.toMs - charged.fromMs > 0)
    assert.equal(charged.kind, 'CONSUMER')
    assert.deepEqual(charged.links, [answerer])
    assert.equal(charged.attributes['messaging.destination.name'], 'charge-results')
    assert.equal(charged.attributes['messaging.kafka.offset'], 0)

    assert.deepEqual(
      [first, second].map(({ attributes, isError }) => [
        attributes['dagger_worker.task.attempt'],
        attributes['dagger_worker.task.outcome'],
        attributes['error.type'],
        isError,
      ]),
      [
        [1, 'failed', 'no-box', true],
        [2, 'completed', undefined, false],
      ],
    )
    assert.ok(second.fromMs >= first.toMs)
    assert.deepEqual(instance.tasks.find(({ name }) => name === 'pack')?.output, {
      traceparent: textOf({ traceId: caller.traceId, spanId: second.spanId }),
      tracestate: 'vendor=7',
    })
    assert.equal(run.fromMs, Date.parse(begun.startedAt))
    assert.equal(run.toMs, Date.parse(instance.endedAt ?? ''))
    assert.equal(run.attributes['dagger_worker.instance.status'], 'COMPLETED')

    // Lines of a handler are found by the span of the attempt that wrote them, in the log and in what is exported.
    const packing = receiver.lines.filter(({ body }) => body === 'packing')
    assert.deepEqual(
      packing.map(({ traceId, spanId, attributes }) => [traceId, spanId, attributes['weighs']]),
      [first, second].map(({ traceId, spanId }) => [traceId, spanId, 3]),
    )
    const logged = daemon.log.filter(({ msg }) => msg === 'packing')
    assert.deepEqual(
      logged.map(({ trace_id, span_id }) => [trace_id, span_id]),
      [first, second].map(({ traceId, spanId }) => [traceId, spanId]),
    )
    // What the record held, and what an error said, is in no span.
    assert.ok(!JSON.stringify(receiver.spans).includes('payload-canary'))
  })

  test('a call is a span, and what it starts hangs below it; a child lies in the trace of its parent', async (t) => {
    const receiver = await receiveOtlp(t)
    const site = siteOf(t, receiver)
    site.write('workflows/parent.yaml', parent)
    const daemon = await site.start(...example.flags)
    const started = await fetch(`${daemon.url}/instances`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', traceparent: textOf(caller) },
      body: JSON.stringify({ workflow: 'parent', key: 'p', input: null }),
    })
    assert.equal(started.status, 201)
    await daemon.instance('child', 'c')
    await daemon.health()
    for (const probe of ['ready', 'live']) assert.equal((await fetch(`${daemon.url}/service/${probe}`)).status, 200)
    const call = await spanOf(daemon, receiver, 'POST /instances')
    await spanOf(daemon, receiver, 'run parent')
    assert.equal(await daemon.stop(), 0)

    assert.deepEqual([call.traceId, call.parentSpanId, call.kind], [caller.traceId, caller.spanId, 'SERVER'])
    assert.deepEqual(
      [
        call.attributes['http.request.method'],
        call.attributes['http.route'],
        call.attributes['http.response.status_code'],
      ],
      ['POST', '/instances', 201],
    )
    const tree = new Map(
      receiver.spans.filter(({ traceId }) => traceId === caller.traceId).map((span) => [span.name, span]),
    )
    assert.equal(tree.get('start parent')?.parentSpanId, call.spanId)
    assert.equal(tree.get('start parent')?.attributes['dagger_worker.start.by'], 'api')
    assert.equal(tree.get('start child')?.parentSpanId, tree.get('task sub')?.spanId)
    assert.equal(tree.get('run child')?.parentSpanId, tree.get('start child')?.spanId)
    // Whoever probes makes no spans.
    assert.ok(!receiver.spans.some(({ name }) => name.includes('/health') || name.includes('/service/')))
  })

  test('what nobody traces has a trace of its own, in which what a handler does is found, in a thread as well', async (t) => {
    const receiver = await receiveOtlp(t)
    const site = siteOf(t, receiver)
    site.write('workflows/own.yaml', own)
    site.write(
      'handlers/inner.mjs',
      `import { trace } from ${JSON.stringify(import.meta.resolve('@opentelemetry/api'))}
export default async () => {
  await new Promise((resolve) => setTimeout(resolve, 5))
  trace.getTracer('mine').startSpan('inner').end()
}`,
    )
    site.write('handlers/far.mjs', 'export default (task) => task.traceparent')
    const daemon = await site.start(...example.flags)
    await sendTraced(daemon, 'starts', 'k', {})
    const instance = await daemon.instance('own', 'k')
    await spanOf(daemon, receiver, 'run own')
    assert.equal(await daemon.stop(), 0)
    const named = (name: string): ReceivedSpan =>
      receiver.spans.find((span) => span.name === name) ?? assert.fail(`there is a span ${name}`)
    const { traceId, spanId, parentSpanId } = named('start own')
    // The first of it is the call that brought the record.
    assert.equal(parentSpanId, named('POST /topics/:topic').spanId)
    assert.equal(named('POST /topics/:topic').parentSpanId, '')
    assert.match(traceId, /^(?!0{32})[0-9a-f]{32}$/)
    for (const name of ['task near', 'task far', 'run own'])
      assert.deepEqual([named(name).traceId, named(name).parentSpanId], [traceId, spanId], name)
    assert.deepEqual([named('inner').traceId, named('inner').parentSpanId], [traceId, named('task near').spanId])
    const far = instance.tasks.find(({ name }) => name === 'far')
    assert.equal(far?.output, textOf({ traceId, spanId: named('task far').spanId }))
  })

  test('a caller that does not sample is obeyed: nothing is exported, and the trace goes on as it is', async (t) => {
    const receiver = await receiveOtlp(t)
    const site = siteOf(t, receiver)
    const daemon = await site.start(...example.flags)
    await sendTraced(daemon, 'orders', 'quiet', { traceparent: textOf(caller, '00') })
    const [sent] = await daemon.until(async () => {
      const records = await daemon.records('charges')
      return records.length > 0 ? records : undefined
    })
    assert.equal(await daemon.stop(), 0)
    const { traceId, flags } = partsOf(sent?.headers['traceparent'])
    assert.deepEqual([traceId, flags], [caller.traceId, '00'])
    assert.ok(!receiver.spans.some((span) => span.traceId === caller.traceId))
  })

  test('OTEL_TRACES_SAMPLER and OTEL_TRACES_EXPORTER say what is traced', async (t) => {
    for (const [variable, value, expected] of [
      ['OTEL_TRACES_SAMPLER', 'always_off', { traceId: caller.traceId, flags: '00' }],
      ['OTEL_TRACES_EXPORTER', 'none', { ...caller, flags: '01' }],
      ['OTEL_SDK_DISABLED', 'true', { ...caller, flags: '01' }],
    ] as const) {
      const receiver = await receiveOtlp(t)
      const site = siteOf(t, receiver)
      site.env[variable] = value
      const daemon = await site.start(...example.flags)
      await sendTraced(daemon, 'orders', 'k', { traceparent: textOf(caller) })
      const [sent] = await daemon.until(async () => {
        const records = await daemon.records('charges')
        return records.length > 0 ? records : undefined
      })
      assert.equal(await daemon.stop(), 0)
      const parts = partsOf(sent?.headers['traceparent'])
      assert.deepEqual({ ...parts, ...expected }, parts, variable)
      assert.deepEqual(receiver.spans, [], variable)
    }
  })

  test('a collector that is away holds up nothing, and is told of once', async (t) => {
    const site = siteOf(t, { url: 'http://127.0.0.1:9' })
    site.env['OTEL_BSP_MAX_QUEUE_SIZE'] = '20'
    site.env['OTEL_EXPORTER_OTLP_TIMEOUT'] = '500'
    site.env['OTEL_BSP_MAX_EXPORT_BATCH_SIZE'] = '10'
    const daemon = await site.start(...example.flags)
    for (let number = 0; number < 100; number++) await sendTraced(daemon, 'orders', `k${number}`, {})
    await daemon.until(async () => ((await daemon.counter('task_completed')) === 100 ? true : undefined))
    const isTold = ({ level, msg }: { level: string; msg: string }): boolean =>
      level === 'warn' && msg.startsWith('telemetry')
    await daemon.until(async () => daemon.log.find(isTold))
    assert.equal(await daemon.stop(), 0)
    const told = daemon.log.filter(isTold)
    assert.equal(told.length, 1)
    assert.equal(typeof told[0]?.['error'], 'string')
  })

  test('a collector that takes what it is sent and never answers does not keep a worker that stops', async (t) => {
    const silent = createServer(() => {})
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    t.after(() => silent.close())
    t.after(() => silent.closeAllConnections())
    const { port } = silent.address() as AddressInfo
    const daemon = await siteOf(t, { url: `http://127.0.0.1:${port}` }).start(...example.flags)
    await sendTraced(daemon, 'orders', 'k', {})
    await daemon.instance('order', 'k', ({ waitingAt }) => waitingAt.includes('charged'))
    assert.equal(await daemon.stop(), 0)
  })
})
