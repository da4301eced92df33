// What expressions find under their roots: filled in only as far as they ask (`uses`).
import type { TaskError } from '../base/errors.ts'
import type { Roots, Uses } from '../definition/expression.ts'
import type { Workflow } from '../definition/workflow.ts'
import { itemAround, nodeNamed, rowAt, type TaskTables } from './nodes.ts'
import type { InstanceRow, State, TaskRow } from './state.ts'
import type { MessageRoot } from './message.ts'
import type { Payload } from './payload.ts'

/** Roots that only some places have. */
export interface Extras {
  readonly message?: MessageRoot
  /** Parsed only where an expression asks for it. */
  readonly output?: Payload
  readonly error?: TaskError & { readonly task: string }
  /** Marks in their place (secrets.ts). */
  readonly secrets?: { readonly [name: string]: string }
}

/** Where an expression stands: it sees the tasks of its own item. */
export interface Place extends Outlook {
  readonly state: State
}

/** What there is to see from a place. */
export interface Outlook {
  readonly state: TaskTables
  readonly instance: InstanceRow
  readonly workflow: Workflow
  readonly node: number
}

/** The roots of an instance for one expression. `tasks.X.output` is there once X is COMPLETED. */
export function rootsFor(place: Outlook, uses: Uses, nowMs: number, extras: Extras = {}): Roots {
  const { state, instance, workflow, node } = place
  const roots: { -readonly [root in keyof Roots]: unknown } = {}
  for (const root of uses.roots) {
    switch (root) {
      case 'input':
        roots.input = instance.input.value
        break
      case 'vars':
        roots.vars = instance.vars
        break
      case 'tasks':
        roots.tasks = tasksRoot(uses.tasks, place)
        break
      case 'instance':
        roots.instance = instanceRoot(instance)
        break
      case 'message':
        roots.message = extras.message
        break
      case 'now':
        roots.now = dateOf(nowMs)
        break
      case 'output':
        roots.output = extras.output?.value
        break
      case 'error':
        roots.error = extras.error
        break
      case 'secrets':
        roots.secrets = extras.secrets
        break
      case 'item':
        roots.item = itemAround(state, instance, workflow, node)?.value.value
        break
      case 'index':
        roots.index = itemAround(state, instance, workflow, node)?.index
        break
    }
  }
  return roots
}

export function instanceRoot(
  instance: Pick<InstanceRow, 'id' | 'key' | 'workflow' | 'version' | 'startedAtMs'>,
): object {
  return {
    id: instance.id,
    key: instance.key,
    workflow: instance.workflow,
    version: instance.version,
    startedAt: dateOf(instance.startedAtMs),
  }
}

function tasksRoot(names: readonly string[], { state, instance, workflow, node }: Outlook): object {
  const tasks: { [name: string]: object } = Object.create(null)
  for (const name of names) {
    const task = workflow.taskNamed.get(name)
    if (task === undefined) continue
    tasks[name] = taskRoot(rowAt(state, instance, nodeNamed(state, instance, workflow, task, node)))
  }
  return tasks
}

function taskRoot(row: TaskRow | undefined): object {
  if (row === undefined) return { status: 'NOT_STARTED' }
  if (row.status !== 'COMPLETED') return { status: row.status }
  return { status: row.status, output: row.output === undefined ? null : row.output.value }
}

/** The time as expressions have it. */
// eslint-disable-next-line no-restricted-globals -- a conversion; the time came with the command
export const dateOf = (ms: number): Date => new Date(ms)
