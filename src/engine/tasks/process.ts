// process: opens its scope; it is settled when the scope is (deciders/scope.ts). Another attempt begins it anew.
import type { Scope } from '../../definition/workflow.ts'
import type { Begin } from './behaviour.ts'

export const beginProcess: Begin<'process'> = (at, out) => {
  const { instance, task, world } = at
  const common = { instanceId: instance.id, task: task.index, attempt: at.number, atMs: world.nowMs }
  if (at.number > 1) out.event({ ...common, type: 'scope.reopened', tasks: indexesIn(task.inner) })
  out.event({
    ...common,
    type: 'task.executing',
    open: { kind: 'scope' },
  })
  for (const inner of task.inner.tasks) {
    if (inner.dependsOn.length === 0) out.follow({ type: 'task.activate', instanceId: instance.id, task: inner.index })
  }
}

const indexesIn = (scope: Scope): readonly number[] =>
  scope.tasks.flatMap((task) => (task.type === 'process' ? [task.index, ...indexesIn(task.inner)] : [task.index]))
