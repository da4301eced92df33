// I16–I18: once the faults have stopped and everything had time to heal, all that there is has ended or waits for
// something that can still come, everything is read, and the group stands still.
import { channelId, type InstanceRow, type OpenWork } from '../../../src/engine/state.ts'
import type { SourcePositions } from '../committed.ts'
import { type Evidence, hasEnded, nameOf } from './finished.ts'
import { lastMomentOf, lastMomentsOf, type Moment } from './nodes.ts'
import { overdueMs } from './timers.ts'
import { Waiting } from './waiting.ts'

/** So long the group has not changed by then. */
const stableMs = 30_000

/** I16: every instance is terminal, in an incident, or waits for a record, for a time, or for a handler in its time. */
export function* allAtRest(run: Evidence): Generator<string> {
  const nowMs = run.world.scheduler.clock.nowMs()
  for (const { nodes, row } of lastMomentsOf(run)) {
    if (hasEnded(row) || row.incidents > 0) continue
    const open = nodes.flatMap(({ is }) => is?.open ?? [])
    const isRetried = row.timeline.some(({ atMs, status }) => status === 'SUBMITTED' && atMs > nowMs - overdueMs)
    // Whether a record is still to be waited for is waitersAreLive, and recordsAreAccountedFor (fates.ts).
    const canGoOn = (work: OpenWork): boolean =>
      work.kind === 'record' ||
      // Whether it runs is parentsHearOfChildren (children.ts).
      work.kind === 'child' ||
      work.kind === 'signal' ||
      (work.kind === 'slot' && isRetried) ||
      dueOf(work) > nowMs - overdueMs
    if (!open.some(canGoOn))
      yield `I16: ${nameOf(row)} is ${row.status}, open: ${open.map(({ kind }) => kind).join(', ') || 'nothing'}`
  }
}

function dueOf(work: OpenWork): number {
  if (work.kind === 'time' || work.kind === 'retry') return work.dueAtMs
  if (work.kind !== 'handler' && work.kind !== 'stopping' && work.kind !== 'interval') return -Infinity
  return work.timer === undefined ? -Infinity : Number(work.timer.slice(0, work.timer.indexOf('/')))
}

/** I16: whoever waits for a record waits in its channel, and nobody else does. */
export function* waitersAreLive(run: Evidence): Generator<string> {
  const waiting = new Map<string, InstanceRow>()
  for (const life of run.instances) {
    const moment = life.isRemoved ? undefined : lastMomentOf(run, life)
    for (const id of moment === undefined ? [] : subscriptionsOf(moment)) waiting.set(id, life.last)
  }
  const inChannels = new Waiting(run)
  for (const life of run.committed.lives('channels')) {
    const { last } = life
    for (const { instanceId, number } of inChannels.in(life, life.versions.at(-1))) {
      const channel = channelId(last.workflow, last.topic, last.value)
      if (!waiting.delete(`${instanceId} ${number} ${channel}`))
        yield `I16: ${channel} has the waiter ${number} of ${instanceId}, which does not wait for it`
    }
  }
  for (const [id, row] of waiting) yield `I16: ${nameOf(row)} waits, and nothing can find it: ${id}`
}

function* subscriptionsOf({ nodes, row, workflow }: Moment): Generator<string> {
  for (const { task, is } of nodes)
    if (task.type === 'kafka-listener' && is?.open?.kind === 'record')
      yield `${row.id} ${is.open.number} ${channelId(workflow.name, task.topic, is.open.value)}`
  for (const { task: index, number, value } of row.ahead) {
    const task = workflow.tasks[index]
    if (task?.type === 'kafka-listener') yield `${row.id} ${number} ${channelId(workflow.name, task.topic, value)}`
  }
}

/** I17: every partition of every source is read up to its end. */
export function* nothingUnread({ committed, world }: Evidence): Generator<string> {
  const read = new Map<string, SourcePositions>()
  const topics = new Set<string>()
  for (const changelog of committed.changelogs) {
    for (const positions of changelog.positions()) {
      read.set(`${positions.topic}/${positions.source}`, positions)
      topics.add(positions.topic)
    }
  }
  for (const topic of topics) {
    const info = world.broker.findTopic(topic)
    for (let partition = 0; partition < (info?.partitions ?? 0); partition++) {
      const place = `${topic}/${partition}`
      const position = read.get(place)?.versions.at(-1)?.row
      const { earliest } = world.broker.offsets(topic, partition)
      const last = committed.history
        .of(topic, partition)
        .findLast(({ topicId, offset }) => topicId === info?.id && offset >= earliest)
      if (position === undefined) yield `I17: ${place} was never read`
      else if (last !== undefined && (position.topicId !== info?.id || position.offset <= last.offset))
        yield `I17: ${place} was read up to ${position.offset} of ${position.topicId}, and ends with ${last.offset} of ${info?.id}`
    }
  }
}

/** I17: no transaction is open. */
export function* nothingOpen({ world }: Evidence): Generator<string> {
  const open = world.broker.unfinishedTransactions()
  if (open.length > 0) yield `I17: open transactions: ${JSON.stringify(open)}`
}

/** I18: the group has not changed for a while, and each partition runs where the group says, and nowhere else. */
export function* groupStandsStill({ plan, views, world }: Evidence): Generator<string> {
  const { clock } = world.scheduler
  const agoMs = clock.elapsedMs - world.coordinator.rebalancedAtMs
  // A planned death may come at any time, after the faults have stopped as well.
  if (agoMs < stableMs && plan.crashPoints.length === 0) yield `I18: the group changed ${agoMs} ms ago`
  for (let partition = 0; partition < plan.partitions; partition++) {
    const owner = world.coordinator.ownerOf(partition)
    if (owner === undefined) yield `I18: nobody owns partition ${partition}`
    else if (!views.has(owner)) yield `I18: ${owner} owns partition ${partition}, and does not run`
    for (const [name, { partitions }] of views) {
      const view = partitions.find((each) => each.partition === partition)
      const isRunning = view?.phase === 'running'
      if (isRunning !== (name === owner))
        yield `I18: partition ${partition} of ${owner} is ${view?.phase ?? 'not there'} in ${name}: ${view?.reason ?? 'no reason'}`
    }
  }
}
