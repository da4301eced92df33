// I8: an instance that ends takes along what came for it while it ran and nobody took: a late duplicate never answers the
// next instance with its key.
import { partitionOfText } from '../../../src/base/partitioner.ts'
import { canonicalText } from '../../../src/engine/correlation.ts'
import { rootsFor } from '../../../src/engine/roots.ts'
import { channelId, type InstanceRow, type KeptRow } from '../../../src/engine/state.ts'
import type { Committed, Life } from '../committed.ts'
import { doClocksAgree, type Evidence, hasEnded, nameOf } from './finished.ts'
import { placeOf } from './logs.ts'
import { lastMomentOf, type Moment } from './nodes.ts'

/** I8: once an instance has ended, nothing is kept for its values that came while it ran. */
export function* takenAlong(run: Evidence): Generator<string> {
  const { committed, instances, plan } = run
  if (!doClocksAgree(plan)) return
  const kept = keptByChannel(committed)
  for (const life of instances) {
    const { last, versions, partition } = life
    const moment = lastMomentOf(run, life)
    const { startedAtMs, endedAtMs } = last
    const end = versions.find(({ row }) => row !== undefined && hasEnded(row))
    if (moment === undefined || end === undefined || endedAtMs === undefined) continue
    for (const [topic, value] of valuesOf(moment)) {
      const records = kept.get(channelId(last.workflow, topic, value)) ?? []
      const ofIts = records.filter((life) => life.last.arrivedAtMs >= startedAtMs && life.last.arrivedAtMs < endedAtMs)
      if (ofIts.length === 0) continue
      const purgedIn = batchOfPurge(committed, last, topic, value, partition, end.batch)
      for (const life of ofIts) {
        const first = life.versions[0]
        const gone = life.versions.find(({ row }) => row === undefined)
        if (first === undefined || purgedIn === undefined || first.batch >= purgedIn) continue
        if (gone === undefined || gone.batch > purgedIn)
          yield `I8: ${placeOf(life.last.record)} came for '${value}' while ${nameOf(last)} ran, and was kept after its end`
      }
    }
  }
}

function keptByChannel(committed: Committed): ReadonlyMap<string, readonly Life<KeptRow>[]> {
  const kept = new Map<string, Life<KeptRow>[]>()
  for (const life of committed.lives('kept')) {
    const { channel } = life.last
    const known = kept.get(channel)
    if (known === undefined) kept.set(channel, [life])
    else known.push(life)
  }
  return kept
}

/** Which transaction of the value's partition took along what was kept; undefined: none did yet. */
function batchOfPurge(
  committed: Committed,
  { workflow, startedAtMs, endedAtMs }: InstanceRow,
  topic: string,
  value: string,
  partition: number,
  endBatch: number,
): number | undefined {
  const place = partitionOfText(value, committed.partitions)
  if (place === partition) return endBatch
  const purge = committed.hops.find(
    ({ command, partition: of }) =>
      of === place &&
      command.type === 'channel.purge' &&
      command.workflow === workflow &&
      command.topic === topic &&
      command.value === value &&
      command.toMs === endedAtMs &&
      command.toMs >= startedAtMs,
  )
  return purge && committed.takenHop(purge)?.batch
}

/** Every topic and value that a listener of the instance waited for, or would have. */
function valuesOf(moment: Moment): readonly (readonly [string, string])[] {
  const { row, workflow } = moment
  const values = new Map<string, readonly [string, string]>()
  for (const task of workflow.tasks) {
    const expression = task.type === 'kafka-listener' ? task.correlate[0]?.instance : undefined
    if (task.type !== 'kafka-listener' || expression === undefined) continue
    try {
      const roots = rootsFor(moment.place(task.index), expression.uses, row.endedAtMs ?? 0)
      const value = canonicalText(expression.evaluate(roots))
      if (value !== undefined) values.set(`${task.topic}/${value}`, [task.topic, value])
    } catch {
      // It names what this instance never had.
    }
  }
  return [...values.values()]
}
