// A SUSPENDED instance starts nothing, and keeps collecting: what concerns it is put by, and decided in its order once
// it is resumed. Its listeners stay subscribed and its handlers may finish; only slots that it was granted are given
// back, so that it keeps none from others.
import type { Command, Deferrable } from '../command.ts'
import { nodesOf, rowAt, taskAt } from '../nodes.ts'
import { accept, type Outcome } from '../outcome.ts'
import { deferredId, type InstanceRow, type State } from '../state.ts'
import { requestOf } from '../tasks/handler.ts'
import type { World } from '../world.ts'
import { expectWorkflow } from './instance.ts'

/** What becomes of a command whose instance is suspended; undefined: it is decided as ever. */
export function deferred(command: Command, state: State): Outcome | undefined {
  const instanceId = instanceOf(command, state)
  const instance = instanceId === undefined ? undefined : state.instances.find(instanceId)
  if (instance?.status !== 'SUSPENDED' || instance.ending !== undefined) return undefined
  const out = accept()
  if (command.type === 'task.execute') {
    const { task, attempt } = command
    return out.effect({ type: 'handler.abort', instanceId: instance.id, task, attempt })
  }
  return out.event({ type: 'command.deferred', instanceId: instance.id, command: command as Deferrable })
}

function instanceOf(command: Command, state: State): string | undefined {
  switch (command.type) {
    case 'task.complete':
    case 'task.fail':
    case 'task.execute':
    case 'instance.correlate':
      return command.instanceId
    case 'child.told':
      return command.parent.instanceId
    case 'timer.fire': {
      const target = state.timers.find(command.timer)?.target
      return target !== undefined && 'task' in target ? target.instanceId : undefined
    }
    default:
      return undefined
  }
}

/**
 * It goes on: what was put by follows in its order, and tasks that wait for a slot ask again. So do those that ran: the
 * worker may have died since, and the slot that the next one granted was given back.
 */
export function resume(instance: InstanceRow, by: string, state: State, world: World): Outcome {
  const workflow = expectWorkflow(world, instance.version)
  const out = accept().event({ type: 'instance.resumed', instanceId: instance.id, by, atMs: world.nowMs })
  const told = new Set<number>()
  for (let number = 0; number < instance.deferred; number++) {
    const { command } = state.deferred.expect(deferredId(instance.id, number))
    if (command.type === 'task.complete' || command.type === 'task.fail') told.add(command.task)
    out.follow(command)
  }
  for (const node of nodesOf(state, instance, workflow)) {
    const row = rowAt(state, instance, node)
    if (row?.open?.kind !== 'slot' && (row?.open?.kind !== 'handler' || told.has(node))) continue
    out.effect(requestOf({ state, instance, workflow, node, task: taskAt(workflow, node), number: row.attempt }))
  }
  return out
}
