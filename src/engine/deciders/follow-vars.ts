// Correlation values follow `vars`: a variable was written, and listeners that wait may have to wait for another value.
import { attemptOf, taskErrorOf } from '../attempt.ts'
import { followAhead } from '../entering.ts'
import { failAttempt } from '../failure.ts'
import { nodesOf, rowAt, taskAt } from '../nodes.ts'
import { accept, type Decider } from '../outcome.ts'
import { reject } from '../rejection.ts'
import { withdraw } from '../stopping.ts'
import { followVars } from '../tasks/kafka-listener.ts'
import { followsVars } from '../vars.ts'
import { expectWorkflow } from './instance.ts'

export const followVariables: Decider<'instance.follow-vars'> = ({ instanceId }, state, world) => {
  const instance = state.instances.find(instanceId)
  if (instance === undefined) return reject('instance-not-found')
  const out = accept()
  const workflow = expectWorkflow(world, instance.version)
  for (const node of nodesOf(state, instance, workflow)) {
    const task = taskAt(workflow, node)
    if (task.type !== 'kafka-listener' || !followsVars(task)) continue
    const row = rowAt(state, instance, node)
    if (row?.open?.kind !== 'record') continue
    // Each has a number of its own: the next one is decided on a state that knows this one.
    const at = { ...attemptOf({ state, instance, workflow, node }, world, row.attempt), task }
    try {
      followVars(at, row.open, out)
    } catch (error) {
      withdraw(at, row.open, out)
      failAttempt(at, taskErrorOf(error), out)
    }
    if (out.events.length > 0) return out.follow({ type: 'instance.follow-vars', instanceId })
  }
  if (workflow.ahead.some(followsVars)) followAhead(instanceId, workflow, out)
  return out
}
