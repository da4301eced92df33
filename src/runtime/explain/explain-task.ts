// One task that waits, in words: for what, since when, until when, what happens then, and what a person can do.
import type { Task, Workflow } from '../../definition/workflow.ts'
import { writtenType } from '../../definition/written-type.ts'
import type { InstanceRow, OpenWork, TaskRow } from '../../engine/state.ts'
import type { Help, TaskExplanation, WaitKind } from '../faces/explain-face.ts'
import { timeView } from '../record-view.ts'
import { waiting } from '../views.ts'

export interface OpenTask {
  readonly name: string
  readonly node: number
  readonly task: Task
  readonly row: TaskRow
}

/** All that the rows say by themselves; what others know is added by who asks them. */
export function explainTask({ name, task, row }: OpenTask, instance: InstanceRow, isLost: boolean): TaskExplanation {
  const kind = kindOf(row)
  const until = untilOf(row.open)
  const afterwards = until === undefined ? undefined : thenOf(task, row, row.open)
  return {
    task: name,
    type: writtenType(task),
    kind,
    waitsFor: isLost ? 'its handler, which no worker has now' : (waiting(task, row, undefined).waitsFor ?? ''),
    since: timeView(row.startedAtMs) ?? '',
    ...(until === undefined ? {} : { until: timeView(until) ?? '' }),
    ...(afterwards === undefined ? {} : { afterwards }),
    attempt: row.attempt,
    attemptsMax: task.retry.maxAttempts,
    ...(row.error === undefined ? {} : { error: row.error }),
    help: helpFor(kind, name, row.open, instance),
  }
}

function kindOf({ hasIncident, open }: TaskRow): WaitKind {
  if (hasIncident || open === undefined || open.kind === 'scope' || open.kind === 'children') return 'incident'
  return open.kind
}

/** When its wait ends by itself. */
function untilOf(open: OpenWork | undefined): number | undefined {
  if (open === undefined) return undefined
  if ('dueAtMs' in open) return open.dueAtMs
  const timer = 'timer' in open ? open.timer : undefined
  return timer === undefined ? undefined : Number(timer.slice(0, 15))
}

function thenOf(task: Task, row: TaskRow, open: OpenWork | undefined): string | undefined {
  switch (open?.kind) {
    case 'record':
    case 'signal':
    case 'child':
    case 'handler':
      return failing(task, row)
    case 'retry':
      return `attempt ${row.attempt + 1} begins`
    case 'time':
      return 'it goes on'
    case 'interval':
      return 'the next run begins'
    case 'stopping':
      return 'it is over, whether its handler has cleaned up or not'
    default:
      return undefined
  }
}

/** What a timeout comes to, as far as the workflow says so before it happens. */
function failing(task: Task, row: TaskRow): string {
  const { maxAttempts, nonRetryable } = task.retry
  const made = row.attempt - row.attemptsBefore
  if (!nonRetryable.includes('timeout') && (maxAttempts === 0 || made < maxAttempts))
    return `it fails with \`timeout\` and is tried again${maxAttempts === 0 ? '' : ` (attempt ${made + 1} of ${maxAttempts})`}`
  const rules = task.onFailure.filter(({ codes }) => codes === undefined || codes.includes('timeout'))
  const [rule] = rules
  if (rule === undefined || rule.when !== undefined) return 'it fails with `timeout`; a rule of onFailure decides then'
  const { action } = rule
  if (typeof action === 'object') return `it fails with \`timeout\` and goes on with ${action.next.join(', ')}`
  switch (action) {
    case 'incident':
      return 'it fails with `timeout` and becomes an incident'
    case 'fail':
      return 'it fails with `timeout`, and its scope with it'
    case 'skip':
      return 'it fails with `timeout` and is skipped'
  }
}

function helpFor(kind: WaitKind, task: string, open: OpenWork | undefined, instance: InstanceRow): readonly Help[] {
  if (instance.status !== 'EXECUTING') return []
  const skip: Help = { action: 'skip', task, why: 'what comes after it goes on without it' }
  const complete: Help = { action: 'complete', task, why: 'as if it had answered, with an output of yours' }
  switch (kind) {
    case 'incident':
      return [{ action: 'retry', task, why: 'once the cause is mended' }, skip, complete]
    case 'retry':
      return [{ action: 'retry', task, why: 'now, in place of waiting' }, skip, complete]
    case 'record':
      return [complete, skip]
    case 'signal': {
      const name = open?.kind === 'signal' ? open.name : ''
      return [{ action: 'signal', name, why: 'what it waits for' }, skip]
    }
    case 'time':
    case 'slot':
    case 'handler':
    case 'interval':
    case 'child':
      return [skip, complete]
    case 'stopping':
      return []
  }
}

/** Why the instance is where it is, in a sentence. */
export function summaryOf(instance: InstanceRow, workflow: Workflow, tasks: readonly TaskExplanation[]): string {
  const name = `${workflow.name}/${instance.key}`
  const ended = instance.endedAtMs
  if (ended !== undefined) return `${name} ended ${instance.status} at ${timeView(ended) ?? ''}: it waits for nothing`
  if (instance.status === 'SUSPENDED') return `${name} is suspended: it collects what comes until it is resumed`
  const stuck = tasks.filter(({ kind }) => kind === 'incident')
  if (instance.error !== undefined && instance.status === 'EXECUTING')
    return `${name} waits for a person: ${instance.error.code}`
  if (stuck.length > 0) return `${name} waits for a person at ${stuck.map(({ task }) => task).join(', ')}`
  if (instance.status === 'COMPENSATING') return `${name} failed, and what it did is being undone`
  const [first, ...more] = tasks
  if (first === undefined) return `${name} is under way: what comes next is being decided`
  return `${name} waits at ${first.task} for ${first.waitsFor}${more.length === 0 ? '' : `, and at ${more.length} more`}`
}
