// What the state of a restored partition still owes: handler tasks that waited for a slot, whose run was cut short, or
// that were stopped and cleaned up.
// A task whose result is at hand, and only fell with its batch, is not asked for: its slot would never be used.
import type { Effect, HandlerRequest, HandlerStop } from '../engine/effect.ts'
import { owedFor } from '../engine/derive.ts'
import { endOf, prefixes } from '../records/keys.ts'
import { workCodec } from '../records/row-codec.ts'
import type { OwnCommand } from './batch.ts'
import type { Definitions } from './definitions.ts'
import type { Executor } from './executor.ts'
import type { Store } from './ports.ts'
import type { CommittedRows } from './rows.ts'
import { Staging } from './staging.ts'

export interface AskAgainOptions {
  readonly store: Store
  readonly partition: number
  readonly definitions: Pick<Definitions, 'catalogue'>
  /** Commands of this worker that wait to be decided. */
  readonly own: readonly OwnCommand[]
  readonly executor: Pick<Executor, 'asking'>
  readonly perform: (effect: Effect) => void
}

const rowsAtOnce = 1_000

/** Performs the effects that are owed, page by page; what handlers do beside them is over. @throws {StoreCorrupted} */
export async function askAgain(options: AskAgainOptions, rows: CommittedRows): Promise<void> {
  const { store, partition, definitions, own, executor, perform } = options
  const asked = executor.asking(partition)
  for (let from = prefixes.work; ;) {
    const entries = await store.list({ from, to: endOf(prefixes.work), limit: rowsAtOnce })
    const last = entries[entries.length - 1]
    if (last === undefined) return asked()
    const state = new Staging(rows, undefined)
    for (const { value } of entries) {
      const effect = owedFor(workCodec.decode(value), state, definitions.catalogue)
      if (!own.some(({ command }) => isResultFor(command, effect))) perform(effect)
    }
    from = `${last.key}\0`
  }
}

function isResultFor(command: OwnCommand['command'], effect: HandlerRequest | HandlerStop): boolean {
  if (command.type !== 'task.complete' && command.type !== 'task.fail' && command.type !== 'task.stop-ended')
    return false
  if ((command.type === 'task.stop-ended') !== (effect.type === 'handler.stop')) return false
  const { instanceId, task, attempt } = command
  return effect.instanceId === instanceId && effect.task === task && effect.attempt === attempt
}
