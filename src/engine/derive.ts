// Effects that a given state still owes: what a partition asks for again after it was restored.
import { assert } from '../base/assert.ts'
import type { HandlerRequest, HandlerStop } from './effect.ts'
import { rowAt, taskAt } from './nodes.ts'
import type { State, WorkRow } from './state.ts'
import { requestOf, workOf } from './tasks/handler.ts'
import type { Catalogue } from './world.ts'

/**
 * A handler task that was waiting for a slot, or whose run was cut short, asks for one again. One that was stopped, and
 * was cleaning up, is told again that it is.
 */
export function owedFor(work: WorkRow, state: State, catalogue: Catalogue): HandlerRequest | HandlerStop {
  const instance = state.instances.expect(work.instanceId)
  const workflow = catalogue.find(instance.version)
  assert(workflow !== undefined, 'E1: the version of an instance is known')
  const node = work.task
  const row = rowAt(state, instance, node)
  assert(row !== undefined, 'T4: work names a handler task under way')
  const at = { state, instance, workflow, node, task: taskAt(workflow, node), number: row.attempt }
  if (row.open?.kind !== 'stopping') return requestOf(at)
  return { type: 'handler.stop', ...workOf(at, row.open.input), stopTimeoutMs: workflow.stopTimeoutMs }
}
