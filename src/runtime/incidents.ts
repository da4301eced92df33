// Tasks that wait for a person, counted by what they failed with: instances are looked through, the newest first and up to a
// bound, which is told with the counts.
import { nameOfNode, rowAt } from '../engine/nodes.ts'
import type { InstanceRow } from '../engine/state.ts'
import type { WorkflowCatalogue } from './catalogue.ts'
import { Unavailable } from './face.ts'
import { instancePages } from './instance-pages.ts'
import type { Reading } from './reading.ts'
import type { CommittedRows } from './rows.ts'
import type { IncidentGroup, Incidents } from './faces/standing-face.ts'
import { placesOf } from './views.ts'

const instancesMax = 20_000
const groupsMax = 100
/** Items of a `for-each` of one instance that are looked at. */
const itemsMax = 200

type Found = Omit<IncidentGroup, 'count'>

/** What cannot be read now counts as not looked at. */
export async function countIncidents(readings: readonly Reading[], catalogue: WorkflowCatalogue): Promise<Incidents> {
  const groups = new Map<string, { readonly found: Found; count: number }>()
  const note = (found: Found): void => {
    const id = JSON.stringify([found.workflow, found.task, found.code])
    const group = groups.get(id)
    if (group === undefined) groups.set(id, { found, count: 1 })
    else group.count += 1
  }
  const rowsMax = Math.ceil(instancesMax / Math.max(1, readings.length))
  let instancesLookedAt = 0
  let isCut = false
  for (const reading of readings) {
    try {
      let rows = 0
      const found = (value: Uint8Array, committed: CommittedRows): readonly Found[] => [
        ...incidentsOf(committed.decode('instances', value), committed, catalogue),
      ]
      for await (const page of instancePages(reading, found)) {
        page.flat().forEach(note)
        rows += page.length
        isCut ||= rows >= rowsMax
        if (rows >= rowsMax) break
      }
      instancesLookedAt += rows
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error
      isCut = true
    }
  }
  const sorted = [...groups.values()].toSorted((a, b) => b.count - a.count).slice(0, groupsMax)
  return { groups: sorted.map(({ found, count }) => ({ ...found, count })), instancesLookedAt, isCut }
}

function* incidentsOf(row: InstanceRow, rows: CommittedRows, catalogue: WorkflowCatalogue): Generator<Found> {
  const workflow = row.incidents === 0 || row.endedAtMs !== undefined ? undefined : catalogue.find(row.version)
  if (workflow === undefined) return
  const of = { workflow: row.workflow, instanceId: row.id }
  if (row.error !== undefined) yield { ...of, code: row.error.code, message: row.error.message }
  const tables = { blocks: { find: (id: string) => rows.find('blocks', id) } }
  for (const node of placesOf({ row, workflow, tables }, itemsMax)) {
    const task = rowAt(tables, row, node)
    if (task?.hasIncident !== true) continue
    const { code = 'unknown', message = '' } = task.error ?? {}
    // Items have the name of the task that they are items of.
    const name = nameOfNode(tables, row, workflow, node).replaceAll(/\[\d+\]/g, '[]')
    yield { ...of, task: name, code, message }
  }
}
