// What is read of a worker whenever its metrics are: from one look at it. No look costs more than there are partitions,
// topics, and handlers under way.
import { sumOf } from './census.ts'
import type { Executor } from '../executor.ts'
import type { FleetFace, WorkerView } from '../face.ts'
import type { PartitionHost } from '../host.ts'
import { lagsOf, topicLags } from './lag.ts'
import type { Metrics, Reading } from './metrics.ts'
import type { Clock } from '../ports.ts'

export interface ObservedWorker {
  readonly worker: {
    view(): WorkerView
    readonly fleet: Pick<FleetFace, 'all'>
    readonly partitionsInAll: number
  }
  readonly hosts: readonly PartitionHost[]
  readonly executor: Pick<Executor, 'load'>
  readonly clock: Pick<Clock, 'nowMs'>
  readonly handlersMax: number
}

/** Has the metrics read the worker from now on. */
export function observeWorker(metrics: Metrics, observed: ObservedWorker): void {
  metrics.observe(function* () {
    const { worker, hosts, executor, clock, handlersMax } = observed
    yield* readingsOfView(worker.view())
    yield ['applicationPartitions', worker.partitionsInAll]
    yield ['workersHeard', Math.max(1, worker.fleet.all().length)]
    yield ['handlerSlots', handlersMax]
    for (const { handler, running, waiting } of executor.load) {
      yield ['handlerRuns', running, handler]
      yield ['handlerRunsWaiting', waiting, handler]
    }
    yield* readingsOfHosts(hosts, clock.nowMs())
  })
}

/** The group has given the worker these partitions. */
export function countMoves(metrics: Metrics, hosts: readonly PartitionHost[], owned: readonly number[]): void {
  metrics.count('assignments').value += 1
  for (const [partition, { role }] of hosts.entries()) {
    const isOwned = owned.includes(partition)
    if (isOwned !== (role === 'owner')) metrics.count('partitionsMoved', isOwned ? 'gained' : 'lost').value += 1
  }
}

/** What a view tells. */
export function* readingsOfView(view: WorkerView): Generator<Reading> {
  yield ['info', 1, view.app, view.workerId, view.log]
  yield ['ready', Number(view.isReady)]
  yield ['problems', view.problems.length]
  yield ['definitionProblems', view.definitionProblems.length]
  yield ['copies', view.copies.length]
  for (const [phase, { length }] of Map.groupBy(view.partitions, ({ phase: each }) => each))
    yield ['partitions', length, phase]
  for (const { partition, phase, restoreLeft, restorePerSecond, restoreSecondsLeft } of view.partitions) {
    if (phase !== 'restoring') continue
    const label = String(partition)
    yield ['restoreLeft', restoreLeft, label]
    if (restorePerSecond !== undefined) yield ['restorePerSecond', restorePerSecond, label]
    if (restoreSecondsLeft !== undefined) yield ['restoreSecondsLeft', restoreSecondsLeft, label]
  }
  for (const [event, count] of Object.entries(view.counters)) yield ['events', count, event]
}

function* readingsOfHosts(hosts: readonly PartitionHost[], nowMs: number): Generator<Reading> {
  const lags = Map.groupBy(lagsOf(hosts), ({ isInbox }) => isInbox)
  for (const { topic, records, oldestAgeMs } of topicLags(lags.get(false) ?? [], nowMs)) {
    yield ['sourceLagRecords', records, topic]
    // Of records that were not fetched yet nobody knows how old they are.
    if (records === 0 || oldestAgeMs !== undefined) yield ['sourceLagSeconds', (oldestAgeMs ?? 0) / 1_000, topic]
  }
  for (const { readBy, records } of lags.get(true) ?? []) yield ['inboxLagRecords', records, String(readBy)]
  let [waiting, overdueMs, keptRecords, keptBytes] = [0, 0, 0, 0]
  for (const [partition, { own, copyBehind, running }] of hosts.entries()) {
    waiting += own.length
    if (copyBehind !== undefined) yield ['copyLagRecords', copyBehind.records, String(partition)]
    if (running === undefined) continue
    const { kept } = running.gauges
    overdueMs = Math.max(overdueMs, running.gauges.overdueMs(nowMs))
    keptRecords += kept?.count ?? 0
    keptBytes += kept?.bytes ?? 0
  }
  yield* readingsOfInstances(hosts)
  yield ['commandsWaiting', waiting]
  yield ['timerOverdueSeconds', overdueMs / 1_000]
  yield ['keptRecords', keptRecords]
  yield ['keptBytes', keptBytes]
}

/** Nothing until those of all partitions that run here are counted: a part of them would look like a fall. */
function* readingsOfInstances(hosts: readonly PartitionHost[]): Generator<Reading> {
  const censuses = hosts.flatMap(({ running }) => (running === undefined ? [] : [running.gauges.census.counts]))
  const complete = censuses.filter((counts) => counts !== undefined)
  if (complete.length < censuses.length) return
  for (const [workflow, { open, withIncident, kept }] of sumOf(complete)) {
    for (const [status, count] of open) yield ['instances', count, workflow, status]
    yield ['instancesWithIncident', withIncident, workflow]
    yield ['instancesKept', kept, workflow]
  }
}
