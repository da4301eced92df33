// What checkers look at, and nothing else: what was committed, the plan and what the outside did of it, the journal of
// handlers, disks, and what workers say of themselves at the end.
import type { Workflow } from '../../../src/definition/workflow.ts'
import type { InstanceRow } from '../../../src/engine/state.ts'
import type { WorkerView } from '../../../src/runtime/face.ts'
import type { Committed, Life } from '../committed.ts'
import type { Journal } from '../handlers.ts'
import type { Outside } from '../outside.ts'
import type { Call } from '../people.ts'
import type { Plan } from '../plan.ts'
import type { Signallers } from '../signallers.ts'
import type { World } from '../world.ts'
import type { Fate } from './fates.ts'
import type { Source } from './sources.ts'
import type { DiskImage } from './stores.ts'

export interface Finished {
  readonly plan: Plan
  readonly world: World
  readonly outside: Pick<Outside, 'produced'>
  readonly calls: readonly Call[]
  readonly signals: Pick<Signallers, 'sent' | 'failures'>
  readonly journal: Journal
  /** The compiled workflows of each release, the oldest first. */
  readonly releases: readonly (readonly Workflow[])[]
  readonly committed: Committed
  /** Stores as each process found them when it started, and as they are at the end. */
  readonly images: readonly DiskImage[]
  /** Of each worker that runs at the end, what it says of itself. */
  readonly views: ReadonlyMap<string, WorkerView>
  /** Of promises that nobody waited for: each would have ended a process. */
  readonly rejections: readonly string[]
}

/** A finished run with what several checks work out of it. */
export interface Evidence extends Finished {
  readonly instances: readonly Life<InstanceRow>[]
  /** Of all releases, by version. */
  readonly workflows: ReadonlyMap<string, Workflow>
  readonly sources: readonly Source[]
  readonly fates: ReadonlyMap<string, Fate>
}

/** A check gives the violations of an invariant that it finds, in words that begin with its number. */
export type Check = (run: Evidence) => Iterable<string>

/** An instance for people: "order 'o-1' (01h…-2)". */
export const nameOf = ({ workflow, key, id }: InstanceRow): string => `${workflow} '${key}' (${id})`

/** Whether the clocks of all machines went alike: else two partitions may not agree on what was before. */
export const doClocksAgree = ({ strikes }: Plan): boolean => !strikes.some(({ what }) => what.startsWith('clock-'))

/** It is over; before that it may be suspended, or be unwound. */
export const hasEnded = ({ status }: InstanceRow): boolean =>
  status === 'COMPLETED' || status === 'FAILED' || status === 'STOPPED'
