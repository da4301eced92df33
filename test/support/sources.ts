// The sources of a partition by themselves, over a memory log.
import { createMemoryLog } from '../../src/adapters/memory/log.ts'
import type { MemoryBroker } from '../../src/adapters/memory/broker.ts'
import { silentLogger } from '../../src/base/logger.ts'
import { Sources, type Source, type SourcesOptions } from '../../src/runtime/sources.ts'
import { MapStore } from './map-store.ts'

/** The sources of the only partition, over a memory log. */
export function sourcesOf(broker: MemoryBroker, more: Partial<SourcesOptions> = {}): Sources {
  return new Sources({
    log: createMemoryLog(broker),
    store: new MapStore(),
    partition: 0,
    partitions: 1,
    logger: silentLogger,
    formatsOn: () => [],
    isStart: () => false,
    onReady: () => {},
    onAlarm: () => {},
    ...more,
  })
}

/** Those of the topics, from their beginning, that were never read before. */
export function planned(sources: Sources, broker: MemoryBroker, ...topics: readonly string[]): readonly Source[] {
  const infos = topics.map((topic) => broker.findTopic(topic)!)
  return sources.plan(infos.map((info) => ({ info, registration: { topicId: info.id, from: 'earliest', ends: [] } })))
}
