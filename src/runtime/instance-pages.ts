// Who has to look at all instances of a partition does so in pages: others have their turn in between.
import { endOf, prefixes } from '../records/keys.ts'
import type { Reading } from './reading.ts'
import type { CommittedRows } from './rows.ts'

/** Instances of a page; the last one has fewer. */
export const instancesAtOnce = 256

/** What is made of each instance of a partition, the newest first. @throws {Unavailable} */
export async function* instancePages<Made>(
  reading: Pick<Reading, 'list' | 'read'>,
  make: (value: Uint8Array, rows: CommittedRows) => Made,
): AsyncGenerator<readonly Made[]> {
  let to = endOf(prefixes.instances)
  for (;;) {
    const page = await reading.list({ from: prefixes.instances, to, limit: instancesAtOnce, reverse: true })
    yield reading.read((rows) => page.map(({ value }) => make(value, rows)))
    const last = page.at(-1)
    if (last === undefined || page.length < instancesAtOnce) return
    to = last.key
  }
}
