// What was committed, read back from the broker as anybody would: the changelog folded to the last value of each key,
// rows decoded, topics as JSON. Checkers look at nothing else.
import type { MemoryBroker } from '../../src/adapters/memory/broker.ts'
import type { Store } from '../../src/runtime/ports.ts'
import type { InstanceRow, Rows, TableName } from '../../src/engine/state.ts'
import { prefixes } from '../../src/records/keys.ts'
import { CommittedRows } from '../../src/runtime/rows.ts'

export type Fold = ReadonlyMap<string, Uint8Array>

/** The last committed value of each key of a changelog partition, up to an offset where one is given. */
export function foldChangelog(broker: MemoryBroker, topic: string, partition: number, before = Infinity): Fold {
  const fold = new Map<string, Uint8Array>()
  for (const { offset, key, value } of recordsOf(broker, topic, partition)) {
    if (offset >= before || key === null) continue
    const text = Buffer.from(key).toString()
    if (value === null) fold.delete(text)
    else fold.set(text, value)
  }
  return fold
}

export function recordsOf(broker: MemoryBroker, topic: string, partition: number) {
  const { earliest } = broker.offsets(topic, partition)
  return broker.fetch(topic, partition, earliest, 1_000_000).records
}

/** All committed values of a topic as JSON. */
export function valuesOf(broker: MemoryBroker, topic: string): { [name: string]: unknown }[] {
  const partitions = broker.findTopic(topic)?.partitions ?? 0
  const values: { [name: string]: unknown }[] = []
  for (let partition = 0; partition < partitions; partition++) {
    for (const { value } of recordsOf(broker, topic, partition))
      values.push(JSON.parse(Buffer.from(value ?? 'null').toString()) as {})
  }
  return values
}

/** Rows of a table in a fold. */
export function rowsOf<Name extends TableName>(fold: Fold, table: Name): Rows[Name][] {
  const rows = new CommittedRows(storeOver(fold))
  const found: Rows[Name][] = []
  for (const [key, value] of fold) if (key.startsWith(prefixes[table])) found.push(rows.decode(table, value))
  return found
}

export const instancesOf = (fold: Fold): InstanceRow[] => rowsOf(fold, 'instances')

function storeOver(fold: Fold): Store {
  const refuse = (): never => {
    throw new Error('a fold is only read')
  }
  return {
    get: (key) => fold.get(key),
    list: refuse,
    apply: refuse,
    position: undefined,
    close: refuse,
    destroy: refuse,
  }
}
