// What an incarnation of a partition is given.
import type { Logger } from '../base/logger.ts'
import type { Effect } from '../engine/effect.ts'
import type { Batch, OwnCommand } from './batch.ts'
import type { CommitWindow } from './commit-window.ts'
import type { Definitions } from './definitions.ts'
import type { BatchMeasures } from './metrics/batch-measures.ts'
import type { AskAgainOptions } from './owed.ts'
import type { Clock, Log, Store } from './ports.ts'
import type { SourceTopic } from './sources.ts'
import type { Surroundings } from './surroundings.ts'
import type { UpdateRules } from './updates.ts'

export interface PartitionOptions extends Surroundings {
  readonly log: Log
  readonly store: Store
  readonly clock: Clock
  readonly logger: Logger
  readonly definitions: Definitions
  readonly app: string
  readonly cachedBytesMax: number
  /** Commands of this worker that wait for the partition; what falls with a batch is put back at its front. */
  readonly own: OwnCommand[]
  readonly executor: AskAgainOptions['executor']
  readonly sourceTopics: () => Promise<readonly SourceTopic[]>
  readonly window: CommitWindow
  /** P6 */
  readonly perform: (effect: Effect) => void
  readonly measures: BatchMeasures
  readonly updates: UpdateRules
  readonly onCommitted: (batch: Batch) => void
  readonly onAlarm: (message: string) => void
}
