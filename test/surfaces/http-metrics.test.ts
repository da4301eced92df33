// What Prometheus reads of a worker, in its own format and in OpenMetrics'.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { metricTable } from '../../src/runtime/metrics/metric-table.ts'
import { samplesOf } from '../support/exposition.ts'
import { serve } from '../support/http.ts'

test('metrics say what health says, as Prometheus reads it', async (t) => {
  const { worker, url } = await serve(t)
  const view = worker.view()
  worker.view = () => ({
    ...view,
    isReady: false,
    problems: ['a disk is full'],
    copies: [4, 5],
    counters: { instance_started: 7 },
    partitions: [
      { partition: 0, phase: 'running', restoreLeft: 0 },
      { partition: 1, phase: 'restoring', restoreLeft: 120_000, restorePerSecond: 60_000, restoreSecondsLeft: 2 },
      { partition: 2, phase: 'restoring', restoreLeft: 5 },
    ],
  })
  const answer = await fetch(`${url}/metrics`)
  assert.match(answer.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
  const text = await answer.text()
  for (const { name, kind, help } of Object.values(metricTable)) {
    assert.ok(text.includes(`# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n`), name)
  }
  const expected = {
    'dagger_worker_info{app="dagger",worker="fake-1",log="memory"}': 1,
    dagger_worker_ready: 0,
    dagger_worker_problems: 1,
    dagger_worker_definition_problems: 0,
    dagger_worker_copies: 2,
    'dagger_worker_partitions{phase="running"}': 1,
    'dagger_worker_partitions{phase="restoring"}': 2,
    'dagger_worker_restore_left_records{partition="1"}': 120_000,
    'dagger_worker_restore_left_records{partition="2"}': 5,
    'dagger_worker_restore_records_per_second{partition="1"}': 60_000,
    'dagger_worker_restore_left_seconds{partition="1"}': 2,
    'dagger_worker_events_total{event="instance_started"}': 7,
  }
  assert.deepEqual(Object.fromEntries(samplesOf(text)), expected)
  // What is over is not told any more.
  worker.view = () => ({ ...view, counters: { instance_started: 8 } })
  const later = samplesOf(await (await fetch(`${url}/metrics`)).text())
  assert.equal(later.get('dagger_worker_restore_left_records{partition="1"}'), undefined)
  assert.equal(later.get('dagger_worker_events_total{event="instance_started"}'), 8)
})

test('a histogram is told by its buckets, sum and count; requests are measured by method, route and status', async (t) => {
  const { worker, url } = await serve(t)
  for (const seconds of [0.002, 0.004, 99]) worker.metrics.histogram('decideSeconds').record(seconds)
  for (const path of ['/health', '/health', '/nowhere', '/instances/none']) await (await fetch(url + path)).text()
  const samples = samplesOf(await (await fetch(`${url}/metrics`)).text())
  const bucket = (le: string) => samples.get(`dagger_worker_batch_decide_seconds_bucket{le="${le}"}`)
  assert.deepEqual(['0.001', '0.0025', '0.005', '10', '+Inf'].map(bucket), [0, 1, 2, 2, 3])
  assert.equal(samples.get('dagger_worker_batch_decide_seconds_sum'), 99.006)
  assert.equal(samples.get('dagger_worker_batch_decide_seconds_count'), 3)
  const requests = (labels: string) => samples.get(`dagger_worker_http_request_seconds_count{${labels}}`)
  assert.equal(requests('method="GET",route="/health",status="200"'), 2)
  assert.equal(requests('method="GET",route="none",status="404"'), 1)
  assert.equal(requests('method="GET",route="/instances/:id",status="404"'), 1)
})

test('values of labels are told whatever they are', async (t) => {
  const { worker, url } = await serve(t)
  worker.metrics.count('deadLetters', 'a "quoted" \\ reason\nin two lines').value = 2
  const text = await (await fetch(`${url}/metrics`)).text()
  assert.ok(text.includes('dagger_worker_dead_letters_total{reason="a \\"quoted\\" \\\\ reason\\nin two lines"} 2\n'))
})

test('who asks for OpenMetrics gets it', async (t) => {
  const { worker, url } = await serve(t)
  worker.metrics.count('deadLetters', 'expired').value = 1
  const accept = 'application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1'
  const answer = await fetch(`${url}/metrics`, { headers: { accept } })
  assert.match(answer.headers.get('content-type') ?? '', /^application\/openmetrics-text; version=1\.0\.0/)
  const text = await answer.text()
  assert.ok(text.endsWith('\n# EOF\n'))
  assert.match(
    text,
    /^# TYPE dagger_worker_dead_letters counter\ndagger_worker_dead_letters_total\{reason="expired"\} 1$/m,
  )
  // Asked once more, the names are the same.
  const plain = await (await fetch(`${url}/metrics`)).text()
  assert.match(plain, /^# TYPE dagger_worker_dead_letters_total counter$/m)
})

test('thousands of series are told at once', async (t) => {
  const { worker, url } = await serve(t)
  for (let index = 0; index < 300; index++)
    worker.metrics.histogram('handlerSeconds', `h-${index}`, 'completed').record(1)
  for (let index = 0; index < 1_000; index++) worker.metrics.count('sourceRecords', `topic-${index}`).value = index
  await fetch(`${url}/metrics`)
  const beganMs = performance.now()
  const samples = samplesOf(await (await fetch(`${url}/metrics`)).text())
  assert.ok(samples.size > 5_000)
  // A scrape holds up the loop for as long; some ten milliseconds where nothing else runs.
  assert.ok(performance.now() - beganMs < 2_000)
})
