// What expressions name: roots that are at hand where they stand, tasks and variables that exist, fields that there are.
import { roots } from './cel.ts'
import { sites } from './compiler.ts'
import type { Sighting } from './compiler.ts'
import { nearest } from './nearest.ts'
import type { Report } from './report.ts'
import type { Workflow } from './workflow.ts'

const fieldsOf: { readonly [root: string]: readonly string[] } = {
  instance: ['id', 'key', 'workflow', 'version', 'startedAt'],
  message: ['topic', 'partition', 'offset', 'timestamp', 'key', 'value', 'headers'],
}
const taskFields = ['output', 'status']
const itemRoots = ['item', 'index']
const allRoots: readonly string[] = roots

/** Reports every name that leads nowhere. */
export function checkNames(sightings: readonly Sighting[], workflow: Workflow, report: Report): void {
  const variables = new Set(workflow.vars.keys())
  for (const task of workflow.tasks) {
    for (const name of task.set?.keys() ?? []) variables.add(name)
    for (const rule of task.onFailure) for (const name of rule.set?.keys() ?? []) variables.add(name)
  }

  for (const { site, name, path, items } of sightings) {
    const { root, field, subfield, offset } = name
    const allowed: readonly string[] =
      items.length > 0 && site !== 'record' && site !== 'correlationAhead'
        ? [...sites[site], ...itemRoots]
        : sites[site]
    const add = (code: string, message: string, suggestion?: string): void =>
      report.add(code, path, message, { offset, suggestion })

    if (!allRoots.includes(root)) {
      const suggestion = workflow.taskNamed.has(root)
        ? `tasks.${root}`
        : variables.has(root)
          ? `vars.${root}`
          : nearest(root, allowed)
      add('DW_UNKNOWN_ROOT', `unknown name \`${root}\`; at hand: ${allowed.join(', ')}`, suggestion)
    } else if (!allowed.includes(root)) {
      const where =
        root === 'secrets' ? ': secrets stand in `http` and in the `with` of a handler, and nowhere else' : ''
      add('DW_ROOT_NOT_HERE', `\`${root}\` is not at hand here${where}; at hand: ${allowed.join(', ')}`)
    } else if (root === 'tasks' && field !== undefined) {
      if (!workflow.taskNamed.has(field))
        add('DW_UNKNOWN_TASK', `unknown task \`${field}\``, nearestTask(field, workflow))
      else if (!isSeenFrom(field, items, workflow)) {
        add(
          'DW_OUT_OF_SCOPE',
          `\`${field}\` lies in a for-each, and there is one of it for each item: name it from inside only`,
        )
      } else if (subfield !== undefined && !taskFields.includes(subfield)) {
        add(
          'DW_UNKNOWN_FIELD',
          `unknown field \`${subfield}\`: a task has ${taskFields.join(' and ')}`,
          nearest(subfield, taskFields),
        )
      }
    } else if (root === 'vars' && field !== undefined && !variables.has(field) && !name.isOptional) {
      add(
        'DW_UNKNOWN_VAR',
        `unknown variable \`${field}\`: neither \`vars\` nor any \`set\` writes it`,
        nearest(field, variables),
      )
    } else if (field !== undefined && fieldsOf[root]?.includes(field) === false) {
      add(
        'DW_UNKNOWN_FIELD',
        `unknown field \`${field}\`: \`${root}\` has ${fieldsOf[root].join(', ')}`,
        nearest(field, fieldsOf[root]),
      )
    }
  }
}

/** True where the item that the task lies in is one around here as well: then it means the same item's. */
function isSeenFrom(name: string, items: readonly string[], workflow: Workflow): boolean {
  const item = workflow.taskNamed.get(name)?.item
  return item === undefined || items.includes(workflow.tasks[item]!.name)
}

function nearestTask(asked: string, workflow: Workflow): string | undefined {
  // `tasks.book-shipment` is a subtraction in CEL.
  const dashed = [...workflow.taskNamed.keys()].find((name) => name.startsWith(`${asked}-`))
  return dashed === undefined ? nearest(asked, workflow.taskNamed.keys()) : `tasks[${JSON.stringify(dashed)}]`
}
