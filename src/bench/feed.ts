// What comes in from outside: records of about 200 bytes, keyed, produced as any client of the log would.
import type { Log, OutgoingRecord } from '../runtime/ports.ts'
import type { Site } from './site.ts'

/** Records in one call of `produce`. */
const recordsAtOnce = 500

const encoder = new TextEncoder()
const valueBytes = 200

/** A record whose JSON value is filled up to about 200 bytes. */
export function keyedRecord(topic: string, key: Uint8Array | string, fields: object): OutgoingRecord {
  const json = JSON.stringify({ ...fields, note: '' })
  const note = 'x'.repeat(Math.max(0, valueBytes - json.length))
  return {
    topic,
    key: typeof key === 'string' ? encoder.encode(key) : key,
    value: encoder.encode(`${json.slice(0, -2)}${note}"}`),
  }
}

/** Produces records as fast as they go in, one call after another. @throws {Error} The log refused one. */
export async function feed(
  { log, signal }: Pick<Site, 'log' | 'signal'>,
  count: number,
  record: (index: number) => OutgoingRecord,
): Promise<void> {
  for (let from = 0; from < count; from += recordsAtOnce) {
    signal.throwIfAborted()
    const length = Math.min(recordsAtOnce, count - from)
    await produceAll(
      log,
      Array.from({ length }, (_, index) => record(from + index)),
    )
  }
}

/** @throws {Error} The log refused one: a benchmark that loses records measures nothing. */
export async function produceAll(log: Log, records: readonly OutgoingRecord[]): Promise<void> {
  for (const outcome of await log.produce(records)) {
    if ('error' in outcome) throw new Error(`the log refused a record: ${outcome.error} ${outcome.message}`)
  }
}
