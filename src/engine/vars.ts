// Variables are written. Listeners whose correlation values follow them may then have to wait for others.
import type { Json } from '../base/json.ts'
import type { KafkaListenerTask, Workflow } from '../definition/workflow.ts'
import type { OfTask } from './event.ts'
import type { Outcome } from './outcome.ts'

/** Variables by name; the last one that is written under a name stands. */
export type VarValues = readonly (readonly [string, Json])[]

/** Writes them; most workflows have no listeners that follow them, and pay nothing. */
export function writeVars(common: OfTask, values: VarValues, workflow: Workflow, out: Outcome): void {
  out.event({ ...common, type: 'vars.set', values })
  if (hasFollowers(workflow)) out.follow({ type: 'instance.follow-vars', instanceId: common.instanceId })
}

/** True for a listener whose values may change while it waits. */
export const followsVars = (task: KafkaListenerTask): boolean =>
  task.correlate.some(({ instance }) => instance.uses.roots.has('vars'))

const known = new WeakMap<Workflow, boolean>()

function hasFollowers(workflow: Workflow): boolean {
  let found = known.get(workflow)
  if (found === undefined) {
    found = workflow.tasks.some((task) => task.type === 'kafka-listener' && followsVars(task))
    known.set(workflow, found)
  }
  return found
}
