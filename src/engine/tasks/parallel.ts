// parallel: its branches begin, each a scope of its own; their ends decide about it (deciders/join.ts).
import { identity } from '../attempt.ts'
import { enterScope, scopeWork } from '../entering.ts'
import { childrenWork } from '../deciders/join.ts'
import { nodeOf, slotOf } from '../nodes.ts'
import type { Begin } from './behaviour.ts'
import { reopen } from './process.ts'

export const beginParallel: Begin<'parallel'> = (at, out) => {
  const { instance, task, workflow } = at
  const slot = slotOf(workflow, at.node)
  reopen(at, out)
  const total = task.branches.length
  out.event({
    type: 'task.executing',
    ...identity(at),
    open: childrenWork(total, { begun: total, firstSlot: 0, items: undefined }),
  })
  for (const branch of task.branches) {
    const node = nodeOf(workflow, slot, branch.index)
    const common = { ...identity(at), task: node, scope: at.node, attempt: 1 }
    out.event({ ...common, type: 'task.executing', open: scopeWork(branch.inner) })
    enterScope(instance, workflow, branch.inner, slot, out)
  }
}
