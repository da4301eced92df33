// What who explains looks at: the partitions that run here, the definitions, the handlers, and the log.
import type { WorkflowCatalogue } from '../catalogue.ts'
import type { Executor } from '../executor.ts'
import type { PartitionHost } from '../host.ts'
import type { Clock, Log } from '../ports.ts'

export interface ExplainOptions {
  readonly hosts: readonly PartitionHost[]
  readonly catalogue: WorkflowCatalogue
  readonly executor: Pick<Executor, 'standingOf' | 'running' | 'slots'>
  readonly log: Log
  readonly clock: Clock
  readonly workerId: string
}
