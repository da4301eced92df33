// What a worker tells about itself, as Prometheus reads it. Everything is looked up when it is asked for.
import { Counter, Gauge, Registry } from 'prom-client'
import type { WorkerFace, WorkerView } from '../runtime/face.ts'

/** The metrics of a worker. Names and units as Prometheus wants them: seconds, `_total` for what only grows. */
export function metricsOf(worker: WorkerFace): Registry {
  const registry = new Registry()
  const registers = [registry]
  const gauge = (name: string, help: string, read: (view: WorkerView) => number): void =>
    void new Gauge({
      name: `dagger_worker_${name}`,
      help,
      registers,
      collect() {
        this.set(read(worker.view()))
      },
    })
  gauge('ready', 'Whether the worker takes work: 1 if so.', ({ isReady }) => Number(isReady))
  gauge('problems', 'What an operator should know now: how many sentences.', ({ problems }) => problems.length)
  gauge('copies', 'Partitions of others that it keeps a warm copy of.', ({ copies }) => copies.length)
  void new Gauge({
    name: 'dagger_worker_partitions',
    help: 'Partitions that it owns, by phase.',
    labelNames: ['phase'],
    registers,
    collect() {
      this.reset()
      for (const { phase } of worker.view().partitions) this.inc({ phase })
    },
  })
  const restore = (name: string, help: string, read: (view: WorkerView['partitions'][number]) => number | undefined) =>
    void new Gauge({
      name: `dagger_worker_restore_${name}`,
      help,
      labelNames: ['partition'],
      registers,
      collect() {
        this.reset()
        for (const view of worker.view().partitions) {
          const value = view.phase === 'restoring' ? read(view) : undefined
          if (value !== undefined) this.set({ partition: view.partition }, value)
        }
      },
    })
  restore('records_left', 'Records of the changelog that a partition has yet to read.', (view) => view.restoreLeft)
  restore('records_per_second', 'How many it reads a second.', (view) => view.restorePerSecond)
  restore('seconds_left', 'How long that will take.', (view) => view.restoreSecondsLeft)
  void new Counter({
    name: 'dagger_worker_events_total',
    help: 'What happened since the worker started, by kind, as in GET /health.',
    labelNames: ['event'],
    registers,
    collect() {
      this.reset()
      for (const [event, count] of Object.entries(worker.view().counters)) this.inc({ event }, count)
    },
  })
  return registry
}
