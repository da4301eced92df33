// How many instances a partition has, by workflow and status. They are counted once, some at a time, from when that is
// first asked; what is committed meanwhile and afterwards is added to it.
//
//   counted: before `countedTo`, exact │ a page that is being read │ not looked at yet
//
// What is committed lies before `countedTo`, and is told apart by what it was before; or overrides the page that it may or
// may not stand in; or is read later. A page counts once it is known what was being committed while it was read.
import type { InstanceRow } from '../../engine/state.ts'
import { decodeInstanceHead } from '../../records/instance-codec.ts'
import { endOf, prefixes } from '../../records/keys.ts'
import type { Clock } from '../ports.ts'
import type { Reading } from '../reading.ts'
import type { Staging } from '../staging.ts'

/** What counts of an instance. */
export type CountedInstance = Pick<InstanceRow, 'workflow' | 'status' | 'incidents'>

export interface InstanceCounts {
  /** Those that are open, by status. */
  readonly open: Map<InstanceRow['status'], number>
  withIncident: number
  /** Those that have ended. */
  kept: number
}

/** A million instances are counted in a minute or two, next to the work of the partitions. */
const rowsAtOnce = 250
const pauseMs = 250
const hasEnded: ReadonlySet<InstanceRow['status']> = new Set(['COMPLETED', 'FAILED', 'STOPPED'])

export class Census {
  readonly #reading: Pick<Reading, 'list' | 'read'>
  readonly #clock: Clock
  readonly #isOver: () => boolean
  readonly #counts = new Map<string, InstanceCounts>()
  #countedTo = prefixes.instances
  /** What was committed since the page was asked for, by key. */
  #changed = new Map<string, CountedInstance | null>()
  #committing: Promise<unknown> = Promise.resolve()
  #state: 'asleep' | 'counting' | 'complete' = 'asleep'

  /** @param isOver the partition has ended: nobody asks any more */
  constructor(reading: Pick<Reading, 'list' | 'read'>, clock: Clock, isOver: () => boolean) {
    this.#reading = reading
    this.#clock = clock
    this.#isOver = isOver
  }

  /** By workflow; undefined: they are not counted yet. */
  get counts(): ReadonlyMap<string, InstanceCounts> | undefined {
    if (this.#state === 'asleep') {
      this.#state = 'counting'
      // A store that cannot be read ends the partition, and this with it.
      this.#count().catch(() => {})
    }
    return this.#state === 'complete' ? this.#counts : undefined
  }

  /** A batch is being committed; the same promise, settled once it is added. */
  during(staging: Pick<Staging, 'instances'>, commit: Promise<void>): Promise<void> {
    const added = commit.then(() => this.#add(staging))
    this.#committing = added.catch(() => {})
    return added
  }

  async #count(): Promise<void> {
    const end = endOf(prefixes.instances)
    while (this.#state === 'counting' && !this.#isOver()) {
      this.#changed = new Map()
      const from = this.#countedTo
      const page = await this.#reading.list({ from, to: end, limit: rowsAtOnce })
      await this.#committing
      const last = page.length < rowsAtOnce ? undefined : page.at(-1)
      const to = last === undefined ? end : `${last.key}\0`
      const heads = this.#reading.read(() => page.map(({ key, value }) => ({ key, head: decodeInstanceHead(value) })))
      for (const { key, head } of heads) if (!this.#changed.has(key)) this.#note(head, 1)
      for (const [key, row] of this.#changed) if (key < to && row !== null) this.#note(row, 1)
      this.#countedTo = to
      if (last === undefined) this.#state = 'complete'
      else await new Promise<void>((resolve) => void this.#clock.after(pauseMs, resolve))
    }
  }

  #add({ instances }: Pick<Staging, 'instances'>): void {
    if (this.#state === 'asleep') return
    for (const [id, { before, row }] of instances.staged) {
      const key = prefixes.instances + id
      if (key >= this.#countedTo) {
        this.#changed.set(key, row)
        continue
      }
      if (before !== undefined) this.#note(before, -1)
      if (row !== null) this.#note(row, 1)
    }
  }

  #note({ workflow, status, incidents }: CountedInstance, by: 1 | -1): void {
    let counts = this.#counts.get(workflow)
    if (counts === undefined) this.#counts.set(workflow, (counts = { open: new Map(), withIncident: 0, kept: 0 }))
    if (incidents > 0) counts.withIncident += by
    if (hasEnded.has(status)) counts.kept += by
    else counts.open.set(status, (counts.open.get(status) ?? 0) + by)
  }
}

/** Of several partitions together. */
export function sumOf(censuses: Iterable<ReadonlyMap<string, InstanceCounts>>): ReadonlyMap<string, InstanceCounts> {
  const sums = new Map<string, InstanceCounts>()
  for (const counts of censuses) {
    for (const [workflow, { open, withIncident, kept }] of counts) {
      const sum = sums.get(workflow) ?? { open: new Map(), withIncident: 0, kept: 0 }
      for (const [status, count] of open) sum.open.set(status, (sum.open.get(status) ?? 0) + count)
      sum.withIncident += withIncident
      sum.kept += kept
      sums.set(workflow, sum)
    }
  }
  return sums
}
