// The evidence in the data directory of the embedded log, which is opened as the worker opens it.
import { openEmbeddedLog, type EmbeddedLog } from '../../src/adapters/embedded/log.ts'
import { systemClock } from '../../src/adapters/system/clock.ts'
import { silentLogger } from '../../src/base/logger.ts'
import { topicsOf } from '../../src/records/keys.ts'
import type { LogRecord } from '../../src/runtime/ports.ts'
import { stateOf, topicsOfEvidence, type Evidence, type PartitionState, type TopicEvidence } from './evidence.ts'

/** Everything that was committed there; nobody else may have it open. */
export async function embeddedEvidence(place: {
  readonly directory: string
  readonly app: string
  readonly partitions: number
}): Promise<Evidence> {
  const { app, partitions } = place
  const log = await openEmbeddedLog({ ...place, clock: systemClock, logger: silentLogger })
  try {
    const topics = new Map<string, TopicEvidence>()
    const infos = await log.describeTopics(topicsOfEvidence(app))
    for (const { name, id, partitions: count } of infos.values()) {
      const ends: number[] = []
      const records: LogRecord[] = []
      for (let partition = 0; partition < count; partition++) {
        ends.push((await log.offsets(name, partition)).end)
        records.push(...(await recordsOf(log, { topic: name, partition })))
      }
      topics.set(name, { id, ends, records })
    }
    const states: PartitionState[] = []
    for (let partition = 0; partition < partitions; partition++) {
      const store = await log.openStoreOf(topicsOf(app).changelog, partition)
      const entries = await store.list({ from: '', to: '~', limit: Number.MAX_SAFE_INTEGER })
      states.push(stateOf(new Map(entries.map(({ key, value }) => [key, value]))))
    }
    return { app, partitions, topics, states }
  } finally {
    await log.close()
  }
}

/** What a partition holds from an offset on; by default all of it. */
export async function recordsOf(
  log: EmbeddedLog,
  { topic, partition }: { readonly topic: string; readonly partition: number },
  from?: number,
): Promise<readonly LogRecord[]> {
  const records: LogRecord[] = []
  const { earliest, end } = await log.offsets(topic, partition)
  let wake = (): void => {}
  const reader = log.openReader({ topic, partition, offset: from ?? earliest, onReady: () => wake() })
  while (reader.position < end) {
    const arrival = new Promise<void>((resolve) => (wake = resolve))
    const some = reader.take(10_000)
    records.push(...some)
    if (some.length === 0) await arrival
  }
  reader.close()
  return records
}
