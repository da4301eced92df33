// What a worker tells about itself.
import type { Problem } from '../base/errors.ts'
import type { WorkerRecord } from '../records/worker-record.ts'
import type { Counters } from './batch.ts'
import type { WorkflowCatalogue } from './catalogue.ts'
import type { PartitionView, WorkerView } from './face.ts'
import type { PartitionHost } from './host.ts'
import { lagsOf, topicLags } from './metrics/lag.ts'
import type { RestoreProgress } from './restore.ts'
import { workflowView } from './workflow-queries.ts'

export interface ViewedWorker extends Pick<WorkerView, 'app' | 'workerId' | 'log'> {
  readonly hosts: readonly PartitionHost[]
  readonly catalogue: WorkflowCatalogue
  readonly counters: Counters
  readonly definitionProblems: readonly Problem[]
  /** Of the log, and alarms. */
  readonly problems: readonly string[]
  readonly isStopping: boolean
  readonly nowMs: number
}

export function viewOfWorker(worker: ViewedWorker): WorkerView {
  const { app, workerId, log, hosts, catalogue, counters, definitionProblems, isStopping, nowMs } = worker
  const partitions = hosts.flatMap((host, partition) =>
    host.role === 'owner' ? [viewOfPartition(host, partition)] : [],
  )
  const copies = hosts.flatMap((host, partition) => (host.role === 'standby' ? [partition] : []))
  const stopped = partitions
    .filter(({ phase }) => phase === 'stopped')
    .map(({ partition, reason }) => `partition ${partition} has stopped and needs a person: ${reason ?? ''}`)
  return {
    app,
    workerId,
    log,
    // Who only keeps copies is ready to take over.
    isReady:
      !isStopping && partitions.length + copies.length > 0 && partitions.every(({ phase }) => phase === 'running'),
    problems: [...worker.problems, ...stopped],
    definitionProblems,
    partitions,
    lag: topicLags(lagsOf(hosts), nowMs),
    copies,
    workflows: catalogue.listCurrent().map(workflowView),
    counters: Object.fromEntries([...counters].sort(([a], [b]) => (a < b ? -1 : 1))),
  }
}

/** How far the restore of these partitions is, together; undefined where none is being restored. */
export function restoreOf(
  partitions: readonly PartitionView[],
): { readonly fields: { readonly [name: string]: number }; readonly message: string } | undefined {
  const restoring = partitions.filter(({ phase }) => phase === 'restoring')
  if (restoring.length === 0) return undefined
  const sum = (of: (view: PartitionView) => number): number => restoring.reduce((total, view) => total + of(view), 0)
  const left = sum(({ restoreLeft }) => restoreLeft)
  const perSecond = sum(({ restorePerSecond }) => restorePerSecond ?? 0)
  // They are read side by side: the last one tells how long it takes.
  const secondsLeft = Math.max(...restoring.map(({ restoreSecondsLeft }) => restoreSecondsLeft ?? 0))
  const message = `restoring ${restoring.length} of ${partitions.length} partitions: ${left} records left, ${perSecond} a second, about ${secondsLeft} s; the others serve already`
  return { fields: { restoring: restoring.length, left, perSecond, secondsLeft }, message }
}

/** What it runs, and what it has of the others, for them. */
export function positionsOf(hosts: readonly PartitionHost[]): Pick<WorkerRecord, 'owned' | 'copies'> {
  const all = hosts.map((host, partition) => ({ host, partition, position: host.position ?? null }))
  const told = (list: typeof all) => list.map(({ partition, position }) => ({ partition, position }))
  return {
    owned: told(all.filter(({ host }) => host.running !== undefined)),
    copies: told(all.filter(({ host }) => host.running === undefined && host.role !== 'none')),
  }
}

function viewOfPartition({ phase, reason, restoring }: PartitionHost, partition: number): PartitionView {
  return {
    partition,
    phase,
    ...(reason === undefined ? {} : { reason }),
    restoreLeft: restoring?.left ?? 0,
    ...paceOf(restoring),
  }
}

function paceOf(progress: RestoreProgress | undefined): Pick<PartitionView, 'restorePerSecond' | 'restoreSecondsLeft'> {
  const perSecond = progress?.perSecond
  if (progress === undefined || perSecond === undefined || perSecond === 0) return {}
  return { restorePerSecond: perSecond, restoreSecondsLeft: Math.ceil(progress.left / perSecond) }
}
