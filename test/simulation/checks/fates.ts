// I6, I8: what became of every record that was for a listener. It is published to the partition of its value once, and
// from there each step leaves a trace:
//
//   published ──▶ kept ──▶ expired | gone with an instance
//       └──▶ found a waiter ──▶ taken | sent back ──▶ (as published; dropped where its instance has ended)
//
// A record with none of these traces was lost. An instance does not tell of a record that its `set` could not stomach:
// where a listener of the workflow failed, nothing is said.
import { partitionOfText } from '../../../src/base/partitioner.ts'
import type { ChannelReturn } from '../../../src/engine/command.ts'
import { channelId, type KeptRow } from '../../../src/engine/state.ts'
import type { Hop, Life } from '../committed.ts'
import { doClocksAgree, type Evidence, hasEnded } from './finished.ts'
import { mayHideTakings, takingsOf } from './listeners.ts'
import { placeOf, recordOf } from './logs.ts'
import type { ChannelUse, Source } from './sources.ts'

/** The traces of a record on its way to the listeners of a workflow. */
export interface Fate {
  readonly publishes: Hop[]
  readonly correlates: Hop[]
  readonly returns: (Hop & { readonly command: ChannelReturn })[]
  readonly kept: Life<KeptRow>[]
  takenBeside: number
  takenElsewhere: number
}

/** I6, I8: no record is published twice or not at all, and none is lost on its way. */
export function* recordsAreAccountedFor(run: Evidence): Generator<string> {
  const { fates } = run
  const failed = new Set(run.instances.filter(({ last }) => mayHideTakings(run, last)).map(({ last }) => last.workflow))
  const traceless = new Set([...run.workflows.values()].filter((one) => one.retentionMs === 0).map(({ name }) => name))
  const doubled = doubledPlaces(run.sources)
  for (const source of run.sources) {
    if (source.taken === undefined || source.mayBeGone || doubled.has(source.coordinates)) continue
    for (const [id, use] of distinct(source)) {
      const what = `${source.coordinates} for '${use.value}' of ${use.workflow}`
      const fate = fates.get(id)
      const partition = partitionOfText(use.value, run.plan.partitions)
      const isHere = source.seen.partition % run.plan.partitions === partition
      const published = fate?.publishes.length ?? 0
      if (published > (isHere ? 0 : 1) || (published === 0 && !isHere && use.isCertain))
        yield `I6: ${what} was sent to partition ${partition} ${published} times`
      if (failed.has(use.workflow) || traceless.has(use.workflow)) continue
      const sentBack = fate?.returns.length ?? 0
      const sent = fate?.correlates.length ?? 0
      const taken = fate?.takenElsewhere ?? 0
      if (sentBack + taken !== sent)
        yield `I8: ${what} was sent to ${sent} waiters, of which ${taken} took it and ${sentBack} sent it back`
      if (use.isCertain && isLost(run, source, use, partition, fate)) yield `I8: ${what} was lost`
    }
  }
}

/** True where nothing tells what became of a record after it reached the partition of its value. */
function isLost(run: Evidence, source: Source, use: ChannelUse, partition: number, fate: Fate | undefined): boolean {
  const { committed, plan } = run
  const isHere = source.seen.partition % plan.partitions === partition
  const came = isHere ? [source.taken] : (fate?.publishes ?? []).map((hop) => committed.takenHop(hop))
  const arrivals: Arrival[] = came.flatMap((taken) => (taken === undefined ? [] : [{ batch: taken.batch }]))
  for (const hop of fate?.returns ?? []) {
    const taken = mayBeDropped(run, hop) ? undefined : committed.takenHop(hop)
    if (taken !== undefined) arrivals.push({ batch: taken.batch, atMs: hop.command.arrivedAtMs })
  }
  const matches = (fate?.takenBeside ?? 0) + (fate?.correlates.length ?? 0)
  // What was kept first and then found a waiter has left two traces of one arrival.
  const traces = matches + (fate?.kept ?? []).filter((life) => matches === 0 || !isGoneEarly(run, life)).length
  if (arrivals.length <= traces) return (fate?.kept ?? []).some((life) => vanished(run, life, fate))
  // What came and was taken along in one transaction leaves no trace.
  const lasting = arrivals.filter((arrival) => !isPurged(run, partition, use, source.topic, arrival))
  return lasting.length > traces && keepMsOf(run, use, source) > 0
}

/** When a record reached its value: in which transaction, and, where that is told, when it counts to have come. */
interface Arrival {
  readonly batch: number
  readonly atMs?: number
}

/** A record that was sent back too late is nobody's. */
function mayBeDropped({ committed, plan }: Evidence, hop: Fate['returns'][number]): boolean {
  const { command } = hop
  const takenAtMs = committed.takenHop(hop)?.atMs ?? Infinity
  return command.isStale || command.expiresAtMs <= takenAtMs || !doClocksAgree(plan)
}

/** True where a kept record went away though nobody took it, its time had not come, and no instance took it along. */
function vanished(run: Evidence, life: Life<KeptRow>, fate: Fate | undefined): boolean {
  if ((fate?.takenBeside ?? 0) > 0 || (fate?.correlates.length ?? 0) > 0) return false
  return isGoneEarly(run, life) && !isKeptAgain(life, fate?.kept ?? [])
}

/** In one transaction somebody was found for it, could not take it any more, and it went back under a new number. */
function isKeptAgain({ versions }: Life<KeptRow>, lives: readonly Life<KeptRow>[]): boolean {
  const removed = versions.find(({ row }) => row === undefined)
  return lives.some((other) => other.versions !== versions && other.versions[0]?.batch === removed?.batch)
}

/** True where a kept record went away before its time, and no instance took it along: then somebody was found for it. */
function isGoneEarly(run: Evidence, { partition, versions, last }: Life<KeptRow>): boolean {
  const removed = versions.find(({ row }) => row === undefined)
  if (removed === undefined || !doClocksAgree(run.plan) || removed.atMs >= last.expiresAtMs) return false
  const [workflow = '', topic = ''] = last.channel.split('/')
  const value = last.channel.slice(workflow.length + topic.length + 2)
  return !isPurged(run, partition, { workflow, value }, topic, { batch: removed.batch, atMs: last.arrivedAtMs })
}

/** Whether an instance that ended may have taken along, in a transaction, what was kept for a value. */
function isPurged(
  { committed, instances }: Evidence,
  partition: number,
  { workflow, value }: Pick<ChannelUse, 'workflow' | 'value'>,
  topic: string,
  { batch, atMs }: Arrival,
): boolean {
  const isWithin = (fromMs: number, toMs: number): boolean => atMs === undefined || (atMs >= fromMs && atMs <= toMs)
  return (
    instances.some(
      ({ last, versions, ...life }) =>
        life.partition === partition &&
        last.workflow === workflow &&
        isWithin(last.startedAtMs, last.endedAtMs ?? Infinity) &&
        versions.some((version) => version.batch === batch && (version.row === undefined || hasEnded(version.row))),
    ) ||
    committed.hops.some(
      (hop) =>
        hop.partition === partition &&
        hop.command.type === 'channel.purge' &&
        hop.command.workflow === workflow &&
        hop.command.topic === topic &&
        hop.command.value === value &&
        isWithin(hop.command.fromMs, hop.command.toMs) &&
        committed.takenHop(hop)?.batch === batch,
    )
  )
}

/** How long a record is kept for a workflow, by the release that keeps it the shortest: another may not be known yet. */
function keepMsOf({ releases }: Evidence, use: ChannelUse, { topic }: Source): number {
  const each = releases.map((release) => {
    const tasks = release.filter(({ name }) => name === use.workflow).flatMap((workflow) => workflow.tasks)
    return Math.max(
      0,
      ...tasks.map((task) => (task.type === 'kafka-listener' && task.topic === topic ? task.keepMs : 0)),
    )
  })
  return Math.min(...each)
}

/** The fate of each record for each value and workflow that it is for, by `fateId`. */
export function fatesOf(run: Omit<Evidence, 'fates'>): ReadonlyMap<string, Fate> {
  const { committed, plan, sources } = run
  const fates = new Map<string, Fate>()
  const fateOf = (id: string): Fate => {
    const known = fates.get(id)
    if (known !== undefined) return known
    const fate: Fate = { publishes: [], correlates: [], returns: [], kept: [], takenBeside: 0, takenElsewhere: 0 }
    fates.set(id, fate)
    return fate
  }
  for (const hop of committed.hops) {
    const { command } = hop
    const record = recordOf(command)
    if (record === undefined) continue
    if (
      command.type !== 'channel.publish' &&
      command.type !== 'channel.return' &&
      command.type !== 'instance.correlate'
    )
      continue
    const fate = fateOf(fateId(command.workflow, command.value, placeOf(record)))
    if (command.type === 'channel.publish') fate.publishes.push(hop)
    else if (command.type === 'instance.correlate') fate.correlates.push(hop)
    else fate.returns.push({ ...hop, command })
  }
  for (const life of committed.lives('kept')) {
    const { channel, record } = life.last
    const workflow = channel.slice(0, channel.indexOf('/'))
    const value = channel.slice(channelId(workflow, record.topic, '').length)
    fateOf(fateId(workflow, value, placeOf(record))).kept.push(life)
  }
  const uses = new Map(sources.map((source) => [source.coordinates, [...distinct(source)]]))
  for (const { life, place } of takingsOf(run)) {
    // A record with several values for a workflow does not tell for which of them it was taken.
    const own = (uses.get(place) ?? []).filter(([, use]) => use.workflow === life.last.workflow)
    for (const [id, { value }] of own) {
      const isBeside = partitionOfText(value, plan.partitions) === life.partition
      if (isBeside) fateOf(id).takenBeside += 1
      else fateOf(id).takenElsewhere += 1
    }
  }
  return fates
}

export const fateId = (workflow: string, value: string, place: string): string =>
  JSON.stringify([workflow, value, place])

/** The values that a record has for each workflow, each once. */
const distinct = (source: Source): ReadonlyMap<string, ChannelUse> =>
  new Map(source.uses.channels.map((use) => [fateId(use.workflow, use.value, source.coordinates), use]))

/** Places at which two records stood, because their topic was made anew. */
export function doubledPlaces(sources: readonly Source[]): ReadonlySet<string> {
  const seen = new Set<string>()
  const doubled = new Set<string>()
  for (const { coordinates } of sources) (seen.has(coordinates) ? doubled : seen).add(coordinates)
  return doubled
}
