// An instance at a moment, with the tasks that stand beside its row (src/engine/nodes.ts): every check that looks at tasks
// looks at them here, so that the tasks inside the items of a `for-each` are not passed over.
import type { Task, Workflow } from '../../../src/definition/workflow.ts'
import { itemAround, nameOfNode, nodeOf, nodesOf, ownerOf, rowAt, slotOf, taskAt } from '../../../src/engine/nodes.ts'
import type { Place } from '../../../src/engine/roots.ts'
import type { BlockRow, InstanceRow, Item, TaskRow } from '../../../src/engine/state.ts'
import { placeIn } from '../../support/place.ts'
import type { Committed, Life } from '../committed.ts'
import type { Evidence } from './finished.ts'

/** A place at which a task of an instance may run. */
export interface Node {
  readonly node: number
  readonly task: Task
  /** undefined: it has not begun. */
  readonly is: TaskRow | undefined
}

type Blocks = ReadonlyMap<string, BlockRow | undefined>

export class Moment {
  readonly row: InstanceRow
  readonly workflow: Workflow
  readonly atMs: number
  readonly batch: number
  readonly #tables: { readonly blocks: { find(id: string): BlockRow | undefined } }
  #nodes: readonly Node[] | undefined

  constructor(row: InstanceRow, workflow: Workflow, blocks: Blocks, { atMs = 0, batch = 0 } = {}) {
    this.row = row
    this.workflow = workflow
    this.atMs = atMs
    this.batch = batch
    this.#tables = { blocks: { find: (id) => blocks.get(id) } }
  }

  /** True where a record came ahead of a listener's turn, or may have: order is what it skipped then (engine/ahead.test.ts). */
  get hasSkippedAhead(): boolean {
    const { timeline, timelineDropped } = this.row
    if (this.workflow.ahead.length === 0) return false
    return timelineDropped > 0 || timeline.some(({ note }) => /^early (?:kept )?record /.test(note ?? ''))
  }

  /** All of them: those of the instance itself, and those of every item that has begun. */
  get nodes(): readonly Node[] {
    this.#nodes ??= [...this.#listNodes()]
    return this.#nodes
  }

  is(node: number): TaskRow | undefined {
    return rowAt(this.#tables, this.row, node)
  }

  task(node: number): Task {
    return taskAt(this.workflow, node)
  }

  /** The node whose scope it lies in. */
  owner(node: number): number | undefined {
    return ownerOf(this.#tables, this.row, this.workflow, node)
  }

  /** The node of another task of the same scope. */
  beside(node: number, task: Task): number {
    return nodeOf(this.workflow, slotOf(this.workflow, node), task.index)
  }

  item(node: number): Item | undefined {
    return itemAround(this.#tables, this.row, this.workflow, node)
  }

  /** "each[3].charge" */
  name(node: number): string {
    return nameOfNode(this.#tables, this.row, this.workflow, node)
  }

  place(node: number): Place {
    return placeIn(this.row, this.workflow, node, this.#tables.blocks.find)
  }

  *#listNodes(): Generator<Node> {
    const { workflow } = this
    const items = new Map<number, number>()
    for (const node of nodesOf(this.#tables, this.row, workflow)) {
      const slot = slotOf(workflow, node)
      const task = taskAt(workflow, node)
      // A slot begins with its item.
      if (slot > 0 && !items.has(slot)) items.set(slot, task.index)
      const isHere = task.type === 'item' ? task.index === items.get(slot) : task.item === items.get(slot)
      if (isHere) yield { node, task, is: this.is(node) }
    }
  }
}

/** Every instance as it was last. */
export function* lastMomentsOf(run: Pick<Evidence, 'committed' | 'instances' | 'workflows'>): Generator<Moment> {
  for (const life of run.instances) {
    const moment = lastMomentOf(run, life)
    if (moment !== undefined) yield moment
  }
}

/** undefined: nobody published its version. */
export function lastMomentOf(
  { committed, workflows }: Pick<Evidence, 'committed' | 'workflows'>,
  { id, last }: Life<InstanceRow>,
): Moment | undefined {
  const workflow = workflows.get(last.version)
  if (workflow === undefined) return undefined
  return new Moment(last, workflow, new Map(blocksOf(committed, id).map((life) => [life.id, life.last])))
}

/** An instance after each transaction that changed it, the first first. */
export function momentsOf(
  { committed, workflows }: Pick<Evidence, 'committed' | 'workflows'>,
  { id, last, versions }: Life<InstanceRow>,
): readonly Moment[] {
  const workflow = workflows.get(last.version)
  if (workflow === undefined) return []
  const lives = blocksOf(committed, id)
  if (lives.length === 0)
    return versions.flatMap((at) => (at.row === undefined ? [] : [new Moment(at.row, workflow, new Map(), at)]))
  const times = new Map([...lives, { versions }].flatMap((life) => life.versions.map((at) => [at.batch, at.atMs])))
  return [...times]
    .sort(([a], [b]) => a - b)
    .flatMap(([batch, atMs]) => {
      const row = asOf(versions, batch)
      const blocks = new Map(lives.map((life) => [life.id, asOf(life.versions, batch)]))
      return row === undefined ? [] : [new Moment(row, workflow, blocks, { atMs, batch })]
    })
}

const asOf = <Row>(versions: Life<Row>['versions'], batch: number): Row | undefined =>
  versions.findLast((version) => version.batch <= batch)?.row

const known = new WeakMap<Committed, ReadonlyMap<string, readonly Life<BlockRow>[]>>()

function blocksOf(committed: Committed, instanceId: string): readonly Life<BlockRow>[] {
  let blocks = known.get(committed)
  if (blocks === undefined) {
    blocks = Map.groupBy(committed.lives('blocks'), ({ last }) => last.instanceId)
    known.set(committed, blocks)
  }
  return blocks.get(instanceId) ?? []
}
