// I8: a record that reaches a value at which somebody waits whom it fits is taken, there and then, whatever became of its
// `keep`: nobody goes on waiting past it. One that was taken by a listener that could not stomach it leaves no trace: then
// nothing is said.
import { partitionOfText } from '../../../src/base/partitioner.ts'
import { channelId, type ChannelRow, type Waiter } from '../../../src/engine/state.ts'
import type { Life } from '../committed.ts'
import { fateId } from './fates.ts'
import type { Evidence } from './finished.ts'
import { fits, mayHideTakings } from './listeners.ts'
import { Waiting } from './waiting.ts'

/** I8: nobody whom a record fits still waits after it came by, unless it went to another. */
export function* nobodyIsPassedBy(run: Evidence): Generator<string> {
  const channels = new Map(run.committed.lives('channels').map((life) => [`${life.partition} ${life.id}`, life]))
  const waiting = new Waiting(run)
  const failed = new Set(run.instances.filter(({ last }) => mayHideTakings(run, last)).map(({ last }) => last.workflow))
  for (const source of run.sources) {
    if (source.taken === undefined || source.mayBeGone) continue
    for (const use of source.uses.channels) {
      if (failed.has(use.workflow)) continue
      const partition = partitionOfText(use.value, run.plan.partitions)
      const channel = channels.get(`${partition} ${channelId(use.workflow, source.topic, use.value)}`)
      const fate = run.fates.get(fateId(use.workflow, use.value, source.coordinates))
      if (channel === undefined || (fate !== undefined && fate.takenBeside + fate.correlates.length > 0)) continue
      const isHere = source.seen.partition % run.plan.partitions === partition
      const arrivals = isHere ? [source.taken] : (fate?.publishes ?? []).map((hop) => run.committed.takenHop(hop))
      for (const batch of arrivals.flatMap((arrival) => arrival?.batch ?? []))
        for (const waiter of stayedThrough(channel, batch, waiting))
          if (fits(run, waiter, use.value, source.record))
            yield `I8: ${source.coordinates} came for '${use.value}' of ${use.workflow}, and ${waiter.instanceId} waits on`
    }
  }
}

/** Who waited before a transaction, and still did after it. */
function stayedThrough(channel: Life<ChannelRow>, batch: number, waiting: Waiting): readonly Waiter[] {
  const { versions } = channel
  const before = waiting.in(
    channel,
    versions.findLast((version) => version.batch < batch),
  )
  const after = waiting.in(
    channel,
    versions.findLast((version) => version.batch <= batch),
  )
  return before.filter((waiter) =>
    after.some(({ instanceId, number }) => instanceId === waiter.instanceId && number === waiter.number),
  )
}
