// A document → a Workflow: defaults filled in, expressions compiled, the order of the tasks made explicit.
// Tolerant: what the schema has already refused reads as absent, so that everything else is still looked at; what comes
// out of a document with problems is thrown away.
//
// Order: a task runs after the one above it in its list. `dependsOn` replaces that; `dependsOn: []` starts with its scope.
import { canonicalJson, versionOf } from './canonical.ts'
import type { Compiler } from './compiler.ts'
import type { Cursor, Path } from './cursor.ts'
import { given } from './given.ts'
import { dependentsOf } from './graph.ts'
import type { Report } from './report.ts'
import { compileInputSchema, InputSchemaError } from './schema.ts'
import type { InputSchema } from './schema.ts'
import { buildTask } from './task.ts'
import type { Scope, StartTrigger, Task, Workflow } from './workflow.ts'

const defaultRetentionMs = 24 * 3_600_000

/** A workflow on its way: what checks need besides. */
export interface Draft {
  readonly workflow: Workflow
  readonly paths: ReadonlyMap<Task, Path>
}

/** Builds the workflow; its problems go to the report. */
export function buildWorkflow(document: Cursor, compiler: Compiler, report: Report): Draft {
  const slots: (Task | undefined)[] = []
  const paths = new Map<Task, Path>()
  const root = buildScope(document.at('tasks'), undefined, { compiler, slots, paths })
  const tasks = slots.filter((task) => task !== undefined)
  const taskNamed = new Map<string, Task>()
  for (const task of tasks) if (!taskNamed.has(task.name)) taskNamed.set(task.name, task)
  const name = document.at('workflow').text ?? ''
  const label = document.at('version').text ?? document.at('version').number?.toString()
  const source = canonicalJson(document.value ?? null)
  const workflow: Workflow = {
    name,
    version: versionOf(name, source),
    onRunning: document.at('onRunning').text === 'reject' ? 'reject' : 'ignore',
    start: document.at('start').items.map((start, index) => buildStart(start, index, compiler)),
    vars: compiler.templates(document.at('vars'), 'vars') ?? new Map(),
    tasks,
    taskNamed,
    root,
    retentionMs: compiler.duration(document.at('retention')) ?? defaultRetentionMs,
    source,
    ...given('label', label),
    ...given('description', document.at('description').text),
    ...given('input', buildInput(document.at('input'), report)),
    ...given('output', compiler.template(document.at('output'), 'task')),
  }
  return { workflow, paths }
}

interface Collected {
  readonly compiler: Compiler
  /** Tasks by their index. */
  readonly slots: (Task | undefined)[]
  readonly paths: Map<Task, Path>
}

function buildScope(list: Cursor, owner: string | undefined, into: Collected): Scope {
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
    // The place in the list is taken before the inner tasks take theirs: a process comes before what lies in it.
    const index = into.slots.push(undefined) - 1
    const name = names[position]!
    const place = { name, index, scope: owner, dependsOn: dependsOn[position]!, dependents: dependents.get(name) ?? [] }
    const task = buildTask(item, place, into.compiler, (inner) => buildScope(inner, name, into))
    into.slots[index] = task
    into.paths.set(task, item.path)
    return task
  })
  return { owner, tasks }
}

function buildStart(start: Cursor, index: number, compiler: Compiler): StartTrigger {
  return {
    index,
    topic: start.at('topic').text ?? '',
    from: start.at('from').text === 'earliest' ? 'earliest' : 'latest',
    ...given('when', compiler.condition(start.at('when'), 'start')),
    ...given('key', compiler.template(start.at('key'), 'start')),
    ...given('input', compiler.template(start.at('input'), 'start')),
  }
}

function buildInput(input: Cursor, report: Report): InputSchema | undefined {
  if (input.value === undefined) return undefined
  try {
    return compileInputSchema(input.value)
  } catch (error) {
    if (!(error instanceof InputSchemaError)) throw error
    report.add(error.code, [...input.path, ...error.path], error.message)
    return undefined
  }
}
