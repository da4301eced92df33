// What a worker has left behind when it was stopped, read from the outside: its topics and its state, whichever log.
import type { Rows, TableName } from '../../src/engine/state.ts'
import { topicsOf } from '../../src/records/keys.ts'
import { rowsOf, type Fold } from '../simulation/committed.ts'

export interface Evidence {
  readonly app: string
  readonly partitions: number
  /** Every topic that the audit looks at. */
  readonly topics: ReadonlyMap<string, TopicEvidence>
  /** By partition of the application. */
  readonly states: readonly PartitionState[]
}

export interface TopicEvidence {
  readonly id: string
  /** Of each partition: after the last record, markers of transactions included. */
  readonly ends: readonly number[]
  /** The committed ones, partition by partition. */
  readonly records: readonly CommittedRecord[]
}

export interface CommittedRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
}

export interface PartitionState {
  readonly values: Fold
  rows<Name extends TableName>(table: Name): Rows[Name][]
}

/** The topics that orders read, as the worker does. */
export const sourcesOf = (app: string): readonly string[] => [
  'orders',
  'payment-events',
  'warehouse-events',
  topicsOf(app).inbox,
]

/** Every topic that there has to be evidence of. */
export const topicsOfEvidence = (app: string): readonly string[] => [
  ...sourcesOf(app),
  'payment-commands',
  'warehouse-commands',
  topicsOf(app).deadLetter,
]

/** The state of a partition over its values. */
export function stateOf(values: Fold): PartitionState {
  return { values, rows: (table) => rowsOf(values, table) }
}
