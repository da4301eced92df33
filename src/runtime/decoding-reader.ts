// A reader of a source whose records may have schemas in a registry: what they say is found out before they are handed on.
// A record whose schema is not known yet holds up its source, in its order, and no other; nothing of it is lost.
import { TransientFault } from '../base/errors.ts'
import { isRegistered, type TopicFormat } from '../definition/topic-format.ts'
import type { DecodedPart } from '../engine/format.ts'
import type { LogRecord, Reader, Schemas } from './ports.ts'

export interface DecodingOptions {
  readonly reader: Reader
  /** undefined: the worker was given no registry. */
  readonly schemas: Schemas | undefined
  /** By what formats the topic is read now. */
  readonly formats: () => readonly TopicFormat[]
  readonly onReady: () => void
}

/** Whether any of these formats asks a registry. */
export function areRegistered(formats: readonly TopicFormat[]): boolean {
  for (const { hasSchemas } of formats) if (hasSchemas) return true
  return false
}

/** The same reader for a topic that is read by no registered format. */
export function decodingReader({ reader, schemas, formats, onReady }: DecodingOptions): Reader {
  /** Taken, and not decoded yet. */
  let held: readonly LogRecord[] = []

  function decoded(record: LogRecord, wanted: readonly TopicFormat[]): LogRecord | undefined {
    if (schemas === undefined)
      throw new TransientFault(`${record.topic} is read by schemas: name their registry as schemaRegistry`)
    const part = (bytes: Uint8Array | null, isWanted: boolean): DecodedPart | 'awaited' | undefined =>
      bytes === null || !isWanted ? undefined : (schemas.decode(bytes, onReady) ?? 'awaited')
    const key = part(
      record.key,
      wanted.some((format) => isRegistered(format.key)),
    )
    const value = part(
      record.value,
      wanted.some((format) => isRegistered(format.value)),
    )
    return key === 'awaited' || value === 'awaited' ? undefined : { ...record, decoded: { key, value } }
  }

  return {
    take(max) {
      const wanted = formats()
      if (held.length === 0) {
        const records = reader.take(max)
        if (records.length === 0 || !areRegistered(wanted)) return records
        held = records
      }
      const ready: LogRecord[] = []
      for (const record of held.slice(0, max)) {
        const known = areRegistered(wanted) ? decoded(record, wanted) : record
        if (known === undefined) break
        ready.push(known)
      }
      held = held.slice(ready.length)
      if (ready.length === 0 && schemas?.trouble !== undefined) throw new TransientFault(schemas.trouble)
      return ready
    },
    get position() {
      return held[0]?.offset ?? reader.position
    },
    get behind() {
      const [next] = held
      const behind = reader.behind
      if (next === undefined || behind === undefined) return behind
      // By what it held back: its last record stands right before where the reader is.
      return { records: behind.records + reader.position - next.offset, sinceMs: next.timestampMs }
    },
    close() {
      held = []
      reader.close()
    },
  }
}
