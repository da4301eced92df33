// How things stand in this worker, for the person on call: how far each partition is behind what it reads, what is stuck, and
// where what was committed lies. All of it is read when it is asked for, within bounds.
import { keptTotalsId } from '../engine/state.ts'
import { prefixes } from '../records/keys.ts'
import type { WorkflowCatalogue } from './catalogue.ts'
import { Unavailable, type FleetFace, type PartitionView, type WorkerView } from './face.ts'
import type { PartitionHost } from './host.ts'
import { countIncidents } from './incidents.ts'
import type { Clock, Log } from './ports.ts'
import type { Reading } from './reading.ts'
import { timeView } from './record-view.ts'
import { runningHere } from './running.ts'
import type { SourcePosition } from './sources.ts'
import type {
  Durability,
  Incidents,
  PartitionStanding,
  SourceStanding,
  StandingFace,
  WorkerStanding,
} from './faces/standing-face.ts'

export interface StandingOptions {
  readonly hosts: readonly PartitionHost[]
  readonly catalogue: WorkflowCatalogue
  readonly log: Log
  readonly clock: Clock
  readonly fleet: Pick<FleetFace, 'all'>
  readonly workerId: string
  /** Its topic. */
  readonly changelog: string
  readonly view: () => Pick<WorkerView, 'problems' | 'definitionProblems' | 'partitions'>
  readonly durability: () => Promise<Durability>
}

/** Timers that are late are counted up to here; what was due just now is under way. */
const overdueMax = 1_000
const lateMs = 5_000

export class Standing implements StandingFace {
  readonly #options: StandingOptions
  #counting: Promise<Incidents> | undefined

  constructor(options: StandingOptions) {
    this.#options = options
  }

  /** Those that this worker owns. */
  partitions(): Promise<readonly PartitionStanding[]> {
    return Promise.all(this.#options.view().partitions.map((view) => this.#partition(view)))
  }

  async worker(): Promise<WorkerStanding> {
    const { durability, view, workerId } = this.#options
    const { problems, definitionProblems } = view()
    return {
      worker: workerId,
      problems,
      definitionProblems,
      partitions: await this.partitions(),
      incidents: await this.#incidents(),
      durability: await durability(),
    }
  }

  /** Who asks while they are counted is given that count. */
  #incidents(): Promise<Incidents> {
    const { hosts, catalogue } = this.#options
    const readings = runningHere(hosts).map(({ reading }) => reading)
    this.#counting ??= countIncidents(readings, catalogue).finally(() => (this.#counting = undefined))
    return this.#counting
  }

  async #partition(view: PartitionView): Promise<PartitionStanding> {
    const { hosts, log, clock, workerId, changelog } = this.#options
    const { partition } = view
    const host = hosts[partition]
    const running = host?.running
    const sources = (running?.sources.positions ?? []).map(standingOf)
    const end = (await log.offsets(changelog, partition).catch(() => undefined))?.end
    const position = host?.position ?? null
    return {
      ...view,
      worker: workerId,
      sources,
      ...(end === undefined ? {} : { changelog: { position, end } }),
      copies: this.#copies(partition, end),
      ...(await stateOf(running?.reading, clock.nowMs())),
    }
  }

  #copies(partition: number, end: number | undefined): PartitionStanding['copies'] {
    return this.#options.fleet.all().flatMap(({ worker, copies }) => {
      const copy = copies.find((each) => each.partition === partition)
      if (copy === undefined) return []
      const { position } = copy
      const behind = position === null || end === undefined ? null : Math.max(0, end - position)
      return [{ worker, position, behind }]
    })
  }
}

function standingOf({ topic, partition, offset, behind, trouble }: SourcePosition): SourceStanding {
  const oldest = behind?.sinceMs === undefined ? null : timeView(behind.sinceMs)
  return {
    topic,
    partition,
    position: offset,
    ...(behind === undefined ? {} : { end: offset + behind.records, behind: behind.records }),
    ...(oldest === null ? {} : { oldestUnreadAt: oldest }),
    ...(trouble === undefined ? {} : { trouble }),
  }
}

/** What its rows say; nothing while they cannot be read, which the phase and its reason tell. */
async function stateOf(
  reading: Reading | undefined,
  nowMs: number,
): Promise<Pick<PartitionStanding, 'kept' | 'timersOverdue' | 'nextTimerAt'>> {
  const nothing = { kept: { records: 0, bytes: 0 }, timersOverdue: 0 }
  try {
    return reading === undefined ? nothing : await readState(reading, nowMs)
  } catch (error) {
    if (error instanceof Unavailable) return nothing
    throw error
  }
}

async function readState(
  reading: Reading,
  nowMs: number,
): Promise<Pick<PartitionStanding, 'kept' | 'timersOverdue' | 'nextTimerAt'>> {
  const { timers: from } = prefixes
  const to = `${from}${Math.max(0, nowMs - lateMs)
    .toString()
    .padStart(15, '0')}`
  const late = await reading.list({ from, to, limit: overdueMax })
  const [next] = await reading.list({ from, to: `${from}~`, limit: 1 })
  const totals = reading.read((rows) => rows.find('keptTotals', keptTotalsId))
  const dueAt = next === undefined ? null : timeView(Number(next.key.slice(from.length, from.length + 15)))
  return {
    kept: { records: totals?.count ?? 0, bytes: totals?.bytes ?? 0 },
    timersOverdue: late.length,
    ...(dueAt === null ? {} : { nextTimerAt: dueAt }),
  }
}
