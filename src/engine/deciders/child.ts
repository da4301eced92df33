// What a parent hears of its child, and a child of its parent.
//
//   parent ──instance.start──▶ child ──child.told: started──▶ parent (where it does not wait)
//      │                         └────child.told: ended─────▶ parent
//      └──child.stop (it is stopped itself, or waits no longer)──▶ child
import { attemptOf, checkPayload, completeAttempt } from '../attempt.ts'
import { failAttempt, orFail } from '../failure.ts'
import { rowAt, taskAt } from '../nodes.ts'
import { accept, type Decider, type Outcome } from '../outcome.ts'
import { nullPayload } from '../payload.ts'
import { reject } from '../rejection.ts'
import { keyId } from '../state.ts'
import { expectWorkflow } from './instance.ts'
import { isSameParent } from './parent.ts'
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
  if (told.outcome === 'failed') {
    const out = accept()
    failAttempt(at, told.error, out)
    return out
  }
  const complete = (out: Outcome): void => {
    const output =
      told.outcome === 'started' ? undefined : checkPayload(told.output ?? nullPayload, 'the output of the child')
    completeAttempt(at, output, out, { open: row.open })
  }
  return orFail(at, complete, { isRetryable: false })
}

/** The child's side: only the parent that started it may stop it. */
export const stopChild: Decider<'child.stop'> = ({ workflow, key, parent }, state) => {
  const waiting = dropChild(keyId(workflow, key), parent, state)
  if (waiting !== undefined) return waiting
  const instanceId = state.keys.find(keyId(workflow, key))?.instanceId
  const instance = instanceId === undefined ? undefined : state.instances.find(instanceId)
  if (instance === undefined) return reject('instance-not-found')
  if (instance.parent === undefined || !isSameParent(instance.parent, parent)) return reject('instance-closed')
  return accept().follow({
    type: 'instance.stop',
    instanceId: instance.id,
    reason: 'its parent does not wait for it any more',
  })
}
