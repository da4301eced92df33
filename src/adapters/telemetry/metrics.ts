// The worker's metrics as instruments of OpenTelemetry: the same names, units and values as GET /metrics. Where they go is
// the provider's.
import {
  metrics as registered,
  type Attributes,
  type BatchObservableResult,
  type Histogram,
  type Meter,
  type MeterProvider,
  type ObservableCounter,
  type ObservableGauge,
} from '@opentelemetry/api'
import { metricTable, type MetricDefinition, type MetricOf } from '../../runtime/metrics/metric-table.ts'
import type { Metrics } from '../../runtime/metrics/metrics.ts'

type Observable = ObservableCounter | ObservableGauge

/**
 * Registers every metric with the provider, by default that of the process; the result ends that. Counts and gauges are read when the provider reads.
 * Histograms are told of what is measured from now on, so this comes before the worker starts.
 */
export function registerMetrics(metrics: Metrics, provider: MeterProvider = registered.getMeterProvider()): () => void {
  const meter = provider.getMeter('dagger-worker')
  const observables = new Map<MetricDefinition, Observable>()
  const histograms = new Map<MetricDefinition, Histogram>()
  for (const definition of Object.values<MetricDefinition>(metricTable)) {
    if (definition.kind === 'histogram') histograms.set(definition, histogramOf(meter, definition))
    else observables.set(definition, observableOf(meter, definition))
  }

  metrics.listen((name: MetricOf<'histogram'>, labels) => {
    const definition = metricTable[name]
    const histogram = histograms.get(definition)
    const attributes = attributesOf(definition, labels)
    return (value) => histogram?.record(value, attributes)
  })
  const observe = (result: BatchObservableResult): void => {
    for (const { definition, samples } of metrics.collect()) {
      const observable = observables.get(definition)
      if (observable === undefined) continue
      for (const { labels, value } of samples) result.observe(observable, value, attributesOf(definition, labels))
    }
  }
  const all = [...observables.values()]
  meter.addBatchObservableCallback(observe, all)
  return () => meter.removeBatchObservableCallback(observe, all)
}

function observableOf(meter: Meter, { name, kind, unit, help: description }: MetricDefinition): Observable {
  const options = { unit, description }
  return kind === 'counter' ? meter.createObservableCounter(name, options) : meter.createObservableGauge(name, options)
}

function histogramOf(meter: Meter, { name, unit, help: description, buckets }: MetricDefinition): Histogram {
  return meter.createHistogram(name, { unit, description, advice: { explicitBucketBoundaries: [...buckets] } })
}

const attributesOf = ({ labels: names }: MetricDefinition, labels: readonly string[]): Attributes =>
  Object.fromEntries(names.map((name, index) => [name, labels[index] ?? '']))
