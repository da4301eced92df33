// What the workflow language knows and this release does not run yet. Each of these is refused by its name, so that
// nobody takes it for a slip of the pen. To support one: delete its line here and add it to the schema.
import { limits } from '../base/limits.ts'
import { Cursor } from './cursor.ts'
import type { Path } from './cursor.ts'
import type { Report } from './report.ts'

export const notYet = {
  taskKeys: ['attributes'],
  workflowKeys: ['compensate', 'onFailure', 'attributes'],
  /** Where an expression would start from. */
  roots: ['secrets'],
} as const

/** One sentence for all of them; `what` is quoted as it stands in the file. */
export function notYetMessage(what: string): string {
  return `\`${what}\` is part of the workflow language, but this release does not run it yet`
}

/** Reports what is not run yet, and returns where: what the schema says about those places is noise. */
export function reportNotYet(workflow: Cursor, report: Report): readonly Path[] {
  const found: Path[] = []
  const add = (path: Path, what: string): void => {
    report.add('DW_NOT_YET', path, notYetMessage(what), {
      atKey: typeof path.at(-1) === 'string' && what === path.at(-1),
    })
    found.push(path)
  }
  reportKeys(workflow, notYet.workflowKeys, add)
  reportTasks([...workflow.at('tasks').items, workflow.at('monitor').at('then')], add, 0)
  return found
}

type Add = (path: Path, what: string) => void

function reportTasks(tasks: readonly Cursor[], add: Add, depth: number): void {
  if (depth > limits.yamlDepthMax) return
  for (const task of tasks) {
    reportKeys(task, notYet.taskKeys, add)
    const inside = [task.at('tasks'), ...task.at('branches').items].flatMap((list) => list.items)
    const beside = [task.at('run'), task.at('compensate'), task.at('monitor').at('then')].filter((at) => at.isGiven)
    reportTasks([...inside, ...beside], add, depth + 1)
  }
}

function reportKeys(at: Cursor, keys: readonly string[], add: Add): void {
  for (const key of keys) if (at.at(key).isGiven) add([...at.path, key], key)
}
