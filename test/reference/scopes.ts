// Scopes: dead-path elimination, and how a scope ends.
import { codeOf, complete, fail, skip, stopInside } from './endings.ts'
import { fill } from './language.ts'
import { isEntered, isSettled, makeScope, type Failure, type Node, type Scope, type Simulation } from './simulation.ts'

export function openScope(world: Simulation, node: Node, prefix: string): void {
  node.status = 'EXECUTING'
  node.inner = makeScope(node, node.doc.tasks ?? [], prefix)
  beginScope(world, node.inner)
}

export function beginScope(world: Simulation, scope: Scope): void {
  for (const node of scope.nodes) if (node.doc.dependsOn?.length === 0) world.push({ type: 'activate', node })
}

/** A task of the scope is settled: those that waited for it may begin, or never will. */
export function advance(world: Simulation, scope: Scope, settled: Node): void {
  if (!isEntered(scope)) return
  // All at once: what one of them comes to is news to the others, and follows.
  const ready = scope.nodes.filter((node) => node.doc.dependsOn?.includes(settled.doc.name) && isReady(scope, node))
  const live = ready.filter(
    (node) =>
      world.wrong === 'dead paths are live' || sourcesOf(scope, node).some((source) => isLive(world, source, node)),
  )
  for (const node of ready) {
    if (live.includes(node)) world.push({ type: 'activate', node })
    else skip(world, node, 'dead')
  }
  if (ready.length === 0 && scope.nodes.every(isSettled)) endScope(world, scope)
}

const sourcesOf = (scope: Scope, { doc }: Node): Node[] =>
  scope.nodes.filter((source) => doc.dependsOn?.includes(source.doc.name))

const isReady = (scope: Scope, node: Node): boolean =>
  node.status === 'NOT_STARTED' && sourcesOf(scope, node).every(isSettled)

function isLive(world: Simulation, source: Node, { doc: { name: target } }: Node): boolean {
  switch (source.status) {
    case 'FAILED':
      return typeof source.edges !== 'string' && source.edges.has(target)
    case 'COMPLETED':
    case 'SKIPPED': {
      if (source.edges === 'dead') return false
      const isRescue = rescues(source).includes(target)
      if (isRescue && world.wrong !== 'edges to what a failure may choose are live without one') return false
      const isNamed = [...(source.doc.cases ?? []).flatMap(({ next }) => next), ...(source.doc.default ?? [])].includes(
        target,
      )
      return source.edges === 'live' || !isNamed || source.edges.has(target)
    }
    default:
      return false
  }
}

/** What a failure of the task may go on with. */
function rescues({ doc: { onFailure } }: Node): readonly string[] {
  if (onFailure === undefined || typeof onFailure === 'string') return []
  return (Array.isArray(onFailure) ? onFailure : [onFailure]).flatMap(({ next }) => next ?? [])
}

function endScope(world: Simulation, scope: Scope): void {
  const { owner } = scope
  if (owner === undefined) world.push({ type: 'call', call: () => completeInstance(world) })
  else if (hasNothingRun(world, scope)) skip(world, owner, 'live')
  else if (owner.doc.type === 'item') endItem(world, owner)
  else complete(world, owner)
}

const hasNothingRun = ({ wrong }: Simulation, { nodes }: Scope): boolean =>
  wrong !== 'a process in which nothing ran is completed' &&
  nodes.every(({ status, isMonitor }) => isMonitor || status === 'SKIPPED')

function completeInstance(world: Simulation): void {
  if (world.status !== 'EXECUTING') return
  world.status = 'COMPLETED'
  const [first] = world.root.nodes
  if (first !== undefined) world.output = fill(world.doc.output ?? null, world.roots(first))
}

/** A task of it has failed for good. */
export function failScope(world: Simulation, scope: Scope, failure: Failure): void {
  if (!isEntered(scope)) return
  const { owner } = scope
  if (owner === undefined) {
    world.push({ type: 'end', status: 'FAILED', code: failure.code })
    return
  }
  stopInside(world, scope)
  if (owner.whole === undefined) {
    fail(world, owner, failure)
    return
  }
  // What it belongs to decides what that means.
  owner.status = 'FAILED'
  owner.failure = failure
  world.push({ type: 'settled', node: owner })
}

/** All tasks of an item are settled. */
function endItem(world: Simulation, node: Node): void {
  const [first] = node.inner?.nodes ?? []
  try {
    if (node.doc.output === undefined || first === undefined)
      complete(world, node, node.inner?.nodes.findLast(({ isMonitor }) => !isMonitor)?.output)
    else complete(world, node, fill(node.doc.output, world.roots(first)))
  } catch (error) {
    node.status = 'FAILED'
    node.failure = { code: codeOf(error), task: node.doc.name }
    world.push({ type: 'settled', node })
  }
}
