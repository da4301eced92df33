// I4: attempts of tasks: at most one completion of each is applied, and whoever runs them is told one idempotency key.
import { isDeepStrictEqual } from 'node:util'
import type { Run } from '../handlers.ts'
import { nameOf, type Evidence } from './finished.ts'
import { lastMomentOf, lastMomentsOf, momentsOf, type Moment } from './nodes.ts'

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
  for (const life of run.instances) {
    const { last } = life
    const moment = lastMomentOf(run, life)
    if (moment === undefined) continue
    const reached = new Map<number, number>()
    for (const { task: node, status, attempt, atMs } of last.timelineDropped > 0 ? [] : last.timeline) {
      if (node === -1 || status === 'SET') continue
      const before = reached.get(node) ?? 0
      const isAnew = attempt <= 1 && hasReopened(moment, node)
      if (!isAnew && (attempt < before || attempt > before + 1))
        yield `I4: ${moment.name(node)} of ${nameOf(last)} went from attempt ${before} to ${attempt} at ${atMs}`
      reached.set(node, attempt)
    }
    const moments = momentsOf(run, life)
    for (const [index, now] of moments.entries()) {
      for (const { node, is: was } of moments[index - 1]?.nodes ?? []) {
        if (was === undefined || was.endedAtMs === undefined || was.hasIncident) continue
        const is = now.is(node)
        const isSame = is?.status === was.status && is.attempt === was.attempt && is.endedAtMs === was.endedAtMs
        if (!isSame && !hasReopened(now, node))
          yield `I4: ${now.name(node)} of ${nameOf(last)} was ${was.status} and became ${is?.status ?? 'NOT_STARTED'}`
      }
    }
  }
}

/** True where a scope around the task was tried again, or comes again and again; so does what compensates. */
function hasReopened(moment: Moment, node: number): boolean {
  if (moment.task(node).aside === 'compensation') return true
  for (let owner = moment.owner(node); owner !== undefined; owner = moment.owner(owner)) {
    if (moment.task(owner).type === 'interval') return true
    if (moment.row.timeline.some((each) => each.task === owner && each.attempt > 1)) return true
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
  for (const moment of lastMomentsOf(run)) {
    const { row } = moment
    for (const { node, task: of, is } of moment.nodes) {
      if (of.type !== 'handler' && of.type !== 'http') continue
      const name = moment.name(node)
      const completed = new Set<number>()
      for (const { task, status, attempt } of row.timeline) {
        if (task !== node || status !== 'COMPLETED') continue
        if (completed.has(attempt) && !hasReopened(moment, node))
          yield `I4: attempt ${attempt} of ${name} of ${nameOf(row)} was completed twice`
        completed.add(attempt)
        const returned = runs.get(attemptId(row.id, name, attempt))?.filter(({ outcome }) => outcome === 'returned')
        if (returned === undefined || returned.length === 0)
          yield `I4: attempt ${attempt} of ${name} of ${nameOf(row)} is COMPLETED, and its handler never returned`
        if (is?.status !== 'COMPLETED' || is.attempt !== attempt || returned === undefined) continue
        if (!returned.some(({ output }) => isDeepStrictEqual(output, is.output?.value)))
          yield `I4: ${name} of ${nameOf(row)} has the output ${JSON.stringify(is.output?.value)}, which no run returned`
      }
    }
  }
}

const attemptId = (instance: string, task: string, attempt: number): string => `${instance}/${task}/${attempt}`
