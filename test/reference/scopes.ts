// Scopes: dead-path elimination, and how a scope ends.
import { complete, fail, skip, stopInside } from './endings.ts'
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
  let isAnyBegun = false
  for (const node of scope.nodes) {
    if (node.status === 'NOT_STARTED' && node.doc.dependsOn?.includes(settled.doc.name))
      isAnyBegun = consider(world, scope, node) || isAnyBegun
  }
  if (!isAnyBegun && scope.nodes.every(isSettled)) endScope(world, scope)
}

function consider(world: Simulation, scope: Scope, node: Node): boolean {
  const sources = scope.nodes.filter(({ doc }) => node.doc.dependsOn?.includes(doc.name))
  if (!sources.every(isSettled)) return false
  if (world.flips.deadPathsAreLive === true || sources.some((source) => isLive(source, node.doc.name)))
    world.push({ type: 'activate', node })
  else skip(world, node, 'dead')
  return true
}

function isLive(source: Node, target: string): boolean {
  switch (source.status) {
    case 'FAILED':
      return typeof source.edges !== 'string' && source.edges.has(target)
    case 'COMPLETED':
    case 'SKIPPED': {
      if (source.edges === 'dead' || rescues(source).includes(target)) return false
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
  else if (scope.nodes.every(({ status }) => status === 'SKIPPED')) skip(world, owner, 'live')
  else complete(world, owner, null)
}

function completeInstance(world: Simulation): void {
  if (world.status !== 'EXECUTING') return
  world.status = 'COMPLETED'
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
  fail(world, owner, failure)
}
