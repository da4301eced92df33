// A record as expressions see it: the root `message`. Bytes from strangers are looked at once, here.
import type { Json } from '../base/json.ts'
import { limits } from '../base/limits.ts'
import { defaultFormat, isRegistered, type TopicFormat } from '../definition/topic-format.ts'
import { readKey, readValue, UnusableRecord, type Decoded, type DecodedPart } from './format.ts'
import { nullPayload, Payload } from './payload.ts'

/** A record of a source topic, as it travels through the engine and between partitions. */
export interface SourceRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestampMs: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly { readonly key: string; readonly value: Uint8Array }[]
  /** Of a topic that some workflow reads by schemas of a registry. */
  readonly decoded?: Decoded
}

const lenient = new TextDecoder()

interface Seen {
  readonly record: SourceRecord
  readonly format: TopicFormat
  readonly message: MessageRoot
}

/** The record decoded last: all that one input leads to looks at the same one, and it is parsed once. */
let last: Seen | undefined
/** Records of a batch that were looked into beforehand. */
const foreseen = new Map<SourceRecord, Seen>()
const foreseenMax = 1_000

/** What expressions find under `message`. */
export interface MessageRoot {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: Date
  /** A text, but for a topic whose keys are JSON. */
  readonly key: Json
  readonly value: Json
  readonly headers: { readonly [key: string]: string }
}

/**
 * The record as the root `message`: key and value as the format of the topic has them, headers as text.
 * @throws {UnusableRecord} It is too large, or its key or value is not what the format says, or nested too deeply.
 */
export function messageOf(record: SourceRecord, format: TopicFormat = defaultFormat): MessageRoot {
  if (last?.record !== record || last.format !== format) {
    const before = foreseen.get(record)
    foreseen.delete(record)
    last = before?.format === format ? before : { record, format, message: read(record, format) }
  }
  return last.message
}

/** As `messageOf`, of a record that is to be decided on soon: it is parsed once. @throws {UnusableRecord} */
export function foresee(record: SourceRecord, format: TopicFormat): MessageRoot {
  const before = foreseen.get(record)
  if (before?.format === format) return before.message
  const message = read(record, format)
  if (foreseen.size >= foreseenMax) foreseen.clear()
  foreseen.set(record, { record, format, message })
  return message
}

/** What is kept of the record's value: its own bytes, where they are JSON. @throws {UnusableRecord} */
export function payloadOf(record: SourceRecord, format: TopicFormat): Payload {
  const { value } = messageOf(record, format)
  if (record.value === null) return nullPayload
  if (format.value === 'json') return Payload.ofBytes(record.value, value)
  const part = isRegistered(format.value) ? record.decoded?.value : undefined
  return part !== undefined && 'json' in part ? Payload.ofBytes(part.json, value) : Payload.of(value)
}

function read(record: SourceRecord, format: TopicFormat): MessageRoot {
  checkSize(record)
  return {
    topic: record.topic,
    partition: record.partition,
    offset: record.offset,
    timestamp: timestampOf(record.timestampMs),
    key: record.key === null ? null : readKey(record.key, format.key, record.decoded),
    value: record.value === null ? null : readValue(record.value, format.value, record.decoded),
    headers: headersOf(record),
  }
}

/** "orders/3@17": topic, partition and offset, for people and as the key of a record that has none. */
export function coordinates(record: Pick<SourceRecord, 'topic' | 'partition' | 'offset'>): string {
  return `${record.topic}/${record.partition}@${record.offset}`
}

/** Topics may take larger records than ours do, and what is kept or forwarded has to fit into ours. */
function checkSize(record: SourceRecord): void {
  const bytes = bytesOf(record)
  if (bytes > limits.sourceRecordBytesMax)
    throw new UnusableRecord(
      'record-too-large',
      `the record has ${bytes} bytes: at most ${limits.sourceRecordBytesMax}`,
    )
}

/** Of all that is kept and forwarded of it. */
export function bytesOf({ key, value, headers, decoded }: SourceRecord): number {
  let bytes = (key?.length ?? 0) + (value?.length ?? 0)
  if (decoded !== undefined) bytes += lengthOf(decoded.key) + lengthOf(decoded.value)
  for (const header of headers) bytes += header.key.length + header.value.length
  return bytes
}

const lengthOf = (part: DecodedPart | undefined): number =>
  part !== undefined && 'json' in part ? part.json.length : 0

// eslint-disable-next-line no-restricted-globals -- a conversion of the record's own time; nothing asks for the time of day
const timestampOf = (ms: number): Date => new Date(ms)

const noHeaders: { readonly [key: string]: string } = Object.freeze(Object.create(null))

function headersOf(record: SourceRecord): { readonly [key: string]: string } {
  if (record.headers.length === 0) return noHeaders
  const headers: { [key: string]: string } = Object.create(null)
  for (const header of record.headers) headers[header.key] = lenient.decode(header.value)
  return headers
}
