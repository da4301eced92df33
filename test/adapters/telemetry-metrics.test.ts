// OpenTelemetry is told what Prometheus is told: the same names, units and values, of every metric of the table.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type MetricData,
} from '@opentelemetry/sdk-metrics'
import { registerMetrics } from '../../src/adapters/telemetry/metrics.ts'
import { metricsText, metricsTypes } from '../../src/http/metrics.ts'
import {
  metricTable,
  type MetricDefinition,
  type MetricName,
  type MetricOf,
} from '../../src/runtime/metrics/metric-table.ts'
import { Metrics, type Reading } from '../../src/runtime/metrics/metrics.ts'
import { samplesOf } from '../support/exposition.ts'

const names = Object.keys(metricTable) as MetricName[]
const isHistogram = (name: MetricName): name is MetricOf<'histogram'> => metricTable[name].kind === 'histogram'

/** Metrics of which every one has a value, with labels of its own. */
function fill(metrics: Metrics, round: number): void {
  for (const [index, name] of names.entries()) {
    const labels = metricTable[name].labels.map((label) => `${label}-${index}`)
    if (isHistogram(name))
      for (const value of [0, index / 8, 1e6]) metrics.histogram(name, ...labels).record(value * round)
  }
}

function* readings(round: number): Generator<Reading> {
  for (const [index, name] of names.entries()) {
    const labels = metricTable[name].labels.map((label) => `${label}-${index}`)
    if (!isHistogram(name)) yield [name, (index + 0.5) * round, ...labels]
  }
}

/** What OpenTelemetry was told, as Prometheus would write it. */
function expositionOf(told: readonly MetricData[]): ReadonlyMap<string, number> {
  const samples = new Map<string, number>()
  const put = (name: string, attributes: object, value: number): void => {
    const labels = Object.entries(attributes).map(([label, text]) => `${label}="${text}"`)
    samples.set(labels.length === 0 ? name : `${name}{${labels.join(',')}}`, value)
  }
  for (const { descriptor, dataPoints } of told) {
    for (const { attributes, value } of dataPoints) {
      if (typeof value === 'number') put(descriptor.name, attributes, value)
      else if ('buckets' in value) {
        let count = 0
        for (const [index, inBucket] of value.buckets.counts.entries()) {
          count += inBucket
          const le = value.buckets.boundaries[index] ?? '+Inf'
          put(`${descriptor.name}_bucket`, { ...attributes, le }, count)
        }
        put(`${descriptor.name}_sum`, attributes, value.sum ?? NaN)
        put(`${descriptor.name}_count`, attributes, value.count)
      }
    }
  }
  return samples
}

test('every metric of the table is an instrument with its unit, and has the values that Prometheus reads', async () => {
  const metrics = new Metrics(() => 0)
  let round = 1
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
  const provider = new MeterProvider({ readers: [reader] })
  const forget = registerMetrics(metrics, provider)
  let looks = 0
  metrics.observe(() => {
    looks += 1
    return readings(round)
  })
  for (; round <= 2; round++) {
    fill(metrics, round)
    await reader.forceFlush()
    const told = exporter
      .getMetrics()
      .at(-1)!
      .scopeMetrics.flatMap((scope) => scope.metrics)
    const expected = samplesOf(await metricsText(metrics, metricsTypes.prometheus))
    assert.ok(expected.size > names.length)
    assert.deepEqual(sorted(expositionOf(told)), sorted(expected))
    for (const { name, unit, help } of Object.values<MetricDefinition>(metricTable)) {
      const { descriptor } = told.find((each) => each.descriptor.name === name)!
      assert.deepEqual([descriptor.unit, descriptor.description], [unit, help])
    }
  }
  const looksBefore = looks
  forget()
  await reader.forceFlush()
  assert.equal(looks, looksBefore)
  await provider.shutdown()
})

const sorted = (samples: ReadonlyMap<string, number>): unknown => [...samples].sort(([a], [b]) => (a < b ? -1 : 1))
