// What an instance is found by, after something of it has changed.
import { attributesNow } from '../attributes.ts'
import { accept, type Decider } from '../outcome.ts'
import { reject } from '../rejection.ts'
import { expectWorkflow } from './instance.ts'

export const indexInstance: Decider<'instance.index'> = ({ instanceId, changed }, state, world) => {
  const instance = state.instances.find(instanceId)
  if (instance === undefined) return reject('instance-not-found')
  const workflow = expectWorkflow(world, instance.version)
  const values = attributesNow({ state, instance, workflow, node: 0 }, changed)
  const { attributes } = instance
  const isSame = values.size === attributes.size && [...values].every(([name, value]) => attributes.get(name) === value)
  return isSame ? accept() : accept().event({ type: 'attributes.set', instanceId, values })
}
