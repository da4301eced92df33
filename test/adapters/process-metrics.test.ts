// What the process tells of itself: an event loop that stood still, and the size of the data directory.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setImmediate, setTimeout as pause } from 'node:timers/promises'
import { measureProcess } from '../../src/adapters/system/process-metrics.ts'
import { metricTable, type MetricName } from '../../src/runtime/metrics/metric-table.ts'
import { Metrics } from '../../src/runtime/metrics/metrics.ts'

const valueOf = (metrics: Metrics, name: MetricName): number | undefined =>
  metrics.collect().find(({ definition }) => definition === metricTable[name])?.samples[0]?.value

test('an event loop that stood still is told, with how long', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const metrics = new Metrics(() => performance.now())
  const stop = measureProcess(metrics, tmpdir())
  const delay = metrics.histogram('eventLoopDelay')
  await pause(50) // The monitor has to have begun.
  const beganMs = performance.now()
  while (performance.now() - beganMs < 300);
  await pause(30)
  t.mock.timers.tick(5_000)
  await setImmediate()
  assert.equal(
    delay.counts.reduce((a, b) => a + b),
    1,
  )
  assert.ok(delay.sum >= 0.25, `${delay.sum} s`)
  stop()
  t.mock.timers.tick(50_000)
  await setImmediate()
  assert.equal(
    delay.counts.reduce((a, b) => a + b),
    1,
  )
})

test('the data directory is told with its size, and the volume that it lies on', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'dw-data-'))
  t.after(() => rmSync(directory, { recursive: true }))
  mkdirSync(join(directory, 'log', '0'), { recursive: true })
  writeFileSync(join(directory, 'log', '0', 'a'), Buffer.alloc(1_000))
  writeFileSync(join(directory, 'b'), Buffer.alloc(24))
  const metrics = new Metrics(() => performance.now())
  const stop = measureProcess(metrics, directory)
  while (valueOf(metrics, 'dataBytes') === undefined) await setImmediate()
  assert.equal(valueOf(metrics, 'dataBytes'), 1_024)
  assert.ok(valueOf(metrics, 'volumeFreeBytes')! <= valueOf(metrics, 'volumeBytes')!)
  for (const name of ['cpuSeconds', 'residentBytes', 'heapBytes', 'eventLoopActive'] as const)
    assert.ok(valueOf(metrics, name)! > 0, name)
  assert.ok(Math.abs(valueOf(metrics, 'startedAt')! - (Date.now() - performance.now()) / 1_000) < 60)
  stop()
  assert.equal(valueOf(metrics, 'dataBytes'), undefined)
})
