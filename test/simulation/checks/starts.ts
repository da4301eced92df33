// I1, I2, I12: instances begin once for each accepted start, end once, and keep their version.
import { partitionOfText } from '../../../src/base/partitioner.ts'
import type { TaskType } from '../../../src/definition/workflow.ts'
import type { InstanceRow, OpenWork } from '../../../src/engine/state.ts'
import type { Life, Version } from '../committed.ts'
import { type Evidence, hasEnded, nameOf } from './finished.ts'
import { lastMomentOf, momentsOf } from './nodes.ts'
import type { Source, StartUse } from './sources.ts'

type Instance = Life<InstanceRow>

/** I1: a record that was taken started each instance that the definitions tell of, or was refused, or found it running. */
export function* recordsStartOnce(run: Evidence): Generator<string> {
  const unasked = new Map<string, Instance[]>()
  for (const life of run.instances) {
    // What a schedule starts is for schedules.ts, what a parent starts for children.ts.
    if (life.last.origin === 'api' || life.last.due !== undefined || life.last.parent !== undefined) continue
    const id = startId(life.last.workflow, life.last.key, life.last.origin)
    unasked.set(id, [...(unasked.get(id) ?? []), life])
  }
  const refused = new Map<string, number>()
  for (const { source, workflow } of run.committed.letters)
    refused.set(`${workflow ?? ''} ${source}`, (refused.get(`${workflow ?? ''} ${source}`) ?? 0) + 1)
  for (const source of run.sources) {
    if (source.taken === undefined) continue
    for (const start of source.uses.starts) {
      const id = startId(start.workflow, start.key, `record ${source.coordinates}`)
      const [found, ...more] = unasked.get(id) ?? []
      unasked.set(id, more)
      if (
        found !== undefined ||
        source.mayBeGone ||
        !start.isCertain ||
        refused.has(`${start.workflow} ${source.coordinates}`)
      )
        continue
      if (!foundRunning(run, start, source))
        yield `I1: ${source.coordinates} was to start ${start.workflow} '${start.key}', and nothing became of it`
    }
  }
  for (const lives of unasked.values())
    for (const { last } of lives) yield `I1: nothing asked for ${nameOf(last)} from ${last.origin}`
}

const startId = (workflow: string, key: string, origin: string): string => JSON.stringify([workflow, key, origin])

/** True where another instance with the key may have been there when the start was decided, and was in its way. */
function foundRunning(run: Evidence, { workflow, key }: StartUse, { seen, coordinates, taken }: Source): boolean {
  const partition = partitionOfText(key, run.plan.partitions)
  const hop = run.committed.hops.find(
    ({ command, ...at }) =>
      at.partition === partition &&
      command.type === 'instance.start' &&
      command.workflow === workflow &&
      command.key === key &&
      command.origin.kind === 'record' &&
      `${command.origin.record.topic}/${command.origin.record.partition}@${command.origin.record.offset}` ===
        coordinates,
  )
  const decided = seen.partition % run.plan.partitions === partition ? taken : hop && run.committed.takenHop(hop)
  if (decided === undefined) return false
  const isTraceless = [...run.workflows.values()].some((each) => each.name === workflow && each.retentionMs === 0)
  return (
    isTraceless ||
    run.instances.some(
      (life) =>
        life.last.workflow === workflow &&
        life.last.key === key &&
        (life.versions[0]?.batch ?? Infinity) <= decided.batch &&
        (lastingOf(run, life)?.batch ?? Infinity) >= decided.batch,
    )
  )
}

/** I1: of one workflow and key, one instance runs at a time. */
export function* keysRunOnce({ instances }: Evidence): Generator<string> {
  const byKey = new Map<string, Instance[]>()
  for (const life of instances) {
    const id = JSON.stringify([life.last.workflow, life.last.key])
    byKey.set(id, [...(byKey.get(id) ?? []), life])
  }
  for (const lives of byKey.values()) {
    const sorted = lives.toSorted((a, b) => (a.versions[0]?.offset ?? 0) - (b.versions[0]?.offset ?? 0))
    for (const [index, life] of sorted.entries()) {
      const before = sorted[index - 1]
      if (before === undefined) continue
      if (before.partition !== life.partition) yield `I1: ${nameOf(life.last)} lives on two partitions`
      else if ((endOf(before)?.batch ?? Infinity) > (life.versions[0]?.batch ?? 0))
        yield `I1: ${nameOf(life.last)} began while ${before.last.id} was running`
    }
  }
}

/** I2: an instance ends once, and nothing happens to it afterwards but that it is forgotten. */
export function* instancesEndOnce({ instances, workflows }: Evidence): Generator<string> {
  for (const { last, versions } of instances) {
    const end = versions.findIndex(({ row }) => row !== undefined && hasEnded(row))
    const after = end === -1 ? [] : versions.slice(end + 1)
    if (after.some(({ row }) => row !== undefined))
      yield `I2: ${nameOf(last)} went on after it was ${versions[end]?.row?.status}`
    const ends = last.timeline.filter(({ task, status }) => task === -1 && isTerminal(status))
    if (ends.length > 1) yield `I2: ${nameOf(last)} ended ${ends.length} times`
    if (versions.at(-1)?.row === undefined && end === -1 && workflows.get(last.version)?.retentionMs !== 0)
      yield `I2: ${nameOf(last)} was removed before it ended`
  }
}

const isTerminal = (status: string): boolean => status === 'COMPLETED' || status === 'FAILED' || status === 'STOPPED'

/** I12: an instance keeps the version that it began with, and that version was published. */
export function* versionsStay({ instances, workflows }: Evidence): Generator<string> {
  for (const { last, versions } of instances) {
    const workflow = workflows.get(last.version)
    if (workflow === undefined) {
      yield `I12: nobody published ${last.version} of ${nameOf(last)}`
      continue
    }
    if (versions.some(({ row }) => row !== undefined && row.version !== last.version))
      yield `I12: ${nameOf(last)} changed its version`
    const nodes = (last.slots + 1) * workflow.tasks.length
    if (last.tasks.length > nodes || last.timeline.some(({ task }) => task >= nodes))
      yield `I12: ${nameOf(last)} has tasks that ${last.version} does not have`
  }
}

/** I12: what an instance does is what its own version has its tasks do: their kinds of work, and what they write. */
export function* tasksAreOfTheirVersion(run: Evidence): Generator<string> {
  for (const life of run.instances) {
    const wrong = new Set<string>()
    for (const moment of momentsOf(run, life))
      for (const { node, task, is } of moment.nodes)
        if (is?.open !== undefined && !workOf[task.type].includes(is.open.kind))
          wrong.add(`${moment.name(node)}, a ${task.type}, waits for a ${is.open.kind}`)
    const moment = lastMomentOf(run, life)
    for (const { task: node, status, note } of life.last.timeline) {
      const task = node === -1 ? undefined : moment?.task(node)
      const written = status === 'SET' ? [...(task?.set?.keys() ?? [])].join(', ') : note
      if (task !== undefined && written !== note) wrong.add(`${task.name} wrote ${note}, expected ${written}`)
    }
    for (const what of wrong) yield `I12: ${what} in ${nameOf(life.last)}`
  }
}

/** What a task of each type may wait for. */
const workOf: { readonly [Type in TaskType]: readonly OpenWork['kind'][] } = {
  'kafka-command': ['retry'],
  'kafka-listener': ['record', 'retry'],
  process: ['scope', 'retry'],
  parallel: ['children', 'retry'],
  branch: ['scope'],
  'for-each': ['children', 'retry'],
  item: ['scope'],
  workflow: ['child', 'retry'],
  interval: ['interval', 'retry'],
  signal: ['signal', 'retry'],
  http: ['slot', 'handler', 'stopping', 'retry'],
  fail: ['retry'],
  stop: ['retry'],
  decision: ['retry'],
  set: ['retry'],
  trigger: ['time', 'retry'],
  handler: ['slot', 'handler', 'stopping', 'retry'],
}

/** With which version an instance was not in the way of others any more. */
function lastingOf(run: Evidence, life: Instance): Version<InstanceRow> | undefined {
  const mayIgnore = [...run.workflows.values()].some(
    ({ name, onClosed }) => name === life.last.workflow && onClosed !== 'start',
  )
  return mayIgnore ? life.versions.find(({ row }) => row === undefined) : endOf(life)
}

/** With which version an instance was not running any more. */
function endOf({ versions }: Instance): Version<InstanceRow> | undefined {
  return versions.find(({ row }) => row === undefined || hasEnded(row))
}
