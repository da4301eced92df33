// A start waits until every partition that is ours runs, or has stopped for a person to look at; what takes long is told.
import type { Logger } from '../base/logger.ts'
import type { WorkerView } from './face.ts'
import type { PartitionHost } from './host.ts'
import type { Clock } from './ports.ts'
import { restoreOf } from './worker-view.ts'

export interface Awaited {
  readonly clock: Clock
  readonly logger: Logger
  readonly hosts: readonly PartitionHost[]
  readonly view: () => WorkerView
  /** Nobody waits any more. */
  readonly isOver: () => boolean
}

/** How often a start that takes long says how far it is. */
const restoreToldEveryMs = 2_000

/** Resolves when all that is owned runs, or nobody waits any more. */
export async function untilReady({ clock, logger, hosts, view, isOver }: Awaited): Promise<void> {
  let toldAtMs = clock.nowMs()
  while (
    !isOver() &&
    !hosts.every((host) => host.role !== 'owner' || host.running !== undefined || host.phase === 'stopped')
  ) {
    await new Promise<void>((resolve) => void clock.after(10, resolve))
    if (clock.nowMs() - toldAtMs < restoreToldEveryMs) continue
    toldAtMs = clock.nowMs()
    const told = restoreOf(view().partitions)
    if (told !== undefined) logger.info(told.fields, told.message)
  }
}
