// What the state of a restored partition still owes: handler tasks that waited for a slot, or whose run was cut short.
import type { Effect } from '../engine/effect.ts'
import { owedFor } from '../engine/derive.ts'
import type { Catalogue } from '../engine/world.ts'
import { endOf, prefixes } from '../records/keys.ts'
import { workCodec } from '../records/row-codec.ts'
import type { Store } from './ports.ts'
import type { CommittedRows } from './rows.ts'
import { Staging } from './staging.ts'

const rowsAtOnce = 1_000

/** Performs the effects that are owed, page by page. @throws {StoreCorrupted} */
export async function askAgain(
  store: Store,
  rows: CommittedRows,
  catalogue: Catalogue,
  perform: (effect: Effect) => void,
): Promise<void> {
  for (let from = prefixes.work; ;) {
    const entries = await store.list({ from, to: endOf(prefixes.work), limit: rowsAtOnce })
    const last = entries[entries.length - 1]
    if (last === undefined) return
    const state = new Staging(rows, undefined)
    for (const { value } of entries) perform(owedFor(workCodec.decode(value), state, catalogue))
    from = `${last.key}\0`
  }
}
