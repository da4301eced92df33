// Instances as people see them: rows of the state in the words of the face. Payloads are JSON, times RFC 3339.
import type { Task, Workflow } from '../definition/workflow.ts'
import { writtenType } from '../definition/written-type.ts'
import { Absent, evaluateAttribute } from '../engine/attributes.ts'
import { nameOfNode, ownerOf, rowAt, spansOf, taskAt, type TaskTables } from '../engine/nodes.ts'
import type { InstanceRow, OpenWork, TaskRow } from '../engine/state.ts'
import type { InstanceSummary, InstanceView, TaskView, TimelineEntry } from './face.ts'

/** Names in one line of a list. */
const waitingAtMax = 20
/** Items of `for-each` looked at, for a line of a list and for a view, and their tasks that a view tells of. */
const itemsInLineMax = 200
export const itemsInViewMax = 20_000
const itemTasksMax = 500

const time = (ms: number): string => new Date(ms).toISOString()

/** An instance's row, and what one needs to read it. */
export interface Viewed {
  readonly row: InstanceRow
  readonly workflow: Workflow
  readonly tables: TaskTables
}

export function summaryOf(viewed: Viewed): InstanceSummary {
  const { row, workflow, tables } = viewed
  const waitingAt: string[] = []
  const incidentsAt: string[] = []
  for (const node of row.endedAtMs === undefined ? placesOf(viewed, itemsInLineMax) : []) {
    const task = rowAt(tables, row, node)
    if (!isWaiting(task)) continue
    const names = task?.open === undefined ? incidentsAt : waitingAt
    names.push(nameOfNode(tables, row, workflow, node))
    if (names.length === waitingAtMax) break
  }
  return {
    id: row.id,
    workflow: row.workflow,
    version: row.version,
    key: row.key,
    status: row.status,
    incidents: row.incidents,
    startedAt: time(row.startedAtMs),
    ...(row.endedAtMs === undefined ? {} : { endedAt: time(row.endedAtMs) }),
    waitingAt,
    ...(incidentsAt.length === 0 ? {} : { incidentsAt }),
    ...(row.attributes.size === 0 ? {} : { attributes: Object.fromEntries(row.attributes) }),
  }
}

/** @param progressOf what a running handler said last, in words */
export function viewOf(
  viewed: Viewed,
  partition: number,
  progressOf: (task: number) => string | undefined,
): InstanceView {
  const { row, workflow, tables } = viewed
  return {
    ...summaryOf(viewed),
    partition,
    input: row.input.value,
    vars: Object.fromEntries(row.vars),
    ...absentOf(viewed),
    ...(row.output === undefined ? {} : { output: row.output.value }),
    ...(row.error === undefined ? {} : { error: row.error }),
    origin: row.origin,
    ...tasksOf(viewed, progressOf),
    timeline: row.timeline.map((entry): TimelineEntry => ({
      at: time(entry.atMs),
      ...(entry.task === -1 ? {} : { task: nameOfNode(tables, row, workflow, entry.task) }),
      status: entry.status,
      ...(entry.attempt === 0 ? {} : { attempt: entry.attempt }),
      ...(entry.note === undefined ? {} : { note: entry.note }),
    })),
    timelineDropped: row.timelineDropped,
  }
}

/** What is evaluated again whenever it is looked at need not be kept. */
function absentOf({ row, workflow, tables }: Viewed): Pick<InstanceView, 'attributesAbsent'> {
  const absent = [...workflow.attributes].flatMap(([name, expression]) => {
    if (row.attributes.has(name)) return []
    const found = evaluateAttribute(expression, { state: tables, instance: row, workflow, node: 0 })
    return found instanceof Absent ? [[name, found.reason] as const] : []
  })
  return absent.length === 0 ? {} : { attributesAbsent: Object.fromEntries(absent) }
}

/** Every task of the workflow, and of those in items the ones that are under way or have failed, incidents first. */
function tasksOf(
  viewed: Viewed,
  progressOf: (task: number) => string | undefined,
): Pick<InstanceView, 'tasks' | 'tasksLeftOut'> {
  const { row, workflow, tables } = viewed
  const own: number[] = []
  const stuck: number[] = []
  const others: number[] = []
  for (const node of placesOf(viewed, itemsInViewMax)) {
    const state = rowAt(tables, row, node)
    // What runs beside its scope is told of once it was called for.
    if (taskAt(workflow, node).aside !== undefined && state === undefined) continue
    if (node < workflow.tasks.length) own.push(node)
    else if (state?.hasIncident === true) stuck.push(node)
    else if (state?.open !== undefined || state?.status === 'FAILED') others.push(node)
  }
  const inItems = [...stuck, ...others].slice(0, itemTasksMax).toSorted((a, b) => a - b)
  const tasks = [...own, ...inItems].map((node): TaskView => {
    const task = taskAt(workflow, node)
    const owner = ownerOf(tables, row, workflow, node)
    return {
      name: nameOfNode(tables, row, workflow, node),
      ...(owner === undefined ? {} : { scope: nameOfNode(tables, row, workflow, owner) }),
      ...taskView(task, rowAt(tables, row, node), progressOf(node)),
      ...aheadOf(row, task, node),
    }
  })
  return { tasks, tasksLeftOut: stuck.length + others.length - inItems.length }
}

/** The nodes of the workflow's tasks, and of those in so many items; what lies in an item is at home in no other place. */
export function* placesOf({ row, workflow, tables }: Viewed, itemsMax: number): Generator<number> {
  for (const { first, last } of spansOf(tables, row, workflow, itemsMax)) {
    const around = first === 0 ? undefined : taskAt(workflow, first).index
    for (let node = first; node <= last; node++) {
      const task = taskAt(workflow, node)
      if (task.type === 'item' ? task.index === around : task.item === around) yield node
    }
  }
}

/** True of a task that is under way or waits for a person, and not for tasks in it, which wait themselves. */
export const isWaiting = (task: TaskRow | undefined): boolean =>
  task !== undefined && (task.open === undefined ? task.hasIncident : !isOfTasks(task.open))

/** Its own tasks are shown for themselves. */
export const isOfTasks = ({ kind }: OpenWork): boolean => kind === 'scope' || kind === 'children'

function aheadOf(row: InstanceRow, task: Task, node: number): { waitsFor?: string } {
  const ahead = row.ahead.find((each) => each.task === node)
  if (ahead === undefined || task.type !== 'kafka-listener') return {}
  return { waitsFor: `its turn, or a record of ${task.topic} for '${ahead.value}'` }
}

function taskView(
  task: Task,
  row: TaskRow | undefined,
  progress: string | undefined,
): Omit<TaskView, 'name' | 'scope'> {
  const type = writtenType(task)
  if (row === undefined) return { type, status: 'NOT_STARTED', attempt: 0, hasIncident: false }
  return {
    type,
    status: row.status,
    attempt: row.attempt,
    startedAt: time(row.startedAtMs),
    ...(row.endedAtMs === undefined ? {} : { endedAt: time(row.endedAtMs) }),
    ...(row.error === undefined ? {} : { error: row.error }),
    hasIncident: row.hasIncident,
    ...(row.output === undefined ? {} : { output: row.output.value }),
    ...waiting(task, row, progress),
  }
}

/** What a task waits for, in words; nothing where it does not wait. */
export function waiting(task: Task, row: TaskRow, progress: string | undefined): { waitsFor?: string } {
  if (row.hasIncident) return { waitsFor: 'a person: it has failed for good' }
  if (row.open === undefined) return {}
  const words = wordsFor(task, row.open, progress)
  return words === undefined ? {} : { waitsFor: words }
}

function wordsFor(task: Task, open: OpenWork, progress: string | undefined): string | undefined {
  switch (open.kind) {
    case 'record': {
      const topic = task.type === 'kafka-listener' ? task.topic : ''
      const until = open.timer === undefined ? '' : `, until ${time(Number(open.timer.slice(0, 15)))}`
      return `a record of ${topic} for '${open.value}'${until}`
    }
    case 'time':
      return time(open.dueAtMs)
    case 'retry':
      return `its next attempt at ${time(open.dueAtMs)}`
    case 'slot':
      return 'a free handler slot'
    case 'handler': {
      const performer = task.type === 'handler' ? `its handler ${task.handler}` : 'the answer to its request'
      return `${performer}${open.run > 1 ? ` (run ${open.run})` : ''}${progress === undefined ? '' : `, last heard: ${progress}`}`
    }
    case 'children': {
      const { total, begun, succeeded, failed, skipped } = open
      return `${total - succeeded - failed - skipped} of ${total}${begun < total ? `, ${total - begun} of them not begun` : ''}`
    }
    case 'interval':
      return open.timer === undefined
        ? 'the end of its run'
        : `its next run at ${time(Number(open.timer.slice(0, 15)))}`
    case 'signal':
      return `the signal ${open.name}`
    case 'child':
      return `the end of ${open.workflow} '${open.key}'`
    case 'stopping':
      return 'its handler to clean up'
    case 'scope':
      return undefined
  }
}
