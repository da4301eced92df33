// What a worker counts and measures, as numbers in memory. Whoever shows them reads all of them at once: GET /metrics and
// OpenTelemetry tell the same.
//
// A hot path asks once for its count or its histogram and keeps it: what it then costs is an addition. Gauges, and
// counts that are kept elsewhere, are read when they are asked for.
import { metricTable, type MetricDefinition, type MetricName, type MetricOf } from './metric-table.ts'

/** Series of one metric: what comes beyond is added up under "other". */
const seriesMax = 1_000

/** Something that only grows, for one set of labels. */
export interface Count {
  readonly labels: readonly string[]
  value: number
}

/** A value with its labels, in the order of the table. */
export type Sample = Readonly<Count>

/** How often values were measured up to each bound, for one set of labels. */
export class Histogram {
  readonly labels: readonly string[]
  readonly bounds: readonly number[]
  /** By bucket, one more than there are bounds. */
  readonly counts: number[]
  sum = 0
  /** Told of each value as well. */
  onRecord: ((value: number) => void) | undefined

  constructor(labels: readonly string[], bounds: readonly number[]) {
    this.labels = labels
    this.bounds = bounds
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0)
  }

  record(value: number): void {
    const { bounds } = this
    let bucket = 0
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++
    this.counts[bucket] = (this.counts[bucket] as number) + 1
    this.sum += value
    this.onRecord?.(value)
  }
}

/** A metric with all that it is now. */
export interface Family {
  readonly definition: MetricDefinition
  readonly samples: readonly Sample[]
  readonly histograms: readonly Histogram[]
}

/** A value that was read: of which metric, and its labels in the order of the table. */
export type Reading = readonly [name: MetricOf<'gauge' | 'counter'>, value: number, ...labels: readonly string[]]
export type Read = () => Iterable<Reading>

export class Metrics {
  /** A time in milliseconds that only grows: what durations are measured by. */
  readonly nowMs: () => number
  readonly #counts = new Map<MetricName, Map<string, Count>>()
  readonly #histograms = new Map<MetricName, Map<string, Histogram>>()
  readonly #reads = new Set<Read>()
  #listen: ((name: MetricOf<'histogram'>, labels: readonly string[]) => (value: number) => void) | undefined

  constructor(nowMs: () => number) {
    this.nowMs = nowMs
  }

  /** The count for these labels, to be kept by who counts. */
  count(name: MetricOf<'counter'>, ...labels: readonly string[]): Count {
    return seriesOf(this.#counts, name, labels, (own) => ({ labels: own, value: 0 }))
  }

  /** The histogram for these labels, to be kept by who measures. */
  histogram(name: MetricOf<'histogram'>, ...labels: readonly string[]): Histogram {
    return seriesOf(this.#histograms, name, labels, (own) => {
      const made = new Histogram(own, metricTable[name].buckets)
      made.onRecord = this.#listen?.(name, own)
      return made
    })
  }

  /** Asks `read` once whenever all is read; the result ends that. */
  observe(read: Read): () => void {
    this.#reads.add(read)
    return () => void this.#reads.delete(read)
  }

  /** Tells of each value that any histogram is given from now on. */
  listen(listen: (name: MetricOf<'histogram'>, labels: readonly string[]) => (value: number) => void): void {
    this.#listen = listen
    for (const [name, series] of this.#histograms)
      for (const histogram of series.values())
        histogram.onRecord = listen(name as MetricOf<'histogram'>, histogram.labels)
  }

  /** Everything as it is now, in the order of the table. */
  collect(): readonly Family[] {
    const read = new Map<MetricName, Sample[]>()
    for (const each of this.#reads) {
      for (const [name, value, ...labels] of each()) {
        const known = read.get(name)
        if (known === undefined) read.set(name, [{ labels, value }])
        else known.push({ labels, value })
      }
    }
    return (Object.keys(metricTable) as MetricName[]).map((name) => ({
      definition: metricTable[name],
      samples: [...(this.#counts.get(name)?.values() ?? []), ...(read.get(name) ?? [])],
      histograms: [...(this.#histograms.get(name)?.values() ?? [])],
    }))
  }
}

function seriesOf<Series>(
  all: Map<MetricName, Map<string, Series>>,
  name: MetricName,
  labels: readonly string[],
  make: (labels: readonly string[]) => Series,
): Series {
  let series = all.get(name)
  if (series === undefined) all.set(name, (series = new Map()))
  const found = series.get(labels.join('\0'))
  if (found !== undefined) return found
  const own = series.size < seriesMax ? labels : labels.map(() => 'other')
  const key = own.join('\0')
  const known = series.get(key)
  if (known !== undefined) return known
  const made = make(own)
  series.set(key, made)
  return made
}
