// A record as expressions see it: the root `message`. Bytes from strangers are looked at once, here.
import type { Json } from '../base/json.ts'
import { limits } from '../base/limits.ts'

/** A record of a source topic, as it travels through the engine and between partitions. */
export interface SourceRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestampMs: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly { readonly key: string; readonly value: Uint8Array }[]
}

/** The record cannot be used; the code is the reason in the dead-letter topic. */
export class UnusableRecord extends Error {
  readonly code: 'not-json' | 'key-not-text' | 'too-deep' | 'record-too-large'
  constructor(code: UnusableRecord['code'], message: string) {
    super(message)
    this.code = code
  }
}

const strict = new TextDecoder('utf-8', { fatal: true })
const lenient = new TextDecoder()

/** The record decoded last: all that one input leads to looks at the same one, and it is parsed once. */
let last: { readonly record: SourceRecord; readonly message: MessageRoot } | undefined
/** Records of a batch that were looked into beforehand. */
const foreseen = new Map<SourceRecord, MessageRoot>()
const foreseenMax = 1_000

/** What expressions find under `message`. */
export interface MessageRoot {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: Date
  readonly key: string | null
  readonly value: Json
  readonly headers: { readonly [key: string]: string }
}

/**
 * The record as the root `message`: key as text, value as JSON, headers as text.
 * @throws {UnusableRecord} It is too large, the key is not UTF-8, or the value is not JSON, or nested too deeply.
 */
export function messageOf(record: SourceRecord): MessageRoot {
  if (last?.record !== record) {
    const message = foreseen.get(record) ?? read(record)
    foreseen.delete(record)
    last = { record, message }
  }
  return last.message
}

/** As `messageOf`, of a record that is to be decided on soon: it is parsed once. @throws {UnusableRecord} */
export function foresee(record: SourceRecord): MessageRoot {
  const message = read(record)
  if (foreseen.size >= foreseenMax) foreseen.clear()
  foreseen.set(record, message)
  return message
}

function read(record: SourceRecord): MessageRoot {
  checkSize(record)
  return {
    topic: record.topic,
    partition: record.partition,
    offset: record.offset,
    timestamp: timestampOf(record.timestampMs),
    key: keyText(record),
    value: record.value === null ? null : parse(record.value),
    headers: headersOf(record),
  }
}

/** "orders/3@17": topic, partition and offset, for people and as the key of a record that has none. */
export function coordinates(record: Pick<SourceRecord, 'topic' | 'partition' | 'offset'>): string {
  return `${record.topic}/${record.partition}@${record.offset}`
}

/** Topics may take larger records than ours do, and what is kept or forwarded has to fit into ours. */
function checkSize({ key, value, headers }: SourceRecord): void {
  let bytes = (key?.length ?? 0) + (value?.length ?? 0)
  for (const header of headers) bytes += header.key.length + header.value.length
  if (bytes > limits.sourceRecordBytesMax)
    throw new UnusableRecord(
      'record-too-large',
      `the record has ${bytes} bytes: at most ${limits.sourceRecordBytesMax}`,
    )
}

// eslint-disable-next-line no-restricted-globals -- a conversion of the record's own time; nothing asks for the time of day
const timestampOf = (ms: number): Date => new Date(ms)

function keyText(record: SourceRecord): string | null {
  if (record.key === null) return null
  try {
    return strict.decode(record.key)
  } catch {
    throw new UnusableRecord('key-not-text', 'the key is not UTF-8 text')
  }
}

const noHeaders: { readonly [key: string]: string } = Object.freeze(Object.create(null))

function headersOf(record: SourceRecord): { readonly [key: string]: string } {
  if (record.headers.length === 0) return noHeaders
  const headers: { [key: string]: string } = Object.create(null)
  for (const header of record.headers) headers[header.key] = lenient.decode(header.value)
  return headers
}

function parse(bytes: Uint8Array): Json {
  if (isTooDeep(bytes)) throw new UnusableRecord('too-deep', `the value is nested deeper than ${limits.jsonDepthMax}`)
  try {
    return JSON.parse(strict.decode(bytes)) as Json
  } catch (error) {
    throw new UnusableRecord(
      'not-json',
      `the value is not JSON: ${error instanceof Error ? error.message : 'unreadable'}`,
    )
  }
}

/** Counts brackets before anything is parsed: those inside strings are left out. */
export function isTooDeep(bytes: Uint8Array): boolean {
  // A nesting of n takes 2n bytes.
  if (bytes.length <= 2 * limits.jsonDepthMax) return false
  let depth = 0
  let isInString = false
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]
    if (isInString) {
      if (byte === 0x5c) i++
      else if (byte === 0x22) isInString = false
    } else if (byte === 0x22) isInString = true
    else if (byte === 0x5b || byte === 0x7b) {
      if (++depth > limits.jsonDepthMax) return true
    } else if (byte === 0x5d || byte === 0x7d) depth--
  }
  return false
}
