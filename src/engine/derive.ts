// Effects that a given state still owes: what a partition asks for again after it was restored.
import { assert } from '../base/assert.ts'
import type { Workflow } from '../definition/workflow.ts'
import type { Effect } from './effect.ts'
import type { State, WorkRow } from './state.ts'
import type { Catalogue } from './world.ts'

/** A handler task that was waiting for a slot, or whose run was cut short, asks for one again. */
export function owedFor(work: WorkRow, state: State, catalogue: Catalogue): Effect {
  const instance = state.instances.expect(work.instanceId)
  const workflow: Workflow | undefined = catalogue.find(instance.version)
  const task = workflow?.tasks[work.task]
  const row = instance.tasks[work.task]
  assert(task?.type === 'handler' && row !== undefined, 'T4: work names a handler task under way')
  return {
    type: 'handler.request',
    instanceId: instance.id,
    task: work.task,
    attempt: row.attempt,
    handler: task.handler,
  }
}
