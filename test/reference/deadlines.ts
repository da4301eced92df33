// How long a task may take with all its attempts, and who is told when it takes too long.
import { fail, halt, skip } from './endings.ts'
import { msOf } from './language.ts'
import { isOpen, makeNode, prefixOf, type Node, type Simulation } from './simulation.ts'

/** From when it begins. */
export function watch(world: Simulation, node: Node): void {
  const { maxDuration, monitor } = node.doc
  if (maxDuration !== undefined) bound(world, node, maxDuration)
  if (monitor !== undefined)
    world.after(msOf(monitor.completeBy), undefined, { type: 'call', call: () => tell(world, node) })
}

/** From now on. */
export function bound(world: Simulation, node: Node, maxDuration: string): void {
  node.isBounded = true
  world.after(msOf(maxDuration), undefined, { type: 'call', call: () => end(world, node) })
}

function end(world: Simulation, node: Node): void {
  node.isBounded = false
  if (world.wrong === 'a task past its maxDuration goes on') return
  if (!isOpen(node) || world.status !== 'EXECUTING') return
  halt(world, node)
  if (node.doc.onMaxDuration === 'skip') skip(world, node, 'live')
  else fail(world, node, { code: 'max-duration', task: node.doc.name }, { isFinal: true })
}

/** Its scope is complete when that has run as well. */
function tell(world: Simulation, node: Node): void {
  if (world.wrong === 'nobody is told of what takes too long') return
  const { scope, doc } = node
  if (!isOpen(node) || scope === undefined || doc.monitor === undefined || world.status !== 'EXECUTING') return
  const name = `${doc.name}-monitor`
  const then = makeNode({ ...doc.monitor.then, name, dependsOn: [] }, prefixOf(node) + name, { scope })
  then.isMonitor = true
  scope.nodes.push(then)
  world.push({ type: 'activate', node: then })
}
