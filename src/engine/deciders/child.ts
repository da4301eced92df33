// What a parent hears of its child, and a child of its parent.
//
//   parent ──instance.start──▶ child ──child.told: started──▶ parent (where it does not wait)
//      │                         └────child.told: ended─────▶ parent
//      └──child.stop (it is stopped itself, or waits no longer)──▶ child
import { attemptOf, checkPayload, completeAttempt, taskErrorOf } from '../attempt.ts'
import { failAttempt } from '../failure.ts'
import { rowAt, taskAt } from '../nodes.ts'
import { accept, type Decider } from '../outcome.ts'
import { nullPayload } from '../payload.ts'
import { reject } from '../rejection.ts'
import { keyId } from '../state.ts'
import { expectWorkflow } from './instance.ts'
import { dropChild } from './queue.ts'

/** The parent's side. What comes after the task has gone on is refused. */
export const hearOfChild: Decider<'child.told'> = (command, state, world) => {
  const { parent, told } = command
  const instance = state.instances.find(parent.instanceId)
  if (instance === undefined) return reject('instance-not-found')
  const row = rowAt(state, instance, parent.task)
  if (row?.open?.kind !== 'child') return reject('task-not-open')
  if (row.attempt !== parent.attempt) return reject('attempt-superseded')
  const workflow = expectWorkflow(world, instance.version)
  const task = taskAt(workflow, parent.task)
  if (told.outcome === 'started' && task.type === 'workflow' && task.wait) return accept()
  const at = attemptOf({ state, instance, workflow, node: parent.task }, world, row.attempt)
  const out = accept()
  if (told.outcome === 'failed') {
    failAttempt(at, told.error, out)
    return out
  }
  try {
    const output =
      told.outcome === 'started' ? undefined : checkPayload(told.output ?? nullPayload, 'the output of the child')
    completeAttempt(at, output, out, { open: row.open })
    return out
  } catch (error) {
    const failed = accept()
    failAttempt(at, taskErrorOf(error), failed, { isRetryable: false })
    return failed
  }
}

/** The child's side: only the parent that started it may stop it. */
export const stopChild: Decider<'child.stop'> = ({ workflow, key, parent }, state) => {
  const waiting = dropChild(keyId(workflow, key), parent, state)
  if (waiting !== undefined) return waiting
  const instanceId = state.keys.find(keyId(workflow, key))?.instanceId
  const instance = instanceId === undefined ? undefined : state.instances.find(instanceId)
  if (instance === undefined) return reject('instance-not-found')
  const isOurs =
    instance.parent?.instanceId === parent.instanceId &&
    instance.parent.task === parent.task &&
    instance.parent.attempt === parent.attempt
  if (!isOurs) return reject('instance-closed')
  return accept().follow({
    type: 'instance.stop',
    instanceId: instance.id,
    reason: 'its parent does not wait for it any more',
  })
}
