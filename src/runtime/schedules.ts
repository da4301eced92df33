// Has the schedules of workflows brought in line with their current versions, on the partition that owns their names: when
// an incarnation begins, and whenever the definitions have changed. Those that were removed meanwhile are asked for too.
import { partitionOfText } from '../base/partitioner.ts'
import { endOf, prefixes } from '../records/keys.ts'
import type { OwnCommand } from './batch.ts'
import type { WorkflowCatalogue } from './catalogue.ts'
import type { Store } from './ports.ts'

export interface SchedulesOptions {
  readonly store: Store
  readonly partition: number
  readonly partitions: number
  readonly definitions: { readonly catalogue: WorkflowCatalogue }
  readonly own: OwnCommand[]
}

const rowsAtOnce = 1_000

export class Schedules {
  readonly #options: SchedulesOptions
  /** Workflows that have a row here, or may have one. */
  readonly #names = new Set<string>()
  #seen: readonly string[] | undefined

  constructor(options: SchedulesOptions) {
    this.#options = options
  }

  /** Finds the workflows whose schedules are known. Nothing is decided meanwhile. */
  async open(): Promise<void> {
    for (let from = prefixes.schedules; ;) {
      const entries = await this.#options.store.list({ from, to: endOf(prefixes.schedules), limit: rowsAtOnce })
      for (const { key } of entries) this.#names.add(key.slice(prefixes.schedules.length))
      const last = entries.at(-1)
      if (last === undefined) return
      from = `${last.key}\0`
    }
  }

  /** Asks for each of them, where the definitions have changed since the last time; true where it asked for any. */
  sync(): boolean {
    const { definitions, partition, partitions, own } = this.#options
    const scheduled = definitions.catalogue.listScheduled()
    if (scheduled === this.#seen) return false
    this.#seen = scheduled
    for (const name of scheduled) if (partitionOfText(name, partitions) === partition) this.#names.add(name)
    // What falls with its batch, or waits when the incarnation ends, is asked for anew by the next one.
    for (const workflow of this.#names) own.push({ command: { type: 'schedules.sync', workflow }, onLost: () => {} })
    return this.#names.size > 0
  }
}
