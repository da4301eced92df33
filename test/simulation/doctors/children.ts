// Runs doctored in parents and children (checks/children.ts).
import { hasEnded } from '../checks/finished.ts'
import { lastMomentOf } from '../checks/nodes.ts'
import { retell, type Case } from './doctoring.ts'

export const childCases = {
  childrenAreAskedFor: {
    invariant: 'I1',
    title: 'a child that no task of its parent asked for',
    doctor: (run) => {
      const life = run.instances.find(({ last }) => last.parent !== undefined)
      return life && retell(run, life, { parent: { ...life.last.parent!, attempt: 99 } })
    },
  },

  childrenEndWithParents: {
    invariant: 'C1',
    title: 'a child that goes on for nobody',
    doctor: (run) => {
      for (const life of run.instances) {
        const parent = run.instances.find(({ id }) => id === life.last.parent?.instanceId)
        const task = parent && lastMomentOf(run, parent)?.task(life.last.parent!.task)
        if (parent === undefined || task?.type !== 'workflow' || !task.wait || !hasEnded(parent.last)) continue
        if (!life.isRemoved) return retell(run, life, { status: 'EXECUTING', ending: undefined })
      }
      return undefined
    },
  },

  parentsHearOfChildren: {
    invariant: 'C1',
    title: 'a parent that completed though its child failed',
    doctor: (run) => {
      for (const life of run.instances) {
        const parent = run.instances.find(({ id }) => id === life.last.parent?.instanceId)
        const moment = parent && lastMomentOf(run, parent)
        const node = life.last.parent?.task
        if (moment === undefined || node === undefined) continue
        const task = moment.task(node)
        const is = moment.is(node)
        if (task.type !== 'workflow' || !task.wait || is?.attempt !== life.last.parent?.attempt) continue
        if (is?.status === 'COMPLETED') return retell(run, life, { status: 'FAILED' })
      }
      return undefined
    },
  },
} satisfies { readonly [check: string]: Case }
