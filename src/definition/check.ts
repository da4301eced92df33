// What a schema cannot say about a workflow: names that exist, an order that can be followed, tasks that can run.
//
//   K1. Task names are unique; `dependsOn` stays in its scope and has no cycle, so every scope can be worked through.
//   K2. A decision, and `next` of a failure, name only tasks that depend on it: its outcome settles their edges.
//   K3. Every task can be reached by some outcome.
//   K4. What runs beside a scope, or again and again, is one leaf task.
//   K5. What is subscribed when the instance starts is there once, and takes one record.
import type { Draft } from './build.ts'
import { checkTopics } from './check-topics.ts'
import type { Compiler } from './compiler.ts'
import type { Cursor, Path } from './cursor.ts'
import { parseDuration } from './duration.ts'
import type { ExpectedValue } from './fitting.ts'
import { findCycles, topologicalOrder } from './graph.ts'
import type { Graph } from './graph.ts'
import { checkNames } from './names.ts'
import { nearest } from './nearest.ts'
import type { Report } from './report.ts'
import { builtInTypes, isHandlerType } from './structure.ts'
import { parseTime } from './time.ts'
import type {
  DecisionTask,
  HandlerTask,
  KafkaListenerTask,
  Scope,
  Task,
  TaskType,
  TriggerTask,
  Workflow,
} from './workflow.ts'

export interface CheckOptions {
  /** The handlers there are; absent: any well-formed name is taken for one. */
  readonly handlers?: readonly string[]
  /** What the handlers take as `with`, by their names. */
  readonly handlerInputs?: ReadonlyMap<string, ExpectedValue>
}

/** Reports what is wrong with the meaning of a workflow. */
export function checkWorkflow(draft: Draft, compiler: Compiler, report: Report, options: CheckOptions): void {
  const { workflow, written } = draft
  checkStarts(workflow, report)
  for (const task of workflow.tasks) {
    const at = written.get(task)!
    const { path } = at
    const first = workflow.taskNamed.get(task.name)
    if (first !== undefined && first !== task && task.name !== '') {
      const other = report.placeOf(written.get(first)!.path)
      report.add('DW_DUPLICATE_TASK', [...path, 'name'], `the name \`${task.name}\` is taken by another task${other}`)
    }
    checkDependencies(task, path, workflow, report)
    checkRescue(task, at, workflow, report)
    if (task.aside !== undefined || workflow.taskNamed.get(task.scope ?? '')?.type === 'interval')
      checkLeaf(task, at, report)
    if (task.type === 'handler') checkHandler(task, at, options, report)
    if (task.type === 'decision') checkDecision(task, path, workflow, report)
    if (task.type === 'trigger') checkTrigger(task, path, report)
    if (task.type === 'kafka-listener' && task.skipAhead) checkAhead(task, at, workflow, report)
    if ('inner' in task) checkOrder(task.inner, written, report)
  }
  checkOrder(workflow.root, written, report)
  checkNames(compiler.sightings, workflow, report)
  checkTopics(draft, compiler, report)
}

function checkStarts(workflow: Workflow, report: Report): void {
  const seen = new Map<string, number>()
  for (const { place, topic, when } of workflow.start) {
    const identity = JSON.stringify([topic, when?.source.trim() ?? ''])
    const first = seen.get(identity)
    if (first === undefined) seen.set(identity, place)
    else {
      const message = `start[${first}] takes the same records of ${topic}: a record starts an instance at most once`
      report.add('DW_DUPLICATE_START', ['start', place], message)
    }
  }
  for (const { place, id } of workflow.schedules) {
    const first = workflow.schedules.find((other) => other.id === id)
    if (first?.place === place) continue
    report.add('DW_DUPLICATE_START', ['start', place], `start[${first?.place}] is the same schedule`)
  }
}

function checkDependencies(task: Task, path: Path, workflow: Workflow, report: Report): void {
  const inScope = workflow.tasks.filter((other) => other.scope === task.scope).map((other) => other.name)
  task.dependsOn.forEach((name, index) => {
    if (inScope.includes(name)) return
    const other = workflow.taskNamed.get(name)
    const at = [...path, 'dependsOn', index]
    if (other === undefined) {
      report.add('DW_UNKNOWN_TASK', at, `unknown task \`${name}\``, {
        suggestion: nearest(
          name,
          inScope.filter((known) => known !== task.name),
        ),
      })
      return
    }
    const where = other.scope === undefined ? 'the workflow itself' : `the tasks of \`${other.scope}\``
    const suggestion = enclosingIn(other, inScope, workflow)
    report.add(
      'DW_OUT_OF_SCOPE',
      at,
      `\`${name}\` belongs to ${where}: a task depends only on tasks of its own scope`,
      { suggestion },
    )
  })
}

/** The task around a task that does lie in the scope asked for. */
function enclosingIn(task: Task, inScope: readonly string[], workflow: Workflow): string | undefined {
  let owner = task.scope
  const seen = new Set<string>()
  while (owner !== undefined && !inScope.includes(owner) && !seen.has(owner)) {
    seen.add(owner)
    owner = workflow.taskNamed.get(owner)?.scope
  }
  return owner !== undefined && inScope.includes(owner) ? owner : undefined
}

function checkHandler(task: HandlerTask, at: Cursor, options: CheckOptions, report: Report): void {
  const { handler: type } = task
  if (options.handlers?.includes(type) === false && type !== '' && isHandlerType(type)) {
    const suggestion = nearest(type, [...builtInTypes, ...options.handlers])
    const message = `unknown task type \`${type}\`: it is not built in, and there is no handler of that name`
    report.add('DW_UNKNOWN_TASK_TYPE', [...at.path, 'type'], message, { suggestion })
  }
  const given = at.at('with')
  // One that does not compile is told already; what undoes a task is given that task's input and output by itself.
  if (given.isGiven ? task.with === undefined : task.aside === 'compensation') return
  for (const { path, message, ...where } of options.handlerInputs?.get(type)?.misfits(given.value ?? null) ?? []) {
    report.add('DW_HANDLER_INPUT', [...given.path, ...path], `the input of the handler \`${type}\` ${message}`, where)
  }
}

const leafTypes: ReadonlySet<TaskType> = new Set([
  'kafka-command',
  'kafka-listener',
  'set',
  'trigger',
  'signal',
  'http',
  'workflow',
  'handler',
])
const leafKeysRefused = ['dependsOn', 'when', 'monitor', 'compensate'] as const

/** K4 */
function checkLeaf(task: Task, at: Cursor, report: Report): void {
  if (!leafTypes.has(task.type)) {
    const expected = `a task that has no tasks in it and decides nothing: ${[...leafTypes].filter((type) => type !== 'handler').join(', ')} or a handler`
    report.add('DW_NOT_A_LEAF', [...at.path, 'type'], `expected ${expected}; found ${task.type}`)
  }
  for (const key of leafKeysRefused) {
    if (at.at(key).isGiven) {
      report.add('DW_KEY_NOT_HERE', at.at(key).path, `a task in this place has no \`${key}\``, { atKey: true })
    }
  }
}

/** K5 */
function checkAhead(task: KafkaListenerTask, at: Cursor, workflow: Workflow, report: Report): void {
  const isAgain = workflow.taskNamed.get(task.scope ?? '')?.type === 'interval'
  const why =
    task.until !== undefined
      ? 'takes one record, and `until` keeps listening for several: leave out one of the two'
      : task.item !== undefined
        ? 'subscribes when the instance starts, and the items of a for-each are not known then'
        : isAgain || task.aside !== undefined
          ? 'subscribes when the instance starts: what runs beside its scope, or again and again, waits for its turn'
          : undefined
  if (why !== undefined) report.add('DW_KEY_NOT_HERE', at.at('skipAhead').path, `\`skipAhead\` ${why}`, { atKey: true })
}

/** K2 */
function checkRescue(task: Task, written: Cursor, workflow: Workflow, report: Report): void {
  task.onFailure.forEach(({ action }, position) => {
    if (typeof action !== 'object') return
    const rules = written.at('onFailure')
    const rule = rules.items[position] ?? rules
    checkNext(action.next, task, rule.at('next').path, workflow, report)
  })
}

/** K2 */
function checkDecision(task: DecisionTask, path: Path, workflow: Workflow, report: Report): void {
  task.cases.forEach((choice, index) =>
    checkNext(choice.next, task, [...path, 'cases', index, 'next'], workflow, report),
  )
  checkNext(task.default ?? [], task, [...path, 'default'], workflow, report)
}

function checkNext(names: readonly string[], task: Task, at: Path, workflow: Workflow, report: Report): void {
  names.forEach((name, index) => {
    if (task.dependents.includes(name)) return
    if (!workflow.taskNamed.has(name)) {
      report.add('DW_UNKNOWN_TASK', [...at, index], `unknown task \`${name}\``, {
        suggestion: nearest(name, task.dependents),
      })
    } else {
      const message = `\`${name}\` does not depend on \`${task.name}\`: add \`dependsOn: [${task.name}]\` to it`
      report.add('DW_NEXT_NOT_DEPENDENT', [...at, index], message)
    }
  })
}

function checkTrigger(task: TriggerTask, path: Path, report: Report): void {
  if ((task.at === undefined) === (task.delay === undefined)) {
    report.add('DW_SCHEMA', path, 'expected exactly one of `at` and `delay`')
    return
  }
  const at: unknown = task.at?.isConstant === true ? task.at.evaluate({}) : undefined
  const delay: unknown = task.delay?.isConstant === true ? task.delay.evaluate({}) : undefined
  if (typeof at === 'string' && parseTime(at) === undefined) {
    report.add('DW_TIME', [...path, 'at'], `expected a time such as 2030-01-31T06:00:00Z, found ${JSON.stringify(at)}`)
  }
  if (typeof delay === 'string' && parseDuration(delay) === undefined) {
    report.add(
      'DW_DURATION',
      [...path, 'delay'],
      `expected a duration such as 30s, 5m or PT1H30M, found ${JSON.stringify(delay)}`,
    )
  }
}

/** K1 and K3 for the tasks of one scope. */
function checkOrder(scope: Scope, written: ReadonlyMap<Task, Cursor>, report: Report): void {
  const tasks = new Map(scope.tasks.map((task) => [task.name, task]))
  const graph: Graph = new Map(scope.tasks.map((task) => [task.name, task.dependsOn]))
  for (const cycle of findCycles(graph)) {
    const task = tasks.get(cycle[0]!)!
    const names = [...cycle, cycle[0]!].map((name) => `\`${name}\``)
    const message = cycle.length === 1 ? `${names[0]} depends on itself` : `a cycle: ${names.join(' depends on ')}`
    report.add('DW_CYCLE', [...written.get(task)!.path, 'dependsOn'], message)
  }
  const unreachable = new Set<string>()
  for (const name of topologicalOrder(graph)) {
    const task = tasks.get(name)!
    const sources = task.dependsOn.flatMap((dependency) => tasks.get(dependency) ?? [])
    if (sources.length === 0 || !sources.every((source) => unreachable.has(source.name) || neverChooses(source, name)))
      continue
    unreachable.add(name)
    const message = `\`${name}\` can never run: no outcome of ${sources.map((source) => `\`${source.name}\``).join(', ')} leads to it`
    report.add('DW_UNREACHABLE', written.get(task)!.path, message)
  }
}

/** True where no outcome of a decision chooses a task that it names: its cases come behind one that is always true, or are never true. */
function neverChooses(source: Task, name: string): boolean {
  if (source.type !== 'decision' || !source.named.has(name) || source.default?.includes(name) === true) return false
  for (const choice of source.cases) {
    const condition = choice.when.source.trim()
    if (condition !== 'false' && choice.next.includes(name)) return false
    if (condition === 'true') return true
  }
  return true
}
