// A scope is entered: the tasks in it that depend on none begin.
import type { Scope, Workflow } from '../definition/workflow.ts'
import { nodeOf } from './nodes.ts'
import type { Outcome } from './outcome.ts'
import type { InstanceRow, OpenWork, TaskRow } from './state.ts'

/** What a task waits for whose scope was entered. */
export const scopeWork = (scope: Scope): OpenWork => ({ kind: 'scope', unsettled: scope.tasks.length })

/** S6: tasks inside may begin and go on. Between two attempts, or once it has ended, none does. */
export function isEntered(owner: TaskRow | undefined): boolean {
  const kind = owner?.open?.kind
  return kind === 'scope' || kind === 'children' || kind === 'interval'
}

/** The tasks of a scope begin, in this slot. */
export function enterScope(instance: InstanceRow, workflow: Workflow, scope: Scope, slot: number, out: Outcome): void {
  for (const task of scope.tasks) {
    if (task.dependsOn.length > 0) continue
    out.follow({ type: 'task.activate', instanceId: instance.id, task: nodeOf(workflow, slot, task.index) })
  }
}

/** Listeners with `skipAhead` that may have their turn yet are subscribed. */
export function followAhead(instanceId: string, workflow: Workflow, out: Outcome): void {
  if (workflow.ahead.length > 0) out.follow({ type: 'instance.listen-ahead', instanceId })
}
