// How far a partition is behind what it reads.
import type { Log } from './ports.ts'
import type { SourcePosition } from './sources.ts'

export interface SourceLag extends SourcePosition {
  /** Up to where its topic can be read now; undefined: that cannot be told. */
  readonly end: number | undefined
  /** Offsets from here to there: records, and on Kafka the markers of transactions. */
  readonly behind: number | undefined
}

/** How far each source is behind. A topic that cannot be asked now leaves its own end open. */
export function lagsOf(positions: readonly SourcePosition[], log: Pick<Log, 'offsets'>): Promise<readonly SourceLag[]> {
  return Promise.all(
    positions.map(async (position) => {
      const offsets = await log.offsets(position.topic, position.partition).catch(() => undefined)
      const end = offsets?.committedEnd
      return { ...position, end, behind: end === undefined ? undefined : Math.max(0, end - position.offset) }
    }),
  )
}
