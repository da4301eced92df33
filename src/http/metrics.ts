// What a worker tells about itself, as Prometheus reads it.
import { Counter, Gauge, Registry } from 'prom-client'
import type { PartitionView, WorkerView } from '../runtime/face.ts'

/** Of this format: a Content-Type. */
export const metricsType = Registry.PROMETHEUS_CONTENT_TYPE

/** A worker's metrics. Names and units as Prometheus wants them: seconds, `_total` for what only grows. */
export function metricsText(view: WorkerView): Promise<string> {
  const registry = new Registry()
  const gauge = <Label extends string>(name: string, help: string, ...labelNames: readonly Label[]): Gauge<Label> =>
    new Gauge({ name: `dagger_worker_${name}`, help, labelNames: [...labelNames], registers: [registry] })

  gauge('ready', 'Whether the worker takes work: 1 if so.').set(Number(view.isReady))
  gauge('problems', 'What an operator should know now: how many sentences.').set(view.problems.length)
  gauge('copies', 'Partitions of others that it keeps a warm copy of.').set(view.copies.length)
  const partitions = gauge('partitions', 'Partitions that it owns, by phase.', 'phase')
  for (const { phase } of view.partitions) partitions.inc({ phase })

  const restoring = view.partitions.filter(({ phase }) => phase === 'restoring')
  const restore = (name: string, help: string, read: (view: PartitionView) => number | undefined): void => {
    const metric = gauge(`restore_${name}`, help, 'partition')
    for (const each of restoring) {
      const value = read(each)
      if (value !== undefined) metric.set({ partition: each.partition }, value)
    }
  }
  restore('records_left', 'Records of the changelog that a partition has yet to read.', (each) => each.restoreLeft)
  restore('records_per_second', 'How many it reads a second.', (each) => each.restorePerSecond)
  restore('seconds_left', 'How long that will take.', (each) => each.restoreSecondsLeft)

  const help = 'What happened since the worker started, by kind, as in GET /health.'
  const events = new Counter({
    name: 'dagger_worker_events_total',
    help,
    labelNames: ['event'],
    registers: [registry],
  })
  for (const [event, count] of Object.entries(view.counters)) events.inc({ event }, count)
  return registry.metrics()
}
