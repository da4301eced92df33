// The tasks of a document as scopes: who lies in whom, in which order, and at which place of `Workflow.tasks`.
//
// Order: a task runs after the one above it in its list. `dependsOn` replaces that; `dependsOn: []` starts with its scope.
import type { Compiler } from './compiler.ts'
import type { Cursor } from './cursor.ts'
import { given } from './given.ts'
import { dependentsOf } from './graph.ts'
import { buildTask } from './task.ts'
import type { Inside, TaskPlace } from './task.ts'
import type { BranchTask, ItemTask, Scope, Task } from './workflow.ts'

/** Whose scope a list of tasks is, and the item of which `for-each` it lies in. */
type Around = Pick<Task, 'scope' | 'item'>

/** What a branch or an item has of a task: nothing happens to it but what happens in it. */
const plain = {
  dependsOn: [],
  dependents: [],
  retry: {
    maxAttempts: 1,
    initialIntervalMs: 0,
    backoffCoefficient: 1,
    maxIntervalMs: 0,
    jitter: 0,
    nonRetryable: [],
  },
  onFailure: [{ action: 'fail' }],
  rescue: new Set<string>(),
  onMaxDuration: 'fail',
} as const

/** Builds scopes, and collects their tasks. */
export class ScopeBuilder {
  readonly #compiler: Compiler
  readonly #slots: (Task | undefined)[] = []
  /** Each task as it stands in the document. */
  readonly written = new Map<Task, Cursor>()

  constructor(compiler: Compiler) {
    this.#compiler = compiler
  }

  /** Every task that was built, by its index. */
  get tasks(): readonly Task[] {
    return this.#slots.filter((task) => task !== undefined)
  }

  /** A list of tasks as a scope. */
  scope(list: Cursor, around: Around): Scope {
    const items = list.items
    const names = items.map((item) => item.at('name').text ?? '')
    const dependencies = new Map<string, readonly string[]>()
    const dependsOn = items.map((item, index) => {
      const written = item.at('dependsOn')
      const before = index === 0 ? [] : [names[index - 1]!]
      const effective = written.isGiven ? written.texts : before
      if (!dependencies.has(names[index]!)) dependencies.set(names[index]!, effective)
      return effective
    })
    const dependents = dependentsOf(dependencies)
    const tasks = items.map((item, position) => {
      const name = names[position]!
      return this.#task(item, name, around, {
        dependsOn: dependsOn[position]!,
        dependents: dependents.get(name) ?? [],
      })
    })
    return { owner: around.scope, tasks }
  }

  /** A task that runs beside a scope, when it is called for. */
  aside(item: Cursor, defaultName: string, around: Around, aside: 'monitor' | 'compensation'): Task {
    const name = item.at('name').text ?? defaultName
    return this.#task(item, name, around, { dependsOn: [], dependents: [], aside })
  }

  #task(item: Cursor, name: string, around: Around, more: Pick<TaskPlace, 'dependsOn' | 'dependents' | 'aside'>): Task {
    return this.#place(item, (index) =>
      buildTask(item, { name, index, ...around, ...more }, this.#compiler, this.#inside(name, around)),
    )
  }

  /** The place is taken before what lies inside takes its own: a task comes before what lies in it. */
  #place<Built extends Task>(item: Cursor, build: (index: number) => Built): Built {
    const index = this.#slots.push(undefined) - 1
    const task = build(index)
    this.#slots[index] = task
    this.written.set(task, item)
    return task
  }

  #inside(name: string, around: Around): Inside {
    return {
      scope: (tasks) => this.scope(tasks, { ...around, scope: name }),
      single: (task, defaultName) => {
        const inner = this.#task(task, task.at('name').text ?? defaultName, { ...around, scope: name }, alone)
        return { owner: name, tasks: [inner] }
      },
      branch: (tasks, position) => this.#branch(tasks, `${name}[${position}]`, name, around),
      each: (task) => this.#each(task, `${name}[]`, name, around),
      aside: (task, kind) => this.aside(task, `${name}-${kind === 'monitor' ? 'monitor' : 'compensate'}`, around, kind),
    }
  }

  #branch(tasks: Cursor, name: string, owner: string, around: Around): BranchTask {
    return this.#place(tasks, (index) => {
      const inner = this.scope(tasks, { ...around, scope: name })
      return { ...plain, type: 'branch', name, index, scope: owner, item: around.item, inner }
    })
  }

  #each(task: Cursor, name: string, owner: string, around: Around): ItemTask {
    return this.#place(task, (index) =>
      this.#compiler.inItem(name, () => {
        const inner = this.scope(task.at('tasks'), { scope: name, item: index })
        const output = given('output', this.#compiler.template(task.at('output'), 'task'))
        const last = this.#slots.length - 1
        return { ...plain, type: 'item', name, index, scope: owner, item: around.item, inner, last, ...output }
      }),
    )
  }
}

const alone = { dependsOn: [], dependents: [] }
