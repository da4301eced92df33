// J1–J3 (src/engine/deciders/join.ts): what the branches of a `parallel` and the items of a `for-each` came to decides about
// the whole, as its definition has it; worked out anew from their statuses.
import type { ForEachTask, ParallelTask } from '../../../src/definition/workflow.ts'
import { isSettled, type TaskRow } from '../../../src/engine/state.ts'
import { nameOf, type Evidence } from './finished.ts'
import { lastMomentsOf, momentsOf, type Moment } from './nodes.ts'

type Joining = ParallelTask | ForEachTask

/** J1: a parallel or for-each that is complete has the successes that it needs, and nothing of it goes on. */
export function* joinsDecide(run: Evidence): Generator<string> {
  for (const moment of lastMomentsOf(run)) {
    for (const { node, task, is } of moment.nodes) {
      if ((task.type !== 'parallel' && task.type !== 'for-each') || is === undefined) continue
      const children = childrenOf(moment, node, task, is)
      const name = `${moment.name(node)} of ${nameOf(moment.row)}`
      if (is.endedAtMs !== undefined && !is.hasIncident && !children.every(isSettled))
        yield `J1: ${name} is ${is.status}, and not all in it is settled`
      if (is.status === 'COMPLETED' && !mayBeComplete(task, is, children))
        yield `J1: ${name} is COMPLETED, with ${children.map((each) => each?.status).join(', ')}`
      const isPlain = is.error === undefined && is.attempt > 0 && children.length > 0
      if (is.status === 'SKIPPED' && isPlain && children.some((each) => each?.status === 'COMPLETED'))
        yield `J1: ${name} is SKIPPED, and something ran in it`
      if (is.status === 'COMPLETED' && task.type === 'for-each') yield* outputsMissing(is, children, name)
    }
  }
}

function mayBeComplete(task: Joining, is: TaskRow, children: readonly (TaskRow | undefined)[]): boolean {
  const total = task.type === 'parallel' ? task.branches.length : listOf(is).length
  const count = (status: string): number => children.filter((each) => each?.status === status).length
  const succeeded = count('COMPLETED')
  const left = total - succeeded - count('FAILED') - count('SKIPPED')
  if (total === 0) return children.length === 0
  if (task.join === 'all')
    return left === 0 && (count('FAILED') === 0 || (task.type === 'for-each' && task.onItemFailure === 'continue'))
  if (task.join === 'first') return succeeded > 0 && count('FAILED') === 0
  return succeeded >= Math.min(task.join === 'any' ? 1 : task.join, total)
}

/** Its outputs: one for each item of its list, in their order. */
const listOf = ({ output }: TaskRow): readonly unknown[] => (Array.isArray(output?.value) ? output.value : [])

function* outputsMissing(is: TaskRow, children: readonly (TaskRow | undefined)[], name: string): Generator<string> {
  const outputs = listOf(is)
  for (const [at, output] of outputs.entries()) {
    const item = children[at]
    const expected = item?.status === 'COMPLETED' ? (item.output?.value ?? null) : null
    if (JSON.stringify(output) !== JSON.stringify(expected))
      yield `J1: ${name} gives ${JSON.stringify(output)} for item ${at}, which is ${item?.status ?? 'NOT_STARTED'}`
  }
}

/** The rows of its branches, or of the items of its latest attempt, in their order. */
function childrenOf(moment: Moment, node: number, task: Joining, is: TaskRow): readonly (TaskRow | undefined)[] {
  if (task.type === 'parallel')
    return is.attempt === 0 ? [] : task.branches.map((branch) => moment.is(moment.beside(node, branch))).filter(Boolean)
  const items = moment.nodes.filter((each) => each.task === task.each && each.is?.item?.forEach === node)
  const latest = new Map(items.map((each) => [each.is?.item?.index ?? 0, each.is]))
  const began = items.length > 0 && Math.max(...items.map((each) => each.is?.startedAtMs ?? 0)) >= is.startedAtMs
  return began ? [...latest].sort(([a], [b]) => a - b).map(([, row]) => row) : []
}

/** J3: at most `concurrency` items of a for-each are under way, and each begins once in an attempt. */
export function* itemsKeepInLine(run: Evidence): Generator<string> {
  for (const life of run.instances) {
    for (const moment of momentsOf(run, life)) {
      const underWay = new Map<number, number>()
      const slots = new Set<string>()
      for (const { node, task, is } of moment.nodes) {
        if (task.type !== 'item' || is?.item === undefined) continue
        const { forEach, index } = is.item
        if (is.open !== undefined) {
          underWay.set(forEach, (underWay.get(forEach) ?? 0) + 1)
          const id = `${forEach} ${index}`
          if (slots.has(id)) yield `J3: ${moment.name(node)} of ${nameOf(moment.row)} is open twice at ${moment.atMs}`
          slots.add(id)
        }
      }
      for (const [node, count] of underWay) {
        const task = moment.task(node)
        if (task.type === 'for-each' && count > task.concurrency)
          yield `J3: ${count} items of ${moment.name(node)} of ${nameOf(moment.row)} are open at ${moment.atMs}`
      }
    }
  }
}
