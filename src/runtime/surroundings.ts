// What the engine is handed beside the state, for one batch of a partition.
import type { Tracing } from '../base/tracing.ts'
import type { World } from '../engine/world.ts'
import { ownTopics, type AppTopics } from '../records/keys.ts'
import type { Definitions } from './definitions.ts'
import type { Ids, Log } from './ports.ts'
import type { Refusals } from './refusals.ts'
import { encodeBy } from './schemas.ts'

export interface Surroundings {
  readonly log: Pick<Log, 'schemas'>
  readonly partition: number
  readonly partitions: number
  readonly definitions: Pick<Definitions, 'catalogue'>
  readonly ids: Ids
  readonly topics: AppTopics
  /** Absent: no spans are made. */
  readonly tracing?: Tracing | undefined
}

export function worldOf(given: Surroundings, refusals: Refusals, nowMs: number): World {
  const { log, partition, partitions, definitions, ids, topics, tracing } = given
  const own = ownTopics(topics)
  return {
    nowMs,
    partition,
    partitions,
    catalogue: definitions.catalogue,
    tracing,
    newId: () => ids.next(),
    isReserved: (topic) => own.has(topic),
    encode: (topic, what, format, value) => encodeBy(log.schemas, topic, what, format, value),
    refusal: (instanceId, task, attempt) => refusals.find(instanceId, task, attempt),
  }
}
