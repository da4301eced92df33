// U1, I2 (src/engine/stopping.ts, src/engine/deciders/ending.ts): an instance that fails undoes what was done, and no other
// does; worked out anew from what its history tells.
import type { TimelineRow } from '../../../src/engine/state.ts'
import { nameOf, type Evidence } from './finished.ts'
import { lastMomentsOf, type Moment } from './nodes.ts'

/** U1: what compensates a task runs only while its instance is unwound. */
export function* nothingElseUndone(run: Evidence): Generator<string> {
  for (const moment of lastMomentsOf(run)) {
    const { row } = moment
    if (row.status === 'FAILED' || row.status === 'COMPENSATING') continue
    for (const { node, task, is } of moment.nodes)
      if (task.aside === 'compensation' && is !== undefined)
        yield `U1: ${moment.name(node)} of ${nameOf(row)} is ${is.status}, and the instance is ${row.status}`
  }
}

/**
 * U1: of an instance that failed every task that completed is compensated once for each time, in reverse order, after those
 * whose outcome is unknown.
 */
export function* allIsUndone(run: Evidence): Generator<string> {
  for (const moment of lastMomentsOf(run)) {
    const { row } = moment
    if (row.status !== 'FAILED' || row.timelineDropped > 0) continue
    const done: number[] = []
    const undone: number[] = []
    const maybe: number[] = []
    for (const entry of row.timeline) {
      const { task: node, status } = entry
      if (node === -1) continue
      const task = moment.task(node)
      if (task.aside === 'compensation') {
        if (status === 'COMPLETED' || status === 'SKIPPED') undone.push(node)
      } else if (task.compensate !== undefined) {
        const undo = moment.beside(node, task.compensate)
        if (status === 'COMPLETED') done.push(undo)
        else if (mayHaveBeenDone(moment, entry)) maybe.push(undo)
      }
    }
    const first = undone.slice(0, Math.max(0, undone.length - done.length))
    const then = undone.slice(first.length)
    if (JSON.stringify(then) !== JSON.stringify(done.toReversed()))
      yield `U1: ${nameOf(row)} undid ${names(moment, undone)}, after it had done ${names(moment, done)}`
    for (const node of first) {
      const at = maybe.indexOf(node)
      if (at === -1) yield `U1: ${moment.name(node)} of ${nameOf(row)} ran, and what it undoes was never begun`
      else maybe.splice(at, 1)
    }
  }
}

/** It ended with no answer, or with one that could not be used. */
const mayHaveBeenDone = (moment: Moment, { task, status, note }: TimelineRow): boolean =>
  status === 'STOPPED'
    ? ['handler', 'http', 'workflow'].includes(moment.task(task).type)
    : (status === 'FAILED' || status === 'SKIPPED') &&
      /^(timeout|run-lost|max-duration|deadline|output-)/.test(note ?? '')

const names = (moment: Moment, nodes: readonly number[]): string =>
  nodes.map((node) => moment.name(node)).join(', ') || 'nothing'
