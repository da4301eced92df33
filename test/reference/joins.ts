// The branches of a `parallel` and the items of a `for-each`.
import { complete, fail, skip, stop } from './endings.ts'
import { ExpressionFailure, fill } from './language.ts'
import { openScope } from './scopes.ts'
import { isOpen, makeNode, prefixOf, type Node, type Simulation } from './simulation.ts'

export function openBranches(world: Simulation, node: Node): void {
  node.children = (node.doc.branches ?? []).map((tasks, index) =>
    makeNode({ name: `${node.doc.name}[${index}]`, type: 'branch', tasks }, `${node.path}[${index}]`, { whole: node }),
  )
  for (const child of node.children) openScope(world, child, prefixOf(node))
}

export function openItems(world: Simulation, node: Node): void {
  const items = fill(node.doc.items ?? null, world.roots(node))
  if (!Array.isArray(items)) throw new ExpressionFailure('items')
  const { tasks, output } = node.doc
  node.children = items.map((item, index) => {
    const name = `${node.doc.name}[${index}]`
    const doc = { name, type: 'item', tasks: tasks ?? [], ...(output === undefined ? {} : { output }) }
    return makeNode(doc, `${node.path}[${index}]`, { whole: node, item: { item, index } })
  })
  node.status = 'EXECUTING'
  if (items.length === 0) complete(world, node, [], { hasWorked: false })
  else beginItems(world, node)
}

function beginItems(world: Simulation, { doc, children }: Node): void {
  const most = world.wrong === 'all items run at once' ? Infinity : (doc.concurrency ?? Infinity)
  let room = most - children.filter(isOpen).length
  for (const child of children) {
    if (child.status !== 'NOT_STARTED' || room-- <= 0) continue
    openScope(world, child, `${child.path}.`)
  }
}

/** One of its branches or items has ended. */
export function join(world: Simulation, node: Node, child: Node): void {
  if (node.status !== 'EXECUTING' || !node.children.includes(child)) return
  const verdict = verdictOn(world, node)
  if (verdict === 'wait') {
    beginItems(world, node)
    return
  }
  if (world.wrong !== 'what is not needed any more runs on') for (const each of node.children) stop(world, each)
  if (verdict === 'skip') skip(world, node, 'live')
  else if (verdict === 'fail') fail(world, node, child.failure ?? { code: 'join', task: node.doc.name })
  else complete(world, node, node.doc.type === 'for-each' ? outputsOf(node) : undefined)
}

const outputsOf = ({ children }: Node) =>
  children.map(({ status, output }) => (status === 'COMPLETED' ? (output ?? null) : null))

function verdictOn(world: Simulation, { doc, children }: Node): 'wait' | 'complete' | 'fail' | 'skip' {
  const count = (status: string): number => children.filter((child) => child.status === status).length
  const succeeded = count('COMPLETED')
  const failed = count('FAILED')
  const skipped = count('SKIPPED')
  const total = children.length
  const isAllSettled = succeeded + failed + skipped === total
  const { join: rule = 'all' } = doc
  if (isAllSettled && skipped === total) return 'skip'
  if (rule === 'all') {
    const isTolerant = doc.onItemFailure === 'continue' && world.wrong !== 'a failed item is never tolerated'
    if (failed > 0 && !isTolerant) return 'fail'
    return isAllSettled ? 'complete' : 'wait'
  }
  if (rule === 'first' && world.wrong !== 'the first to end does not decide by failing') {
    if (succeeded + failed === 0) return 'wait'
    return failed > 0 ? 'fail' : 'complete'
  }
  const wanted = typeof rule === 'number' ? Math.min(rule, total) : 1
  if (succeeded >= wanted) return 'complete'
  return failed + skipped > total - wanted ? 'fail' : 'wait'
}
