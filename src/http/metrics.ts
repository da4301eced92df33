// A worker's metrics as Prometheus reads them, in its own format or in OpenMetrics'.
import { Registry, type Metric, type OpenMetricsContentType, type PrometheusContentType } from 'prom-client'
import type { Family, Metrics } from '../runtime/face.ts'

export const metricsTypes = {
  prometheus: Registry.PROMETHEUS_CONTENT_TYPE,
  openMetrics: Registry.OPENMETRICS_CONTENT_TYPE,
} as const

/** The format that an `Accept` header asks for: OpenMetrics where it is named, as Prometheus does. */
export function metricsTypeFor(accept: string | undefined): string {
  const isOpenMetrics = accept?.includes('application/openmetrics-text') === true
  return isOpenMetrics ? metricsTypes.openMetrics : metricsTypes.prometheus
}

/** All metrics, as text of one of the types. */
export function metricsText(metrics: Metrics, type: string): Promise<string> {
  const registry = new Registry<PrometheusContentType | OpenMetricsContentType>()
  registry.setContentType(type === metricsTypes.openMetrics ? metricsTypes.openMetrics : metricsTypes.prometheus)
  for (const family of metrics.collect()) registry.registerMetric(renderable(family))
  return registry.metrics()
}

interface RenderedValue {
  readonly metricName?: string
  readonly labels: { readonly [name: string]: string | number }
  readonly value: number
}

/**
 * What the library renders of a metric. Its own instruments look a series up for each value they are given; ours are kept
 * where they are counted. It gives a counter another name in OpenMetrics.
 */
function renderable({ definition, samples, histograms }: Family): Metric {
  const { name, help, kind: type, labels: names } = definition
  const named = (labels: readonly string[]) =>
    Object.fromEntries(names.map((each, index) => [each, labels[index] ?? '']))
  const values = samples.map(({ labels, value }): RenderedValue => ({ labels: named(labels), value }))
  for (const { labels, bounds, counts, sum } of histograms) {
    let count = 0
    for (const [index, inBucket] of counts.entries()) {
      count += inBucket
      const le = bounds[index] ?? '+Inf'
      values.push({ metricName: `${name}_bucket`, labels: { ...named(labels), le }, value: count })
    }
    values.push({ metricName: `${name}_sum`, labels: named(labels), value: sum })
    values.push({ metricName: `${name}_count`, labels: named(labels), value: count })
  }
  const metric = { name, help, type, get: async () => ({ name: metric.name, help, type, values }) }
  return metric as unknown as Metric
}
