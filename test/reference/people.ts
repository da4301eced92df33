// What people do about incidents.
import { bound } from './deadlines.ts'
import { codeOf, complete, skip } from './endings.ts'
import { fill, type Act, type Value } from './language.ts'
import { attempt } from './tasks.ts'
import type { Node, Simulation } from './simulation.ts'

/** Someone may come to it later, unless it is over by then. */
export function raise(world: Simulation, node: Node): void {
  const nth = (world.incidents.get(node.path) ?? 0) + 1
  world.incidents.set(node.path, nth)
  const act = world.script.act(node.path, nth)
  if (act !== undefined) world.after(act.ms, node, { type: 'call', call: () => handle(world, node, act) })
}

function handle(world: Simulation, node: Node, { kind, output }: Act): void {
  if (!node.hasIncident || (kind === 'complete' && !isUsable(world, node, output))) return
  node.hasIncident = false
  if (kind === 'skip') skip(world, node, 'live')
  else if (kind === 'complete') complete(world, node, output)
  else {
    if (world.wrong !== 'a task that a person retries has no attempts left') node.attempt = 0
    node.epoch++
    // One whose time was over has it anew.
    if (node.doc.maxDuration !== undefined && !node.isBounded) bound(world, node, node.doc.maxDuration)
    attempt(world, node)
  }
}

/** What the task's `set` cannot be written with is refused, and the incident stays. */
function isUsable(world: Simulation, node: Node, output: Value): boolean {
  try {
    fill(node.doc.set ?? {}, world.roots(node, { output }))
    return true
  } catch (error) {
    codeOf(error)
    return false
  }
}
