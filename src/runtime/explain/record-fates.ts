// What came of a record that a workflow could use, as far as the rows of the partitions say that run here.
import { assert } from '../../base/assert.ts'
import { partitionOfText } from '../../base/partitioner.ts'
import type { Workflow } from '../../definition/workflow.ts'
import { hasEnded } from '../../engine/deciders/instance.ts'
import { firstWaiters } from '../../engine/crowd-row.ts'
import { coordinates } from '../../engine/message.ts'
import { taskAt } from '../../engine/nodes.ts'
import { channelId, keptId, keyId, queuedId, type Waiter } from '../../engine/state.ts'
import type { ListenerGroup } from '../../engine/world.ts'
import type { RecordLetter, RecordUse } from '../faces/explain-face.ts'
import type { ExplainOptions } from './explain-options.ts'
import { judge } from './near-miss.ts'
import type { LogRecord } from '../ports.ts'
import type { Reading } from '../reading.ts'
import { timeView } from '../record-view.ts'
import type { CommittedRows } from '../rows.ts'
import { tracesIn, tracesOf, type Trace } from './traces.ts'

export type Fate = Pick<RecordUse, 'outcome' | 'message' | 'instances'>

/** Instances looked through for a trace, and listeners of a value that are told of. */
const tracedRowsMax = 20_000
const waitersMax = 20

export class RecordFates {
  readonly #options: ExplainOptions

  constructor(options: ExplainOptions) {
    this.#options = options
  }

  /** Of a record that starts an instance with this key. @throws {Unavailable} */
  async ofStart(workflow: Workflow, key: string, record: LogRecord, letters: readonly RecordLetter[]): Promise<Fate> {
    const place = coordinates(record)
    const reading = this.#readingOf(key)
    if (reading === undefined) return elsewhere
    const known = reading.read((rows) => lookUp(workflow, key, place, rows))
    if (known.fate !== undefined) return known.fate
    const [letter] = letters
    if (letter !== undefined && (letter.workflows.length === 0 || letter.workflows.includes(workflow.name)))
      return { outcome: 'refused', message: `${letter.reason}: ${letter.message}`, instances: [] }
    // An earlier instance of the key: the latest one began since.
    const { found, isCut } = await tracesOf(new Set([place]), [reading], tracedRowsMax)
    const traces = found.filter((each) => each.workflow === workflow.name && each.how === 'started')
    if (traces.length > 0) return started(traces)
    if (isCut) return unknown(`it has started none of the latest ${tracedRowsMax} instances of its partition`)
    const { latest } = known
    if (latest === undefined)
      return unknown(
        `no instance has the key '${key}': what it started is not kept any more (${days(workflow)} after its end)`,
      )
    const rule = latest.isOpen ? `onRunning: ${workflow.onRunning}` : `onClosed: ${workflow.onClosed}`
    const message = `an instance with the key '${key}' was there, ${latest.id} (${rule})`
    return { outcome: 'ignored', message, instances: [latest.id] }
  }

  /** Of a record that has this value for the listeners of a workflow. @throws {Unavailable} */
  async ofRecord({ workflow, keepMs, onExpired }: ListenerGroup, value: string, record: LogRecord): Promise<Fate> {
    const taken = await this.#takers(workflow, value, coordinates(record))
    if (taken.length > 0) {
      const ids = [...new Set(taken.map(({ instanceId }) => instanceId))]
      return { outcome: 'taken', message: `it was taken by ${ids.join(', ')}`, instances: ids }
    }
    const reading = this.#readingOf(value)
    if (reading === undefined) return elsewhere
    return reading.read((rows) => {
      const id = channelId(workflow, record.topic, value)
      const channel = rows.find('channels', id)
      const waiters = channel ? firstWaiters(waitersMax, id, channel, (each) => rows.find('crowd', each)) : []
      const [first] = waiters
      const whyNot = first && `${first.instanceId} waits for '${value}': ${this.#whyNot(first, value, record)}`
      for (const { number } of channel?.kept ?? []) {
        const kept = rows.find('kept', keptId(number))
        if (kept === undefined || coordinates(kept.record) !== coordinates(record)) continue
        const until = timeView(kept.expiresAtMs) ?? ''
        const message = `it is kept for '${value}' until ${until}; ${whyNot ?? 'nobody waits for that now'}`
        return { outcome: 'kept', message, instances: [] }
      }
      if (whyNot !== undefined)
        return { outcome: 'not-taken', message: whyNot, instances: waiters.map(({ instanceId }) => instanceId) }
      const isOver = record.timestampMs + keepMs < this.#options.clock.nowMs()
      const end = onExpired === 'drop' ? 'dropped' : 'a dead letter'
      const message = isOver
        ? `nobody waits for '${value}', and it is not kept any more: records are kept for ${keepMs / 1_000} s, and then ${end}. An instance that took it is not kept any more, or has forgotten that line of its timeline`
        : `nobody waits for '${value}', and it is not kept: it went with an instance that has ended, or was taken by one that is not kept any more`
      return { outcome: 'unknown', message, instances: [] }
    })
  }

  #whyNot(waiter: Waiter, value: string, record: LogRecord): string {
    const workflow = this.#options.catalogue.find(waiter.version)
    assert(workflow !== undefined, 'E1: the version of a waiter is known')
    const task = taskAt(workflow, waiter.task)
    if (task.type !== 'kafka-listener') return 'by a listener that its version does not have'
    const { reason, message } = judge(task, workflow, [value, ...waiter.others], record)
    if (reason !== 'fits') return message
    return record.timestampMs + task.keepMs < waiter.sinceMs
      ? `it fits, and came too early: it is kept for ${task.keepMs / 1_000} s`
      : 'it fits, and was taken by another, or came too early'
  }

  /** Those here that took it: the instance whose key the value is, or any. */
  async #takers(workflow: string, value: string, place: string): Promise<readonly Trace[]> {
    const places = new Set([place])
    const likely = this.#readingOf(value)?.read((rows) => {
      const id = rows.find('keys', keyId(workflow, value))?.instanceId
      const row = id === undefined ? undefined : rows.find('instances', id)
      return row === undefined ? [] : tracesIn(row, places)
    })
    const theirs = (traces: readonly Trace[]): readonly Trace[] =>
      traces.filter((each) => each.how === 'taken' && each.workflow === workflow)
    const found = theirs(likely ?? [])
    if (found.length > 0) return found
    const readings = this.#options.hosts.flatMap(({ running }) => running?.reading ?? [])
    return theirs((await tracesOf(places, readings, tracedRowsMax)).found)
  }

  #readingOf(value: string): Reading | undefined {
    const { hosts } = this.#options
    return hosts[partitionOfText(value, hosts.length)]?.running?.reading
  }
}

const elsewhere: Fate = {
  outcome: 'elsewhere',
  message: 'its partition does not run in this worker',
  instances: [],
}

const unknown = (message: string): Fate => ({ outcome: 'unknown', message, instances: [] })

function started(traces: readonly Trace[]): Fate {
  const ids = traces.map(({ instanceId }) => instanceId)
  return { outcome: 'started', message: `it started ${ids.join(', ')}`, instances: ids }
}

const days = ({ retentionMs }: Workflow): string => `${Math.round(retentionMs / 86_400_000)} days`

/** What the row of the key says, and the starts that wait behind it. */
function lookUp(
  workflow: Workflow,
  key: string,
  place: string,
  rows: CommittedRows,
): { readonly fate?: Fate; readonly latest?: { readonly id: string; readonly isOpen: boolean } } {
  const id = keyId(workflow.name, key)
  const row = rows.find('keys', id)
  if (row === undefined) return {}
  const instance = rows.find('instances', row.instanceId)
  if (instance === undefined) return {}
  const traces = tracesIn(instance, new Set([place])).filter(({ how }) => how === 'started')
  if (traces.length > 0) return { fate: started(traces) }
  for (const [index, number] of row.queue.entries()) {
    const origin = rows.find('queued', queuedId(id, number))?.start.origin
    if (origin?.kind !== 'record' || coordinates(origin.record) !== place) continue
    const message = `it waits at place ${index + 1} for ${instance.id} to end (onRunning: ${workflow.onRunning})`
    return { fate: { outcome: 'queued', message, instances: [instance.id] } }
  }
  return { latest: { id: instance.id, isOpen: !hasEnded(instance) } }
}
