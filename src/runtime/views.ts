// Instances as people see them: rows of the state in the words of the face. Payloads are JSON, times RFC 3339.
import type { Task, Workflow } from '../definition/workflow.ts'
import { rowAt, slotOf, taskAt, type TaskTables } from '../engine/nodes.ts'
import type { InstanceRow, OpenWork, TaskRow } from '../engine/state.ts'
import type { InstanceSummary, InstanceView, TaskView, TimelineEntry } from './face.ts'

const time = (ms: number): string => new Date(ms).toISOString()

export function summaryOf(row: InstanceRow, workflow: Workflow | undefined): InstanceSummary {
  const waitingAt: string[] = []
  for (const [index, task] of row.tasks.entries()) {
    if (task?.open !== undefined && !isOfTasks(task.open)) waitingAt.push(nameOf(workflow, index))
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
  }
}

/** @param progressOf what a running handler said last, in words */
export function viewOf(
  row: InstanceRow,
  workflow: Workflow | undefined,
  partition: number,
  blocks: TaskTables['blocks'],
  progressOf: (task: number) => string | undefined,
): InstanceView {
  const tasks = workflow?.tasks ?? []
  return {
    ...summaryOf(row, workflow),
    partition,
    input: row.input.value,
    vars: Object.fromEntries(row.vars),
    ...(row.output === undefined ? {} : { output: row.output.value }),
    ...(row.error === undefined ? {} : { error: row.error }),
    origin: row.origin,
    tasks: tasks.map((task) => taskView(task, rowAt({ blocks }, row, task.index), progressOf(task.index))),
    timeline: row.timeline.map((entry): TimelineEntry => ({
      at: time(entry.atMs),
      ...(entry.task === -1 ? {} : { task: nameOf(workflow, entry.task) }),
      status: entry.status,
      ...(entry.attempt === 0 ? {} : { attempt: entry.attempt }),
      ...(entry.note === undefined ? {} : { note: entry.note }),
    })),
    timelineDropped: row.timelineDropped,
  }
}

/** Its own tasks are shown for themselves. */
const isOfTasks = ({ kind }: OpenWork): boolean => kind === 'scope' || kind === 'children'

/** Of a task, or of a task in an item. */
function nameOf(workflow: Workflow | undefined, node: number): string {
  if (workflow === undefined) return `task ${node}`
  const slot = slotOf(workflow, node)
  return slot === 0 ? taskAt(workflow, node).name : `${taskAt(workflow, node).name}#${slot}`
}

function taskView(task: Task, row: TaskRow | undefined, progress: string | undefined): TaskView {
  const scope = task.scope === undefined ? {} : { scope: task.scope }
  const type = task.type === 'handler' ? task.handler : task.type
  if (row === undefined)
    return { name: task.name, type, ...scope, status: 'NOT_STARTED', attempt: 0, hasIncident: false }
  return {
    name: task.name,
    type,
    ...scope,
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

function waiting(task: Task, row: TaskRow, progress: string | undefined): { waitsFor?: string } {
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
