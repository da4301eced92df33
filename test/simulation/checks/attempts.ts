// I4: attempts of tasks: at most one completion of each is applied, and whoever runs them is told one idempotency key.
import type { Workflow } from '../../../src/definition/workflow.ts'
import { isDeepStrictEqual } from 'node:util'
import type { InstanceRow } from '../../../src/engine/state.ts'
import type { Run } from '../handlers.ts'
import { instanceRowsOf, nameOf, type Evidence } from './finished.ts'

/** I4: the idempotency key of a task is the same for all its attempts, and no other's. */
export function* keysAreOnes({ journal }: Evidence): Generator<string> {
  const tasks = new Map<string, string>()
  const keys = new Map<string, string>()
  for (const { instanceId, task, idempotencyKey } of journal) {
    const owner = `${instanceId}/${task}`
    const known = tasks.get(idempotencyKey) ?? owner
    if (known !== owner) yield `I4: ${owner} and ${known} share an idempotency key`
    tasks.set(idempotencyKey, owner)
    // Runs of an interval and compensations come by again and again, each under a key of its own.
    const key = idempotencyKey.replace(/@\d+$|\/(?:completed|unknown)-\d+$/, '')
    if ((keys.get(owner) ?? key) !== key) yield `I4: ${owner} has two idempotency keys`
    keys.set(owner, key)
  }
}

/** I4: what is settled stays as it is, and attempts count up by one, unless the scope around them begins anew. */
export function* attemptsCount(run: Evidence): Generator<string> {
  for (const { last, versions } of run.instances) {
    const workflow = run.workflows.get(last.version)
    if (workflow === undefined) continue
    const reached = new Map<number, number>()
    for (const { task, status, attempt, atMs } of last.timelineDropped > 0 ? [] : last.timeline) {
      if (task === -1 || status === 'SET') continue
      const before = reached.get(task) ?? 0
      const isAnew = attempt <= 1 && hasReopened(last, workflow, task)
      if (!isAnew && (attempt < before || attempt > before + 1))
        yield `I4: ${workflow.tasks[task]?.name} of ${nameOf(last)} went from attempt ${before} to ${attempt} at ${atMs}`
      reached.set(task, attempt)
    }
    for (const [index, { row }] of versions.entries()) {
      const before = versions[index - 1]?.row
      if (row === undefined || before === undefined) continue
      for (const [task, was] of before.tasks.entries()) {
        if (was === undefined || was.endedAtMs === undefined || was.hasIncident) continue
        const is = row.tasks[task]
        const isSame = is?.status === was.status && is.attempt === was.attempt && is.endedAtMs === was.endedAtMs
        if (!isSame && !hasReopened(row, workflow, task))
          yield `I4: ${workflow.tasks[task]?.name} of ${nameOf(row)} was ${was.status} and became ${is?.status ?? 'NOT_STARTED'}`
      }
    }
  }
}

/** True where a process around the task was tried again. */
function hasReopened(row: InstanceRow, workflow: Workflow, task: number): boolean {
  for (let name = workflow.tasks[task]?.scope; name !== undefined; name = workflow.taskNamed.get(name)?.scope) {
    const owner = workflow.taskNamed.get(name)?.index
    if (row.timeline.some((each) => each.task === owner && each.attempt > 1)) return true
  }
  return false
}

/** H2: of one attempt, one run at a time is under way in a worker. */
export function* runsStandAlone({ journal }: Evidence): Generator<string> {
  for (const { instanceId, task, attempt, isBeside } of journal)
    if (isBeside) yield `H2: attempt ${attempt} of ${task} of ${instanceId} ran beside itself`
}

/** I4: an attempt of a handler is completed once, by what one of its runs returned. */
export function* completionsReturned(run: Evidence): Generator<string> {
  const runs = new Map<string, Run[]>()
  for (const each of run.journal) {
    const id = attemptId(each.instanceId, each.task, each.attempt)
    runs.set(id, [...(runs.get(id) ?? []), each])
  }
  for (const { row, workflow } of instanceRowsOf(run)) {
    for (const { index, name, type } of workflow.tasks) {
      if (type !== 'handler') continue
      const completed = new Set<number>()
      for (const { task, status, attempt } of row.timeline) {
        if (task !== index || status !== 'COMPLETED') continue
        if (completed.has(attempt) && !hasReopened(row, workflow, index))
          yield `I4: attempt ${attempt} of ${name} of ${nameOf(row)} was completed twice`
        completed.add(attempt)
        const returned = runs.get(attemptId(row.id, name, attempt))?.filter(({ outcome }) => outcome === 'returned')
        if (returned === undefined || returned.length === 0)
          yield `I4: attempt ${attempt} of ${name} of ${nameOf(row)} is COMPLETED, and its handler never returned`
        const is = row.tasks[index]
        if (is?.status !== 'COMPLETED' || is.attempt !== attempt || returned === undefined) continue
        if (!returned.some(({ output }) => isDeepStrictEqual(output, is.output?.value)))
          yield `I4: ${name} of ${nameOf(row)} has the output ${JSON.stringify(is.output?.value)}, which no run returned`
      }
    }
  }
}

const attemptId = (instance: string, task: string, attempt: number): string => `${instance}/${task}/${attempt}`
