// Runs doctored in what compensates tasks (checks/compensation.ts).
import type { Evidence } from '../checks/finished.ts'
import type { Life } from '../committed.ts'
import type { InstanceRow } from '../../../src/engine/state.ts'
import { entry, retell, type Case } from './doctoring.ts'

export const compensationCases = {
  nothingElseUndone: {
    invariant: 'U1',
    title: 'a completed instance that undid something',
    doctor: (run) => {
      for (const life of run.instances) {
        const undo = undoOf(run, life)
        const [is] = life.last.tasks
        if (undo === undefined || is === undefined || life.last.status !== 'COMPLETED') continue
        const tasks = [...life.last.tasks]
        tasks[undo] = is
        return retell(run, life, { tasks })
      }
      return undefined
    },
  },

  allIsUndone: {
    invariant: 'U1',
    title: 'a failed instance that did not undo what was done',
    doctor: (run) => {
      for (const life of run.instances) {
        const workflow = run.workflows.get(life.last.version)
        const task = workflow?.tasks.find(({ compensate }) => compensate !== undefined)
        if (task === undefined || life.last.status !== 'FAILED' || life.last.timelineDropped > 0) continue
        return retell(run, life, { timeline: [...life.last.timeline, entry(life, { task: task.index })] })
      }
      return undefined
    },
  },
} satisfies { readonly [check: string]: Case }

/** The place of what compensates a task; only where it lies in the instance's own row. */
const undoOf = (run: Evidence, { last }: Life<InstanceRow>): number | undefined =>
  run.workflows.get(last.version)?.tasks.find(({ aside, item }) => aside === 'compensation' && item === undefined)
    ?.index
