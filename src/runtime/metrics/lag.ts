// How far behind the partitions that run here are. What does not run is not told: its phase says so, and its restore how
// far that is.
import { TransientFault } from '../../base/errors.ts'
import type { SourceLag, TopicLag } from '../faces/lag-face.ts'

/** What is asked of a host. */
interface LaggingHost {
  readonly running: { readonly gauges: { readonly lags: Iterable<SourceLag> } } | undefined
}

/** What a partition has yet to read in one source. */
export interface PartitionLag extends SourceLag {
  /** The partition of the application; `partition` is that of the topic. */
  readonly readBy: number
}

/** By partition and source, as far as the log has told. */
export function lagsOf(hosts: readonly LaggingHost[]): readonly PartitionLag[] {
  return hosts.flatMap(({ running }, readBy) => {
    try {
      return running === undefined ? [] : Array.from(running.gauges.lags, (lag) => ({ ...lag, readBy }))
    } catch (error) {
      // A batch that cannot be read: the partition's own loop meets it and tells.
      if (error instanceof TransientFault) return []
      throw error
    }
  })
}

/** All partitions of a topic together: how many records, and since when the oldest waits. */
export function topicLags(lags: readonly PartitionLag[], nowMs: number): readonly TopicLag[] {
  const byTopic = Map.groupBy(lags, ({ topic }) => topic)
  return [...byTopic]
    .map(([topic, each]): TopicLag => {
      const behind = each.filter(({ records }) => records > 0)
      const since = behind.flatMap(({ sinceMs }) => sinceMs ?? [])
      const age = since.length === 0 ? {} : { oldestAgeMs: Math.max(0, nowMs - Math.min(...since)) }
      return { topic, records: behind.reduce((sum, { records }) => sum + records, 0), ...age }
    })
    .sort((a, b) => (a.topic < b.topic ? -1 : 1))
}
