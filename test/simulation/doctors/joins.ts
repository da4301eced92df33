// Runs doctored in the branches of a `parallel` and the items of a `for-each` (checks/joins.ts).
import { lastMomentOf } from '../checks/nodes.ts'
import { retell, retellTask, type Case } from './doctoring.ts'

export const joinCases = {
  joinsDecide: {
    invariant: 'J1',
    title: 'a parallel that is complete though a branch of it failed',
    doctor: (run) => {
      for (const life of run.instances) {
        const found = lastMomentOf(run, life)?.nodes.find(
          ({ task, is }) => task.type === 'parallel' && task.join === 'all' && is?.status === 'COMPLETED',
        )
        const branch = found?.task.type === 'parallel' ? found.task.branches[0] : undefined
        if (found === undefined || branch === undefined || found.node !== found.task.index) continue
        return retellTask(run, life, branch.index, { status: 'FAILED' })
      }
      return undefined
    },
  },

  itemsKeepInLine: {
    invariant: 'J3',
    title: 'more items under way than may be',
    doctor: (run) => {
      for (const life of run.instances) {
        const nodes = lastMomentOf(run, life)?.nodes ?? []
        const each = nodes.find(({ task }) => task.type === 'for-each' && task.concurrency === 1)
        const items = nodes.flatMap(({ node, is }) => (is?.item?.forEach === each?.node ? [node] : []))
        if (each === undefined || items.length < 2 || items.some((node) => node >= life.last.tasks.length)) continue
        const open = { kind: 'scope', unsettled: 1 } as const
        const tasks = life.last.tasks.map((is, node) =>
          is !== undefined && items.includes(node) ? { ...is, open } : is,
        )
        return retell(run, life, { tasks })
      }
      return undefined
    },
  },
} satisfies { readonly [check: string]: Case }
