// How the application stands, of what all its workers say of themselves, and whether that needs a person.
import type {
  DeadLetterSummary,
  IncidentGroup,
  PartitionStanding,
  WorkerFace,
  WorkerRecord,
  WorkerStanding,
} from '../runtime/face.ts'
import { httpLimits } from './limits.ts'

export interface StatusReason {
  readonly code:
    | 'partition-stopped'
    | 'incidents'
    | 'timers-overdue'
    | 'dead-letters'
    | 'definitions'
    | 'problem'
    | 'far-behind'
    | 'not-running'
    | 'silent'
  readonly message: string
}

export interface StatusView {
  /** unknown: something does not run or does not answer, so that it cannot be told. */
  readonly verdict: 'well' | 'needs-a-person' | 'unknown'
  readonly reasons: readonly StatusReason[]
  readonly workers: readonly WorkerStanding[]
  /** Workers that were heard of lately and do not answer. */
  readonly silent: readonly { readonly worker: string; readonly url: string }[]
  /** Partitions that no worker that answers owns. */
  readonly missing: readonly number[]
  /** By topic, the furthest behind first. */
  readonly behind: readonly TopicBehind[]
  /** The most first. */
  readonly incidents: readonly IncidentGroup[]
  /** Of the last day, and not redriven. */
  readonly deadLetters: {
    readonly since: string
    readonly byReason: readonly { readonly reason: string; readonly count: number }[]
    /** There are more than were counted. */
    readonly isCut: boolean
  }
}

export interface TopicBehind {
  readonly topic: string
  readonly behind: number
  readonly oldestUnreadAt?: string
}

const deadLettersSinceMs = 86_400_000
/** Who is later than that is told of: less is the day's work. */
const farBehindMs = 5 * 60_000

/** Letters of the last day that nobody has redriven, by reason; up to a bound. @throws {TransientFault} */
export async function lettersLately(worker: WorkerFace, nowMs: number): Promise<StatusView['deadLetters']> {
  const sinceMs = nowMs - deadLettersSinceMs
  const limit = httpLimits.deadLettersListedMax
  const { items, next } = await worker.deadLetters.list({ sinceMs, pending: true, limit })
  const byReason = [...Map.groupBy(items, ({ reason }: DeadLetterSummary) => reason)]
    .map(([reason, letters]) => ({ reason, count: letters.length }))
    .toSorted((a, b) => b.count - a.count)
  return { since: new Date(sinceMs).toISOString(), byReason, isCut: next !== undefined && items.length >= limit }
}

/** The status of the application, of the workers that answered and those that did not. */
export function statusOf(
  given: Pick<StatusView, 'workers' | 'deadLetters'> & { readonly peers: readonly WorkerRecord[] },
  partitionsInAll: number,
  nowMs: number,
): StatusView {
  const { workers, deadLetters, peers } = given
  const answered = new Set(workers.map(({ worker }) => worker))
  const silent = peers.filter(({ worker }) => !answered.has(worker)).map(({ worker, url }) => ({ worker, url }))
  const partitions = workers.flatMap((each) => each.partitions)
  const owned = new Set(partitions.map(({ partition }) => partition))
  const missing = [...Array(partitionsInAll).keys()].filter((partition) => !owned.has(partition))
  const incidents = groupsOf(workers)
  const behind = behindOf(partitions)
  const forAPerson = [
    ...partitions.flatMap(stopped),
    ...incidents.map(incidentReason),
    ...overdue(partitions),
    ...deadLetters.byReason.map(({ reason, count }) => {
      const message = `${count}${deadLetters.isCut ? ' or more' : ''} dead letter${count === 1 ? '' : 's'} of the last day: ${reason}`
      return { code: 'dead-letters', message } as const
    }),
    ...definitionReasons(workers),
    ...workers.flatMap(({ worker, problems }) =>
      problems.map((problem) => ({ code: 'problem', message: `${worker}: ${problem}` }) as const),
    ),
    ...behind.flatMap((topic) => farBehind(topic, nowMs)),
  ]
  const untold = [...partitions.flatMap(notRunning), ...missing.map(nowhere), ...silent.map(silentReason)]
  const verdict = forAPerson.length > 0 ? 'needs-a-person' : untold.length > 0 ? 'unknown' : 'well'
  return { verdict, reasons: [...forAPerson, ...untold], workers, silent, missing, behind, incidents, deadLetters }
}

const stopped = ({ partition, phase, reason = '' }: PartitionStanding): readonly StatusReason[] =>
  phase === 'stopped' ? [{ code: 'partition-stopped', message: `partition ${partition} has stopped: ${reason}` }] : []

function notRunning({ partition, phase, reason, restoreSecondsLeft }: PartitionStanding): readonly StatusReason[] {
  if (phase === 'running' || phase === 'stopped') return []
  const left = restoreSecondsLeft === undefined ? '' : `, about ${restoreSecondsLeft} s left`
  const why = reason === undefined ? '' : `: ${reason}`
  return [{ code: 'not-running', message: `partition ${partition} is ${phase}${left}${why}` }]
}

const nowhere = (partition: number): StatusReason => ({
  code: 'not-running',
  message: `partition ${partition} runs in no worker that answers`,
})

const silentReason = ({ worker, url }: { readonly worker: string; readonly url: string }): StatusReason => ({
  code: 'silent',
  message: `worker ${worker} at ${url} does not answer`,
})

function incidentReason({ workflow, task, code, count }: IncidentGroup): StatusReason {
  const where = task === undefined ? workflow : `${workflow} at ${task}`
  return { code: 'incidents', message: `${count} incident${count === 1 ? '' : 's'} of ${where}: ${code}` }
}

function overdue(partitions: readonly PartitionStanding[]): readonly StatusReason[] {
  const late = partitions.filter(({ timersOverdue, phase }) => timersOverdue > 0 && phase === 'running')
  const count = late.reduce((sum, { timersOverdue }) => sum + timersOverdue, 0)
  if (count === 0) return []
  const where = late.map(({ partition }) => partition).join(', ')
  return [{ code: 'timers-overdue', message: `${count} timers are overdue, of partitions ${where}` }]
}

/** Workers that are given the same files tell of the same problems. */
function definitionReasons(workers: readonly WorkerStanding[]): readonly StatusReason[] {
  const told = workers.flatMap(({ definitionProblems }) =>
    definitionProblems.map(({ message, place }) =>
      place === undefined ? message : `${place.file}:${place.line} ${message}`,
    ),
  )
  return [...new Set(told)].map((message) => ({ code: 'definitions', message }))
}

function farBehind({ topic, behind, oldestUnreadAt }: TopicBehind, nowMs: number): readonly StatusReason[] {
  if (oldestUnreadAt === undefined || nowMs - Date.parse(oldestUnreadAt) < farBehindMs) return []
  return [{ code: 'far-behind', message: `${topic}: ${behind} records are not read, the oldest of ${oldestUnreadAt}` }]
}

function behindOf(partitions: readonly PartitionStanding[]): readonly TopicBehind[] {
  const sources = partitions.flatMap((each) => each.sources)
  return [...Map.groupBy(sources, ({ topic }) => topic)]
    .map(([topic, all]): TopicBehind => {
      const behind = all.reduce((sum, each) => sum + (each.behind ?? 0), 0)
      const [oldest] = all.flatMap(({ oldestUnreadAt }) => oldestUnreadAt ?? []).toSorted()
      return { topic, behind, ...(oldest === undefined ? {} : { oldestUnreadAt: oldest }) }
    })
    .toSorted((a, b) => b.behind - a.behind || (a.topic < b.topic ? -1 : 1))
}

function groupsOf(workers: readonly WorkerStanding[]): readonly IncidentGroup[] {
  const all = workers.flatMap(({ incidents }) => incidents.groups)
  return [...Map.groupBy(all, ({ workflow, task, code }) => JSON.stringify([workflow, task, code])).values()]
    .map((same) => ({ ...same[0]!, count: same.reduce((sum, { count }) => sum + count, 0) }))
    .toSorted((a, b) => b.count - a.count)
}
