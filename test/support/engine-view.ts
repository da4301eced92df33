// What a test sees of simulated partitions: their committed rows, in the words of the workflow's file.
import assert from 'node:assert/strict'
import { partitionOfText } from '../../src/base/partitioner.ts'
import type { Json } from '../../src/base/json.ts'
import { rowAt } from '../../src/engine/nodes.ts'
import { keyId, type InstanceRow, type TaskRow } from '../../src/engine/state.ts'
import { waitingIn } from '../../src/engine/crowd-row.ts'
import { prefixes } from '../../src/records/keys.ts'
import { WorkflowCatalogue } from '../../src/runtime/catalogue.ts'
import { CommittedRows } from '../../src/runtime/rows.ts'
import { MapStore } from './map-store.ts'

export class EngineView {
  nowMs = Date.UTC(2026, 0, 1)
  readonly stores: readonly MapStore[]
  readonly catalogue = new WorkflowCatalogue()

  constructor(partitions: number) {
    this.stores = Array.from({ length: partitions }, () => new MapStore())
  }

  /** Rows as a worker that has just opened the store finds them. */
  rows(partition: number): CommittedRows {
    const store = this.stores[partition]
    assert.ok(store !== undefined, `there is a partition ${partition}`)
    return new CommittedRows(store)
  }

  partitionOf(key: string): number {
    return partitionOfText(key, this.stores.length)
  }

  /** The instance that a business key has. */
  find(workflow: string, key: string): InstanceRow | undefined {
    const rows = this.rows(this.partitionOf(key))
    const row = rows.find('keys', keyId(workflow, key))
    return row === undefined ? undefined : rows.find('instances', row.instanceId)
  }

  instance(key: string, workflow = 'w'): InstanceRow {
    const row = this.find(workflow, key)
    assert.ok(row !== undefined, `${workflow} has an instance '${key}'`)
    return row
  }

  /** "COMPLETED", "FAILED", …; of an instance. */
  status(key: string, workflow = 'w'): string {
    return this.instance(key, workflow).status
  }

  /** The row of a node. */
  row(instance: InstanceRow, node: number): TaskRow | undefined {
    const rows = this.rows(this.partitionOf(instance.key))
    return rowAt({ blocks: { find: (id) => rows.find('blocks', id) } }, instance, node)
  }

  task(key: string, name: string, workflow = 'w'): TaskRow | undefined {
    const instance = this.instance(key, workflow)
    const task = this.catalogue.find(instance.version)?.taskNamed.get(name)
    assert.ok(task !== undefined, `${workflow} has a task ${name}`)
    return this.row(instance, task.index)
  }

  /** Every task with its status, in the order of the file; an incident is marked. */
  tasks(key: string, workflow = 'w'): { readonly [name: string]: string } {
    const instance = this.instance(key, workflow)
    const statuses: { [name: string]: string } = {}
    for (const task of this.catalogue.find(instance.version)?.tasks ?? []) {
      const row = this.row(instance, task.index)
      statuses[task.name] = row === undefined ? 'NOT_STARTED' : row.hasIncident ? 'INCIDENT' : row.status
    }
    return statuses
  }

  output(key: string, name: string, workflow = 'w'): Json | undefined {
    return this.task(key, name, workflow)?.output?.value
  }

  vars(key: string, workflow = 'w'): { readonly [name: string]: Json } {
    return Object.fromEntries(this.instance(key, workflow).vars)
  }

  /** Timers of all partitions, the earliest first. */
  timers(): { readonly partition: number; readonly key: string; readonly dueAtMs: number }[] {
    const timers = this.stores.flatMap((store, partition) =>
      store.keys(prefixes.timers).map((key) => ({ partition, key, dueAtMs: Number(key.slice(0, 15)) })),
    )
    return timers.sort((a, b) => (a.key < b.key ? -1 : 1))
  }

  /** How many records are kept, over all partitions. */
  get keptCount(): number {
    return this.stores.reduce((sum, store) => sum + store.keys(prefixes.kept).length, 0)
  }

  /** How many listeners wait, over all partitions. */
  get waiterCount(): number {
    return this.stores.reduce(
      (sum, store, partition) =>
        sum +
        store
          .keys(prefixes.channels)
          .reduce((waiters, id) => waiters + waitingIn(this.rows(partition).find('channels', id)!), 0),
      0,
    )
  }
}
