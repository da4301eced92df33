// Reads what a batch will ask the store for, before it is decided. A look into LevelDB costs as much as deciding on a
// small command; so many at once are read by other threads meanwhile. Only where rows have outgrown memory: below that
// nearly all are there, and to look into records beforehand would cost more than it saves.
import { rowsBehind, rowsNamed } from '../engine/foresight.ts'
import type { World } from '../engine/world.ts'
import type { Input } from './batch.ts'
import type { CommittedRows } from './rows.ts'

/** A few are read when they are asked for: one record should not wait for other threads. */
const inputsMin = 2

/** undefined: there is nothing to wait for. */
export function prefetch(
  inputs: readonly Input[],
  rows: CommittedRows,
  here: Pick<World, 'catalogue' | 'partition' | 'partitions'>,
): Promise<void> | undefined {
  if (!rows.isLarge || inputs.length < inputsMin) return undefined
  // What fails here fails again for whoever asks.
  return prefetchAll(inputs, rows, here).catch(() => {})
}

async function prefetchAll(
  inputs: readonly Input[],
  rows: CommittedRows,
  here: Pick<World, 'catalogue' | 'partition' | 'partitions'>,
): Promise<void> {
  const named = inputs.flatMap(({ command }) => (command === undefined ? [] : rowsNamed(command, here)))
  await rows.prefetch(named)
  const behind = named.flatMap(({ table, id }) => {
    const row = rows.peek(table, id)
    return row === undefined || row === null ? [] : rowsBehind(table, row, here)
  })
  await rows.prefetch(behind)
}
