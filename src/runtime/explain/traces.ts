// Which instances a record left its trace in: those that it started (`origin`), and those whose timeline has its
// coordinates. There is no index of that: instances are looked through, the newest first and up to a bound.
import type { InstanceRow } from '../../engine/state.ts'
import { instancePages, instancesAtOnce } from '../instance-pages.ts'
import type { Reading } from '../reading.ts'
import type { CommittedRows } from '../rows.ts'

export interface Trace {
  readonly instanceId: string
  readonly workflow: string
  readonly key: string
  readonly how: 'started' | 'taken'
  /** Of the record. */
  readonly place: string
}

export interface Traces {
  readonly found: readonly Trace[]
  readonly lookedAt: number
  /** There are older ones that were not looked at. */
  readonly isCut: boolean
}

const takenNote = /^(?:early )?(?:kept )?record (.+)$/

/** @param places coordinates ("orders/3@17"). @param rowsMax instances that are looked at. @throws {Unavailable} */
export async function tracesOf(
  places: ReadonlySet<string>,
  readings: readonly Reading[],
  rowsMax: number,
): Promise<Traces> {
  const found: Trace[] = []
  let lookedAt = 0
  let isCut = false
  const ofOne = Math.ceil(rowsMax / Math.max(1, readings.length))
  for (const reading of readings) {
    let rows = 0
    const traces = (value: Uint8Array, committed: CommittedRows): readonly Trace[] =>
      tracesIn(committed.decode('instances', value), places)
    for await (const page of instancePages(reading, traces)) {
      found.push(...page.flat())
      rows += page.length
      if (page.length < instancesAtOnce || rows < ofOne) continue
      isCut = true
      break
    }
    lookedAt += rows
  }
  return { found, lookedAt, isCut }
}

/** The traces in one instance. */
export function tracesIn(row: InstanceRow, places: ReadonlySet<string>): readonly Trace[] {
  const { id: instanceId, workflow, key, origin, timeline } = row
  const found: Trace[] = []
  const started = origin.startsWith('record ') ? origin.slice('record '.length) : undefined
  if (started !== undefined && places.has(started))
    found.push({ instanceId, workflow, key, how: 'started', place: started })
  for (const { note } of timeline) {
    const place = takenNote.exec(note ?? '')?.[1]
    if (place !== undefined && places.has(place)) found.push({ instanceId, workflow, key, how: 'taken', place })
  }
  return found
}
