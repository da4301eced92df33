// I8: records meet listeners: each record once in a workflow, the longest waiting first, never after `keep`, and none
// is kept beside a waiter that it fits. What becomes of each record on its way is in fates.ts.
import { channelId, keptId, type Waiter } from '../../../src/engine/state.ts'
import type { SourceRecord } from '../../../src/engine/message.ts'
import { doClocksAgree, nameOf, type Evidence } from './finished.ts'
import { fits, isTooOld, takingsOf } from './listeners.ts'
import { placeOf } from './logs.ts'
import { lastMomentOf, momentsOf } from './nodes.ts'
import { Waiting } from './waiting.ts'

/** I8: a record is taken by one listener of a workflow for each value that it has for it. */
export function* takenOnce(run: Evidence): Generator<string> {
  const { sources } = run
  const takers = new Map<string, string[]>()
  for (const { life, name: listener, place } of takingsOf(run)) {
    const { last } = life
    const id = `${last.workflow} ${place}`
    const name = `${listener} of ${nameOf(last)}`
    takers.set(id, [...(takers.get(id) ?? []), name])
  }
  const values = new Map<string, number>()
  for (const { coordinates, uses } of sources) {
    for (const workflow of new Set(uses.channels.map((use) => use.workflow))) {
      const own = new Set(uses.channels.filter((use) => use.workflow === workflow).map(({ value }) => value))
      const id = `${workflow} ${coordinates}`
      values.set(id, (values.get(id) ?? 0) + own.size)
    }
  }
  for (const [id, by] of takers)
    if (by.length > (values.get(id) ?? 0)) yield `I8: ${id} was taken by ${by.join(' and ')}`
}

/** I8: whenever a transaction is done, nobody waits beside a record that is kept and fits. */
export function* nobodyWaitsBeside(run: Evidence): Generator<string> {
  const waiting = new Waiting(run)
  for (const changelog of run.committed.changelogs) {
    const kept = new Map(changelog.lives('kept').map((life) => [life.id, life]))
    for (const life of changelog.lives('channels')) {
      const { last } = life
      const channel = channelId(last.workflow, last.topic, last.value)
      for (const version of life.versions) {
        const { batch, atMs } = version
        for (const mark of version.row?.kept ?? []) {
          const record = kept.get(keptId(mark.number))?.last.record
          if (record === undefined) yield `I8: channel ${channel} lists ${mark.number}, which is not kept`
          if (record === undefined) continue
          for (const waiter of waiting.in(life, version)) {
            if (fits(run, waiter, last.value, record) && !isTooOld(run, waiter, mark.arrivedAtMs))
              yield `I8: ${channel}: ${waiter.instanceId} waits beside kept record ${mark.number} after transaction ${batch} at ${atMs}`
          }
        }
      }
    }
  }
}

/** I8: of those who wait, the longest waiting whom a record fits takes it. */
export function* longestWaitingFirst(run: Evidence): Generator<string> {
  const matched = matchesOf(run)
  const waiting = new Waiting(run)
  for (const life of run.committed.lives('channels')) {
    const { last, versions } = life
    for (const [at, version] of versions.entries()) {
      const { atMs } = version
      const before = waiting.in(life, versions[at - 1])
      if (before.length < 2) continue
      const still = new Set(waiting.in(life, version).map(waiterId))
      for (const [place, waiter] of before.entries()) {
        const match = still.has(waiterId(waiter)) ? undefined : matched.get(waiterId(waiter))
        if (match === undefined) continue
        for (const [at, longer] of before.entries()) {
          // By the time since when they wait, and not by their place in the row: that is what is checked.
          if (longer.sinceMs > waiter.sinceMs || (longer.sinceMs === waiter.sinceMs && at >= place)) continue
          const isPassedOver =
            still.has(waiterId(longer)) &&
            fits(run, longer, last.value, match.record) &&
            !isTooOld(run, longer, match.arrivedAtMs ?? longer.sinceMs)
          if (isPassedOver)
            yield `I8: ${placeOf(match.record)} went to ${waiter.instanceId} at ${atMs}, and ${longer.instanceId} waits longer`
        }
      }
    }
  }
}

interface Match {
  readonly record: SourceRecord
  readonly arrivedAtMs: number | undefined
}

const waiterId = ({ instanceId, number }: Pick<Waiter, 'instanceId' | 'number'>): string => `${instanceId} ${number}`

/** Which record was found for each waiter: by its command where it lives elsewhere, else by what its instance took. */
function matchesOf(run: Evidence): ReadonlyMap<string, Match> {
  const { committed, sources } = run
  const matches = new Map<string, Match>()
  for (const { command } of committed.hops)
    if (command.type === 'instance.correlate') matches.set(waiterId(command), command)
  const records = new Map(sources.map(({ coordinates, record }) => [coordinates, record]))
  for (const { life, entry, place } of takingsOf(run)) {
    const record = entry === undefined ? undefined : records.get(place)
    if (entry === undefined || record === undefined) continue
    const told = life.last.timelineDropped + life.last.timeline.indexOf(entry)
    // A scope that is tried again has its attempts anew, and a wait may begin and end in one transaction: what counts is
    // the wait that the instance was in just before the taking.
    const before = momentsOf(run, life).findLast(({ row }) => row.timelineDropped + row.timeline.length <= told)
    const task = before?.is(entry.task)
    const waiting = task?.attempt === entry.attempt ? task.open : undefined
    if (waiting?.kind !== 'record') continue
    const id = waiterId({ instanceId: life.id, number: waiting.number })
    if (!matches.has(id)) matches.set(id, { record, arrivedAtMs: undefined })
  }
  return matches
}

/** I8: nothing is taken that came longer before its listener than that keeps it. */
export function* neverAfterKeep(run: Evidence): Generator<string> {
  const { committed, plan } = run
  if (!doClocksAgree(plan)) return
  const arrived = new Map<string, number>()
  for (const { last } of committed.lives('kept')) {
    const id = `${last.channel.slice(0, last.channel.indexOf('/'))} ${placeOf(last.record)}`
    arrived.set(id, Math.max(arrived.get(id) ?? 0, last.arrivedAtMs))
  }
  for (const { life, entry, place, wasKept } of takingsOf(run)) {
    if (entry === undefined) continue
    const task = lastMomentOf(run, life)?.task(entry.task)
    const atMs = arrived.get(`${life.last.workflow} ${place}`)
    if (!wasKept || task?.type !== 'kafka-listener' || atMs === undefined) continue
    const before = life.last.timeline.slice(0, life.last.timeline.indexOf(entry))
    const began = before.findLast(
      (each) => each.task === entry.task && each.attempt === entry.attempt && each.status === 'EXECUTING',
    )
    if (began !== undefined && began.atMs > atMs + task.keepMs)
      yield `I8: ${task.name} of ${nameOf(life.last)} took ${place}, which came ${began.atMs - atMs} ms before it`
  }
}
