// How a finished run is doctored: one thing that was committed is told differently, and all else stays.
import type { InstanceRow, TaskRow, TimelineRow } from '../../../src/engine/state.ts'
import { encodeInstance } from '../../../src/records/instance-codec.ts'
import { prefixes } from '../../../src/records/keys.ts'
import { hasEnded, type Evidence, type Finished } from '../checks/finished.ts'
import { Committed, type Life, type Seeing } from '../committed.ts'
import type { Seen } from '../history.ts'

/** A check, by what it has to say of a run with something wrong in it. */
export interface Case {
  /** What its violations begin with. */
  readonly invariant: string
  readonly title: string
  /** A run with something wrong in it; undefined where this one has nothing to be doctored. */
  readonly doctor: (run: Evidence) => Finished | undefined
}

/** The run with the records of one partition changed. */
export function change(
  run: Finished,
  topic: string,
  partition: number,
  to: (seen: readonly Seen[]) => readonly Seen[],
): Finished {
  const { history, partitions } = run.committed
  const of: Seeing['of'] = (name, number) =>
    name === topic && number === partition ? to(history.of(name, number)) : history.of(name, number)
  const counts = new Map<string, number>()
  for (const place of history.places()) {
    const name = place.slice(0, place.lastIndexOf('/'))
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  const all: Seeing['all'] = (name) =>
    Array.from({ length: counts.get(name) ?? 0 }, (_, number) => of(name, number)).flat()
  const app = run.committed.topics.changelog.replace('.changelog', '')
  return { ...run, committed: new Committed({ of, all, places: () => history.places() }, app, partitions) }
}

export const changelogOf = (
  run: Finished,
  partition: number,
  to: (seen: readonly Seen[]) => readonly Seen[],
): Finished => change(run, run.committed.topics.changelog, partition, to)

export const keyOf = ({ key }: Seen): string => Buffer.from(key ?? '').toString()

/** One more transaction at the end, of one value. */
export function write(run: Finished, partition: number, key: string, value: Uint8Array | null): Finished {
  return changelogOf(run, partition, (seen) => {
    const last = seen.at(-1)
    return last === undefined ? [] : [...seen, { ...last, offset: last.offset + 2, key: Buffer.from(key), value }]
  })
}

export const writeInstance = (run: Finished, { partition }: Life<InstanceRow>, row: InstanceRow): Finished =>
  write(run, partition, `${prefixes.instances}${row.id}`, encodeInstance(row).bytes)

/** The run with what an instance became last told differently. */
export function retell(run: Finished, life: Life<InstanceRow>, fields: Partial<InstanceRow>): Finished {
  return writeInstance(run, life, { ...life.last, ...fields })
}

export const entry = (life: Life<InstanceRow>, fields: Partial<TimelineRow>): TimelineRow => ({
  ...{ atMs: life.last.startedAtMs, task: 0, status: 'COMPLETED', attempt: 1, note: undefined },
  ...fields,
})

export const ended = ({ last, isRemoved }: Life<InstanceRow>): boolean => hasEnded(last) && !isRemoved

/** The run with one task of an instance told differently. */
export function retellTask(run: Finished, life: Life<InstanceRow>, task: number, fields: Partial<TaskRow>): Finished {
  const tasks = life.last.tasks.map((is, index) => (is !== undefined && index === task ? { ...is, ...fields } : is))
  return retell(run, life, { tasks })
}
