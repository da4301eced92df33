// process: opens its scope; it is settled when the scope is (deciders/scope.ts).
import type { Begin } from './behaviour.ts'

export const beginProcess: Begin<'process'> = (at, out) => {
  const { instance, task, world } = at
  out.event({
    type: 'task.executing',
    instanceId: instance.id,
    task: task.index,
    attempt: at.number,
    atMs: world.nowMs,
    open: { kind: 'scope' },
  })
  for (const inner of task.inner.tasks) {
    if (inner.dependsOn.length === 0) out.follow({ type: 'task.activate', instanceId: instance.id, task: inner.index })
  }
}
