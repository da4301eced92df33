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
    title: 'an item that is under way twice',
    doctor: (run) => {
      for (const life of run.instances) {
        const nodes = lastMomentOf(run, life)?.nodes ?? []
        const [first, second] = nodes.filter(({ task, is }) => task.type === 'item' && is?.item !== undefined)
        if (first === undefined || second === undefined || second.node >= life.last.tasks.length) continue
        const open = { kind: 'scope', unsettled: 1 } as const
        const tasks = life.last.tasks.map((is, node) =>
          is !== undefined && (node === first.node || node === second.node)
            ? { ...is, open, item: first.is?.item }
            : is,
        )
        return retell(run, life, { tasks })
      }
      return undefined
    },
  },
} satisfies { readonly [check: string]: Case }
