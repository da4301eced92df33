// Which instances a list wants: a filter is read once, and asked of each row. What it says of the start bounds the ids that
// are looked at at all, since ids sort by the time at which they were drawn; with a search attribute, only those that have it.
import { parseTime } from '../definition/time.ts'
import { attributePrefix } from '../engine/attribute-row.ts'
import { nameOfNode, nodesOf, rowAt, taskAt } from '../engine/nodes.ts'
import type { InstanceRow } from '../engine/state.ts'
import { prefixes } from '../records/keys.ts'
import type { WorkflowCatalogue } from './catalogue.ts'
import type { InstanceFilter } from './faces/instance-face.ts'
import { isWaiting, type Viewed } from './views.ts'

/** An id is drawn a moment before or after the time that its instance has for its start. */
const idMarginMs = 10_000
/** Crockford's base 32, as ids begin with it: ten digits of milliseconds. */
const digits = '0123456789abcdefghjkmnpqrstvwxyz'

export interface InstanceCriteria {
  /** What the ids of those that fit lie behind, in the store: all of them, or those with an attribute. */
  readonly prefix: string
  /** No instance that fits has an id below `from`, or at or above `to`. */
  readonly from: string
  readonly to: string | undefined
  fits(viewed: Viewed): boolean
}

/** @param catalogue finds the versions that have a label */
export function criteriaOf(
  filter: InstanceFilter,
  catalogue: Pick<WorkflowCatalogue, 'listVersions'>,
): InstanceCriteria {
  const { workflow, version, keyPrefix, incident, waitingAt } = filter
  const statuses = filter.status === undefined ? undefined : [filter.status].flat()
  const started = spanOf(filter.startedAfter, filter.startedBefore)
  const ended = spanOf(filter.endedAfter, filter.endedBefore)
  const isOfEnd = filter.endedAfter !== undefined || filter.endedBefore !== undefined
  const versions = version === undefined ? undefined : versionsOf(version, catalogue)
  // What has ended before began before.
  const latestMs = Math.min(started.beforeMs, ended.beforeMs)
  const fitsRow = (row: InstanceRow): boolean =>
    (workflow === undefined || row.workflow === workflow) &&
    (versions === undefined || versions.has(row.version)) &&
    (statuses === undefined || statuses.includes(row.status)) &&
    (keyPrefix === undefined || row.key.startsWith(keyPrefix)) &&
    (incident !== true || row.incidents > 0) &&
    isWithin(row.startedAtMs, started) &&
    (!isOfEnd || (row.endedAtMs !== undefined && isWithin(row.endedAtMs, ended)))
  const attributes = (filter.attribute ?? []).map(attributeOf)
  const [first] = attributes
  return {
    prefix: first === undefined ? prefixes.instances : prefixes.attributes + attributePrefix(...first),
    from: Number.isFinite(started.afterMs) ? idAt(started.afterMs - idMarginMs) : '',
    to: Number.isFinite(latestMs) ? idAt(latestMs + idMarginMs) : undefined,
    fits: (viewed) =>
      fitsRow(viewed.row) &&
      attributes.every(([name, value]) => String(viewed.row.attributes.get(name)) === value) &&
      (waitingAt === undefined || waitsAt(viewed, waitingAt)),
  }
}

/** "customer:c-17": a name has no ':'. */
function attributeOf(text: string): readonly [name: string, value: string] {
  const colon = text.indexOf(':')
  return [text.slice(0, colon), text.slice(colon + 1)]
}

interface Span {
  readonly afterMs: number
  readonly beforeMs: number
}

const spanOf = (after: string | undefined, before: string | undefined): Span => ({
  afterMs: (after === undefined ? undefined : parseTime(after)) ?? -Infinity,
  beforeMs: (before === undefined ? undefined : parseTime(before)) ?? Infinity,
})

const isWithin = (ms: number, { afterMs, beforeMs }: Span): boolean => ms > afterMs && ms < beforeMs

/** The least id that may be drawn at a time. */
function idAt(ms: number): string {
  let text = ''
  for (let rest = Math.max(0, Math.floor(ms)); text.length < 10; rest = Math.floor(rest / 32))
    text = digits[rest % 32]! + text
  return text
}

/** By the whole version, its address alone, or a label: then all that have it. */
function versionsOf(asked: string, catalogue: Pick<WorkflowCatalogue, 'listVersions'>): ReadonlySet<string> {
  const found = catalogue.listVersions().filter(({ workflow: { name, version, label } }) => {
    return version === asked || version === `${name}@${asked}` || label === asked
  })
  return new Set(found.map(({ workflow }) => workflow.version))
}

/** By its name as lists have it, "each[3].charge"; "each[].charge" or "charge" in any of the items. */
function waitsAt({ row, workflow, tables }: Viewed, asked: string): boolean {
  if (row.endedAtMs !== undefined) return false
  const task = workflow.taskNamed.get(asked.slice(asked.lastIndexOf('.') + 1))
  if (task === undefined) return false
  if (task.item === undefined) return asked === task.name && isWaiting(rowAt(tables, row, task.index))
  for (const node of nodesOf(tables, row, workflow)) {
    if (taskAt(workflow, node) !== task || !isWaiting(rowAt(tables, row, node))) continue
    const name = nameOfNode(tables, row, workflow, node)
    if (asked === task.name || asked === name || asked === name.replaceAll(/\[\d+\]/g, '[]')) return true
  }
  return false
}
