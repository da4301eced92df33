// Who waited in a channel after each of its transactions: those in its row, and the crowd behind them.
import { waitersOf } from '../../../src/engine/crowd-row.ts'
import type { ChannelRow, CrowdRow, Waiter } from '../../../src/engine/state.ts'
import type { Life, Version } from '../committed.ts'
import type { Evidence } from './finished.ts'

export class Waiting {
  readonly #crowd: ReadonlyMap<string, Life<CrowdRow>>

  constructor({ committed }: Pick<Evidence, 'committed'>) {
    this.#crowd = new Map(committed.lives('crowd').map((life) => [`${life.partition} ${life.id}`, life]))
  }

  /** The longest waiting first. */
  in({ id, partition }: Life<ChannelRow>, version: Version<ChannelRow> | undefined): readonly Waiter[] {
    if (version?.row === undefined) return []
    const { row, batch } = version
    const find = (place: string): CrowdRow | undefined =>
      this.#crowd.get(`${partition} ${place}`)?.versions.findLast((each) => each.batch <= batch)?.row
    return [...waitersOf(id, row, find)]
  }
}
