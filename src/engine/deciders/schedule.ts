// Schedules. They live on the partition of the workflow's name, which alone decides what is due; what it starts has the key
// `<workflow>@<due time>`, and lives wherever that belongs.
//
//   schedules.sync ──▶ entry, timer ──due──▶ instance.start ──▶ the key's partition
//                        ▲    ▲  └─ the next due time ┘                  │
//                        │    └───────────────schedule.ended─────────────┘
//   the current version has it no more ──▶ entry and timer go
//
// Z1. A due time starts at most one instance: each is looked at once, and where it is looked at again because the clock
//     went back, the key is known still (start.ts). Where two schedules of a workflow share one, neither keeps it pending
//     once the other has started it: by then its instance may have come and gone.
// Z2. A due time is started if it is no older than `catchUp`. The latest one is as well if it is no older than a minute: to
//     be late, because a partition moved, is not to have missed it.
// Z3. Of one schedule that must not overlap at most one instance is under way.
import { limits } from '../../base/limits.ts'
import { partitionOfText } from '../../base/partitioner.ts'
import { timeText } from '../../definition/time.ts'
import type { ScheduleTrigger, Workflow } from '../../definition/workflow.ts'
import { accept, type Decider, type Outcome } from '../outcome.ts'
import { reject } from '../rejection.ts'
import { scheduleTarget, scheduleTimer, type Due, type ScheduleEntry, type State, type TimerTarget } from '../state.ts'
import type { World } from '../world.ts'

type ScheduleTarget = Extract<TimerTarget, { kind: 'schedule' }>

/** Brings the entries of a workflow in line with its current version. */
export const syncSchedules: Decider<'schedules.sync'> = ({ workflow: name }, state, world) => {
  const out = accept()
  const workflow = world.catalogue.current(name)
  const entries = state.schedules.find(name)?.entries ?? []
  for (const { trigger } of entries) {
    if (triggerOf(workflow, trigger) === undefined) out.event({ type: 'schedule.removed', workflow: name, trigger })
  }
  for (const trigger of workflow?.schedules ?? []) {
    const entry = entries.find((each) => each.trigger === trigger.id)
    if (entry !== undefined && !isAstray(name, entry, state, world)) continue
    const nextMs = trigger.times.next(world.nowMs)
    if (nextMs === undefined) continue
    set(name, { ...(entry ?? fresh(trigger)), nextMs, lookedAtMs: world.nowMs }, out)
  }
  return out
}

const fresh = ({ id }: ScheduleTrigger): Pick<ScheduleEntry, 'trigger' | 'lastMs' | 'runningMs' | 'pendingMs'> => ({
  trigger: id,
  lastMs: undefined,
  runningMs: undefined,
  pendingMs: undefined,
})

/**
 * It would not be heard of for long: whoever looked last had a clock far ahead of ours. By a little, the clocks of two
 * machines always differ. Or its timer met a bug of ours and was set aside.
 */
function isAstray(workflow: string, entry: ScheduleEntry, state: State, world: World): boolean {
  if (entry.lookedAtMs > world.nowMs + limits.scheduleLateMs) return true
  return state.timers.find(scheduleTimer(workflow, entry)) === undefined
}

/** A due time has come: Z2 says which are started, `overlap` what becomes of them. */
export function scheduleDue(target: ScheduleTarget, state: State, world: World): Outcome {
  const out = accept()
  const { workflow: name, trigger: id } = target
  const workflow = world.catalogue.current(name)
  const trigger = triggerOf(workflow, id)
  const entry = find(name, id, state)
  if (entry === undefined) return out
  if (workflow === undefined || trigger === undefined)
    return out.event({ type: 'schedule.removed', workflow: name, trigger: id })
  const { due, nextMs } = dueTimes(trigger, entry, world.nowMs)
  let { lastMs, runningMs, pendingMs } = entry
  for (const { dueAtMs, isMissed } of due) {
    const isBusy = runningMs !== undefined && trigger.overlap !== 'all'
    if (isMissed || (isBusy && trigger.overlap === 'skip')) {
      out.event({ type: 'schedule.skipped', workflow: name, trigger: id, reason: isMissed ? 'missed' : 'running' })
    } else if (isBusy) {
      if (isTaken(name, id, dueAtMs, state, world)) continue // Z1
      if (pendingMs !== undefined)
        out.event({ type: 'schedule.skipped', workflow: name, trigger: id, reason: 'running' })
      pendingMs = dueAtMs
    } else {
      start(workflow, { trigger: id, dueAtMs }, state, world, out)
      lastMs = dueAtMs
      if (trigger.overlap !== 'all') runningMs = dueAtMs
    }
  }
  if (nextMs === undefined) return out.event({ type: 'schedule.removed', workflow: name, trigger: id })
  set(name, { trigger: id, nextMs, lookedAtMs: world.nowMs, lastMs, runningMs, pendingMs }, out)
  return out
}

interface DueTimes {
  readonly due: readonly { readonly dueAtMs: number; readonly isMissed: boolean }[]
  /** The first that was not looked at; where there are many it is due already, and its timer fires at once. */
  readonly nextMs: number | undefined
}

/** Z2. What is older than any of it is not even looked at: days can be passed over at no cost. */
function dueTimes(trigger: ScheduleTrigger, entry: ScheduleEntry, nowMs: number): DueTimes {
  const { times, catchUpMs } = trigger
  const fromMs = Math.max(entry.nextMs, nowMs - Math.max(catchUpMs, limits.scheduleLateMs))
  const found: number[] = []
  let nextMs = times.next(fromMs - 1)
  while (nextMs !== undefined && nextMs <= nowMs && found.length < limits.scheduleTimesMax) {
    // Z1: after a clock that went back.
    if (nextMs !== entry.lastMs) found.push(nextMs)
    nextMs = times.next(nextMs)
  }
  const isAll = nextMs === undefined || nextMs > nowMs
  const due = found.map((dueAtMs, index) => ({
    dueAtMs,
    isMissed: dueAtMs < nowMs - catchUpMs && !(isAll && index === found.length - 1),
  }))
  return { due, nextMs }
}

/** Its instance is over, or did not come to be: what waited for that starts. */
export const endScheduled: Decider<'schedule.ended'> = ({ workflow: name, due }, state, world) => {
  const entry = find(name, due.trigger, state)
  if (entry?.runningMs !== due.dueAtMs) return reject('not-waiting')
  const out = accept()
  const workflow = world.catalogue.current(name)
  const { pendingMs } = entry
  if (pendingMs === undefined || workflow === undefined || triggerOf(workflow, due.trigger) === undefined) {
    set(name, { ...entry, runningMs: undefined, pendingMs: undefined }, out)
    return out
  }
  set(name, { ...entry, lastMs: pendingMs, runningMs: pendingMs, pendingMs: undefined }, out)
  start(workflow, { trigger: due.trigger, dueAtMs: pendingMs }, state, world, out)
  return out
}

/** To the partition of the workflow's name: it may wait for this. */
export function tellSchedule(workflow: Workflow, due: Due, world: World, out: Outcome): void {
  if (triggerOf(workflow, due.trigger)?.overlap === 'all') return
  out.send(world, partitionOfText(workflow.name, world.partitions), {
    type: 'schedule.ended',
    workflow: workflow.name,
    due,
  })
}

/** Z1: another schedule of the workflow has started it. Where both keep it pending, whoever starts it first has it. */
function isTaken(name: string, trigger: string, dueAtMs: number, state: State, world: World): boolean {
  return siblings(name, trigger, state).some(({ trigger: id, lastMs, nextMs }) => {
    if (lastMs === dueAtMs) return true
    const other = triggerOf(world.catalogue.current(name), id)
    const isPassed = nextMs > dueAtMs && other?.times.next(dueAtMs - 1) === dueAtMs
    return isPassed && other.overlap === 'all' && dueAtMs >= world.nowMs - other.catchUpMs
  })
}

function start(workflow: Workflow, due: Due, state: State, world: World, out: Outcome): void {
  for (const entry of siblings(workflow.name, due.trigger, state))
    if (entry.pendingMs === due.dueAtMs) set(workflow.name, { ...entry, pendingMs: undefined }, out) // Z1
  const key = `${workflow.name}@${timeText(due.dueAtMs)}`
  out.send(world, partitionOfText(key, world.partitions), {
    type: 'instance.start',
    workflow: workflow.name,
    version: workflow.version,
    key,
    origin: { kind: 'schedule', due },
  })
}

function set(workflow: string, entry: ScheduleEntry, out: Outcome): void {
  out.event({ type: 'schedule.set', workflow, entry })
  out.event({
    type: 'timer.armed',
    key: scheduleTimer(workflow, entry),
    row: { dueAtMs: entry.nextMs, target: scheduleTarget(workflow, entry) },
  })
}

const find = (workflow: string, trigger: string, state: State): ScheduleEntry | undefined =>
  state.schedules.find(workflow)?.entries.find((each) => each.trigger === trigger)

const siblings = (workflow: string, trigger: string, state: State): readonly ScheduleEntry[] =>
  state.schedules.find(workflow)?.entries.filter((each) => each.trigger !== trigger) ?? []

const triggerOf = (workflow: Workflow | undefined, id: string): ScheduleTrigger | undefined =>
  workflow?.schedules.find((trigger) => trigger.id === id)
