// How an instance is ended before its time, and how what was done is undone.
import { stopInside } from './endings.ts'
import { makeNode, prefixOf, type Simulation } from './simulation.ts'
import { attempt } from './tasks.ts'

export function end(world: Simulation, status: 'FAILED' | 'STOPPED', code: string): void {
  stopInside(world, world.root)
  world.code = code
  world.status = status
  if (status === 'FAILED' || world.wrong === 'a stopped instance is unwound') unwind(world)
}

/** The next of what is to be undone: unknown outcomes first, then in reverse order of completion. */
export function unwind(world: Simulation): void {
  const undo =
    world.unknown.pop() ??
    (world.wrong === 'what was done is undone in the order of completion'
      ? world.completed.shift()
      : world.completed.pop())
  world.status = undo === undefined ? 'FAILED' : 'COMPENSATING'
  world.undoing = undefined
  if (undo === undefined) return
  const { node, output } = undo
  const name = `${node.doc.name}-compensate`
  world.undoing = makeNode(
    { ...node.doc.compensate, type: node.doc.compensate?.type ?? '', name },
    prefixOf(node) + name,
    {
      undo: { of: node, output: output ?? null },
    },
  )
  world.compensations.push(world.undoing)
  attempt(world, world.undoing)
}
