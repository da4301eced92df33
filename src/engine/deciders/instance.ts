// Instances: what can be asked of any of them, and being forgotten. start.ts begins them, ending.ts ends them.
import { assert } from '../../base/assert.ts'
import type { Task, Workflow } from '../../definition/workflow.ts'
import { spansOf } from '../nodes.ts'
import { accept, type Decider } from '../outcome.ts'
import { reject } from '../rejection.ts'
import type { InstanceRow } from '../state.ts'
import type { World } from '../world.ts'

export const suspectInstance: Decider<'instance.suspect'> = (command, state, world) => {
  const instance = state.instances.find(command.instanceId)
  if (instance === undefined) return reject('instance-not-found')
  if (instance.status !== 'EXECUTING') return reject('instance-closed')
  return accept().event({
    type: 'instance.incident-raised',
    instanceId: instance.id,
    error: command.error,
    atMs: world.nowMs,
  })
}

export const forgetInstance: Decider<'instance.forget'> = ({ instanceId }, state, world) => {
  const instance = state.instances.find(instanceId)
  if (instance === undefined) return reject('instance-not-found')
  const spans = [...spansOf(state, instance, expectWorkflow(world, instance.version))]
  return accept().event({ type: 'instance.forgotten', instanceId, spans })
}

/** True while tasks of it may begin and go on. */
export const isUnderWay = (instance: InstanceRow): boolean =>
  instance.status === 'EXECUTING' && instance.ending === undefined

/** True while it can be ended, suspended or not. */
export const mayEnd = (instance: InstanceRow): boolean =>
  (instance.status === 'EXECUTING' || instance.status === 'SUSPENDED') && instance.ending === undefined

/** True where another instance may have its key. */
export const hasEnded = (instance: InstanceRow): boolean => instance.endedAtMs !== undefined

/** True where this task of it may run: while it is unwound, only what compensates. */
export function mayRun(instance: InstanceRow, task: Task): boolean {
  return task.aside === 'compensation' ? instance.ending?.status === 'FAILED' : isUnderWay(instance)
}

export function expectWorkflow(world: World, version: string): Workflow {
  const workflow = world.catalogue.find(version)
  assert(workflow !== undefined, () => `E1: version ${version} is known before a command that names it is decided`)
  return workflow
}

/** The partition of an instance, from its id. undefined: not an id of this engine. */
export function partitionOfInstance(instanceId: string): number | undefined {
  const match = /^[0-9a-z]{26}-(\d{1,5})$/.exec(instanceId)
  return match === null ? undefined : Number(match[1])
}
