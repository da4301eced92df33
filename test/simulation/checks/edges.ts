// S1–S4 (src/engine/deciders/scope.ts): which tasks ran, by dead-path elimination, worked out anew from the definition
// and from what the tasks came to. The statuses are taken as they are; whether an edge is live is not.
import type { DecisionTask, Task } from '../../../src/definition/workflow.ts'
import { isSettled, type TaskRow } from '../../../src/engine/state.ts'
import { nameOf, type Evidence } from './finished.ts'
import { lastMomentsOf, type Moment, type Node } from './nodes.ts'

/** S1, S2: a task ran if one of its edges is live, was passed over if all are dead, and waits while one is not settled. */
export function* edgesDecide(run: Evidence): Generator<string> {
  for (const moment of lastMomentsOf(run)) {
    const { row } = moment
    if (moment.hasSkippedAhead) continue
    for (const { node, task, is } of moment.nodes) {
      // What stands beside a scope is called for, and not reached.
      if (task.aside !== undefined) continue
      const sources = task.dependsOn.map((name) => sourceOf(moment, node, name))
      const areSettled = sources.every((source) => isSettled(source.is))
      const name = `${moment.name(node)} of ${nameOf(row)}`
      if (is === undefined) {
        if (areSettled && isScopeOpen(moment, node)) yield `S1: ${name} has not begun`
        continue
      }
      if (!areSettled) yield `S1: ${name} is ${is.status} before all that it depends on is settled`
      const isReached = sources.length === 0 || sources.some((source) => isLive(source, task.name))
      if (isReached && isPassedOver(is)) yield `S1: ${name} was passed over, and has a live edge`
      if (!isReached && !isPassedOver(is)) yield `S2: ${name} is ${is.status}, and has no live edge`
    }
  }
}

function sourceOf(moment: Moment, node: number, name: string): Node {
  const task = moment.workflow.taskNamed.get(name)!
  const at = moment.beside(node, task)
  return { node: at, task, is: moment.is(at) }
}

/** S1: nothing begins before all that it depends on is settled and the scope around it is open. */
export function* beginInTurn(run: Evidence): Generator<string> {
  for (const moment of lastMomentsOf(run)) {
    const { row } = moment
    if (row.timelineDropped > 0 || moment.hasSkippedAhead) continue
    const statuses = new Map<number, string>()
    for (const { task: node, status, attempt, atMs } of row.timeline) {
      if (node === -1 || status === 'SET') continue
      const task = moment.task(node)
      if (status === 'EXECUTING' && attempt > 1) forget(task, node, statuses)
      if (!statuses.has(node) && task.aside !== 'compensation') {
        const name = `${moment.name(node)} of ${nameOf(row)}`
        const owner = moment.owner(node)
        if (owner !== undefined && statuses.get(owner) !== 'EXECUTING')
          yield `S1: ${name} began at ${atMs}, and ${moment.name(owner)} was not open`
        for (const before of task.dependsOn)
          if (!isEnd(statuses.get(sourceOf(moment, node, before).node)))
            yield `S1: ${name} began at ${atMs}, before ${before} was settled`
      }
      statuses.set(node, status)
    }
  }
}

/** S3, S4: a scope that is complete has nothing left in it; one in which nothing ran is SKIPPED. */
export function* scopesEndWhole(run: Evidence): Generator<string> {
  for (const moment of lastMomentsOf(run)) {
    const { row, workflow } = moment
    if (row.status === 'COMPLETED' && !workflow.root.tasks.every(({ index }) => isSettled(moment.is(index))))
      yield `S3: ${nameOf(row)} is COMPLETED, and not all of its tasks are settled`
    for (const { node, task, is } of moment.nodes) {
      if (!('inner' in task) || is === undefined) continue
      const inner = task.inner.tasks.map((each) => moment.is(moment.beside(node, each)))
      const didRun = inner.some((each) => each !== undefined && each.status !== 'SKIPPED')
      if (is.status === 'COMPLETED' && !inner.every(isSettled))
        yield `S3: ${moment.name(node)} of ${nameOf(row)} is COMPLETED, and not all in it is settled`
      // An interval is complete once its condition is true, whatever its last run came to.
      if (task.type === 'interval') continue
      if (is.status === 'COMPLETED' ? !didRun : is.status === 'SKIPPED' && is.error === undefined && didRun)
        yield `S4: ${moment.name(node)} of ${nameOf(row)} is ${is.status}, and ${didRun ? 'something' : 'nothing'} ran in it`
    }
  }
}

/** S1, S2: a task leaves the edges that its end implies; a decision has chosen what its definition offers. */
export function* edgesAreLeft(run: Evidence): Generator<string> {
  for (const moment of lastMomentsOf(run)) {
    for (const { node, task, is } of moment.nodes) {
      if (is === undefined || (is.status !== 'COMPLETED' && is.status !== 'SKIPPED')) continue
      const name = `${moment.name(node)} of ${nameOf(moment.row)}`
      const expected = edgesOf(task, is)
      if (!isSame(is.edges, expected))
        yield `S2: ${name} is ${is.status} and leaves ${shown(is.edges)}, expected ${shown(expected)}`
      if (task.type === 'decision' && is.status === 'COMPLETED' && !isOffered(task, expected))
        yield `S2: ${name} chose ${shown(expected)}, which no case of it offers`
    }
  }
}

function isLive({ task, is }: Node, target: string): boolean {
  if (is === undefined || is.status === 'STOPPED' || is.status === 'FAILED') return false
  const edges = edgesOf(task, is)
  if (edges === 'live' || edges === 'dead') return edges === 'live'
  return task.type !== 'decision' || !task.named.has(target) || edges.includes(target)
}

/** The edges of a task that was completed or skipped. What a decision chose is its output. */
function edgesOf(task: Task, is: TaskRow): TaskRow['edges'] {
  if (isPassedOver(is)) return 'dead'
  if (task.type !== 'decision') return 'live'
  return is.status === 'COMPLETED' ? (is.output?.value as readonly string[]) : (task.default ?? [])
}

/** A task whose turn came has had an attempt, even where its `when` was false. */
const isPassedOver = ({ status, attempt }: TaskRow): boolean => status === 'SKIPPED' && attempt === 0

function isScopeOpen(moment: Moment, node: number): boolean {
  const { error, ending, status } = moment.row
  if (status !== 'EXECUTING' || ending !== undefined || error !== undefined) return false
  const owner = moment.owner(node)
  const open = owner === undefined ? undefined : moment.is(owner)?.open?.kind
  return owner === undefined || open === 'scope' || open === 'children' || open === 'interval'
}

const isEnd = (status: string | undefined): boolean =>
  status === 'COMPLETED' || status === 'SKIPPED' || status === 'STOPPED' || status === 'FAILED'

/** A scope begins anew. */
function forget(task: Task, node: number, statuses: Map<number, string>): void {
  const inside = 'inner' in task ? task.inner.tasks : task.type === 'parallel' ? task.branches : []
  for (const each of inside) {
    const at = node - task.index + each.index
    statuses.delete(at)
    forget(each, at, statuses)
  }
}

/** `first`: one of the cases, or the default. `all`: some of the cases together, in their order; or the default. */
function isOffered({ mode, cases, default: otherwise }: DecisionTask, chosen: TaskRow['edges']): boolean {
  const each = cases.map(({ next }) => next)
  const together = [...Array(mode === 'all' ? 2 ** each.length : 0).keys()].slice(1).map((set) => {
    const names = each.filter((_, at) => (set & (1 << at)) !== 0).flat()
    return [...new Set(names)]
  })
  return [...(mode === 'all' ? together : each), ...(otherwise === undefined ? [] : [otherwise])].some((offered) =>
    isSame(offered, chosen),
  )
}

const isSame = (some: TaskRow['edges'], others: TaskRow['edges']): boolean => shown(some) === shown(others)
const shown = (edges: TaskRow['edges']): string => (typeof edges === 'string' ? edges : `[${edges.join(', ')}]`)
