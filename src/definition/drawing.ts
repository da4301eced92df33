// A workflow as a drawing: tasks, the scopes that they lie in, and the edges between them, in words. How it looks in
// which notation is for whoever writes it down.
//
// Ids are of places in the file, so that no name is ever taken for syntax. What runs beside a scope, a monitor's task or a
// compensation, is drawn next to its own task.
import type { Expression, Template } from './expression.ts'
import type { FailureRule, Scope, Task, TaskType, Workflow } from './workflow.ts'
import { writtenType } from './written-type.ts'

export interface Drawing {
  readonly name: string
  readonly description?: string | undefined
  readonly members: readonly Member[]
  readonly edges: readonly DrawnEdge[]
}

export type Member = DrawnTask | DrawnScope

export interface DrawnTask {
  readonly id: string
  readonly name: string
  readonly type: TaskType
  /** "kafka-command payments": the type, or the handler, and what it is about. */
  readonly about: string
  readonly description?: string | undefined
}

export interface DrawnScope {
  readonly id: string
  /** "payment (process)" */
  readonly title: string
  readonly description?: string | undefined
  readonly members: readonly Member[]
}

export interface DrawnEdge {
  readonly from: string
  readonly to: string
  readonly label?: string | undefined
  /** order: it runs after; failure: it runs if that failed; beside: a monitor or a compensation. */
  readonly kind: 'order' | 'failure' | 'beside'
}

/** Longer ones are cut: a drawing is looked at, the file is read. */
const textCharactersMax = 60

/** Draws a workflow. */
export function drawingOf(workflow: Workflow): Drawing {
  const edges: DrawnEdge[] = []
  const members = membersOf(workflow.root, workflow, edges)
  const { monitor } = workflow
  return {
    name: workflow.name,
    description: workflow.description,
    members: monitor === undefined ? members : [...members, memberOf(monitor.task, workflow, edges)],
    edges,
  }
}

function membersOf(scope: Scope, workflow: Workflow, edges: DrawnEdge[]): readonly Member[] {
  return scope.tasks.flatMap((task) => {
    const beside = [
      { task: task.monitor?.task, label: monitorLabel(task) },
      { task: task.compensate, label: 'compensate' },
    ]
    const members = [memberOf(task, workflow, edges)]
    for (const name of task.dependents) edges.push(...edgesTo(task, workflow.taskNamed.get(name)))
    for (const { task: other, label } of beside) {
      if (other === undefined) continue
      members.push(memberOf(other, workflow, edges))
      edges.push({ from: idOf(task), to: idOf(other), label, kind: 'beside' })
    }
    return members
  })
}

function memberOf(task: Task, workflow: Workflow, edges: DrawnEdge[]): Member {
  const { description } = task
  const scope = (about: string, members: readonly Member[]): DrawnScope => ({
    id: idOf(task),
    title: task.type === 'branch' ? about : `${task.name} (${about})`,
    description,
    members,
  })
  switch (task.type) {
    case 'process':
    case 'item':
    case 'interval':
      return scope(task.type, membersOf(task.inner, workflow, edges))
    case 'for-each':
      return scope('for-each', membersOf(task.each.inner, workflow, edges))
    case 'parallel':
      return scope(
        task.join === 'all' ? 'parallel' : `parallel, join ${task.join}`,
        task.branches.map((branch) => memberOf(branch, workflow, edges)),
      )
    case 'branch':
      return scope('branch', membersOf(task.inner, workflow, edges))
    default: {
      const type = writtenType(task)
      const about = [type, subjectOf(task)].filter((part) => part !== undefined).join(' ')
      return { id: idOf(task), name: task.name, type: task.type, about, description }
    }
  }
}

function idOf(task: Task): string {
  return `t${task.index}`
}

/** What a task is about, where that stands in the file. */
function subjectOf(task: Task): string | undefined {
  switch (task.type) {
    case 'kafka-listener':
      return task.topic
    case 'kafka-command':
      return constantText(task.topic)
    case 'workflow':
      return constantText(task.workflow)
    case 'http':
      return constantText(task.url)
    case 'trigger':
      return constantText(task.delay ?? task.at)
    case 'signal':
      return task.signal === task.name ? undefined : task.signal
    case 'fail':
    case 'stop':
      return constantText(task.reason)
    default:
      return undefined
  }
}

function constantText(template: Template | undefined): string | undefined {
  const value: unknown = template?.isConstant === true ? template.evaluate({}) : undefined
  return typeof value === 'string' ? short(value) : undefined
}

/** The edges from a task to one that depends on it: those that its failure chooses are no order. */
function edgesTo(task: Task, dependent: Task | undefined): readonly DrawnEdge[] {
  if (dependent === undefined) return []
  const ends = { from: idOf(task), to: idOf(dependent) }
  const rules = task.onFailure.filter(
    ({ action }) => typeof action === 'object' && action.next.includes(dependent.name),
  )
  const failure = rules.map((rule) => ({ ...ends, label: ruleLabel(rule), kind: 'failure' as const }))
  if (task.type !== 'decision' || !task.named.has(dependent.name)) {
    return task.rescue.has(dependent.name) ? failure : [{ ...ends, kind: 'order' }]
  }
  const cases = task.cases.filter(({ next }) => next.includes(dependent.name)).map(({ when }) => textOf(when))
  const labels = task.default?.includes(dependent.name) === true ? [...cases, 'default'] : cases
  return [...labels.map((label) => ({ ...ends, label, kind: 'order' as const })), ...failure]
}

function ruleLabel({ codes, when }: FailureRule): string {
  const parts = [
    codes === undefined ? 'failed' : short(codes.join(', ')),
    ...(when === undefined ? [] : [textOf(when)]),
  ]
  return parts.join(' if ')
}

function monitorLabel({ monitor }: Task): string {
  const deadline = constantText(monitor?.completeBy)
  return deadline === undefined ? 'monitor' : `monitor ${deadline}`
}

function textOf(expression: Expression): string {
  return short(expression.source)
}

function short(text: string): string {
  const line = text.trim().replaceAll(/\s+/g, ' ')
  const characters = Array.from(line)
  return characters.length > textCharactersMax ? `${characters.slice(0, textCharactersMax - 1).join('')}…` : line
}
