// Why an instance is where it is: its open tasks, with what this worker knows of each and what the topics say.
import { writtenType } from '../../definition/written-type.ts'
import { assert } from '../../base/assert.ts'
import { partitionOfText } from '../../base/partitioner.ts'
import { nameOfNode, rowAt, taskAt } from '../../engine/nodes.ts'
import { coordinates } from '../../engine/message.ts'
import { deferredId, keyId, queuedId, workId, type InstanceRow } from '../../engine/state.ts'
import type {
  ChildExplanation,
  HandlerExplanation,
  Help,
  InstanceExplanation,
  TaskExplanation,
} from '../faces/explain-face.ts'
import type { ExplainOptions } from './explain-options.ts'
import { explainTask, summaryOf, type OpenTask } from './explain-task.ts'
import { ListenerExplainer } from './explain-listener.ts'
import type { Reading } from '../reading.ts'
import { timeView } from '../record-view.ts'
import type { CommittedRows } from '../rows.ts'
import { isOfTasks, itemsInViewMax, placesOf, type Viewed } from '../views.ts'

/** Tasks that are told of, starts that wait, and what was collected while it is suspended. */
const tasksMax = 100
const queuedMax = 20
const collectedMax = 1_000

/** What the rows of the instance say, all of one moment. */
interface Found {
  readonly viewed: Viewed
  readonly open: readonly OpenTask[]
  readonly left: number
  readonly ahead: readonly OpenTask[]
  readonly collected: { readonly [kind: string]: number }
  readonly queued: InstanceExplanation['queued']
}

export class InstanceExplainer {
  readonly #options: ExplainOptions

  constructor(options: ExplainOptions) {
    this.#options = options
  }

  /** @param reading of the partition that it lives on. undefined: there is none. @throws {Unavailable} */
  async explain(id: string, reading: Pick<Reading, 'read'>): Promise<InstanceExplanation | undefined> {
    const found = reading.read((rows) => this.#find(id, rows))
    if (found === undefined) return undefined
    const { viewed, open, left, ahead, collected, queued } = found
    const { row, workflow } = viewed
    const listeners = new ListenerExplainer(this.#options, viewed)
    const tasks: TaskExplanation[] = []
    for (const each of open) tasks.push(await this.#task(each, viewed, listeners))
    for (const each of ahead) tasks.push(await this.#aheadTask(each, viewed, listeners))
    return {
      id: row.id,
      workflow: row.workflow,
      version: row.version,
      key: row.key,
      status: row.status,
      incidents: row.incidents,
      summary: summaryOf(row, workflow, tasks),
      ...(row.error === undefined ? {} : { error: row.error }),
      tasks,
      tasksLeftOut: left,
      ...(row.status === 'SUSPENDED' ? { collected } : {}),
      queued,
      help: helpOf(row),
    }
  }

  #find(id: string, rows: CommittedRows): Found | undefined {
    const row = rows.find('instances', id)
    if (row === undefined) return undefined
    const workflow = this.#options.catalogue.find(row.version)
    assert(workflow !== undefined, 'E1: the version of an instance is known')
    const viewed: Viewed = { row, workflow, tables: { blocks: { find: (block) => rows.find('blocks', block) } } }
    const nodes = row.endedAtMs === undefined ? [...openNodes(viewed)] : []
    const open = nodes.map((node) => openTask(viewed, node)).toSorted((a, b) => rank(a) - rank(b))
    const own = (node: number): OpenTask => ({
      name: nameOfNode(viewed.tables, row, workflow, node),
      node,
      task: taskAt(workflow, node),
      row: { ...unbegun, startedAtMs: row.startedAtMs },
    })
    return {
      viewed,
      open: open.slice(0, tasksMax),
      left: Math.max(0, open.length - tasksMax),
      ahead: row.ahead.slice(0, tasksMax).map(({ task }) => own(task)),
      collected: collectedOf(row, rows),
      queued: queuedOf(row, rows),
    }
  }

  async #task(open: OpenTask, viewed: Viewed, listeners: ListenerExplainer): Promise<TaskExplanation> {
    const { task, row } = open
    const work = row.open
    const isWork = work?.kind === 'slot' || work?.kind === 'handler' || work?.kind === 'stopping'
    const handler = isWork ? this.#handler(open, viewed.row) : undefined
    const told = explainTask(open, viewed.row, handler?.state === 'lost')
    if (handler !== undefined) return { ...told, handler }
    if (work?.kind === 'child') return { ...told, child: this.#child(work.workflow, work.key) }
    if (work?.kind !== 'record' || task.type !== 'kafka-listener') return told
    const wanted = [work.value, ...work.others]
    const listening = { task, wanted, sinceMs: row.startedAtMs, isAhead: false }
    return { ...told, listener: await listeners.explain(listening) }
  }

  async #aheadTask(open: OpenTask, viewed: Viewed, listeners: ListenerExplainer): Promise<TaskExplanation> {
    const { task, node } = open
    const subscription = viewed.row.ahead.find((each) => each.task === node)
    assert(task.type === 'kafka-listener' && subscription !== undefined, 'A1: what is ahead of its turn is a listener')
    const wanted = [subscription.value, ...subscription.others]
    const listening = { task, wanted, sinceMs: viewed.row.startedAtMs, isAhead: true }
    return {
      task: open.name,
      type: task.type,
      kind: 'record',
      waitsFor: `its turn, or a record of ${task.topic} for '${subscription.value}'`,
      since: timeView(viewed.row.startedAtMs) ?? '',
      attempt: 0,
      attemptsMax: task.retry.maxAttempts,
      listener: await listeners.explain(listening),
      help: [],
    }
  }

  #handler({ node, task, row }: OpenTask, instance: InstanceRow): HandlerExplanation {
    const { executor, workerId } = this.#options
    const standing = executor.standingOf(workId(instance.id, node))
    const { behind, concurrency, heardAtMs, progress } = standing ?? {}
    return {
      handler: writtenType(task),
      worker: workerId,
      state: standing?.state ?? 'lost',
      run: row.open?.kind === 'handler' ? row.open.run : 0,
      ...(behind === undefined ? {} : { behind }),
      slotsBusy: executor.running,
      slots: executor.slots,
      ...(concurrency === undefined ? {} : { concurrency }),
      ...(heardAtMs === undefined ? {} : { heardAt: timeView(heardAtMs) ?? '' }),
      ...(progress === undefined ? {} : { progress }),
    }
  }

  #child(workflow: string, key: string): ChildExplanation {
    const partition = partitionOfText(key, this.#options.hosts.length)
    const child = this.#options.hosts[partition]?.running?.reading.read((rows) => {
      const id = rows.find('keys', keyId(workflow, key))?.instanceId
      return id === undefined ? undefined : rows.find('instances', id)
    })
    const told = child && { instanceId: child.id, status: child.status, incidents: child.incidents }
    return { workflow, key, partition, ...told }
  }
}

const unbegun = {
  status: 'SUBMITTED',
  attempt: 0,
  endedAtMs: undefined,
  output: undefined,
  error: undefined,
  hasIncident: false,
  attemptsBefore: 0,
  open: undefined,
  edges: 'live',
  deadlines: undefined,
  item: undefined,
} as const

/** Tasks that wait for something that is not another task of theirs, and incidents. */
function* openNodes(viewed: Viewed): Generator<number> {
  for (const node of placesOf(viewed, itemsInViewMax)) {
    const row = rowAt(viewed.tables, viewed.row, node)
    if (row?.hasIncident === true || (row?.open !== undefined && !isOfTasks(row.open))) yield node
  }
}

function openTask({ row, workflow, tables }: Viewed, node: number): OpenTask {
  const state = rowAt(tables, row, node)
  assert(state !== undefined, 'T0: a task that waits has begun')
  return { name: nameOfNode(tables, row, workflow, node), node, task: taskAt(workflow, node), row: state }
}

/** Incidents first. */
const rank = ({ row }: OpenTask): number => (row.hasIncident ? 0 : 1)

function helpOf({ status, error, incidents }: InstanceRow): readonly Help[] {
  if (status === 'SUSPENDED') return [{ action: 'resume', why: 'what was collected is applied in its order' }]
  if (status === 'FAILED') return [{ action: 'retry', why: 'it goes on where it failed, unless it was compensated' }]
  if (status !== 'EXECUTING' || error === undefined || incidents === 0) return []
  return [
    { action: 'retry', why: 'once the cause is mended' },
    { action: 'complete', why: 'with an output of yours' },
  ]
}

function collectedOf(row: InstanceRow, rows: CommittedRows): { readonly [kind: string]: number } {
  const collected: { [kind: string]: number } = {}
  for (let number = 0; number < Math.min(row.deferred, collectedMax); number++) {
    const type = rows.find('deferred', deferredId(row.id, number))?.command.type
    if (type === undefined) continue
    const kind = kindOfDeferred[type]
    collected[kind] = (collected[kind] ?? 0) + 1
  }
  return collected
}

const kindOfDeferred = {
  'instance.correlate': 'record',
  'task.complete': 'handler result',
  'task.fail': 'handler failure',
  'timer.fire': 'timer',
  'child.told': 'word of a child',
} as const

function queuedOf(row: InstanceRow, rows: CommittedRows): InstanceExplanation['queued'] {
  const id = keyId(row.workflow, row.key)
  const key = rows.find('keys', id)
  if (key?.instanceId !== row.id) return []
  return key.queue.slice(0, queuedMax).map((number, index) => {
    const origin = rows.find('queued', queuedId(id, number))?.start.origin
    const from = origin?.kind === 'record' ? `record ${coordinates(origin.record)}` : (origin?.kind ?? 'unknown')
    return { place: index + 1, origin: from }
  })
}
