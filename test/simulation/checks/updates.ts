// I21: what is told of an instance in the updates' topic, folded in its order, is the instance's history: nothing is left out,
// told twice or told of what never was; and nothing is told of those that nobody wants to hear of.
import { isDeepStrictEqual } from 'node:util'
import type { Workflow } from '../../../src/definition/workflow.ts'
import { taskAt } from '../../../src/engine/nodes.ts'
import type { InstanceRow, TimelineRow } from '../../../src/engine/state.ts'
import type { Update } from '../../../src/records/update.ts'
import { violationsOf } from '../../support/update-schemas.ts'
import type { Life } from '../committed.ts'
import { type Evidence, hasEnded, nameOf } from './finished.ts'

/** I21: the updates of an instance are in its partition and in its order, numbered from 1 with no gap, and as published. */
export function* updatesLeaveNothingOut({ committed, plan }: Evidence): Generator<string> {
  const { history, topics } = committed
  const counted = new Map<string, number>()
  for (let partition = 0; partition < plan.partitions; partition++) {
    for (const { key, value } of history.of(topics.updates, partition)) {
      const update = updateIn(value)
      const { subject, id, sequence } = update
      const number = (counted.get(subject) ?? 0) + 1
      counted.set(subject, number)
      if (id !== `${subject}/${number}` || Number(sequence) !== number)
        yield `I21: ${id} (${sequence}) is update ${number} of ${subject}`
      if (!subject.endsWith(`-${partition}`) || Buffer.from(key ?? '').toString() !== subject)
        yield `I21: ${id} is in partition ${partition} under ${Buffer.from(key ?? '').toString()}`
      for (const violation of violationsOf(update)) yield `I21: ${id} is not as published: ${violation}`
    }
  }
}

/** I21: each entry of a timeline is told as it is, where the workflow or the application says so, and nothing else is. */
export function* updatesTellHistories(run: Evidence): Generator<string> {
  const told = Map.groupBy(
    run.committed.history.all(run.committed.topics.updates).map(({ value }) => updateIn(value)),
    ({ subject }) => subject,
  )
  for (const life of run.instances) {
    const workflow = run.workflows.get(life.last.version)
    if (workflow === undefined) continue
    const updates = told.get(life.id) ?? []
    told.delete(life.id)
    if (workflow.updates ?? run.plan.updates) yield* misfits(life, workflow, updates)
    else if (updates.length > 0) yield `I21: ${nameOf(life.last)} is told of, and nobody wants that`
  }
  // What came and went within a batch leaves no trace but this.
  for (const [id, updates] of told) {
    const last = updates.at(-1)?.data
    const workflow = run.workflows.get(last?.version ?? '')
    const isOver = last?.status === 'COMPLETED' || last?.status === 'FAILED' || last?.status === 'STOPPED'
    if (workflow?.retentionMs !== 0 || !isOver) yield `I21: ${id} is told of, and never was`
  }
}

function* misfits(life: Life<InstanceRow>, workflow: Workflow, updates: readonly Update[]): Generator<string> {
  const name = nameOf(life.last)
  let compared = 0
  for (const { row } of life.versions) {
    if (row === undefined) continue
    for (const [index, entry] of row.timeline.entries()) {
      const number = row.timelineDropped + index + 1
      if (number <= compared) continue
      compared = number
      const update = updates[number - 1]
      if (update === undefined) yield `I21: entry ${number} of ${name} is not told`
      else if (!isOf(update, entry, workflow)) yield `I21: ${JSON.stringify(update)} tells ${JSON.stringify(entry)}`
    }
  }
  // Its end may be in the batch that removed it.
  const isLast = compared === updates.length || (life.isRemoved && compared < updates.length)
  if (!isLast) yield `I21: ${updates.length} updates tell ${compared} entries of ${name}`
  const last = updates.findLast(({ type }) => type.startsWith('dagger-worker.instance.'))
  if (!life.isRemoved && hasEnded(life.last) && last?.data.status !== life.last.status)
    yield `I21: ${name} is told to be ${last?.data.status}, and is ${life.last.status}`
}

/** An update has what its entry has; of the instance itself its status, where the entry names what was done. */
function isOf({ type, time, data }: Update, entry: TimelineRow, workflow: Workflow): boolean {
  const { atMs, status, attempt } = entry
  const isTask = type.startsWith('dagger-worker.task.')
  const statuses = isTask || !['INCIDENT', 'OPERATED', 'SET'].includes(status) ? [status, data.status] : []
  const task = entry.task === -1 ? undefined : taskAt(workflow, entry.task)
  const isNamed = task === undefined ? data.task === undefined : data.task?.endsWith(endOf(task)) === true
  return (
    isNamed &&
    new Set(statuses).size < 2 &&
    isDeepStrictEqual([time, data.attempt ?? 0], [new Date(atMs).toISOString(), attempt])
  )
}

const endOf = ({ type, name }: { readonly type: string; readonly name: string }): string =>
  type === 'item' ? ']' : name

const updateIn = (value: Uint8Array | null): Update => JSON.parse(Buffer.from(value ?? '').toString()) as Update
