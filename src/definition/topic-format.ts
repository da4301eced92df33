// What the bytes of a topic's records are: declared once in a workflow, under `topics`, for reading and for writing. It
// travels with the workflow's version, so that every worker reads a record alike and a replay reads it as it was read.
import type { Json } from '../base/json.ts'
import type { Cursor } from './cursor.ts'
import { ExpectedValue } from './fitting.ts'

/** Those whose schemas are in a registry: the bytes begin with the id of one. */
export type RegisteredFormat = 'avro' | 'protobuf' | 'json-schema'
/** bytes: expressions have them as base64. */
export type ValueFormat = 'json' | 'string' | 'bytes' | RegisteredFormat
/** int, long: 4 and 8 bytes, big-endian, as Kafka's own serializers write them; expressions have their decimal digits. */
export type KeyFormat = 'string' | 'json' | 'bytes' | 'int' | 'long' | RegisteredFormat

/** One object for each that there is: what is equal is the same. */
export interface TopicFormat {
  readonly value: ValueFormat
  readonly key: KeyFormat
  /** A registry is asked for its records. */
  readonly hasSchemas: boolean
}

export const isRegistered = (format: ValueFormat | KeyFormat): format is RegisteredFormat =>
  format === 'avro' || format === 'protobuf' || format === 'json-schema'

const formats = new Map<string, TopicFormat>()

export function topicFormat(value: ValueFormat = 'json', key: KeyFormat = 'string'): TopicFormat {
  const name = `${value} ${key}`
  let format = formats.get(name)
  if (format === undefined)
    formats.set(name, (format = { value, key, hasSchemas: isRegistered(value) || isRegistered(key) }))
  return format
}

/** Of a topic of which nothing is declared. */
export const defaultFormat: TopicFormat = topicFormat()

/** The formats that a workflow declares, by topic. */
export function buildFormats(topics: Cursor): ReadonlyMap<string, TopicFormat> {
  return new Map(
    topics.entries.map(([topic, at]) => [
      topic,
      topicFormat(at.at('format').text as ValueFormat | undefined, at.at('keyFormat').text as KeyFormat | undefined),
    ]),
  )
}

const base64 = { type: ['string', 'null'], pattern: '^[A-Za-z0-9+/]*={0,2}$' }
const integer = { type: ['string', 'integer', 'null'], pattern: '^-?[0-9]+$' }

const registered = { avro: undefined, protobuf: undefined, 'json-schema': undefined }

/** What a command may give as the value; undefined: anything, as far as can be known here. */
const values: { readonly [Format in ValueFormat]: ExpectedValue | undefined } = {
  json: undefined,
  string: expected({ type: ['string', 'null'] }),
  bytes: expected(base64),
  ...registered,
}

const keys: { readonly [Format in KeyFormat]: ExpectedValue | undefined } = {
  string: undefined,
  json: undefined,
  bytes: expected(base64),
  int: expected(integer),
  long: expected(integer),
  ...registered,
}

export const expectedValue = (format: TopicFormat): ExpectedValue | undefined => values[format.value]
export const expectedKey = (format: TopicFormat): ExpectedValue | undefined => keys[format.key]

function expected(schema: Json): ExpectedValue {
  return new ExpectedValue(schema)
}
