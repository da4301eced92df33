// Lists over several partitions in one order, page by page. Every row has a place in the order, which as text is its cursor;
// a page goes on behind a place, whichever partitions run here by then.
import { compareUtf8 } from '../base/utf8.ts'
import { endOf } from '../records/keys.ts'
import { comparePlaces, cursorOf, type Place } from './cursor.ts'
import type { OrderedPage } from './faces/list-face.ts'
import type { Reading } from './reading.ts'
import type { CommittedRows } from './rows.ts'

/** A row in its place; no item: it is not asked for. */
export interface Row<Item> {
  readonly place: Place
  readonly item: Item | undefined
}

/** Rows looked at for one page: a filter that fits nothing ends here and goes on with the cursor. */
const rowsLookedAtMax = 20_000
const rowsAtOnce = 256

/** A page of what streams give, each in order. */
export async function pageOf<Item extends { readonly cursor: string }>(
  streams: readonly { readonly partition: number; readonly rows: AsyncGenerator<Row<Item>> }[],
  limit: number,
): Promise<OrderedPage<Item>> {
  const partitions = streams.map(({ partition }) => partition)
  const heads = await Promise.all(streams.map(async ({ rows }) => ({ rows, head: headOf(await rows.next()) })))
  const items: Item[] = []
  let last: Place | undefined
  for (let lookedAt = 0; ; lookedAt++) {
    let first: (typeof heads)[number] | undefined
    for (const each of heads) {
      if (each.head === undefined) continue
      if (first?.head === undefined || comparePlaces(each.head.place, first.head.place) < 0) first = each
    }
    if (first?.head === undefined) return { items, partitions }
    if (last !== undefined && (items.length >= limit || lookedAt >= rowsLookedAtMax))
      return { items, partitions, next: cursorOf(last) }
    const { place, item } = first.head
    last = place
    if (item !== undefined) items.push(item)
    first.head = headOf(await first.rows.next())
  }
}

const headOf = <Value>({ done, value }: IteratorResult<Value>): Value | undefined => (done === true ? undefined : value)

/** The entries of a range from a key on, some at a time, each made something of. */
export async function* rowsOf<Made>(
  reading: Reading,
  range: { readonly prefix: string; readonly from: string; readonly to?: string },
  make: (key: string, value: Uint8Array, rows: CommittedRows) => readonly Made[],
): AsyncGenerator<Made> {
  const { prefix, to = endOf(prefix) } = range
  let from = range.from < prefix ? prefix : range.from
  while (compareUtf8(from, to) < 0) {
    const page = await reading.list({ from, to, limit: rowsAtOnce })
    yield* reading.read((rows) => page.flatMap(({ key, value }) => make(key, value, rows)))
    const last = page.at(-1)
    if (last === undefined || page.length < rowsAtOnce) return
    from = `${last.key}\0`
  }
}
