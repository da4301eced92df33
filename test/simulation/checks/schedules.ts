// What schedules start (src/engine/deciders/schedule.ts), worked out anew from their definitions.
//   Z1. A due time starts at most one instance, and what was started was due.
//   Z2. Where all is made up for, however late, nothing that was due is lost.
//   Z3. Of a schedule that must not overlap one instance at most is under way.
import { partitionOfText } from '../../../src/base/partitioner.ts'
import { timeText } from '../../../src/definition/time.ts'
import type { ScheduleTrigger, Workflow } from '../../../src/definition/workflow.ts'
import type { Due, InstanceRow, ScheduleEntry, ScheduleRow } from '../../../src/engine/state.ts'
import type { Life, Version } from '../committed.ts'
import { hasEnded, nameOf, type Evidence } from './finished.ts'

/** Z1 */
export function* scheduledOnce({ instances, workflows }: Evidence): Generator<string> {
  const seen = new Set<string>()
  for (const { last } of instances) {
    const { due } = last
    if (due === undefined) continue
    const trigger = triggerOf(workflows.get(last.version), due.trigger)
    if (trigger === undefined) yield `Z1: ${nameOf(last)} is of a schedule that ${last.version} does not have`
    else if (trigger.times.next(due.dueAtMs - 1) !== due.dueAtMs)
      yield `Z1: ${nameOf(last)} was not due at ${timeText(due.dueAtMs)}`
    if (last.key !== keyOf(last.workflow, due)) yield `Z1: ${nameOf(last)} has not the key of its time`
    if (last.startedAtMs < due.dueAtMs - clocksDifferMs) yield `Z1: ${nameOf(last)} began before its time`
    const id = JSON.stringify([last.workflow, due.dueAtMs])
    if (seen.has(id)) yield `Z1: ${nameOf(last)} is the second of its time`
    seen.add(id)
  }
}

/** The clock of the schedule's partition may be so far ahead of that of the instance's (strike-draws.ts). */
const clocksDifferMs = 86_400_000

/** Z2 */
export function* nothingDueIsLost(run: Evidence): Generator<string> {
  const keys = new Set(run.instances.map(({ last }) => JSON.stringify([last.workflow, last.key])))
  for (const { id: name, partition, versions } of run.committed.lives('schedules')) {
    if (partition !== partitionOfText(name, run.plan.partitions))
      yield `Z1: the schedules of ${name} are on partition ${partition}`
    for (const [id, spans] of spansOf(versions)) {
      const trigger = triggerAmong(run, name, id)
      if (trigger?.overlap !== 'all' || trigger.catchUpMs < clocksDifferMs) continue
      for (const { first, last } of spans) {
        for (const dueAtMs of timesBetween(trigger, first.nextMs, last.nextMs)) {
          if (!keys.has(JSON.stringify([name, keyOf(name, { trigger: id, dueAtMs })])))
            yield `Z2: ${name} was due at ${timeText(dueAtMs)}, and nothing started`
        }
      }
    }
  }
}

/** Z3 */
export function* schedulesKeepApart(run: Evidence): Generator<string> {
  const byTrigger = new Map<string, Life<InstanceRow>[]>()
  for (const life of run.instances) {
    const { workflow, due } = life.last
    if (due === undefined || triggerAmong(run, workflow, due.trigger)?.overlap === 'all') continue
    const id = JSON.stringify([workflow, due.trigger])
    byTrigger.set(id, [...(byTrigger.get(id) ?? []), life])
  }
  for (const [id, lives] of byTrigger) {
    const [workflow, trigger] = JSON.parse(id) as [string, string]
    const row = run.committed.lives('schedules').find((life) => life.id === workflow)
    // What was taken away and came back has forgotten what runs.
    if ((spansOf(row?.versions ?? []).get(trigger)?.length ?? 0) > 1) continue
    const sorted = lives.toSorted((a, b) => (a.versions[0]?.atMs ?? 0) - (b.versions[0]?.atMs ?? 0))
    for (const [index, life] of sorted.entries()) {
      const before = sorted[index - 1]
      if (before === undefined || (before.last.endedAtMs ?? Infinity) <= life.last.startedAtMs) continue
      // Its end may be seen on one partition before it is on another.
      if (endedAtMs(before) > (life.versions[0]?.atMs ?? 0))
        yield `Z3: ${nameOf(life.last)} began while ${nameOf(before.last)} was under way`
    }
  }
}

/** Z3: at rest no schedule waits for an instance that is over. */
export function* schedulesHearOfEnds({ committed, instances }: Evidence): Generator<string> {
  for (const { id: name, last, isRemoved } of committed.lives('schedules')) {
    for (const { trigger, runningMs } of isRemoved ? [] : last.entries) {
      const found = instances.find(
        (life) =>
          life.last.workflow === name && life.last.due?.trigger === trigger && life.last.due.dueAtMs === runningMs,
      )
      if (runningMs !== undefined && (found === undefined || hasEnded(found.last)))
        yield `Z3: ${name} waits for its instance of ${timeText(runningMs)}, which ${found === undefined ? 'never was' : 'has ended'}`
    }
  }
}

/** When it became visible that it was over. */
const endedAtMs = ({ versions }: Life<InstanceRow>): number =>
  versions.find(({ row }) => row === undefined || hasEnded(row))?.atMs ?? Infinity

interface Span {
  first: ScheduleEntry
  /** The one that had looked the furthest. */
  last: ScheduleEntry
}

/** By trigger: from when on it was there, and up to when, each time. */
function spansOf(versions: readonly Version<ScheduleRow>[]): ReadonlyMap<string, readonly Span[]> {
  const spans = new Map<string, Span[]>()
  let open = new Map<string, Span>()
  for (const { row } of versions) {
    const next = new Map<string, Span>()
    for (const entry of row?.entries ?? []) {
      let span = open.get(entry.trigger)
      if (span === undefined) {
        span = { first: entry, last: entry }
        spans.set(entry.trigger, [...(spans.get(entry.trigger) ?? []), span])
      }
      if (entry.nextMs > span.last.nextMs) span.last = entry
      next.set(entry.trigger, span)
    }
    open = next
  }
  return spans
}

function* timesBetween({ times }: ScheduleTrigger, fromMs: number, toMs: number): Generator<number> {
  for (let ms = times.next(fromMs - 1); ms !== undefined && ms < toMs; ms = times.next(ms)) yield ms
}

const triggerOf = (workflow: Workflow | undefined, id: string): ScheduleTrigger | undefined =>
  workflow?.schedules.find((trigger) => trigger.id === id)

/** The schedule as any version of the workflow has it. */
export const triggerAmong = (
  { workflows }: Pick<Evidence, 'workflows'>,
  name: string,
  id: string,
): ScheduleTrigger | undefined =>
  [...workflows.values()].flatMap((workflow) => (workflow.name === name ? (triggerOf(workflow, id) ?? []) : []))[0]

const keyOf = (workflow: string, { dueAtMs }: Due): string => `${workflow}@${timeText(dueAtMs)}`
