// Effects that a given state still owes: what a partition asks for again after it was restored.
import { assert } from '../base/assert.ts'
import type { Effect } from './effect.ts'
import { rowAt, taskAt } from './nodes.ts'
import type { State, WorkRow } from './state.ts'
import type { Catalogue } from './world.ts'

/**
 * A handler task that was waiting for a slot, or whose run was cut short, asks for one again. One that was stopped, and
 * was cleaning up, is told again that it is.
 */
export function owedFor(work: WorkRow, state: State, catalogue: Catalogue): Effect {
  const instance = state.instances.expect(work.instanceId)
  const workflow = catalogue.find(instance.version)
  assert(workflow !== undefined, 'E1: the version of an instance is known')
  const task = taskAt(workflow, work.task)
  const row = rowAt(state, instance, work.task)
  assert(task.type === 'handler' && row !== undefined, 'T4: work names a handler task under way')
  const common = { instanceId: instance.id, task: work.task, attempt: row.attempt }
  if (row.open?.kind === 'stopping')
    return { type: 'handler.abort', ...common, isStop: true, stopTimeoutMs: workflow.stopTimeoutMs }
  return { type: 'handler.request', ...common, handler: task.handler }
}
