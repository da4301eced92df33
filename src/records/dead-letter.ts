// A record in the dead-letter topic (a letter): the original's key, value and headers byte for byte, and behind them
// headers of our own with the reason, the place it came from, and a hash of its value.
//
//   letter     the original's headers…, dw-reason dw-message dw-source dw-timestamp [dw-workflow] dw-value-sha256
//              too large to be kept: no value, no headers of the original, but dw-key-bytes dw-value-bytes dw-headers-bytes
//   redriven   the original as it was, on its topic again: its headers…, dw-redriven-from dw-redriven-times
//              dw-redriven-first dw-redriven-first-timestamp [dw-redriven-for]
//   mark       in the partition of the letter: neither key nor value, dw-redrive-letter dw-redrive-to [dw-redrive-by]
//
// K1. The original's headers are those before the last dw-reason, whatever they are called: one that was a letter itself,
//     or was redriven, comes back as it was.
// K2. A record that was redriven and dies again says how often, and where it came from first; headers do not pile up.
import { createHash } from 'node:crypto'
import { limits } from '../base/limits.ts'
import { utf8 } from '../base/utf8.ts'
import type { DeadLetter } from '../engine/effect.ts'
import { coordinates, type SourceRecord } from '../engine/message.ts'

type Header = SourceRecord['headers'][number]
type Stored = Pick<SourceRecord, 'key' | 'value' | 'headers'>

/** Where a record lies. */
export interface RecordPlace {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** A letter as it is read: the original, and why and whence it came. */
export interface Letter extends Stored {
  readonly reason: string
  readonly message: string
  readonly workflows: readonly string[]
  readonly source: RecordPlace & { readonly timestampMs: number }
  readonly valueSha256: string
  /** False: it was too large; only its sizes and its hash are here, and its key where that is short. */
  readonly isKept: boolean
  readonly bytes: { readonly key: number; readonly value: number; readonly headers: number }
  /** How often it had been redriven when it died this time. */
  readonly redrivenTimes: number
  /** Where it lay before it was redriven for the first time. */
  readonly first: (RecordPlace & { readonly timestampMs: number }) | undefined
}

/** Says of a letter that it was redriven. */
export interface RedriveMark {
  /** The offset of the letter, in the partition of the mark. */
  readonly letter: number
  readonly topic: string
  readonly partition: number
  /** Who had it done; undefined: they did not say. */
  readonly by: string | undefined
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const messageBytesMax = 4_000
/** A longer key of a record that is not kept is left out, too. */
const keyBytesMax = 4_096
const redrivenPrefix = 'dw-redriven-'
const place = /^([^/]+)\/(\d{1,10})@(\d{1,16})$/

/** The record for the dead-letter topic. */
export function deadLetterRecord({ record, code, message, workflows }: DeadLetter): Stored {
  const own: [string, string | Uint8Array][] = [
    ['dw-reason', code],
    ['dw-message', bounded(message)],
    ['dw-source', coordinates(record)],
    ['dw-timestamp', String(record.timestampMs)],
  ]
  if (workflows.length > 0) own.push(['dw-workflow', workflows.join(',')])
  own.push(['dw-value-sha256', sha256(record.value)])
  const { key, value, headers } = record
  const bytes = sizesOf(record)
  if (bytes.key + bytes.value + bytes.headers <= limits.sourceRecordBytesMax)
    return { key, value, headers: [...headers, ...own.map(header)] }
  own.push(['dw-key-bytes', String(bytes.key)])
  own.push(['dw-value-bytes', String(bytes.value)])
  own.push(['dw-headers-bytes', String(bytes.headers)])
  return { key: bytes.key > keyBytesMax ? null : key, value: null, headers: own.map(header) }
}

/** A record of the dead-letter topic as a letter; undefined: it is none. */
export function readLetter({ key, value, headers }: Stored): Letter | undefined {
  const behind = headers.findLastIndex((each) => each.key === 'dw-reason') // K1
  if (behind < 0) return undefined
  const own = textsOf(headers.slice(behind))
  const source = placeOf(own.get('dw-source'), own.get('dw-timestamp'))
  if (source === undefined) return undefined
  const original = { key, value, headers: headers.slice(0, behind) }
  const whole = sizesOf(original)
  const isKept = !own.has('dw-value-bytes')
  const redriven = textsOf(original.headers.filter((each) => each.key.startsWith(redrivenPrefix)))
  return {
    ...original,
    reason: own.get('dw-reason') ?? '',
    message: own.get('dw-message') ?? '',
    workflows: own.get('dw-workflow')?.split(',') ?? [],
    source,
    valueSha256: own.get('dw-value-sha256') ?? sha256(value),
    isKept,
    bytes: isKept
      ? whole
      : {
          key: wholeNumber(own.get('dw-key-bytes')) ?? whole.key,
          value: wholeNumber(own.get('dw-value-bytes')) ?? 0,
          headers: wholeNumber(own.get('dw-headers-bytes')) ?? 0,
        },
    redrivenTimes: wholeNumber(redriven.get('dw-redriven-times')) ?? 0,
    first: placeOf(redriven.get('dw-redriven-first'), redriven.get('dw-redriven-first-timestamp')),
  }
}

/** The original of a letter that lies at `from`, for a topic again. K2 */
export function redrivenRecord(letter: Letter, from: RecordPlace, topic: string): Stored {
  const first = letter.first ?? letter.source
  const own: [string, string][] = [
    ['dw-redriven-from', coordinates(from)],
    ['dw-redriven-times', String(letter.redrivenTimes + 1)],
    ['dw-redriven-first', coordinates(first)],
    ['dw-redriven-first-timestamp', String(first.timestampMs)],
  ]
  // Who reads another topic has never seen it.
  if (topic === letter.source.topic && letter.workflows.length > 0)
    own.push(['dw-redriven-for', letter.workflows.join(',')])
  const { key, value, headers } = letter
  return {
    key,
    value,
    headers: [...headers.filter((each) => !each.key.startsWith(redrivenPrefix)), ...own.map(header)],
  }
}

/** The record that marks a letter as redriven. */
export function redriveMarkRecord({ letter, topic, partition, by }: RedriveMark): Stored {
  const own = {
    'dw-redrive-letter': String(letter),
    'dw-redrive-to': `${topic}/${partition}`,
    ...(by === undefined ? {} : { 'dw-redrive-by': by }),
  }
  return { key: null, value: null, headers: Object.entries(own).map(header) }
}

/** A record of the dead-letter topic as the mark that it is; undefined: it is none. */
export function readRedriveMark({ headers }: Pick<Stored, 'headers'>): RedriveMark | undefined {
  const own = textsOf(headers)
  const letter = wholeNumber(own.get('dw-redrive-letter'))
  const [, topic = '', partition = ''] = /^([^/]+)\/(\d{1,10})$/.exec(own.get('dw-redrive-to') ?? '') ?? []
  // What has a reason is a letter, whatever else its original carried.
  if (letter === undefined || topic === '' || own.has('dw-reason')) return undefined
  return { letter, topic, partition: Number(partition), by: own.get('dw-redrive-by') }
}

/** Bytes of key, value and headers. */
export function sizesOf({ key, value, headers }: Stored): Letter['bytes'] {
  let headerBytes = 0
  for (const each of headers) headerBytes += Buffer.byteLength(each.key) + each.value.length
  return { key: key?.length ?? 0, value: value?.length ?? 0, headers: headerBytes }
}

const header = ([key, value]: readonly [string, string | Uint8Array]): Header => ({
  key,
  value: typeof value === 'string' ? utf8(value) : value,
})

/** Of no value, that of no bytes. */
function sha256(value: Uint8Array | null): string {
  return createHash('sha256')
    .update(value ?? new Uint8Array())
    .digest('hex')
}

/** As many whole characters as there is room for. */
function bounded(message: string): Uint8Array {
  const room = new Uint8Array(messageBytesMax)
  return room.subarray(0, encoder.encodeInto(message, room).written)
}

/** Of several headers of one name the last counts. */
function textsOf(headers: readonly Header[]): ReadonlyMap<string, string> {
  return new Map(headers.map(({ key, value }) => [key, decoder.decode(value)]))
}

function placeOf(text: string | undefined, timestamp: string | undefined): Letter['first'] {
  const match = place.exec(text ?? '')
  if (match === null || timestamp === undefined || !/^-?\d{1,16}$/.test(timestamp)) return undefined
  return {
    topic: match[1]!,
    partition: Number(match[2]),
    offset: Number(match[3]),
    timestampMs: Number(timestamp),
  }
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : undefined
}
