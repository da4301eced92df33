// process: opens its scope; it is settled when the scope is (deciders/scope.ts). Another attempt begins it anew.
import type { Task } from '../../definition/workflow.ts'
import { identity, type Attempt } from '../attempt.ts'
import { enterScope, followAhead, scopeWork } from '../entering.ts'
import { slotOf } from '../nodes.ts'
import type { Outcome } from '../outcome.ts'
import type { Begin } from './behaviour.ts'

export const beginProcess: Begin<'process'> = (at, out) => {
  const { instance, task, workflow } = at
  reopen(at, out)
  out.event({ type: 'task.executing', ...identity(at), open: scopeWork(task.inner) })
  enterScope(instance, workflow, task.inner, slotOf(workflow, at.node), out)
}

/** What the tasks inside came to in the attempt before is forgotten. */
export function reopen(at: Attempt, out: Outcome, isAgain = at.number > 1): void {
  if (!isAgain) return
  out.event({ type: 'scope.reopened', ...identity(at), tasks: tasksIn(at) })
  followAhead(at.instance.id, at.workflow, out)
}

/** The nodes of all that lies in a task. */
export const tasksIn = ({ node, task }: Pick<Attempt, 'node' | 'task'>): readonly number[] =>
  indexesIn(task).map((index) => node - task.index + index)

/** All that lies inside and beside what lies inside, but for the items of a `for-each`, which get new slots. */
function indexesIn(task: Task): readonly number[] {
  const inside = 'inner' in task ? task.inner.tasks : task.type === 'parallel' ? task.branches : []
  return inside.flatMap((inner) => [
    inner.index,
    ...(inner.monitor === undefined ? [] : [inner.monitor.task.index]),
    ...indexesIn(inner),
  ])
}
