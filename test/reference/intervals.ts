// Tasks that run another again and again.
import { codeOf, complete, fail, skip, stopInside } from './endings.ts'
import { evaluate, msOf } from './language.ts'
import { isOpen, makeScope, prefixOf, type Node, type Simulation } from './simulation.ts'

export function openInterval(world: Simulation, node: Node): void {
  const { deadline } = node.doc
  if (deadline !== undefined) world.after(msOf(deadline), undefined, { type: 'call', call: () => force(world, node) })
  begin(world, node)
}

function begin(world: Simulation, node: Node): void {
  const { run } = node.doc
  node.inner = makeScope(node, run === undefined ? [] : [run], prefixOf(node))
  node.runBeganAt = world.now
  for (const each of node.inner.nodes) world.push({ type: 'activate', node: each })
}

/** One run is over. */
export function ran(world: Simulation, node: Node, run: Node): void {
  if (node.status !== 'EXECUTING' || node.inner?.nodes[0] !== run) return
  try {
    if (evaluate(node.doc.until ?? '', world.roots(run)) === true) {
      complete(world, node, run.output ?? null)
      return
    }
  } catch (error) {
    fail(world, node, { code: codeOf(error), task: node.doc.name })
    return
  }
  const next = node.runBeganAt + msOf(node.doc.every ?? '')
  world.after(Math.max(0, next - world.now), node, { type: 'call', call: () => begin(world, node) })
}

/** Where it waits for a person as well. */
function force(world: Simulation, node: Node): void {
  if (!isOpen(node) || world.status !== 'EXECUTING') return
  const { onDeadline = 'fail' } = node.doc
  const output = node.inner?.nodes[0]?.output ?? null
  if (node.inner !== undefined) stopInside(world, node.inner)
  if (onDeadline === 'complete') complete(world, node, output)
  else if (onDeadline === 'skip') skip(world, node, 'live')
  else fail(world, node, { code: 'deadline', task: node.doc.name })
}
