// A stretch of a partition, read once and in order.
import { TransientFault } from '../base/errors.ts'
import { OffsetGone, type Clock, type Log, type LogRecord, type Reader } from './ports.ts'
import { Bell } from './wake.ts'

export interface LogRange {
  readonly topic: string
  readonly partition: number
  readonly from: number
  /** Not this one any more. */
  readonly to: number
}

const recordsAtOnce = 100
/** Markers and aborted records are passed without a word from the reader: it is looked at again. */
const lookAgainMs = 20
/** A disk or a broker in trouble, or a transaction that stays open. */
const stallMs = 5_000

/** The committed records with from <= offset < to; what retention takes meanwhile is left out. @throws {TransientFault} */
export async function* readRange(
  log: Pick<Log, 'openReader'>,
  clock: Clock,
  range: LogRange,
): AsyncGenerator<LogRecord> {
  const { topic, partition, to } = range
  const bell = new Bell()
  const open = (offset: number): Reader => log.openReader({ topic, partition, offset, onReady: () => bell.ring() })
  let reader = open(range.from)
  let waitedMs = 0
  let cancel = (): void => {}
  try {
    while (reader.position < to) {
      let records: readonly LogRecord[]
      try {
        records = reader.take(recordsAtOnce)
      } catch (error) {
        if (!(error instanceof OffsetGone) || error.earliest <= reader.position) throw error
        reader.close()
        reader = open(error.earliest)
        continue
      }
      for (const record of records) {
        if (record.offset >= to) return
        yield record
      }
      if (records.length > 0) waitedMs = 0
      else if (reader.position < to) {
        if (waitedMs >= stallMs) throw new TransientFault(`${topic}/${partition} cannot be read up to ${to} now`)
        cancel = clock.after(lookAgainMs, () => {
          waitedMs += lookAgainMs
          bell.ring()
        })
        await bell.heard()
        cancel()
      }
    }
  } finally {
    cancel()
    reader.close()
  }
}
