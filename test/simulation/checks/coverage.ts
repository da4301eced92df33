// I20: a campaign in which some task type, error path or fault kind never occurred is void. What has to occur is read off
// the engine's own unions: an event, refusal or task type that is added to the product does not compile here until
// somebody says how soon a campaign meets it.
import type { TaskType } from '../../../src/definition/workflow.ts'
import type { EventType, UnkeptReason } from '../../../src/engine/event.ts'
import type { UnusableRecord } from '../../../src/engine/format.ts'
import type { RejectionCode } from '../../../src/engine/rejection.ts'
import { faultKinds } from '../strikes.ts'
import { lastMomentsOf } from './nodes.ts'
import type { RunResult } from '../run.ts'

/** So many seeds, and it has occurred. */
const often = 100
const seldom = 500
const rarely = 5_000
/** Never, for this reason. */
type Within = number | string

const events: { readonly [Type in EventType]: Within } = {
  'instance.started': often,
  'instance.completed': often,
  'instance.failed': often,
  'instance.suspended': 'people of the simulation do not do it yet',
  'instance.resumed': 'people of the simulation do not do it yet',
  'instance.reopened': 'people of the simulation do not do it yet',
  'instance.operated': often,
  'instance.incident-resolved': 'people of the simulation do not do it yet',
  'command.deferred': 'people of the simulation do not do it yet',
  'signal.kept': often,
  'signal.taken': often,
  'instance.stopped': often,
  'instance.ending': often,
  'deadlines.set': often,
  'slots.taken': often,
  'undo.recorded': often,
  'undo.taken': often,
  'task.waiting': often,
  'task.stopping': often,
  'scope.joined': often,
  'instance.incident-raised': rarely,
  'instance.forgotten': often,
  'instance.not-started': often,
  'task.submitted': often,
  'task.executing': often,
  'task.retry-scheduled': often,
  'task.completed': often,
  'task.failed': often,
  'task.skipped': often,
  'task.stopped': often,
  'scope.reopened': seldom,
  'ahead.joined': seldom,
  'ahead.left': seldom,
  'vars.set': often,
  'attributes.set': often,
  'timer.armed': often,
  'timer.fired': often,
  'channel.joined': often,
  'channel.left': often,
  'channel.matched': often,
  'record.kept': often,
  'record.unkept': often,
  'record.dropped': often,
  'record.returned': seldom,
  'record.dead-lettered': often,
  'record.unmatched': often,
  'start.queued': often,
  'start.dequeued': often,
  'schedule.set': often,
  'schedule.removed': seldom,
  'schedule.skipped': often,
  'answer.remembered': often,
  'answer.forgotten': rarely,
}

const rejections: { readonly [Code in RejectionCode]: Within } = {
  'instance-not-found': 'only a bug asks for an instance that is gone: the late is sent back, superseded or not open',
  'instance-closed': often,
  'instance-has-incident': rarely,
  'task-not-open': often,
  'attempt-superseded': rarely,
  'timer-superseded': often,
  'not-waiting': seldom,
  'nothing-kept': often,
  'nothing-queued': 'only a bug asks for the next of nothing',
}

const unkept: { readonly [Reason in UnkeptReason]: Within } = {
  matched: often,
  expired: often,
  purged: often,
  evicted: 'it takes more records than a seed has: test/engine/kept.test.ts',
}

const tasks: { readonly [Type in TaskType]: Within } = {
  parallel: often,
  branch: often,
  'for-each': often,
  item: often,
  workflow: often,
  interval: often,
  signal: often,
  http: often,
  fail: often,
  stop: often,
  'kafka-command': often,
  'kafka-listener': often,
  process: often,
  decision: often,
  set: often,
  trigger: often,
  handler: often,
}

const unusable: { readonly [Code in UnusableRecord['code']]: Within } = {
  'not-json': often,
  'key-not-text': often,
  'too-deep': often,
  'record-too-large': rarely,
  'not-text': 'no random workflow declares a format',
  'key-not-json': 'no random workflow declares a format',
  'key-not-integer': 'no random workflow declares a format',
  'schema-unknown': 'no random workflow declares a format',
  'schema-misfit': 'no random workflow declares a format',
}

const counterOf = (name: string): string => name.replaceAll(/[.-]/g, '_')

const within: ReadonlyMap<string, Within> = new Map([
  ...Object.entries(events).map(([type, seeds]) => [counterOf(type), seeds] as const),
  ...Object.entries(rejections).map(([code, seeds]) => [`rejected_${counterOf(code)}`, seeds] as const),
  ...Object.entries(unkept).map(([reason, seeds]) => [`record_unkept_${reason}`, seeds] as const),
  ...Object.entries(tasks).map(([type, seeds]) => [`completed ${type}`, seeds] as const),
  ...Object.entries(unusable).map(([code, seeds]) => [`dead letter ${code}`, seeds] as const),
  ...faultKinds.map((kind) => [`fault ${kind}`, seldom] as const),
])

/** What has to have occurred in a campaign of so many seeds, by the names of `countsOf`. */
export const requiredIn = (seeds: number): readonly string[] =>
  [...within].flatMap(([name, at]) => (typeof at === 'number' && at <= seeds ? [name] : []))

/** How often each thing happened in a run. */
export function countsOf({ counters, finished, world }: RunResult): ReadonlyMap<string, number> {
  const counts = new Map(counters)
  const add = (name: string, times: number): void => void counts.set(name, (counts.get(name) ?? 0) + times)
  for (const [kind, times] of world.scheduler.faultCounts) add(`fault ${kind}`, times)
  for (const { code } of finished.committed.letters) add(`dead letter ${code}`, 1)
  const workflows = new Map(finished.releases.flat().map((workflow) => [workflow.version, workflow]))
  const { committed } = finished
  for (const { nodes } of lastMomentsOf({ committed, workflows, instances: committed.lives('instances') }))
    for (const { task, is } of nodes) if (is?.status === 'COMPLETED') add(`completed ${task.type}`, 1)
  return counts
}
