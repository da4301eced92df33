// S1–S4 (src/engine/deciders/scope.ts): which tasks ran, by dead-path elimination, worked out anew from the definition
// and from what the tasks came to. The statuses are taken as they are; whether an edge is live is not.
import type { DecisionTask, ProcessTask, Task, Workflow } from '../../../src/definition/workflow.ts'
import { isSettled, type InstanceRow, type TaskRow } from '../../../src/engine/state.ts'
import { instanceRowsOf, nameOf, type Evidence } from './finished.ts'

/** S1, S2: a task ran if one of its edges is live, was passed over if all are dead, and waits while one is not settled. */
export function* edgesDecide(run: Evidence): Generator<string> {
  for (const { row, workflow } of instanceRowsOf(run)) {
    for (const task of workflow.tasks) {
      const is = row.tasks[task.index]
      const sources = task.dependsOn.flatMap((name) => workflow.taskNamed.get(name) ?? [])
      const areSettled = sources.every((source) => isSettled(row.tasks[source.index]))
      if (is === undefined) {
        if (areSettled && isScopeOpen(row, task, workflow)) yield `S1: ${task.name} of ${nameOf(row)} has not begun`
        continue
      }
      if (!areSettled)
        yield `S1: ${task.name} of ${nameOf(row)} is ${is.status} before all that it depends on is settled`
      const isReached = sources.length === 0 || sources.some((source) => isLive(source, row, task.name))
      if (isReached && isPassedOver(is)) yield `S1: ${task.name} of ${nameOf(row)} was passed over, and has a live edge`
      if (!isReached && !isPassedOver(is))
        yield `S2: ${task.name} of ${nameOf(row)} is ${is.status}, and has no live edge`
    }
  }
}

/** S1: nothing begins before all that it depends on is settled and the scope around it is open. */
export function* beginInTurn(run: Evidence): Generator<string> {
  for (const { row, workflow } of instanceRowsOf(run)) {
    if (row.timelineDropped > 0) continue
    const statuses = new Map<number, string>()
    for (const { task: index, status, attempt, atMs } of row.timeline) {
      const task = workflow.tasks[index]
      if (task === undefined || status === 'SET') continue
      if (task.type === 'process' && status === 'EXECUTING' && attempt > 1) forget(task, statuses)
      if (!statuses.has(index)) {
        const owner = task.scope === undefined ? undefined : workflow.taskNamed.get(task.scope)
        if (owner !== undefined && statuses.get(owner.index) !== 'EXECUTING')
          yield `S1: ${task.name} of ${nameOf(row)} began at ${atMs}, and ${owner.name} was not open`
        for (const name of task.dependsOn)
          if (!isEnd(statuses.get(workflow.taskNamed.get(name)?.index ?? -1)))
            yield `S1: ${task.name} of ${nameOf(row)} began at ${atMs}, before ${name} was settled`
      }
      statuses.set(index, status)
    }
  }
}

/** S3, S4: a scope that is complete has nothing left in it; a process in which nothing ran is SKIPPED. */
export function* scopesEndWhole(run: Evidence): Generator<string> {
  for (const { row, workflow } of instanceRowsOf(run)) {
    if (row.status === 'COMPLETED' && !workflow.root.tasks.every(({ index }) => isSettled(row.tasks[index])))
      yield `S3: ${nameOf(row)} is COMPLETED, and not all of its tasks are settled`
    for (const task of workflow.tasks) {
      const is = row.tasks[task.index]
      if (task.type !== 'process' || is === undefined) continue
      const inner = task.inner.tasks.map(({ index }) => row.tasks[index])
      const didRun = inner.some((each) => each !== undefined && each.status !== 'SKIPPED')
      if (is.status === 'COMPLETED' && !inner.every(isSettled))
        yield `S3: ${task.name} of ${nameOf(row)} is COMPLETED, and not all in it is settled`
      if (is.status === 'COMPLETED' ? !didRun : is.status === 'SKIPPED' && is.error === undefined && didRun)
        yield `S4: ${task.name} of ${nameOf(row)} is ${is.status}, and ${didRun ? 'something' : 'nothing'} ran in it`
    }
  }
}

/** S1, S2: a task leaves the edges that its end implies; a decision has chosen what its definition offers. */
export function* edgesAreLeft(run: Evidence): Generator<string> {
  for (const { row, workflow } of instanceRowsOf(run)) {
    for (const task of workflow.tasks) {
      const is = row.tasks[task.index]
      if (is === undefined || (is.status !== 'COMPLETED' && is.status !== 'SKIPPED')) continue
      const expected = edgesOf(task, is)
      if (!isSame(is.edges, expected))
        yield `S2: ${task.name} of ${nameOf(row)} is ${is.status} and leaves ${shown(is.edges)}, expected ${shown(expected)}`
      if (task.type === 'decision' && is.status === 'COMPLETED' && !isOffered(task, expected))
        yield `S2: ${task.name} of ${nameOf(row)} chose ${shown(expected)}, which no case of it offers`
    }
  }
}

function isLive(source: Task, row: InstanceRow, target: string): boolean {
  const is = row.tasks[source.index]
  if (is === undefined || is.status === 'STOPPED' || is.status === 'FAILED') return false
  const edges = edgesOf(source, is)
  if (edges === 'live' || edges === 'dead') return edges === 'live'
  return source.type !== 'decision' || !source.named.has(target) || edges.includes(target)
}

/** The edges of a task that was completed or skipped. What a decision chose is its output. */
function edgesOf(task: Task, is: TaskRow): TaskRow['edges'] {
  if (isPassedOver(is)) return 'dead'
  if (task.type !== 'decision') return 'live'
  return is.status === 'COMPLETED' ? (is.output?.value as readonly string[]) : (task.default ?? [])
}

/** A task whose turn came has had an attempt, even where its `when` was false. */
const isPassedOver = ({ status, attempt }: TaskRow): boolean => status === 'SKIPPED' && attempt === 0

function isScopeOpen(row: InstanceRow, { scope }: Task, workflow: Workflow): boolean {
  if (row.status !== 'EXECUTING' || row.error !== undefined) return false
  const owner = scope === undefined ? undefined : workflow.taskNamed.get(scope)
  return owner === undefined || row.tasks[owner.index]?.open?.kind === 'scope'
}

const isEnd = (status: string | undefined): boolean =>
  status === 'COMPLETED' || status === 'SKIPPED' || status === 'STOPPED' || status === 'FAILED'

function forget({ inner }: ProcessTask, statuses: Map<number, string>): void {
  for (const task of inner.tasks) {
    statuses.delete(task.index)
    if (task.type === 'process') forget(task, statuses)
  }
}

const isOffered = ({ cases, default: otherwise }: DecisionTask, chosen: TaskRow['edges']): boolean =>
  [...cases.map(({ next }) => next), ...(otherwise === undefined ? [] : [otherwise])].some((each) =>
    isSame(each, chosen),
  )

const isSame = (some: TaskRow['edges'], others: TaskRow['edges']): boolean => shown(some) === shown(others)
const shown = (edges: TaskRow['edges']): string => (typeof edges === 'string' ? edges : `[${edges.join(', ')}]`)
