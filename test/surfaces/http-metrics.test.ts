// What Prometheus reads of a worker.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serve } from '../support/http.ts'

/** The samples of an exposition, by name and labels. */
function samplesOf(text: string): ReadonlyMap<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line): [string, number] => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]),
  )
}

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
  assert.match(text, /^# HELP dagger_worker_restore_records_left /m)
  assert.match(text, /^# TYPE dagger_worker_events_total counter$/m)
  const expected = {
    dagger_worker_ready: 0,
    dagger_worker_problems: 1,
    dagger_worker_copies: 2,
    'dagger_worker_partitions{phase="running"}': 1,
    'dagger_worker_partitions{phase="restoring"}': 2,
    'dagger_worker_restore_records_left{partition="1"}': 120_000,
    'dagger_worker_restore_records_left{partition="2"}': 5,
    'dagger_worker_restore_records_per_second{partition="1"}': 60_000,
    'dagger_worker_restore_seconds_left{partition="1"}': 2,
    'dagger_worker_events_total{event="instance_started"}': 7,
  }
  assert.deepEqual(Object.fromEntries(samplesOf(text)), expected)
  // What is over is not told any more.
  worker.view = () => ({ ...view, counters: { instance_started: 8 } })
  const later = samplesOf(await (await fetch(`${url}/metrics`)).text())
  assert.equal(later.get('dagger_worker_restore_records_left{partition="1"}'), undefined)
  assert.equal(later.get('dagger_worker_events_total{event="instance_started"}'), 8)
})
