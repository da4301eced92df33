// Where tasks run. A *node* is a place of an instance at which a task of its workflow runs:
//
//   node = slot * (tasks of the workflow) + Task.index
//
// Slot 0 is the instance itself; each item of a `for-each` has a slot of its own, in which the tasks inside it run. The
// first nodes lie in the instance's row, the others in blocks, so that an event of one among ten thousand tasks costs
// what an event of one among ten does.
import { assert } from '../base/assert.ts'
import type { ItemTask, Task, Workflow } from '../definition/workflow.ts'
import type { InstanceRow, OpenWork, ReadTable, Rows, TaskRow, WritableState } from './state.ts'

/** Nodes below it lie in the instance's own row. */
const ownNodes = 64
const blockNodes = 16

/** Where the tasks lie that are not in their instance's own row. */
export interface TaskTables {
  readonly blocks: Pick<ReadTable<Rows['blocks']>, 'find'>
}

export const nodeOf = (workflow: Workflow, slot: number, index: number): number => slot * workflow.tasks.length + index
export const slotOf = (workflow: Workflow, node: number): number => Math.floor(node / workflow.tasks.length)

/** The task that runs at a node. */
export function taskAt(workflow: Workflow, node: number): Task {
  const task = workflow.tasks[node % workflow.tasks.length]
  assert(task !== undefined, 'N0: a node is of a task of the workflow')
  return task
}

/** The row of a node; undefined is NOT_STARTED. */
export function rowAt(state: TaskTables, instance: InstanceRow, node: number): TaskRow | undefined {
  if (node < ownNodes) return instance.tasks[node]
  return state.blocks.find(blockId(instance.id, node))?.tasks[node % blockNodes]
}

/** The key of the timer that a task waits for. T3 */
export const timerOf = (open: OpenWork | undefined): string | undefined =>
  open !== undefined && 'timer' in open ? open.timer : undefined

/** Writes the row of a node; undefined makes it NOT_STARTED again. */
export function putRow(state: WritableState, instanceId: string, node: number, row: TaskRow | undefined): void {
  if (node < ownNodes) {
    state.instances.edit(instanceId).tasks[node] = row
    return
  }
  const id = blockId(instanceId, node)
  if (state.blocks.find(id) === undefined) {
    if (row === undefined) return
    state.blocks.insert(id, { instanceId, tasks: [], stored: [] })
  }
  state.blocks.edit(id).tasks[node % blockNodes] = row
}

/** Removes all that an instance has in blocks. */
export function removeBlocks(state: WritableState, instance: InstanceRow, spans: readonly NodeSpan[]): void {
  for (const { first, last } of spans) {
    for (let block = Math.floor(first / blockNodes); block <= Math.floor(last / blockNodes); block++) {
      const id = `${instance.id}/${block}`
      if (state.blocks.find(id) !== undefined) state.blocks.remove(id)
    }
  }
}

/** Nodes from `first` to `last`, both included. */
export interface NodeSpan {
  readonly first: number
  readonly last: number
}

/** Every node at which a task of the instance may be. */
export function* nodesOf(state: TaskTables, instance: InstanceRow, workflow: Workflow): Generator<number> {
  for (const { first, last } of spansOf(state, instance, workflow))
    for (let node = first; node <= last; node++) yield node
}

/** Where the tasks of an instance may be: its own, and those of every item that has begun, up to a slot. */
export function* spansOf(
  state: TaskTables,
  instance: InstanceRow,
  workflow: Workflow,
  slotMax = instance.slots,
): Generator<NodeSpan> {
  yield { first: 0, last: workflow.tasks.length - 1 }
  const items = workflow.tasks.filter((task): task is ItemTask => task.type === 'item')
  for (let slot = 1; slot <= Math.min(instance.slots, slotMax); slot++) {
    const item = items.find((task) => rowAt(state, instance, nodeOf(workflow, slot, task.index)) !== undefined)
    if (item !== undefined) yield { first: nodeOf(workflow, slot, item.index), last: nodeOf(workflow, slot, item.last) }
  }
}

/** The node of the task whose scope this one's lies in; undefined in the root scope. An item's is its `for-each`. */
export function ownerOf(
  state: TaskTables,
  instance: InstanceRow,
  workflow: Workflow,
  node: number,
): number | undefined {
  const task = taskAt(workflow, node)
  if (task.type === 'item') return rowAt(state, instance, node)?.item?.forEach
  if (task.scope === undefined) return undefined
  const owner = workflow.taskNamed.get(task.scope)
  assert(owner !== undefined, 'N1: the owner of a scope is a task of the workflow')
  return node - task.index + owner.index
}

/** The node of a task as it is named from another node: in an item, the same item's. */
export function nodeNamed(
  state: TaskTables,
  instance: InstanceRow,
  workflow: Workflow,
  task: Task,
  from: number,
): number {
  let slot = slotOf(workflow, from)
  let here = taskAt(workflow, from)
  let item = here.type === 'item' ? here.index : here.item
  while (item !== undefined && item !== task.item && item !== task.index) {
    const row = rowAt(state, instance, nodeOf(workflow, slot, item))
    assert(row?.item !== undefined, 'N2: what runs in an item runs in one that has begun')
    slot = slotOf(workflow, row.item.forEach)
    here = taskAt(workflow, row.item.forEach)
    item = here.item
  }
  return nodeOf(workflow, slot, task.index)
}

/** The row of the item around a node; undefined outside of every `for-each`. */
export function itemAround(
  state: TaskTables,
  instance: InstanceRow,
  workflow: Workflow,
  node: number,
): TaskRow['item'] {
  const task = taskAt(workflow, node)
  const item = task.type === 'item' ? task.index : task.item
  return item === undefined ? undefined : rowAt(state, instance, nodeOf(workflow, slotOf(workflow, node), item))?.item
}

/** "each[3].charge": the task's name, with the items around it, for people. */
export function nameOfNode(state: TaskTables, instance: InstanceRow, workflow: Workflow, node: number): string {
  const task = taskAt(workflow, node)
  const around = itemAround(state, instance, workflow, node)
  if (around === undefined) return task.name
  const item = `${nameOfNode(state, instance, workflow, around.forEach)}[${around.index}]`
  return task.type === 'item' ? item : `${item}.${task.name}`
}

const blockId = (instanceId: string, node: number): string => `${instanceId}/${Math.floor(node / blockNodes)}`
